// What is computed once from an opened model for one kernel tier: the mask decoder's folded GEMM biases and the image's
// positional encoding. The layers of the image encoder hold their own (runtime/encoder). A few hundred KiB in all; the
// weights themselves are used as they lie in the file.
#ifndef INTSAM_RUNTIME_EXEC_PREPARE_H_
#define INTSAM_RUNTIME_EXEC_PREPARE_H_

#include <cstdint>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/format/model.h"
#include "runtime/ops/prepared_linear.h"

namespace intsam::internal {

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

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_PREPARE_H_
