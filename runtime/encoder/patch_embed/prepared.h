// The patch embedding, ready for the kernels of a tier.
#ifndef INTSAM_RUNTIME_ENCODER_PATCH_EMBED_PREPARED_H_
#define INTSAM_RUNTIME_ENCODER_PATCH_EMBED_PREPARED_H_

#include <cstdint>
#include <vector>

#include "runtime/encoder/patch_embed/patch_embed.h"
#include "runtime/image/resize.h"
#include "runtime/ops/prepared_linear.h"

namespace intsam::internal {

struct PreparedPatchEmbed {
  Linear high_plane, low_plane;          // the planes as layers of their own, whose input codes have zero point 0
  PreparedLinear high, low;              // of the planes
  std::vector<int32_t> mean_correction;  // of a patch that lies in the image as a whole

  PreparedPatchEmbed(const PatchEmbed& embed, uint8_t flip);
  PreparedPatchEmbed(const PreparedPatchEmbed&) = delete;
  PreparedPatchEmbed& operator=(const PreparedPatchEmbed&) = delete;
};

// The constant a patch accumulator gains for the subtracted mean: RSH(-sum over valid pixels of mean * w, 16) per
// output channel (docs/numerics.md 8). `valid` is the part of the patch that lies in the image. `out` holds embed.out
// values, padded to 16.
void PatchMeanCorrection(const PatchEmbed& embed, ImageSize valid, int32_t* out);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_PATCH_EMBED_PREPARED_H_
