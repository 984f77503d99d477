// The decoder's initial tokens for a prompt (docs/numerics.md 10): a pure function of prompt and sizes, shared by
// executors.
#ifndef INTSAM_RUNTIME_EXEC_PROMPT_TOKENS_H_
#define INTSAM_RUNTIME_EXEC_PROMPT_TOKENS_H_

#include <cstdint>

#include "runtime/exec/executor.h"
#include "runtime/format/model.h"

namespace intsam::internal {

// iou token, mask tokens, points, a padding point where there is no box, box corners.
inline uint32_t TokenCount(const SamConfig& config, const Prompt& prompt) {
  return 1 + config.num_masks() + static_cast<uint32_t>(prompt.points.size()) + (prompt.box == nullptr ? 1 : 2);
}

// tokens: [TokenCount][prompt_embed_dim], token units.
void PromptTokens(const IntegerModel& model, const Frame& frame, const Prompt& prompt, int16_t* tokens);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_PROMPT_TOKENS_H_
