// Mask logits to the original image's size (docs/numerics.md section 12): x4 upsampling with weights in eighths and one
// rounding, crop, then linear interpolation with 12-bit weights. Vertical before horizontal in both steps, so that a
// row of the result costs one pass over two cached rows.
#include "runtime/image/masks.h"

#include <algorithm>
#include <cstring>

namespace intsam::internal {
namespace {

constexpr int kWeightBits = 12;
constexpr int32_t kOne = 1 << kWeightBits;
constexpr uint32_t kUpscale = 4;
constexpr uint32_t kNoRow = ~0u;

// Output 4 * i + phase of the x4 step mixes two neighbours; the second one has this many eighths.
constexpr int32_t kSecondEighths[kUpscale] = {5, 7, 1, 3};

struct Neighbours {
  uint32_t first, second;
  int32_t eighths;  // of `second`
};

Neighbours NeighboursOf(uint32_t output, uint32_t side) {
  const uint32_t source = output / kUpscale, phase = output % kUpscale;
  const uint32_t last = side - 1;
  const int32_t eighths = kSecondEighths[phase];
  if (phase < kUpscale / 2) return {source == 0 ? 0 : source - 1, source, eighths};
  return {source, std::min(source + 1, last), eighths};
}

}  // namespace

std::vector<MaskUpscaler::Tap> MaskUpscaler::Taps(uint32_t from, uint32_t to) {
  std::vector<Tap> taps(to);
  const int64_t in = from, out = to;
  for (int64_t o = 0; o < out; ++o) {
    const int64_t position = std::max<int64_t>((2 * o + 1) * in - out, 0);  // in units of 1 / (2 * out)
    const int64_t first = position / (2 * out), rest = position % (2 * out);
    taps[o] = {static_cast<uint32_t>(first), static_cast<uint32_t>(std::min(first + 1, in - 1)),
               static_cast<int32_t>(((rest << (kWeightBits + 1)) + 2 * out) / (4 * out))};
  }
  return taps;
}

MaskUpscaler::MaskUpscaler(const int16_t* logits, uint32_t side, ImageSize resized, ImageSize original)
    : logits_(logits),
      side_(side),
      resized_(resized),
      original_(original),
      x_taps_(Taps(resized.width, original.width)),
      y_taps_(Taps(resized.height, original.height)),
      rows_{std::vector<int16_t>(resized.width), std::vector<int16_t>(resized.width)},
      cached_{kNoRow, kNoRow},
      eighths_(side),
      mixed_(resized.width) {}

void MaskUpscaler::SourceRow(uint32_t y, int16_t* row) {
  const Neighbours v = NeighboursOf(y, side_);
  const int16_t* a = logits_ + static_cast<size_t>(v.first) * side_;
  const int16_t* b = logits_ + static_cast<size_t>(v.second) * side_;
  for (uint32_t x = 0; x < side_; ++x) eighths_[x] = a[x] * (8 - v.eighths) + b[x] * v.eighths;
  for (uint32_t x = 0; x < resized_.width; ++x) {
    const Neighbours h = NeighboursOf(x, side_);
    const int32_t sum = eighths_[h.first] * (8 - h.eighths) + eighths_[h.second] * h.eighths;
    row[x] = static_cast<int16_t>((sum + 32) >> 6);
  }
}

// Two neighbouring rows differ in parity, hence never evict each other.
const int16_t* MaskUpscaler::CachedRow(uint32_t y) {
  const uint32_t slot = y % 2;
  if (cached_[slot] != y) {
    SourceRow(y, rows_[slot].data());
    cached_[slot] = y;
  }
  return rows_[slot].data();
}

void MaskUpscaler::Row(uint32_t y, int32_t* row) {
  const Tap v = y_taps_[y];
  const int16_t* a = CachedRow(v.first);
  const int16_t* b = CachedRow(v.second);
  int16_t* mixed = mixed_.data();
  for (uint32_t x = 0; x < resized_.width; ++x) {
    mixed[x] = static_cast<int16_t>((a[x] * (kOne - v.weight) + b[x] * v.weight + kOne / 2) >> kWeightBits);
  }
  for (uint32_t x = 0; x < original_.width; ++x) {
    const Tap h = x_taps_[x];
    row[x] = mixed[h.first] * (kOne - h.weight) + mixed[h.second] * h.weight;
  }
}

void ThresholdMask(const int16_t* logits, uint32_t side, ImageSize resized, ImageSize original, int32_t threshold,
                   uint8_t* out, size_t stride) {
  MaskUpscaler upscaler(logits, side, resized, original);
  std::vector<int32_t> row(original.width);
  for (uint32_t y = 0; y < original.height; ++y, out += stride) {
    upscaler.Row(y, row.data());
    for (uint32_t x = 0; x < original.width; ++x) out[x] = row[x] > threshold;
  }
}

void ThresholdMaskBits(const int16_t* logits, uint32_t side, ImageSize resized, ImageSize original, int32_t threshold,
                       uint8_t* out, size_t stride) {
  MaskUpscaler upscaler(logits, side, resized, original);
  std::vector<int32_t> row(original.width);
  for (uint32_t y = 0; y < original.height; ++y, out += stride) {
    upscaler.Row(y, row.data());
    std::memset(out, 0, (original.width + 7) / 8);
    for (uint32_t x = 0; x < original.width; ++x) {
      out[x / 8] = static_cast<uint8_t>(out[x / 8] | (row[x] > threshold) << (x % 8));
    }
  }
}

void MaskPromptLogits(const uint8_t* mask, size_t stride, ImageSize original, ImageSize resized, uint32_t image_size,
                      uint32_t side, int16_t inside, int16_t* logits) {
  // The pixel of the original that the middle of logit i shows along one axis; beyond the photo a position >= `from`.
  const auto pixel_of = [&](uint32_t i, uint32_t from, uint32_t to) {
    const uint64_t middle = (2 * uint64_t{i} + 1) * image_size / (2 * uint64_t{side});  // of the encoder input
    return middle * from / to;
  };
  const int16_t outside = static_cast<int16_t>(-inside);
  for (uint32_t y = 0; y < side; ++y) {
    const uint64_t from_y = pixel_of(y, original.height, resized.height);
    for (uint32_t x = 0; x < side; ++x) {
      const uint64_t from_x = pixel_of(x, original.width, resized.width);
      const bool drawn = from_y < original.height && from_x < original.width && mask[from_y * stride + from_x] != 0;
      logits[size_t{y} * side + x] = drawn ? inside : outside;
    }
  }
}

}  // namespace intsam::internal
