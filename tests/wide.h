// Integers of 128 bits, for checks against wider arithmetic: the compiler's where it has them, else those written out
// here, for 32-bit targets. Two's complement; results wrap; division truncates.
#ifndef INTSAM_TESTS_WIDE_H_
#define INTSAM_TESTS_WIDE_H_

#include <compare>
#include <concepts>
#include <cstdint>

namespace intsam::internal::test {

class Wide {
 public:
  constexpr Wide() = default;
  template <std::integral T>
  constexpr Wide(T x) : low_(static_cast<uint64_t>(x)), high_(x < 0 ? ~uint64_t{0} : 0) {}
  template <std::integral T>
  explicit constexpr operator T() const {
    return static_cast<T>(low_);
  }

  friend constexpr Wide operator+(Wide a, Wide b) {
    const uint64_t low = a.low_ + b.low_;
    return {low, a.high_ + b.high_ + (low < a.low_)};
  }
  constexpr Wide operator-() const { return Wide{~low_, ~high_} + 1; }
  friend constexpr Wide operator-(Wide a, Wide b) { return a + -b; }
  constexpr Wide& operator--() { return *this = *this - 1; }

  friend constexpr Wide operator<<(Wide a, int n) {
    if (n == 0) return a;
    return n >= 64 ? Wide{0, a.low_ << (n - 64)} : Wide{a.low_ << n, a.high_ << n | a.low_ >> (64 - n)};
  }
  friend constexpr Wide operator>>(Wide a, int n) {
    const auto high = static_cast<int64_t>(a.high_);
    if (n == 0) return a;
    if (n >= 64) return {static_cast<uint64_t>(high >> (n - 64)), static_cast<uint64_t>(high >> 63)};
    return {a.low_ >> n | a.high_ << (64 - n), static_cast<uint64_t>(high >> n)};
  }

  friend constexpr Wide operator*(Wide a, Wide b) {
    Wide product = 0;
    for (int i = 0; i < 128; i += 32) {
      const uint64_t limb = (i < 64 ? b.low_ >> i : b.high_ >> (i - 64)) & 0xffffffff;
      const uint64_t low = (a.low_ & 0xffffffff) * limb, middle = (a.low_ >> 32) * limb;
      product =
          product + (Wide{low + (middle << 32), a.high_ * limb + (middle >> 32) + (low + (middle << 32) < low)} << i);
    }
    return product;
  }
  friend constexpr Wide operator/(Wide n, Wide d) {
    const bool negative = (n < 0) != (d < 0);
    Wide rest = n < 0 ? -n : n, divisor = d < 0 ? -d : d, quotient = 0;
    for (int i = 126; i >= 0; --i) {
      if ((rest >> i) < divisor) continue;
      rest = rest - (divisor << i);
      quotient = quotient + (Wide{1} << i);
    }
    return negative ? -quotient : quotient;
  }

  friend constexpr bool operator==(Wide, Wide) = default;
  friend constexpr std::strong_ordering operator<=>(Wide a, Wide b) {
    if (a.high_ != b.high_) return static_cast<int64_t>(a.high_) <=> static_cast<int64_t>(b.high_);
    return a.low_ <=> b.low_;
  }

 private:
  constexpr Wide(uint64_t low, uint64_t high) : low_(low), high_(high) {}

  uint64_t low_ = 0, high_ = 0;
};

#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 Int128;
#else
using Int128 = Wide;
#endif

}  // namespace intsam::internal::test

#endif  // INTSAM_TESTS_WIDE_H_
