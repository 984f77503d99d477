#include "runtime/encoder/layers.h"

#include <utility>

namespace intsam::internal {

std::vector<EncoderLayer> EncoderLayers(const SamConfig& c) {
  const VitConfig& vit = c.vit;
  const uint32_t grid = c.grid();
  std::vector<EncoderLayer> layers;
  const auto add = [&](const std::string& path, const std::string& group, auto kind) {
    layers.push_back({{"image_encoder." + path}, group, std::move(kind)});
  };
  add("patch_embed", "patch_embed", PatchEmbed(grid, vit.patch_size, vit.embed_dim));
  for (uint32_t i = 0; i < vit.depth; ++i) {
    const std::string block = "blocks." + std::to_string(i);
    add(block + ".attn", block, WindowAttention({grid, c.attention_side(i), vit.num_heads, vit.head_dim()}));
    add(block + ".mlp", block, MlpBlock(kVitMlpNames, grid * grid, vit.embed_dim, vit.mlp_dim));
  }
  add("neck", "neck", Neck(grid, vit.embed_dim, c.prompt_embed_dim));
  return layers;
}

}  // namespace intsam::internal
