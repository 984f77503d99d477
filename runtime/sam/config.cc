#include "runtime/sam/config.h"

#include <cstring>

namespace intsam::internal {
namespace {

Status Refuse(const char* field, uint32_t value, const char* reason) {
  return Error(Code::kUnsupported, "config: %s: %u %s", field, value, reason);
}

Status ValidateVit(const SamConfig& config) {
  const VitConfig& c = config.vit;
  if (config.image_size % c.patch_size != 0)
    return Refuse("image_size", config.image_size, "is not a multiple of patch_size");
  if (c.patch_size % 2 != 0) return Refuse("patch_size", c.patch_size, "is odd");
  if (c.embed_dim % 16 != 0) return Refuse("embed_dim", c.embed_dim, "is not a multiple of 16");
  if (c.embed_dim % c.num_heads != 0) return Refuse("num_heads", c.num_heads, "does not divide embed_dim");
  if (c.head_dim() % 4 != 0)
    return Refuse("num_heads", c.num_heads, "gives a head dimension that is not a multiple of 4");
  if (c.head_dim() > 256) return Refuse("num_heads", c.num_heads, "gives a head dimension above 256");
  if (c.mlp_dim % 16 != 0) return Refuse("mlp_dim", c.mlp_dim, "is not a multiple of 16");
  if (c.window_size > config.grid()) return Refuse("window_size", c.window_size, "is larger than the grid of patches");
  if (c.depth < 64 && (c.global_attn_mask >> c.depth) != 0) {
    return Refuse("global_attn_mask", c.depth, "blocks, but the mask names a later one");
  }
  return Status();
}

Status ValidateTinyVit(const SamConfig& config) {
  const TinyVitConfig& c = config.tiny_vit;
  if (config.image_size % 16 != 0) return Refuse("image_size", config.image_size, "is not a multiple of 16");
  for (uint32_t i = 0; i < TinyVitConfig::kStages; ++i) {
    const uint32_t width = c.embed_dims[i], heads = c.num_heads[i];
    if (width % 16 != 0) return Refuse("embed_dims", width, "is not a multiple of 16");
    if (i == 0) continue;
    if (width % heads != 0 || c.head_dim(i) % 4 != 0)
      return Refuse("num_heads", heads, "gives a head dimension that is not a multiple of 4");
    if (c.head_dim(i) > 256) return Refuse("num_heads", heads, "gives a head dimension above 256");
  }
  return Status();
}

Status ValidateNoEncoder(const SamConfig& c) {
  if (c.image_size % c.embedding_cell != 0)
    return Refuse("image_size", c.image_size, "is not a multiple of embedding_cell");
  return Status();
}

Status ValidateEncoder(const SamConfig& c) {
  if (c.family == kVit) return ValidateVit(c);
  return c.family == kTinyVit ? ValidateTinyVit(c) : ValidateNoEncoder(c);
}

}  // namespace

Status ValidateConfig(const SamConfig& c) {
  // GEMM operands come in groups of four consecutive k; LayerNorm rows and accumulator strips in groups of 16.
  INTSAM_TRY(ValidateEncoder(c));
  if (c.grid() > 256) return Refuse("image_size", c.image_size, "gives more than 256 cells per side");
  // The mask product sums prompt_embed_dim / 8 terms of 2047 * 32767: at most 32 stay inside s32.
  if (c.prompt_embed_dim % 32 != 0) return Refuse("prompt_embed_dim", c.prompt_embed_dim, "is not a multiple of 32");
  if (c.prompt_embed_dim > 256) return Refuse("prompt_embed_dim", c.prompt_embed_dim, "is above 256");
  if (c.decoder_mlp_dim % 16 != 0) return Refuse("decoder_mlp_dim", c.decoder_mlp_dim, "is not a multiple of 16");
  if (c.prompt_embed_dim % (4 * c.attention_downsample) != 0) {
    return Refuse("attention_downsample", c.attention_downsample,
                  "does not divide prompt_embed_dim into a multiple of 4");
  }
  const uint32_t heads = c.decoder_num_heads;
  if (c.cross_dim() % heads != 0 || (c.cross_dim() / heads) % 4 != 0) {
    return Refuse("decoder_num_heads", heads, "gives a cross-attention head dimension that is not a multiple of 4");
  }
  if (c.iou_head_hidden_dim % 4 != 0)
    return Refuse("iou_head_hidden_dim", c.iou_head_hidden_dim, "is not a multiple of 4");
  // W8A16 sums iou_head_hidden_dim terms of 127 * 32767: above 512 they could leave s32.
  if (c.iou_head_hidden_dim > 512) return Refuse("iou_head_hidden_dim", c.iou_head_hidden_dim, "is above 512");
  if (c.mask_in_chans % 4 != 0) return Refuse("mask_in_chans", c.mask_in_chans, "is not a multiple of 4");
  if (c.mask_in_chans > 32) return Refuse("mask_in_chans", c.mask_in_chans, "is above 32");
  return Status();
}

Result<SamConfig> PresetConfig(const char* name) {
  SamConfig c;  // the defaults are SAM-B
  if (std::strcmp(name, "vit_b") == 0) return c;
  if (std::strcmp(name, "vit_l") == 0) {
    c.vit = {.embed_dim = 1024, .depth = 24, .num_heads = 16, .mlp_dim = 4096, .global_attn_mask = 0x820820};
    return c;
  }
  if (std::strcmp(name, "vit_h") == 0) {
    c.vit = {.embed_dim = 1280, .depth = 32, .num_heads = 16, .mlp_dim = 5120, .global_attn_mask = 0x80808080};
    return c;
  }
  if (std::strcmp(name, "mobile_sam") == 0) {
    c.family = kTinyVit;
    return c;
  }
  if (std::strcmp(name, "tiny") == 0 || std::strcmp(name, "tiny_mobile") == 0) {
    c.image_size = 512, c.prompt_embed_dim = 128, c.decoder_mlp_dim = 512, c.iou_head_hidden_dim = 128;
    c.vit = {.embed_dim = 192, .depth = 8, .num_heads = 3, .mlp_dim = 768, .window_size = 7, .global_attn_mask = 0xaa};
    if (std::strcmp(name, "tiny") == 0) return c;
    c.family = kTinyVit, c.vit = {};
    c.tiny_vit = {{32, 64, 96, 160}, {2, 2, 4, 2}, {1, 2, 3, 5}, {7, 7, 14, 7}};
    return c;
  }
  if (std::strcmp(name, "micro") == 0 || std::strcmp(name, "micro_mobile") == 0) {
    c.image_size = 128, c.prompt_embed_dim = 32, c.decoder_mlp_dim = 64, c.decoder_num_heads = 2;
    c.iou_head_hidden_dim = 32;
    c.vit = {.embed_dim = 32, .depth = 2, .num_heads = 2, .mlp_dim = 128, .window_size = 3, .global_attn_mask = 0x2};
    if (std::strcmp(name, "micro") == 0) return c;
    c.family = kTinyVit, c.vit = {};
    c.tiny_vit = {{16, 32, 32, 64}, {1, 2, 2, 1}, {1, 2, 2, 4}, {7, 7, 5, 3}};
    return c;
  }
  return Error(Code::kUsage, "unknown model size '%s' (%s)", name, kPresetNames);
}

}  // namespace intsam::internal
