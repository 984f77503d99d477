// Coordinates and random Fourier features of prompts, in integers (docs/numerics.md section 10).
#include "runtime/image/prompts.h"

#include "kernels/numerics/fixed_point.h"
#include "kernels/numerics/sine.h"

namespace intsam::internal {
namespace {

constexpr int kCoordinateBits = 24;
constexpr int64_t kCoordinateLimit = int64_t{1} << 27;

}  // namespace

int32_t PointCoordinate(int32_t x, uint32_t original, uint32_t resized, uint32_t image_size) {
  // The real value is 2 * (x / 64 * resized / original + 1/2) / image_size - 1, over the denominator below.
  // |x| < 2^21, original <= 2^15, the others <= 2^12: |numerator| < 2^36, so its Q24 form stays below 2^60.
  const int64_t denominator = 64 * int64_t{original} * image_size;
  const int64_t numerator = 2 * int64_t{x} * resized + 64 * int64_t{original} - denominator;
  const int64_t q24 = FloorDivideRound(ShiftLeft(numerator, kCoordinateBits), denominator);
  return static_cast<int32_t>(Clamp(q24, -kCoordinateLimit, kCoordinateLimit));
}

int32_t GridCoordinate(uint32_t i, uint32_t grid) {
  const int64_t numerator = 2 * int64_t{i} + 1 - int64_t{grid};
  return static_cast<int32_t>(FloorDivideRound(ShiftLeft(numerator, kCoordinateBits), grid));
}

int16_t SineOfTurn(uint32_t phase) { return Sine(phase); }

void PositionalEncoding(int32_t x_q24, int32_t y_q24, std::span<const int32_t> gaussian, int16_t* out) {
  constexpr uint32_t kQuarterTurn = 1u << 30;
  const size_t features = gaussian.size() / 2;
  const int32_t* x_row = gaussian.data();
  const int32_t* y_row = x_row + features;
  for (size_t f = 0; f < features; ++f) {
    // |coordinate| <= 2^27 and |gaussian| <= 2^31: the sum stays within +-2^59. Whole turns fall off at the top.
    const int64_t turns_q48 = int64_t{x_q24} * x_row[f] + int64_t{y_q24} * y_row[f];
    const uint32_t phase = static_cast<uint32_t>(turns_q48 >> 16);
    out[f] = SineOfTurn(phase);
    out[features + f] = SineOfTurn(phase + kQuarterTurn);
  }
}

}  // namespace intsam::internal
