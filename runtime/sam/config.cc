#include "runtime/sam/config.h"

#include <cstring>

namespace intsam::internal {
namespace {

Status Refuse(const char* field, uint32_t value, const char* reason) {
  return Error(Code::kUnsupported, "config: %s: %u %s", field, value, reason);
}

}  // namespace

Status ValidateConfig(const SamConfig& c) {
  if (c.image_size % c.patch_size != 0) return Refuse("image_size", c.image_size, "is not a multiple of patch_size");
  if (c.patch_size % 2 != 0) return Refuse("patch_size", c.patch_size, "is odd");
  if (c.grid() > 256) return Refuse("image_size", c.image_size, "gives more than 256 patches per side");
  // GEMM operands come in groups of four consecutive k; LayerNorm rows and accumulator strips in groups of 16.
  if (c.embed_dim % 16 != 0) return Refuse("embed_dim", c.embed_dim, "is not a multiple of 16");
  if (c.embed_dim % c.num_heads != 0) return Refuse("num_heads", c.num_heads, "does not divide embed_dim");
  if (c.head_dim() % 4 != 0)
    return Refuse("num_heads", c.num_heads, "gives a head dimension that is not a multiple of 4");
  if (c.head_dim() > 256) return Refuse("num_heads", c.num_heads, "gives a head dimension above 256");
  if (c.mlp_dim % 16 != 0) return Refuse("mlp_dim", c.mlp_dim, "is not a multiple of 16");
  if (c.window_size > c.grid()) return Refuse("window_size", c.window_size, "is larger than the grid of patches");
  if (c.depth < 64 && (c.global_attn_mask >> c.depth) != 0) {
    return Refuse("global_attn_mask", c.depth, "blocks, but the mask names a later one");
  }
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
    c.embed_dim = 1024, c.mlp_dim = 4096, c.depth = 24, c.num_heads = 16, c.global_attn_mask = 0x820820;
    return c;
  }
  if (std::strcmp(name, "vit_h") == 0) {
    c.embed_dim = 1280, c.mlp_dim = 5120, c.depth = 32, c.num_heads = 16, c.global_attn_mask = 0x80808080;
    return c;
  }
  if (std::strcmp(name, "tiny") == 0) {
    c.image_size = 512, c.embed_dim = 192, c.mlp_dim = 768, c.depth = 8, c.num_heads = 3, c.window_size = 7;
    c.global_attn_mask = 0xaa, c.prompt_embed_dim = 128, c.decoder_mlp_dim = 512, c.iou_head_hidden_dim = 128;
    return c;
  }
  if (std::strcmp(name, "micro") == 0) {
    c.image_size = 128, c.embed_dim = 32, c.mlp_dim = 128, c.depth = 2, c.num_heads = 2, c.window_size = 3;
    c.global_attn_mask = 0x2, c.prompt_embed_dim = 32, c.decoder_mlp_dim = 64, c.decoder_num_heads = 2;
    c.iou_head_hidden_dim = 32;
    return c;
  }
  return Error(Code::kUsage, "unknown model size '%s' (vit_b, vit_l, vit_h, tiny, micro)", name);
}

}  // namespace intsam::internal
