// The integer model: every tensor and parameter of an .isam file, as the runtime uses it.
//
// One visitor describes the file for writing, reading and printing. A visitor V offers
//   v.Field(name, integer, lo, hi)                 a scalar and the range that write and read both check
//   v.Tensor(name, view, {dims...}[, lo, hi])      a tensor; dims come from the configuration and from fields visited
//                                                  before, whose range is checked, never from the directory
//   v.Group(name, record)                          a nested record; names join with '.'
// The order of the visits is the order in the file: appending is allowed, reordering is not.
// Views point into the mapped file (runtime) or into the converter's buffers; records own nothing.
//
// Conventions (docs/numerics.md): an 8-bit activation is a u8 code with a zero point, which signed values (q, k, v,
// attention output) have at 128 with lo = 1 unless they are imported. Linear weights lie in panels [N/16][K/4][16][4],
// s8 or packed.
#ifndef INTSAM_RUNTIME_FORMAT_MODEL_H_
#define INTSAM_RUNTIME_FORMAT_MODEL_H_

#include <cstdint>
#include <variant>
#include <vector>

#include "runtime/encoder/layers.h"
#include "runtime/format/decoder_attention.h"
#include "runtime/format/limits.h"
#include "runtime/records/records.h"
#include "runtime/sam/config.h"

namespace intsam::internal {

// ---------------------------------------------------------------- image encoder

struct ImageEncoder {
  Unit residual_unit;
  std::vector<EncoderLayer> layers;
  View<uint8_t> identity;  // [32], without layers: IdentityOf the whole model, whose saved embeddings it takes
  template <class V>
  void Visit(V& v) {
    if (layers.empty()) return v.Tensor("identity", identity, {32});
    v.Group("residual_unit", residual_unit);
    for (EncoderLayer& layer : layers) {
      std::visit([&](auto& record) { v.Group(layer.group.c_str(), record); }, layer.kind);
    }
  }
};

// ---------------------------------------------------------------- prompt encoder

struct MaskDownscaling {
  Linear12 conv1, conv2, conv3;
  Rq32 conv1_rq, conv2_rq, conv3_rq;
  NormWide norm1, norm2;
  uint32_t gelu1_bits = 12, gelu2_bits = 12;
  template <class V>
  void Visit(V& v) {
    v.Group("0", conv1);
    v.Group("0.rq", conv1_rq);
    v.Group("1", norm1);
    v.Field("2.unit_bits", gelu1_bits, 9, 12);
    v.Group("3", conv2);
    v.Group("3.rq", conv2_rq);
    v.Group("4", norm2);
    v.Field("5.unit_bits", gelu2_bits, 9, 12);
    v.Group("6", conv3);
    v.Group("6.rq", conv3_rq);
  }
};

struct PromptEncoder {
  uint32_t dim = 0;
  View<int32_t> gaussian;          // Q24 [2][dim / 2]
  View<int16_t> point_embeddings;  // [4][dim], token units
  View<int16_t> not_a_point;       // [dim], token units
  View<int16_t> no_mask;           // [dim], key units
  Rq32Scalar token_pe, image_pe;   // positional encodings to token and key units
  MaskDownscaling mask;
  template <class V>
  void Visit(V& v) {
    v.Tensor("gaussian", gaussian, {2, dim / 2}, -INT32_MAX, INT32_MAX);
    v.Tensor("point_embeddings", point_embeddings, {4, dim}, -32767, 32767);
    v.Tensor("not_a_point", not_a_point, {dim}, -32767, 32767);
    v.Tensor("no_mask", no_mask, {dim}, -32767, 32767);
    v.Group("token_pe", token_pe);
    v.Group("image_pe", image_pe);
    v.Group("mask_downscaling", mask);
  }
};

// ---------------------------------------------------------------- mask decoder

struct DecoderLayer {
  DecoderAttention self_attn, token_to_image, image_to_token;
  NormWide norm1, norm2, norm3, norm4;
  StreamInput mlp_in;
  Linear lin1, lin2;
  Rq16 lin1_rq;  // with the ReLU: lo = zero
  Rq32 lin2_rq;
  template <class V>
  void Visit(V& v) {
    v.Group("self_attn", self_attn);
    v.Group("norm1", norm1);
    v.Group("cross_attn_token_to_image", token_to_image);
    v.Group("norm2", norm2);
    v.Group("mlp.in", mlp_in);
    v.Group("mlp.lin1", lin1);
    v.Group("mlp.lin1.rq", lin1_rq);
    v.Group("mlp.lin2", lin2);
    v.Group("mlp.lin2.rq", lin2_rq);
    v.Group("norm3", norm3);
    v.Group("cross_attn_image_to_token", image_to_token);
    v.Group("norm4", norm4);
  }
};

// One layer of a W8A16 MLP (hypernetworks, IoU head); the clamp is the ReLU or the width of the last output.
struct MlpLayer {
  Linear linear;
  Rq32 rq;
  template <class V>
  void Visit(V& v) {
    v.Group("linear", linear);
    v.Group("rq", rq);
  }
};

struct Mlp {
  std::vector<MlpLayer> layers;
  template <class V>
  void Visit(V& v) {
    v.List("layers", layers);
  }
};

struct Upscaling {
  Linear conv1, conv2;  // transposed 2x2, stride 2: N in order (dy, dx, channel)
  Rq32 conv1_rq, conv2_rq;
  NormWide norm;
  uint32_t gelu1_bits = 12, gelu2_bits = 12;
  template <class V>
  void Visit(V& v) {
    v.Group("0", conv1);
    v.Group("0.rq", conv1_rq);
    v.Group("1", norm);
    v.Field("2.unit_bits", gelu1_bits, 9, 12);
    v.Group("3", conv2);
    v.Group("3.rq", conv2_rq);
    v.Field("4.unit_bits", gelu2_bits, 9, 12);
  }
};

inline constexpr int kHyperMax = 2047;  // H12: the width of a hypernetwork's output

struct MaskDecoder {
  uint32_t dim = 0, num_masks = 0;
  Unit token_unit, key_unit, logit_unit;  // of the two streams and of the mask logits
  View<int16_t> iou_token;                // [dim], token units
  View<int16_t> mask_tokens;              // [num_masks][dim]
  std::vector<DecoderLayer> layers;
  DecoderAttention final_attn;
  NormWide norm_final;
  Upscaling upscaling;
  std::vector<Mlp> hypernetworks;
  Rq32 mask_product;  // to logit units, one multiplier per mask
  Mlp iou_head;
  Rq32Scalar iou_q15;          // predicted IoU to Q15
  int32_t mask_threshold = 0;  // in logit units / 4096
  template <class V>
  void Visit(V& v) {
    v.Group("token_unit", token_unit);
    v.Group("key_unit", key_unit);
    v.Group("logit_unit", logit_unit);
    v.Tensor("iou_token", iou_token, {dim}, -32767, 32767);
    v.Tensor("mask_tokens", mask_tokens, {num_masks, dim}, -32767, 32767);
    v.List("transformer.layers", layers);
    v.Group("transformer.final_attn_token_to_image", final_attn);
    v.Group("transformer.norm_final_attn", norm_final);
    v.Group("output_upscaling", upscaling);
    v.List("output_hypernetworks_mlps", hypernetworks);
    v.Group("mask_product", mask_product);
    v.Group("iou_prediction_head", iou_head);
    v.Group("iou_q15", iou_q15);
    v.Field("mask_threshold", mask_threshold, -(1 << 27), 1 << 27);
  }
};

// The most tokens of a prompt: IoU, masks, points, box corners.
inline uint32_t MaxTokens(const SamConfig& config) { return 1 + config.num_masks() + limits::kPointsPerPrompt + 2; }

struct IntegerModel {
  SamConfig config;
  ImageEncoder image_encoder;
  PromptEncoder prompt_encoder;
  MaskDecoder mask_decoder;

  IntegerModel() = default;
  // Sets every dimension from a configuration that ValidateConfig accepts; all views are empty.
  explicit IntegerModel(const SamConfig& config);

  template <class V>
  void Visit(V& v) {
    v.Group("image_encoder", image_encoder);
    v.Group("prompt_encoder", prompt_encoder);
    v.Group("mask_decoder", mask_decoder);
  }
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_FORMAT_MODEL_H_
