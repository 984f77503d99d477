// The MLP in F32, for any norm and any stream that it adds to.
#ifndef INTSAM_CONVERTER_ENCODER_MLP_FP32_H_
#define INTSAM_CONVERTER_ENCODER_MLP_FP32_H_

#include <string>

#include "converter/encoder/kind.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"
#include "runtime/encoder/mlp/mlp.h"

namespace intsam::internal::fp32 {

class Mlp : public Layer {
 public:
  // Products are prepared for the shape's tokens if `layout` is kPacked.
  Mlp(const Context& context, const MlpBlock& shape, const LayerPlace& place, WeightLayout layout);

  void Run(Stream& stream) override;

 private:
  const Context& context_;
  std::string norm_, lin1_name_, lin2_name_, map_;
  size_t rows_, width_, hidden_;
  float epsilon_;
  Linear lin1_, lin2_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_ENCODER_MLP_FP32_H_
