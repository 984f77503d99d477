// What is computed once from an opened model for one kernel tier: folded GEMM biases, pad keys and values, the image's
// positional encoding. A few hundred KiB; the weights themselves are used as they lie in the file.
#ifndef INTSAM_RUNTIME_EXEC_PREPARE_H_
#define INTSAM_RUNTIME_EXEC_PREPARE_H_

#include <cstdint>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/format/model.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

// A linear layer and its bias, folded for the tier's operand form and padded to whole panels.
struct PreparedLinear {
  const Linear* linear = nullptr;
  std::vector<int32_t> bias;
  int a_max = 255;  // largest code of its input
};

// The zero point of signed values as GEMM operands: from 0 up, so that values of few bits are codes of few bits.
constexpr int OperandZero(const Codes& values) { return 128 - static_cast<int>(values.lo); }
// The largest code of such an operand.
constexpr int OperandMax(const Codes& values) { return static_cast<int>(values.hi) - 128 + OperandZero(values); }

struct PreparedPatchEmbed {
  PreparedLinear high, low;              // bias of the unsigned or signed form with zero point 0
  Linear high_linear, low_linear;        // the planes as layers of their own
  std::vector<int32_t> mean_correction;  // of a patch that lies in the image as a whole
};

struct PreparedBlock {
  PreparedLinear qkv, proj, lin1, lin2;
  std::vector<int8_t> pad_k, pad_v;  // [embed_dim] keys and values of a pad token: the requantized bias
};

struct PreparedAttention {
  PreparedLinear q, k, v, out;
};

struct PreparedLayer {
  PreparedAttention self_attn, token_to_image, image_to_token;
  PreparedLinear lin1, lin2;
};

struct PreparedModel {
  const IntegerModel* model;
  const Kernels* kernels;
  PreparedPatchEmbed patch_embed;
  std::vector<PreparedBlock> blocks;
  PreparedLinear neck_conv1, neck_conv2;
  std::vector<PreparedLayer> layers;
  PreparedAttention final_attn;
  PreparedLinear upscale1, upscale2;
  std::vector<std::vector<PreparedLinear>> hypernetworks;
  std::vector<PreparedLinear> iou_head;
  std::vector<int16_t> image_pe;  // [grid * grid][prompt_embed_dim], key units

  PreparedModel(const IntegerModel& model, const Kernels& kernels);
  PreparedModel(const PreparedModel&) = delete;
  PreparedModel& operator=(const PreparedModel&) = delete;
};

// The constant a patch accumulator gains for the subtracted mean: RSH(-sum over valid pixels of mean * w, 16) per
// output channel (docs/numerics.md 8). `valid` is the part of the patch that lies in the image. `out` holds patch.out
// values, padded to 16.
void PatchMeanCorrection(const PatchEmbed& patch, uint32_t patch_size, ImageSize valid, int32_t* out);

// round(sqrt(channels) * 2^16), the LayerNorm constant Cs.
int32_t SqrtQ16(uint32_t channels);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_PREPARE_H_
