// The steps of a run as hooks, timers and reports see them, and the order of the mask decoder's, written once (the
// image encoder's layers are listed in runtime/encoder/layers.h). The executors of the mask decoder walk this list with
// a switch that the compiler requires to be complete. Steps are coarse on purpose: attention with its norm, softmax and
// projection is one step, so fusion needs no pattern matching.
// Source of the order: facebookresearch/segment-anything, modeling/{prompt_encoder,mask_decoder,transformer}.py.
#ifndef INTSAM_RUNTIME_SAM_STEPS_H_
#define INTSAM_RUNTIME_SAM_STEPS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/sam/config.h"

namespace intsam::internal {

struct Step {
  std::string name;  // the official module path, e.g. "image_encoder.blocks.3.attn"
};

enum class DecoderStepKind {
  // prompt encoder: prompt -> tokens, keys
  kPromptTokens,  // tokens = [iou_token, mask_tokens, points, padding point, box corners]; their initial value is the
                  // token PE
  kDensePrompt,   // keys = embedding + (no_mask_embed | mask_downscaling(mask))
  // mask decoder: two-way transformer over tokens and keys, then the heads
  kSelfAttention,      // layer 0: tokens = norm1(attn(tokens)), no residual, no PE; else tokens = norm1(tokens +
                       // attn(tokens + pe))
  kTokenToImage,       // tokens = norm2(tokens + attn(q = tokens + pe, k = keys + image_pe, v = keys))
  kTokenMlp,           // tokens = norm3(tokens + lin2(relu(lin1(tokens))))
  kImageToToken,       // keys = norm4(keys + attn(q = keys + image_pe, k = tokens + pe, v = tokens))
  kFinalTokenToImage,  // tokens = norm_final_attn(tokens + attn(...)) as kTokenToImage
  kHypernetworks,      // hyper[i] = mlp_i(mask token i)
  kMasks,              // low_res[i] = hyper[i] . gelu(conv2(gelu(norm(conv1(keys)))))
  kIouHead,            // iou = mlp(iou token)
};

struct DecoderStep : Step {
  DecoderStepKind kind;
  uint32_t layer;  // of the transformer, 0 where there is only one
};

std::vector<DecoderStep> MaskDecoderSteps(const SamConfig& config);  // prompt encoder included

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_SAM_STEPS_H_
