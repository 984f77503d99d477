// From real numbers to integers without undefined casts.
#ifndef INTSAM_CONVERTER_QUANTIZE_ROUNDING_H_
#define INTSAM_CONVERTER_QUANTIZE_ROUNDING_H_

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

namespace intsam::internal {

// The nearest T, halves up; what lies beyond T's ends gives the ends, and NaN 0. Such values come from checkpoints that
// cannot be quantized: the ranges of the file's fields refuse what was cut (runtime/records/records.h).
template <std::signed_integral T>
T RoundTo(double x) {
  constexpr T kLeast = std::numeric_limits<T>::min(), kMost = std::numeric_limits<T>::max();
  const double rounded = std::floor(x + 0.5);
  if (std::isnan(rounded)) return 0;
  if (rounded <= static_cast<double>(kLeast)) return kLeast;
  if (rounded >= static_cast<double>(kMost)) return kMost;
  return static_cast<T>(rounded);
}

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_ROUNDING_H_
