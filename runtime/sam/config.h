// The shape of one Segment Anything Model: every dimension, and nothing else.
// SAM-B, -L, -H and every smaller model of the same family differ only in these numbers.
// Source of the fields: facebookresearch/segment-anything, build_sam.py and modeling/*.py.
#ifndef INTSAM_RUNTIME_SAM_CONFIG_H_
#define INTSAM_RUNTIME_SAM_CONFIG_H_

#include <cstddef>
#include <cstdint>

#include "runtime/base/status.h"

namespace intsam::internal {

struct SamConfig {
  uint32_t image_size = 1024;  // pixels of the square encoder input
  uint32_t patch_size = 16;
  uint32_t embed_dim = 768;  // image encoder width
  uint32_t depth = 12;       // image encoder blocks
  uint32_t num_heads = 12;
  uint32_t mlp_dim = 3072;            // image encoder hidden width (mlp_ratio * embed_dim)
  uint32_t window_size = 14;          // patches per window side in blocks without global attention
  uint64_t global_attn_mask = 0x924;  // bit i set: block i attends globally
  uint32_t prompt_embed_dim = 256;    // neck, prompt encoder and mask decoder width
  uint32_t decoder_depth = 2;         // two-way transformer layers
  uint32_t decoder_mlp_dim = 2048;
  uint32_t decoder_num_heads = 8;
  uint32_t attention_downsample = 2;   // of the decoder's cross attentions
  uint32_t num_multimask_outputs = 3;  // one more mask (index 0) is the single-mask output
  uint32_t iou_head_depth = 3;
  uint32_t iou_head_hidden_dim = 256;
  uint32_t mask_in_chans = 16;  // of the mask prompt's convolutions

  uint32_t grid() const { return image_size / patch_size; }  // patches per side
  uint32_t head_dim() const { return embed_dim / num_heads; }
  uint32_t num_masks() const { return num_multimask_outputs + 1; }
  uint32_t low_res() const { return 4 * grid(); }  // side of the low-resolution masks
  // Values of one low-resolution mask.
  size_t low_res_values() const { return size_t{low_res()} * low_res(); }
  uint32_t cross_dim() const { return prompt_embed_dim / attention_downsample; }  // width inside cross attentions
  uint32_t upscale1_dim() const { return prompt_embed_dim / 4; }
  uint32_t upscale2_dim() const { return prompt_embed_dim / 8; }
  bool is_global(uint32_t block) const { return (global_attn_mask >> block) & 1; }
  // Side of the square of keys that a query of this block sees.
  uint32_t attention_side(uint32_t block) const { return is_global(block) ? grid() : window_size; }

  bool operator==(const SamConfig&) const = default;

  // One visitor reads, writes, prints and range-checks every field.
  template <class V>
  void Visit(V& v) {
    v.Field("image_size", image_size, 32, 4096);
    v.Field("patch_size", patch_size, 2, 64);
    v.Field("embed_dim", embed_dim, 16, 2048);
    v.Field("depth", depth, 1, 64);
    v.Field("num_heads", num_heads, 1, 32);
    v.Field("mlp_dim", mlp_dim, 16, 16384);
    v.Field("window_size", window_size, 1, 256);
    v.Field("global_attn_mask", global_attn_mask);
    v.Field("prompt_embed_dim", prompt_embed_dim, 16, 2048);
    v.Field("decoder_depth", decoder_depth, 1, 16);
    v.Field("decoder_mlp_dim", decoder_mlp_dim, 16, 16384);
    v.Field("decoder_num_heads", decoder_num_heads, 1, 32);
    v.Field("attention_downsample", attention_downsample, 1, 8);
    v.Field("num_multimask_outputs", num_multimask_outputs, 1, 15);
    v.Field("iou_head_depth", iou_head_depth, 2, 8);
    v.Field("iou_head_hidden_dim", iou_head_hidden_dim, 4, 2048);
    v.Field("mask_in_chans", mask_in_chans, 4, 256);
  }
};

// Refuses, by field name, a configuration that the code cannot run (see config.cc for each rule).
// Assumes that each field is inside the range that Visit states.
Status ValidateConfig(const SamConfig& config);

// "vit_b", "vit_l", "vit_h" (the official sizes), "tiny" (the bundled model's), "micro" (tests).
Result<SamConfig> PresetConfig(const char* name);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_SAM_CONFIG_H_
