// oneDNN behind two calls. Where its matmul has a kernel with its own weight layout (AVX-512 and newer), the layers of
// the image encoder use that layout; its AVX2 products take plain matrices, transposed once.
#include "converter/fp32/matmul.h"

#include <omp.h>

#include <algorithm>
#include <new>
#include <vector>

#include "converter/fp32/context.h"
#include "converter/fp32/parallel.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // in the headers of oneDNN 3
#include <dnnl.hpp>
#pragma GCC diagnostic pop

namespace intsam::internal::fp32 {
namespace {

// A block costs one pass over the whole weight: the more rows it has, the less that counts, and the fewer threads find
// work. A weight in oneDNN's own layout is read as it lies and pays less.
constexpr size_t kLeastRows = 64, kMostRows = 512, kPackedRows = 256;
constexpr size_t kMostColumns = 1024;

size_t BlockRows(size_t rows) { return std::clamp((rows + 3) / 4, kLeastRows, kMostRows); }

// Floats' worth of a product, for ParallelItems: sixteen multiplications take about as long as a pass over one float.
size_t WorkOf(size_t m, size_t n, size_t k) { return m * n * (k / 16 + 1); }

// While in scope, oneDNN uses the calling thread alone: it asks OpenMP for the caller's number of threads, whose
// threads would wait for work in a loop and take the cores from everybody else.
class OneThread {
 public:
  OneThread() : saved_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(saved_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int saved_;
};

const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// Runs `body`, and turns oneDNN's own out of memory into everybody's.
template <class Body>
auto Guarded(const Body& body) {
  const OneThread one_thread;
  try {
    return body();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw;
  }
}

class OneDnnLinear : public LinearProduct {
 public:
  OneDnnLinear(Parallel& pool, const float* weight, size_t in, size_t out, size_t rows)
      : pool_(pool), weight_(weight), in_(in), out_(out), rows_(rows), block_(BlockRows(rows)) {
    Guarded([&] {
      dnnl::matmul::primitive_desc descriptor = Describe();
      if (IsPacked(descriptor.weights_desc()) && block_ > kPackedRows) {
        block_ = kPackedRows;
        descriptor = Describe();
      }
      primitive_ = dnnl::matmul(descriptor);
      scratch_bytes_ = descriptor.scratchpad_desc().get_size();
      weights_ = dnnl::memory(descriptor.weights_desc(), Engine());
      dnnl::memory plain(Matrix(in_, out_, Tag::ba), Engine(), const_cast<float*>(weight));  // only read
      dnnl::stream stream(Engine());
      dnnl::reorder(plain, weights_).execute(stream, plain, weights_);
      stream.wait();
    });
  }

  void Run(const float* x, float* y) override {
    const size_t whole = rows_ / block_, rest = rows_ % block_;
    ParallelItems(pool_, whole + (rest > 0 ? 1 : 0), WorkOf(rows_, out_, in_), [&](size_t item, int) {
      const float* from = x + item * block_ * in_;
      float* to = y + item * block_ * out_;
      if (item < whole) {
        Guarded([&] { RunBlock(from, to); });
      } else {
        Product(Transpose::kYes, rest, out_, in_, from, in_, weight_, in_, to, out_);
      }
    });
  }

 private:
  using Tag = dnnl::memory::format_tag;

  static dnnl::memory::desc Matrix(size_t height, size_t width, Tag tag) {
    const dnnl::memory::dims dims = {static_cast<dnnl::memory::dim>(height), static_cast<dnnl::memory::dim>(width)};
    return {dims, dnnl::memory::data_type::f32, tag};
  }

  // Whether a weight is in a layout of tiles, which only oneDNN understands.
  static bool IsPacked(const dnnl::memory::desc& weight) {
    return !(weight == dnnl::memory::desc(weight.dims(), weight.data_type(), Tag::ab)) &&
           !(weight == dnnl::memory::desc(weight.dims(), weight.data_type(), Tag::ba));
  }

  // Of one block of rows. The scratchpad is the caller's: oneDNN's own is not for several threads at once.
  dnnl::matmul::primitive_desc Describe() const {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::memory::desc source = Matrix(block_, in_, Tag::ab), result = Matrix(block_, out_, Tag::ab);
    const dnnl::memory::desc weight = Matrix(in_, out_, Tag::any);
#if DNNL_VERSION_MAJOR >= 3
    return {Engine(), source, weight, result, attributes};
#else
    return {{source, weight, result}, attributes, Engine()};
#endif
  }

  void RunBlock(const float* x, float* y) const {
    thread_local Buffer scratch;
    const size_t floats = (scratch_bytes_ + sizeof(float) - 1) / sizeof(float);
    const dnnl::memory source(Matrix(block_, in_, Tag::ab), Engine(), const_cast<float*>(x));  // only read
    const dnnl::memory result(Matrix(block_, out_, Tag::ab), Engine(), y);
    const dnnl::memory::desc scratch_desc({static_cast<dnnl::memory::dim>(scratch_bytes_)}, dnnl::memory::data_type::u8,
                                          Tag::a);
    const dnnl::memory scratchpad(scratch_desc, Engine(), scratch.Resize(floats));
    dnnl::stream stream(Engine());
    primitive_.execute(stream, {{DNNL_ARG_SRC, source},
                                {DNNL_ARG_WEIGHTS, weights_},
                                {DNNL_ARG_DST, result},
                                {DNNL_ARG_SCRATCHPAD, scratchpad}});
    stream.wait();
  }

  Parallel& pool_;
  const float* const weight_;
  const size_t in_, out_, rows_;
  size_t block_;  // rows of one task
  size_t scratch_bytes_ = 0;
  dnnl::matmul primitive_;
  dnnl::memory weights_;
};

}  // namespace

Linear::Linear(Parallel& pool, const float* weight, size_t in, size_t out, size_t rows, const LinearLibrary& library)
    : pool_(&pool), weight_(weight), in_(in), out_(out), rows_(rows) {
  if (rows == 0) return;
  packed_ = library ? library(weight, in, out, rows) : std::make_unique<OneDnnLinear>(pool, weight, in, out, rows);
}

void Linear::Run(const float* x, size_t rows, float* y) const {
  if (packed_ && rows_ == rows) {
    packed_->Run(x, y);
  } else {
    Product(*pool_, Transpose::kYes, rows, out_, in_, x, in_, weight_, in_, y, out_);
  }
}

void Product(Transpose transpose_b, size_t m, size_t n, size_t k, const float* a, size_t lda, const float* b,
             size_t ldb, float* c, size_t ldc) {
  const auto dim = [](size_t x) { return static_cast<dnnl_dim_t>(x); };
  const OneThread one_thread;
  const dnnl_status_t status = dnnl_sgemm('N', transpose_b == Transpose::kYes ? 'T' : 'N', dim(m), dim(n), dim(k), 1.0f,
                                          a, dim(lda), b, dim(ldb), 0.0f, c, dim(ldc));
  if (status == dnnl_out_of_memory) throw std::bad_alloc();  // the arguments are valid by construction
}

void Product(Parallel& pool, Transpose transpose_b, size_t m, size_t n, size_t k, const float* a, size_t lda,
             const float* b, size_t ldb, float* c, size_t ldc) {
  const size_t rows = BlockRows(m), row_blocks = (m + rows - 1) / rows;
  const size_t column_blocks = (n + kMostColumns - 1) / kMostColumns;
  const size_t columns = (n + column_blocks - 1) / column_blocks;
  ParallelItems(pool, row_blocks * column_blocks, WorkOf(m, n, k), [&](size_t item, int) {
    const size_t row = item / column_blocks * rows, column = item % column_blocks * columns;
    const float* from = b + (transpose_b == Transpose::kYes ? column * ldb : column);
    Product(transpose_b, std::min(rows, m - row), std::min(columns, n - column), k, a + row * lda, lda, from, ldb,
            c + row * ldc + column, ldc);
  });
}

std::string MatrixLibraryName() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace intsam::internal::fp32
