// Arithmetic on sizes, counts and offsets that come from files: every sum, product and range is checked before use.
// All functions are total: no input makes them wrap or divide by zero.
#ifndef INTSAM_RUNTIME_BASE_CHECKED_H_
#define INTSAM_RUNTIME_BASE_CHECKED_H_

#include <cstdint>

namespace intsam::internal {

// *sum = a + b, or false (and *sum untouched) if that leaves 64 bits.
[[nodiscard]] constexpr bool CheckedAdd(uint64_t a, uint64_t b, uint64_t* sum) {
  if (b > UINT64_MAX - a) return false;
  *sum = a + b;
  return true;
}

// *product = a * b, or false (and *product untouched) if that leaves 64 bits.
[[nodiscard]] constexpr bool CheckedMul(uint64_t a, uint64_t b, uint64_t* product) {
  if (a != 0 && b > UINT64_MAX / a) return false;
  *product = a * b;
  return true;
}

// Whether [offset, offset + size) lies inside [0, total), computed without forming the sum.
[[nodiscard]] constexpr bool RangeFits(uint64_t offset, uint64_t size, uint64_t total) {
  return offset <= total && size <= total - offset;
}

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_CHECKED_H_
