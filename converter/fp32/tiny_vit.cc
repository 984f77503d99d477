// The order of TinyViT's layers. Their sites are listed at the head of float_sam.cc.
#include "converter/fp32/tiny_vit.h"

#include <type_traits>
#include <utility>

#include "converter/fp32/ops.h"

namespace intsam::internal::fp32 {

TinyVit::TinyVit(const Context& context, WeightLayout layout)
    : stem_(context), neck_(context, context.config.tiny_vit.embed_dims[TinyVitConfig::kStages - 1]) {
  const TinyVitConfig& c = context.config.tiny_vit;
  for (uint32_t i = 0; i < TinyVitConfig::kStages; ++i) {
    const std::string stage = "image_encoder.layers." + std::to_string(i) + ".";
    const size_t side = context.config.stage_grid(i), width = c.embed_dims[i];
    for (uint32_t j = 0; j < c.depths[i]; ++j) {
      const std::string block = stage + "blocks." + std::to_string(j);
      if (i == 0) {
        layers_.emplace_back(std::in_place_type<MbConv>, context, block, stage + "x", side, width,
                             c.expand_ratio * width, layout);
        continue;
      }
      layers_.emplace_back(std::in_place_type<BiasedWindowAttention>, context, block + ".attn", stage + "x", side,
                           width, c.num_heads[i], c.window_sizes[i], layout);
      layers_.emplace_back(std::in_place_type<LocalConv>, context, block + ".local_conv", stage + "x", side, width);
      const std::string mlp = block + ".mlp.";
      layers_.emplace_back(std::in_place_type<Mlp>, context,
                           MlpNames{mlp + "norm", mlp + "fc1", mlp + "fc2", stage + "x"}, side * side, width,
                           c.mlp_ratio * width, kTinyVitEpsilon, layout);
    }
    if (i + 1 < TinyVitConfig::kStages) {
      const std::string next = "image_encoder.layers." + std::to_string(i + 1) + ".x";
      const size_t stride = side / context.config.stage_grid(i + 1);
      layers_.emplace_back(std::in_place_type<PatchMerging>, context, stage + "downsample", next, side, stride, width,
                           c.embed_dims[i + 1], layout);
    }
  }
}

std::vector<float> TinyVit::Run(const uint8_t* rgb, uint32_t height, uint32_t width) {
  stem_.Run(rgb, height, width, stream_);
  for (Layer& layer : layers_) {
    std::visit(
        [this](auto& kind) {
          if constexpr (std::is_same_v<std::decay_t<decltype(kind)>, Mlp>) {
            kind.Run(stream_.x.data(), stream_.next, stream_.hidden);
          } else {
            kind.Run(stream_);
          }
        },
        layer);
  }
  return neck_.Run(stream_.x.data(), stream_.hidden);
}

}  // namespace intsam::internal::fp32
