// The decoder's initial tokens for a prompt (docs/numerics.md 10): a pure function of prompt and sizes, shared by
// executors.
#ifndef INTSAM_RUNTIME_EXEC_PROMPT_TOKENS_H_
#define INTSAM_RUNTIME_EXEC_PROMPT_TOKENS_H_

#include <cstdint>

#include "runtime/exec/executor.h"
#include "runtime/format/model.h"

namespace intsam::internal {

// As the original package: a padding point marks the end of points without a box; a mask alone adds no token.
inline bool HasPaddingPoint(const Prompt& prompt) { return prompt.box == nullptr && !prompt.points.empty(); }

// iou token, mask tokens, points, padding point, box corners.
inline uint32_t TokenCount(const SamConfig& config, const Prompt& prompt) {
  const uint32_t points = static_cast<uint32_t>(prompt.points.size()) + (HasPaddingPoint(prompt) ? 1 : 0);
  return 1 + config.num_masks() + points + (prompt.box == nullptr ? 0 : 2);
}

// tokens: [TokenCount][prompt_embed_dim], token units.
void PromptTokens(const IntegerModel& model, const Frame& frame, const Prompt& prompt, int16_t* tokens);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_PROMPT_TOKENS_H_
