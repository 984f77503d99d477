#include "apps/common/score.h"

#include <cstdlib>

namespace intsam::internal {
namespace {

int64_t Rounded(int32_t value, int bits, int64_t scale) { return (value * scale + (int64_t{1} << (bits - 1))) >> bits; }

}  // namespace

std::string FixedText(int32_t value, int bits, int decimals) {
  int64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  const int64_t rounded = Rounded(value, bits, scale), magnitude = std::abs(rounded);
  const std::string digits = std::to_string(scale + magnitude % scale).substr(1);
  return (rounded < 0 ? "-" : "") + std::to_string(magnitude / scale) + "." + digits;
}

std::string ScoreText(int q15, int decimals) { return FixedText(q15, 15, decimals); }

double ScoreNumber(int q15) { return static_cast<double>(Rounded(q15, 15, 10'000)) / 10'000; }

}  // namespace intsam::internal
