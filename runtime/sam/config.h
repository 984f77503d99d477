// The shape of one Segment Anything Model: every dimension, and nothing else.
// Models of one encoder family differ only in these numbers.
// Source of the fields: facebookresearch/segment-anything, build_sam.py and modeling/*.py.
#ifndef INTSAM_RUNTIME_SAM_CONFIG_H_
#define INTSAM_RUNTIME_SAM_CONFIG_H_

#include <cstddef>
#include <cstdint>

#include "runtime/base/status.h"

namespace intsam::internal {

// The image encoder's architecture. The prompt encoder and the mask decoder are the same in all families.
enum EncoderFamily : uint32_t {
  kVit = 0,        // the original's (SAM-B, -L, -H, SlimSAM)
  kTinyVit = 1,    // MobileSAM's
  kNoEncoder = 2,  // none: the decoder of a model, for embeddings that the whole model has saved
};

struct VitConfig {
  uint32_t patch_size = 16;  // pixels per side
  uint32_t embed_dim = 768;
  uint32_t depth = 12;  // blocks
  uint32_t num_heads = 12;
  uint32_t mlp_dim = 3072;            // hidden width (mlp_ratio * embed_dim)
  uint32_t window_size = 14;          // patches per window side in blocks without global attention
  uint64_t global_attn_mask = 0x924;  // bit i set: block i attends globally

  uint32_t head_dim() const { return embed_dim / num_heads; }
  bool is_global(uint32_t block) const { return (global_attn_mask >> block) & 1; }

  bool operator==(const VitConfig&) const = default;

  template <class V>
  void Visit(V& v) {
    v.Field("patch_size", patch_size, 2, 64);
    v.Field("embed_dim", embed_dim, 16, 2048);
    v.Field("depth", depth, 1, 64);
    v.Field("num_heads", num_heads, 1, 32);
    v.Field("mlp_dim", mlp_dim, 16, 16384);
    v.Field("window_size", window_size, 1, 256);
    v.Field("global_attn_mask", global_attn_mask);
  }
};

// Four stages on grids of 1/4, 1/8, 1/16 and 1/16 of the input's side: stage 0 of MBConv blocks, the others of
// attention in windows. The defaults are MobileSAM's. Source of the fields: ChaoningZhang/MobileSAM,
// mobile_sam/modeling/tiny_vit_sam.py.
struct TinyVitConfig {
  static constexpr uint32_t kStages = 4;
  uint32_t embed_dims[kStages] = {64, 128, 160, 320};
  uint32_t depths[kStages] = {2, 2, 6, 2};         // blocks
  uint32_t num_heads[kStages] = {2, 4, 5, 10};     // of stages 1..3; stage 0 has no attention
  uint32_t window_sizes[kStages] = {7, 7, 14, 7};  // grid cells per window side, likewise
  uint32_t mlp_ratio = 4;                          // hidden width of an MLP over its width
  uint32_t expand_ratio = 4;                       // and of an MBConv block

  uint32_t head_dim(uint32_t stage) const { return embed_dims[stage] / num_heads[stage]; }

  bool operator==(const TinyVitConfig&) const = default;

  template <class V>
  void Visit(V& v) {
    static constexpr const char* kNames[kStages][4] = {{"embed_dims.0", "depths.0", "num_heads.0", "window_sizes.0"},
                                                       {"embed_dims.1", "depths.1", "num_heads.1", "window_sizes.1"},
                                                       {"embed_dims.2", "depths.2", "num_heads.2", "window_sizes.2"},
                                                       {"embed_dims.3", "depths.3", "num_heads.3", "window_sizes.3"}};
    for (uint32_t i = 0; i < kStages; ++i) {
      v.Field(kNames[i][0], embed_dims[i], 16, 2048);
      v.Field(kNames[i][1], depths[i], 1, 64);
      v.Field(kNames[i][2], num_heads[i], 1, 32);
      v.Field(kNames[i][3], window_sizes[i], 1, 256);
    }
    // LayerNorm takes at most 2048 channels, and products of codes stay inside s32 up to 16384 = 8 * 2048 inputs.
    v.Field("mlp_ratio", mlp_ratio, 1, 8);
    v.Field("expand_ratio", expand_ratio, 1, 8);
  }
};

struct SamConfig {
  uint32_t image_size = 1024;       // pixels of the square encoder input
  uint32_t family = kVit;           // an EncoderFamily
  VitConfig vit;                    // of kVit
  TinyVitConfig tiny_vit;           // of kTinyVit
  uint32_t embedding_cell = 16;     // of kNoEncoder: what cell() is in the whole model
  uint32_t prompt_embed_dim = 256;  // neck, prompt encoder and mask decoder width
  uint32_t decoder_depth = 2;       // two-way transformer layers
  uint32_t decoder_mlp_dim = 2048;
  uint32_t decoder_num_heads = 8;
  uint32_t attention_downsample = 2;   // of the decoder's cross attentions
  uint32_t num_multimask_outputs = 3;  // one more mask (index 0) is the single-mask output
  uint32_t iou_head_depth = 3;
  uint32_t iou_head_hidden_dim = 256;
  uint32_t mask_in_chans = 16;  // of the mask prompt's convolutions

  // Pixels of the input per cell of the embedding, along one side.
  uint32_t cell() const { return family == kVit ? vit.patch_size : family == kTinyVit ? 16 : embedding_cell; }
  uint32_t grid() const { return image_size / cell(); }  // cells of the embedding per side
  // Cells per side of TinyViT's stage.
  uint32_t stage_grid(uint32_t stage) const { return image_size >> (stage < 2 ? 2 + stage : 4); }
  uint32_t num_masks() const { return num_multimask_outputs + 1; }
  uint32_t low_res() const { return 4 * grid(); }  // side of the low-resolution masks
  // Values of one low-resolution mask.
  size_t low_res_values() const { return size_t{low_res()} * low_res(); }
  uint32_t cross_dim() const { return prompt_embed_dim / attention_downsample; }  // width inside cross attentions
  uint32_t upscale1_dim() const { return prompt_embed_dim / 4; }
  uint32_t upscale2_dim() const { return prompt_embed_dim / 8; }
  // Side of the square of keys that a query of this block of a ViT sees.
  uint32_t attention_side(uint32_t block) const { return vit.is_global(block) ? grid() : vit.window_size; }

  bool operator==(const SamConfig&) const = default;

  // One visitor reads, writes, prints and range-checks every field of the family.
  template <class V>
  void Visit(V& v) {
    v.Field("image_size", image_size, 32, 4096);
    v.Field("family", family, kVit, kNoEncoder);
    if (family == kVit) {
      vit.Visit(v);
    } else if (family == kTinyVit) {
      tiny_vit.Visit(v);
    } else {
      v.Field("embedding_cell", embedding_cell, 2, 64);
    }
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

// One of kPresetNames: the official sizes, the bundled models ("tiny..."), and those of tests ("micro...").
inline constexpr char kPresetNames[] = "vit_b, vit_l, vit_h, mobile_sam, tiny, tiny_mobile, micro, micro_mobile";
Result<SamConfig> PresetConfig(const char* name);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_SAM_CONFIG_H_
