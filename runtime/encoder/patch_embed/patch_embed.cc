#include "runtime/encoder/patch_embed/patch_embed.h"

#include <utility>

#include "runtime/records/proof.h"
#include "runtime/records/weight_sums.h"

namespace intsam::internal {

PatchEmbed::PatchEmbed(uint32_t patches_per_side, uint32_t pixels_per_side, uint32_t width)
    : grid(patches_per_side), patch(pixels_per_side), in(3 * pixels_per_side * pixels_per_side), out(width) {
  rq.n = width;
}

void Prove(Proof& proof, PatchEmbed& embed) {
  WeightSums high = SumPanels(embed.weight_high, embed.in, embed.out);
  WeightSums low = SumPanels(embed.weight_low, embed.in, embed.out);
  std::vector<int64_t> bounds(embed.out);
  for (uint32_t c = 0; c < embed.out; ++c) {
    // |A| and the mean correction are each at most 255 * sum |w|; the operands of one plane are at most 255 too.
    bounds[c] = 2 * 255 * (64 * int64_t{high.magnitude[c]} + low.magnitude[c]);
  }
  proof.Accumulators("", bounds);
  proof.Requantized("rq", embed.rq, bounds);
  embed.high_column_sums = std::move(high.sum), embed.low_column_sums = std::move(low.sum);
}

}  // namespace intsam::internal
