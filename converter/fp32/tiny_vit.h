// TinyViT, MobileSAM's image encoder, in F32: convolutions at 1/4 of the input's side, then attention in windows at 1/8
// and 1/16. BatchNorm is folded into the convolutions before it (FloatModel holds plain ones).
// Source: ChaoningZhang/MobileSAM, mobile_sam/modeling/tiny_vit_sam.py.
#ifndef INTSAM_CONVERTER_FP32_TINY_VIT_H_
#define INTSAM_CONVERTER_FP32_TINY_VIT_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "converter/encoder/mlp/fp32.h"
#include "converter/encoder/neck/fp32.h"
#include "converter/fp32/biased_window_attention.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/separable_conv.h"
#include "converter/fp32/tiny_vit_stem.h"

namespace intsam::internal::fp32 {

class TinyVit {
 public:
  TinyVit(const Context& context, WeightLayout layout);

  // rgb: [height][width][3], resized to the model's longest side. Result: [grid * grid][prompt_embed_dim].
  std::vector<float> Run(const uint8_t* rgb, uint32_t height, uint32_t width);

 private:
  using Kind = std::variant<MbConv, PatchMerging, BiasedWindowAttention, LocalConv, Mlp>;

  ConvStem stem_;
  std::vector<Kind> layers_;
  Neck neck_;
  Stream stream_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_TINY_VIT_H_
