// Multiply-accumulates of one SAM, as every implementation must do them: pad tokens are keys, not queries.
#ifndef INTSAM_APPS_BENCH_MACS_H_
#define INTSAM_APPS_BENCH_MACS_H_

#include <cstdint>

#include "runtime/sam/config.h"
#include "runtime/sam/steps.h"

namespace intsam::internal {

// Of one step for a full-size image and `tokens` decoder tokens.
inline uint64_t StepMacs(const SamConfig& c, const Step& step, uint64_t tokens) {
  const uint64_t n = uint64_t{c.grid()} * c.grid(), d = c.vit.embed_dim, p = c.prompt_embed_dim, inner = c.cross_dim();
  switch (step.kind) {
    case StepKind::kPatchEmbed: return n * d * 3 * c.vit.patch_size * c.vit.patch_size;
    case StepKind::kAttention: {
      const uint64_t side = c.attention_side(step.layer);
      return n * d * (4 * d + 2 * side * side + 2 * side);
    }
    case StepKind::kMlp: return 2 * n * d * c.vit.mlp_dim;
    case StepKind::kNeck: return n * p * (d + 9 * p);
    case StepKind::kSelfAttention: return tokens * p * (4 * p + 2 * tokens);
    case StepKind::kTokenToImage:
    case StepKind::kFinalTokenToImage: return 2 * n * p * inner + 2 * tokens * p * inner + 2 * tokens * n * inner;
    case StepKind::kTokenMlp: return 2 * tokens * p * c.decoder_mlp_dim;
    case StepKind::kImageToToken: return 2 * n * p * inner + 2 * tokens * p * inner + 2 * tokens * n * inner;
    case StepKind::kUpscale: return n * 4 * (p * c.upscale1_dim() + 4 * uint64_t{c.upscale1_dim()} * c.upscale2_dim());
    case StepKind::kHypernetworks: return c.num_masks() * p * (2 * p + c.upscale2_dim());
    case StepKind::kMaskProduct: return 16 * n * c.num_masks() * c.upscale2_dim();
    case StepKind::kIouHead: return uint64_t{c.iou_head_hidden_dim} * (2 * p + c.num_masks());
    case StepKind::kPromptTokens:
    case StepKind::kDensePrompt: return 0;
  }
  return 0;
}

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_MACS_H_
