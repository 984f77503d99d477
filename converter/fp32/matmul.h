// Matrix products of the float reference, all of them oneDNN's: packed linear layers and a strided general product.
// oneDNN runs on one thread here; a large product is cut into blocks, tasks of a pool. The cut depends on the shape
// alone, because oneDNN rounds differently in blocks of another size.
#ifndef INTSAM_CONVERTER_FP32_MATMUL_H_
#define INTSAM_CONVERTER_FP32_MATMUL_H_

#include <cstddef>
#include <memory>
#include <string>

#include "converter/fp32/float_sam.h"
#include "runtime/base/thread_pool.h"

namespace intsam::internal::fp32 {

enum class Transpose { kNo, kYes };

// C[m][n] = A[m][k] * B, row-major with leading dimensions; B is [k][n], or [n][k] with Transpose::kYes. On the calling
// thread, so it may be part of a task. Throws std::bad_alloc.
void Product(Transpose transpose_b, size_t m, size_t n, size_t k, const float* a, size_t lda, const float* b,
             size_t ldb, float* c, size_t ldc);
// The same on a pool.
void Product(Parallel& pool, Transpose transpose_b, size_t m, size_t n, size_t k, const float* a, size_t lda,
             const float* b, size_t ldb, float* c, size_t ldc);

// y = x * weight^T. The bias is the caller's, who fuses it into the next pass over y.
class Linear {
 public:
  Linear() = default;
  // weight [out][in] and the pool must outlive this object. With rows > 0 a product for that many rows is prepared, by
  // `library` or else by oneDNN with the weight in the layout that it prefers; other row counts use the plain weight.
  Linear(Parallel& pool, const float* weight, size_t in, size_t out, size_t rows, const LinearLibrary& library = {});

  void Run(const float* x, size_t rows, float* y) const;

 private:
  Parallel* pool_ = nullptr;
  const float* weight_ = nullptr;
  size_t in_ = 0;
  size_t out_ = 0;
  size_t rows_ = 0;  // of packed_
  std::unique_ptr<LinearProduct> packed_;
};

// "oneDNN 2.6.3"
std::string MatrixLibraryName();

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_MATMUL_H_
