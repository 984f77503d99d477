#include "apps/common/score.h"

#include <cstdint>
#include <cstdlib>

namespace intsam::internal {
namespace {

int64_t Rounded(int q15, int64_t scale) { return (q15 * scale + (1 << 14)) >> 15; }

}  // namespace

std::string ScoreText(int q15, int decimals) {
  int64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  const int64_t value = Rounded(q15, scale), magnitude = std::abs(value);
  const std::string digits = std::to_string(scale + magnitude % scale).substr(1);
  return (value < 0 ? "-" : "") + std::to_string(magnitude / scale) + "." + digits;
}

double ScoreNumber(int q15) { return static_cast<double>(Rounded(q15, 10'000)) / 10'000; }

}  // namespace intsam::internal
