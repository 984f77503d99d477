#include "tests/image/plain_masks.h"

#include <algorithm>

namespace intsam::internal::testing {
namespace {

// Output 4 * i + phase of the x4 step mixes two neighbours; the second one has this many eighths.
constexpr int32_t kSecondEighths[4] = {5, 7, 1, 3};

struct Tap {
  uint32_t first, second;
  int32_t weight;  // of `second`
};

Tap UpsamplingTap(uint32_t output, uint32_t side) {
  const uint32_t source = output / 4, phase = output % 4;
  if (phase < 2) return {source == 0 ? 0 : source - 1, source, kSecondEighths[phase]};
  return {source, std::min(source + 1, side - 1), kSecondEighths[phase]};
}

// The same per axis for pixel p of `size` that show `length` pixels of the photo's `original` from `start` on; weights
// in 1/4096. The photo's axis was resized to `lines`.
Tap PixelTap(int64_t p, int64_t start, int64_t length, int64_t size, int64_t original, int64_t lines) {
  const int64_t twice_middle = 2 * size * start + (2 * p + 1) * length;  // in 1 / (2 * size) of the photo's pixels
  const int64_t divisor = 2 * size * original;
  const int64_t position = std::max<int64_t>(twice_middle * lines - size * original, 0);
  const int64_t first = position / divisor, rest = position % divisor;
  return {static_cast<uint32_t>(first), static_cast<uint32_t>(std::min(first + 1, lines - 1)),
          static_cast<int32_t>((2 * rest * 4096 + divisor) / (2 * divisor))};
}

}  // namespace

std::vector<int32_t> PlainLogits(const std::vector<int16_t>& logits, uint32_t side, ImageSize resized,
                                 ImageSize original, const MaskView& view) {
  std::vector<int32_t> upsampled;
  for (uint32_t y = 0; y < resized.height; ++y) {
    const Tap v = UpsamplingTap(y, side);
    const int16_t *a = &logits[size_t{v.first} * side], *b = &logits[size_t{v.second} * side];
    for (uint32_t x = 0; x < resized.width; ++x) {
      const Tap h = UpsamplingTap(x, side);
      const int32_t left = a[h.first] * (8 - v.weight) + b[h.first] * v.weight;
      const int32_t right = a[h.second] * (8 - v.weight) + b[h.second] * v.weight;
      upsampled.push_back((left * (8 - h.weight) + right * h.weight + 32) >> 6);
    }
  }
  std::vector<Tap> columns;
  for (uint32_t x = 0; x < view.size.width; ++x)
    columns.push_back(PixelTap(x, view.x, view.region.width, view.size.width, original.width, resized.width));
  std::vector<int32_t> out, mixed(resized.width);
  out.reserve(size_t{view.size.width} * view.size.height);
  for (uint32_t y = 0; y < view.size.height; ++y) {
    const Tap v = PixelTap(y, view.y, view.region.height, view.size.height, original.height, resized.height);
    const int32_t *a = &upsampled[size_t{v.first} * resized.width], *b = &upsampled[size_t{v.second} * resized.width];
    for (uint32_t x = 0; x < resized.width; ++x) mixed[x] = (a[x] * (4096 - v.weight) + b[x] * v.weight + 2048) >> 12;
    for (const Tap& h : columns) out.push_back(mixed[h.first] * (4096 - h.weight) + mixed[h.second] * h.weight);
  }
  return out;
}

std::vector<uint8_t> PlainMask(const std::vector<int16_t>& logits, uint32_t side, ImageSize resized, ImageSize original,
                               const MaskView& view, int32_t threshold) {
  std::vector<uint8_t> mask;
  for (const int32_t value : PlainLogits(logits, side, resized, original, view)) mask.push_back(value > threshold);
  return mask;
}

}  // namespace intsam::internal::testing
