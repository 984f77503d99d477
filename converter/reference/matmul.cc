// oneDNN behind two calls. Where its matmul has a kernel with its own weight layout (AVX-512 and newer), the layers of
// the image encoder use that layout; its AVX2 products take plain matrices, packed or not.
#include "converter/reference/matmul.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // in the headers of oneDNN 3
#include <dnnl.hpp>
#pragma GCC diagnostic pop

namespace intsam::internal::fp32 {
namespace {

const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

class OneDnnLinear : public LinearProduct {
 public:
  OneDnnLinear(const float* weight, size_t in, size_t out, size_t rows) : stream_(Engine()) {
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
    primitive_ = dnnl::matmul(descriptor);
    source_ = dnnl::memory(source_desc, Engine(), nullptr);
    result_ = dnnl::memory(result_desc, Engine(), nullptr);
    dnnl::memory plain(plain_weight, Engine(), const_cast<float*>(weight));  // only read
    if (descriptor.weights_desc() == plain_weight) {
      weights_ = plain;
    } else {
      weights_ = dnnl::memory(descriptor.weights_desc(), Engine());
      dnnl::reorder(plain, weights_).execute(stream_, plain, weights_);
      stream_.wait();
    }
  }

  void Run(const float* x, float* y) override {
    source_.set_data_handle(const_cast<float*>(x));  // only read
    result_.set_data_handle(y);
    primitive_.execute(stream_, {{DNNL_ARG_SRC, source_}, {DNNL_ARG_WEIGHTS, weights_}, {DNNL_ARG_DST, result_}});
    stream_.wait();
  }

 private:
  dnnl::stream stream_;
  dnnl::matmul primitive_;
  dnnl::memory source_, weights_, result_;
};

}  // namespace

Linear::Linear(const float* weight, size_t in, size_t out, size_t rows, const LinearLibrary& library)
    : weight_(weight), in_(in), out_(out), rows_(rows) {
  if (rows == 0) return;
  packed_ = library ? library(weight, in, out, rows) : std::make_unique<OneDnnLinear>(weight, in, out, rows);
}

void Linear::Run(const float* x, size_t rows, float* y) const {
  if (packed_ && rows_ == rows) {
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

}  // namespace intsam::internal::fp32
