// oneDNN behind two calls. Where its matmul has a kernel with its own weight layout (AVX-512 and newer), the layers of
// the image encoder use that layout; its AVX2 products take plain matrices, packed or not.
#include "converter/reference/matmul.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // in the headers of oneDNN 3
#include <dnnl.hpp>
#pragma GCC diagnostic pop

namespace intsam::fp32 {
namespace {

const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

}  // namespace

struct Linear::Packed {
  Packed(const float* weight, size_t in, size_t out, size_t row_count) : rows(row_count), stream(Engine()) {
    using Type = dnnl::memory::data_type;
    using Tag = dnnl::memory::format_tag;
    const auto m = static_cast<dnnl::memory::dim>(rows);
    const auto k = static_cast<dnnl::memory::dim>(in);
    const auto n = static_cast<dnnl::memory::dim>(out);
    const dnnl::memory::desc source_desc({m, k}, Type::f32, Tag::ab);
    const dnnl::memory::desc result_desc({m, n}, Type::f32, Tag::ab);
    const dnnl::memory::desc any_weight({k, n}, Type::f32, Tag::any);
    const dnnl::memory::desc plain_weight({k, n}, Type::f32, Tag::ba);
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc descriptor(Engine(), source_desc, any_weight, result_desc);
#else
    const dnnl::matmul::primitive_desc descriptor({source_desc, any_weight, result_desc}, Engine());
#endif
    primitive = dnnl::matmul(descriptor);
    source = dnnl::memory(source_desc, Engine(), nullptr);
    result = dnnl::memory(result_desc, Engine(), nullptr);
    dnnl::memory plain(plain_weight, Engine(), const_cast<float*>(weight));  // only read
    if (descriptor.weights_desc() == plain_weight) {
      weights = plain;
    } else {
      weights = dnnl::memory(descriptor.weights_desc(), Engine());
      dnnl::reorder(plain, weights).execute(stream, plain, weights);
      stream.wait();
    }
  }

  void Run(const float* x, float* y) {
    source.set_data_handle(const_cast<float*>(x));  // only read
    result.set_data_handle(y);
    primitive.execute(stream, {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, result}});
    stream.wait();
  }

  size_t rows;
  dnnl::stream stream;
  dnnl::matmul primitive;
  dnnl::memory source, weights, result;
};

Linear::Linear(const float* weight, size_t in, size_t out, size_t rows) : weight_(weight), in_(in), out_(out) {
  if (rows > 0) packed_ = std::make_unique<Packed>(weight, in, out, rows);
}

Linear::Linear() = default;
Linear::~Linear() = default;
Linear::Linear(Linear&&) noexcept = default;
Linear& Linear::operator=(Linear&&) noexcept = default;

void Linear::Run(const float* x, size_t rows, float* y) const {
  if (packed_ && packed_->rows == rows) {
    packed_->Run(x, y);
  } else {
    Product(Transpose::kYes, rows, out_, in_, x, in_, weight_, in_, y, out_);
  }
}

void Product(Transpose transpose_b, size_t m, size_t n, size_t k, const float* a, size_t lda, const float* b,
             size_t ldb, float* c, size_t ldc) {
  const auto dim = [](size_t x) { return static_cast<dnnl_dim_t>(x); };
  // The arguments are valid by construction, and that is all that the status reports.
  dnnl_sgemm('N', transpose_b == Transpose::kYes ? 'T' : 'N', dim(m), dim(n), dim(k), 1.0f, a, dim(lda), b, dim(ldb),
             0.0f, c, dim(ldc));
}

std::string MatrixLibraryName() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace intsam::fp32
