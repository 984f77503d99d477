#include "runtime/encoder/patch_embed/prepared.h"

#include "kernels/kernels.h"
#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {
namespace {

Linear Plane(const PatchEmbed& embed, View<int8_t> weight, const std::vector<int32_t>& column_sums) {
  Linear plane = MakeLinear(embed.in, embed.out);
  plane.weight = weight, plane.column_sums = column_sums;
  return plane;
}

// A plane has no bias of its own.
PreparedLinear PreparePlane(const Linear& plane, uint8_t flip) {
  PreparedLinear prepared{&plane, std::vector<int32_t>(plane.padded_out())};
  for (uint32_t c = 0; c < plane.out; ++c) prepared.bias[c] = FoldBias(0, plane.column_sums[c], 0, flip);
  return prepared;
}

}  // namespace

PreparedPatchEmbed::PreparedPatchEmbed(const PatchEmbed& embed, uint8_t flip)
    : high_plane(Plane(embed, embed.weight_high, embed.high_column_sums)),
      low_plane(Plane(embed, embed.weight_low, embed.low_column_sums)),
      high(PreparePlane(high_plane, flip)),
      low(PreparePlane(low_plane, flip)),
      mean_correction(high_plane.padded_out()) {
  PatchMeanCorrection(embed, {embed.patch, embed.patch}, mean_correction.data());
}

void PatchMeanCorrection(const PatchEmbed& embed, ImageSize valid, int32_t* out) {
  const int8_t* high = embed.weight_high.data();
  const int8_t* low = embed.weight_low.data();
  for (uint32_t panel = 0; panel < (embed.out + 15) / 16; ++panel) {
    int64_t sums[16] = {};
    for (uint32_t channel = 0, k = 0; channel < 3; ++channel) {
      for (uint32_t y = 0; y < embed.patch; ++y) {
        for (uint32_t x = 0; x < embed.patch; ++x, ++k) {
          if (y >= valid.height || x >= valid.width) continue;
          const size_t at = (size_t{panel} * (embed.in / 4) + k / 4) * 64 + k % 4;
          for (size_t lane = 0; lane < 16; ++lane) {
            sums[lane] += int64_t{embed.mean[channel]} * (64 * high[at + 4 * lane] + low[at + 4 * lane]);
          }
        }
      }
    }
    for (size_t lane = 0; lane < 16; ++lane)
      out[panel * 16 + lane] = static_cast<int32_t>(RoundingShiftRight(-sums[lane], 16));
  }
}

}  // namespace intsam::internal
