// The order of SAM's layers, written once. Every executor (the converter's real-valued reference, the integer reference,
// the fused one) walks these lists. Steps are coarse on purpose: attention with its norm, relative positions, softmax
// and projection is one step, so fusion needs no pattern matching.
// Source of the order: facebookresearch/segment-anything,
// modeling/{image_encoder,prompt_encoder,mask_decoder,transformer}.py.
#ifndef INTSAM_RUNTIME_SAM_STEPS_H_
#define INTSAM_RUNTIME_SAM_STEPS_H_

#include <string>
#include <vector>

#include "runtime/sam/config.h"

namespace intsam::internal {

enum class StepKind {
  // image encoder: RGB -> x (the residual stream) -> image embedding
  kPatchEmbed,  // x = patches * W + bias + pos_embed
  kAttention,   // x += proj(attention(norm1(x))), windowed or global
  kMlp,         // x += lin2(gelu(lin1(norm2(x))))
  kNeck,        // embedding = norm(conv3x3(norm(conv1x1(x))))
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
  kUpscale,            // upscaled = gelu(conv2(gelu(norm(conv1(keys)))))
  kHypernetworks,      // hyper[i] = mlp_i(mask token i)
  kMaskProduct,        // low_res[i] = hyper[i] . upscaled
  kIouHead,            // iou = mlp(iou token)
};

struct Step {
  StepKind kind;
  uint32_t layer;    // block or decoder layer, 0 where there is only one
  std::string name;  // the official module path, e.g. "image_encoder.blocks.3.attn"
};

std::vector<Step> ImageEncoderSteps(const SamConfig& config);
std::vector<Step> MaskDecoderSteps(const SamConfig& config);  // prompt encoder included

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_SAM_STEPS_H_
