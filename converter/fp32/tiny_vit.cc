// The order of TinyViT's layers. Their sites are listed at the head of float_sam.cc.
#include "converter/fp32/tiny_vit.h"

#include <utility>

#include "converter/fp32/ops.h"
#include "converter/sam_constants.h"

namespace intsam::internal::fp32 {

TinyVit::TinyVit(const Context& context, WeightLayout layout)
    : stem_(context),
      neck_(context, intsam::internal::Neck(context.config.grid(),
                                            context.config.tiny_vit.embed_dims[TinyVitConfig::kStages - 1],
                                            context.config.prompt_embed_dim)) {
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
      layers_.emplace_back(std::in_place_type<Mlp>, context,
                           MlpBlock(kTinyVitMlpNames, static_cast<uint32_t>(side * side), width, c.mlp_ratio * width),
                           block + ".mlp", stage + "x", kTinyVitEpsilon, layout);
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
  for (Kind& layer : layers_) {
    std::visit([this](auto& kind) { kind.Run(stream_); }, layer);
  }
  neck_.Run(stream_);
  return std::move(stream_.embedding);
}

}  // namespace intsam::internal::fp32
