// A transformer block's MLP with its norm and its residual sum: x += lin2(gelu(lin1(norm(x)))).
#ifndef INTSAM_CONVERTER_FP32_MLP_H_
#define INTSAM_CONVERTER_FP32_MLP_H_

#include <string>

#include "converter/fp32/context.h"
#include "converter/fp32/matmul.h"

namespace intsam::internal::fp32 {

// Module paths of the parts, and the site of the stream that the MLP adds to.
struct MlpNames {
  std::string norm, lin1, lin2, stream;
};

class Mlp {
 public:
  // Products are prepared for `rows` tokens if `layout` is kPacked.
  Mlp(const Context& context, MlpNames names, size_t rows, size_t width, size_t hidden, float epsilon,
      WeightLayout layout);

  // x: [rows][width]. `norm` and `hidden` are scratch.
  void Run(float* x, Buffer& norm, Buffer& hidden) const;

 private:
  const Context& context_;
  MlpNames names_;
  size_t rows_, width_, hidden_;
  float epsilon_;
  Linear lin1_, lin2_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_MLP_H_
