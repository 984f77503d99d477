#include "runtime/image/mask_sampling.h"

#include <algorithm>

namespace intsam::internal {

// The middle of pixel p lies at start + (p + 1/2) * length / size of the photo, hence at that times lines / original,
// less 1/2, of the upsampled logits. As one fraction: below 2^47 over at most 2^31.
MaskAxis::MaskAxis(uint32_t start, uint32_t length, uint32_t size, uint32_t original, uint32_t lines)
    : first(size), weight(size), begin(size_t{lines} + 1, size) {
  const int64_t n = size, divisor = 2 * n * original;
  uint32_t line = 0;
  for (uint32_t p = 0; p < size; ++p) {
    const int64_t middle = 2 * n * start + (2 * int64_t{p} + 1) * length;
    const int64_t position = std::max<int64_t>(middle * lines - n * original, 0);
    const int64_t rest = position % divisor;
    first[p] = static_cast<uint16_t>(position / divisor);
    weight[p] = static_cast<uint16_t>(((rest << 13) + divisor) / (2 * divisor));
    while (line <= first[p]) begin[line++] = p;
  }
}

}  // namespace intsam::internal
