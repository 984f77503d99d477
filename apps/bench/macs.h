// Multiply-accumulates of one SAM, as every implementation must do them: pad tokens are keys, not queries.
#ifndef INTSAM_APPS_BENCH_MACS_H_
#define INTSAM_APPS_BENCH_MACS_H_

#include <cstdint>
#include <variant>

#include "runtime/encoder/layers.h"
#include "runtime/sam/config.h"
#include "runtime/sam/steps.h"

namespace intsam::internal {

inline uint64_t Macs(const PatchEmbed& x) { return uint64_t{x.grid} * x.grid * x.in * x.out; }
inline uint64_t Macs(const WindowAttention& x) {
  const uint64_t d = x.windows.width(), side = x.windows.side;
  return x.windows.tokens() * d * (4 * d + 2 * side * side + 2 * side);
}
inline uint64_t Macs(const BiasedAttention& x) {
  const uint64_t d = x.windows.width();
  return x.windows.tokens() * d * (4 * d + 2 * x.windows.keys());
}
inline uint64_t Macs(const LocalConv& x) { return 9 * x.cells() * x.width(); }
inline uint64_t Macs(const Bottleneck& x) {
  return x.cells() * x.width() * x.hidden() + x.out_cells() * x.hidden() * (9 + uint64_t{x.out()});
}
inline uint64_t Macs(const ConvStem& x) {
  const uint64_t middle = uint64_t{x.middle_grid()} * x.middle_grid(), cells = uint64_t{x.grid()} * x.grid();
  return middle * 27 * x.middle() + cells * 9 * x.middle() * x.out();
}
inline uint64_t Macs(const MlpBlock& x) { return 2 * uint64_t{x.tokens} * x.width() * x.hidden(); }
inline uint64_t Macs(const Neck& x) {
  return uint64_t{x.grid} * x.grid * x.out() * (x.width() + 9 * uint64_t{x.out()});
}

// Of one layer of the image encoder for a full-size image.
inline uint64_t Macs(const EncoderLayer& layer) {
  return std::visit([](const auto& record) { return Macs(record); }, layer.kind);
}

// Of one step of the mask decoder with `tokens` tokens.
inline uint64_t Macs(const SamConfig& c, const DecoderStep& step, uint64_t tokens) {
  const uint64_t n = uint64_t{c.grid()} * c.grid(), p = c.prompt_embed_dim, inner = c.cross_dim();
  switch (step.kind) {
    case DecoderStepKind::kSelfAttention: return tokens * p * (4 * p + 2 * tokens);
    case DecoderStepKind::kTokenToImage:
    case DecoderStepKind::kFinalTokenToImage:
      return 2 * n * p * inner + 2 * tokens * p * inner + 2 * tokens * n * inner;
    case DecoderStepKind::kTokenMlp: return 2 * tokens * p * c.decoder_mlp_dim;
    case DecoderStepKind::kImageToToken: return 2 * n * p * inner + 2 * tokens * p * inner + 2 * tokens * n * inner;
    case DecoderStepKind::kHypernetworks: return c.num_masks() * p * (2 * p + c.upscale2_dim());
    case DecoderStepKind::kMasks:
      return n * 4 * (p * c.upscale1_dim() + 4 * uint64_t{c.upscale2_dim()} * (c.upscale1_dim() + c.num_masks()));
    case DecoderStepKind::kIouHead: return uint64_t{c.iou_head_hidden_dim} * (2 * p + c.num_masks());
    case DecoderStepKind::kPromptTokens:
    case DecoderStepKind::kDensePrompt: return 0;
  }
  return 0;
}

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_MACS_H_
