#include "runtime/encoder/layers.h"

#include <utility>

namespace intsam::internal {
namespace {

// Layers as they are added, the first of them at the photo.
struct LayerList {
  std::vector<EncoderLayer> layers;

  // path: of the module; group: of the names of its record; map: of what it leaves.
  template <class Kind>
  void Add(const std::string& path, const std::string& group, const std::string& map, Kind kind) {
    layers.push_back({{"image_encoder." + path}, group, map.empty() ? "" : "image_encoder." + map, std::move(kind)});
  }
};

void AddVit(LayerList& list, const SamConfig& c) {
  const VitConfig& vit = c.vit;
  const uint32_t grid = c.grid();
  list.Add("patch_embed", "patch_embed", "x", PatchEmbed(grid, vit.patch_size, vit.embed_dim));
  for (uint32_t i = 0; i < vit.depth; ++i) {
    const std::string block = "blocks." + std::to_string(i);
    list.Add(block + ".attn", block, "x", WindowAttention({grid, c.attention_side(i), vit.num_heads, vit.head_dim()}));
    list.Add(block + ".mlp", block, "x", MlpBlock(kVitMlpNames, grid * grid, vit.embed_dim, vit.mlp_dim));
  }
  list.Add("neck", "neck", "", Neck(grid, vit.embed_dim, c.prompt_embed_dim));
}

void AddTinyVit(LayerList& list, const SamConfig& c) {
  const TinyVitConfig& tiny = c.tiny_vit;
  list.Add("patch_embed", "patch_embed", "layers.0.x",
           ConvStem(c.image_size, tiny.embed_dims[0] / 2, tiny.embed_dims[0]));
  for (uint32_t stage = 0; stage < TinyVitConfig::kStages; ++stage) {
    const uint32_t grid = c.stage_grid(stage), width = tiny.embed_dims[stage];
    const std::string path = "layers." + std::to_string(stage), map = path + ".x";
    for (uint32_t i = 0; i < tiny.depths[stage]; ++i) {
      const std::string block = path + ".blocks." + std::to_string(i);
      if (stage == 0) {
        list.Add(block, block, map, MbConv(grid, width, tiny.expand_ratio * width));
        continue;
      }
      const Windows windows{grid, tiny.window_sizes[stage], tiny.num_heads[stage], tiny.head_dim(stage)};
      list.Add(block + ".attn", block, map, BiasedAttention(windows));
      list.Add(block + ".local_conv", block, map, LocalConv(grid, width));
      list.Add(block + ".mlp", block + ".mlp", map,
               MlpBlock(kTinyVitMlpNames, grid * grid, width, tiny.mlp_ratio * width));
    }
    if (stage + 1 == TinyVitConfig::kStages) break;
    const auto input = stage == 0 ? PatchMerging::Input::kS16 : PatchMerging::Input::kR24;
    list.Add(path + ".downsample", path + ".downsample", "layers." + std::to_string(stage + 1) + ".x",
             PatchMerging(input, grid, grid / c.stage_grid(stage + 1), width, tiny.embed_dims[stage + 1]));
  }
  list.Add("neck", "neck", "", Neck(c.grid(), tiny.embed_dims[TinyVitConfig::kStages - 1], c.prompt_embed_dim));
}

}  // namespace

std::vector<EncoderLayer> EncoderLayers(const SamConfig& config) {
  LayerList list;
  if (config.family == kVit) {
    AddVit(list, config);
  } else if (config.family == kTinyVit) {
    AddTinyVit(list, config);
  }
  return std::move(list.layers);
}

}  // namespace intsam::internal
