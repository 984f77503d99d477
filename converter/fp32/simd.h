// Compiles a plain loop once per instruction set and lets the loader choose: INTSAM_CLONES before a function.
// Also exp and the normal distribution function, written so that such loops vectorize.
// Sanitizers instrument the choosing code, which runs before they are ready: under them there is one version.
#ifndef INTSAM_CONVERTER_FP32_SIMD_H_
#define INTSAM_CONVERTER_FP32_SIMD_H_

#include <bit>
#include <cmath>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define INTSAM_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define INTSAM_CLONES
#endif

namespace intsam::internal::fp32 {

// exp(x) for x <= 0 within 2 units in the last place; below -87 the result is exp(-87), about 1.6e-38.
[[gnu::always_inline]] inline float ExpOfNegative(float x) {
  x = x < -87.0f ? -87.0f : x;
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits of the sum.
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts, the first exact in few bits
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) + 127u) << 23;
  return p * std::bit_cast<float>(exponent);
}

// Distribution function of the standard normal, (1 + erf(x / sqrt 2)) / 2, within 2e-7: Abramowitz and Stegun 7.1.26.
[[gnu::always_inline]] inline float NormalDistribution(float x) {
  const float z = std::fabs(x) * 0.707106781f;
  const float t = 1.0f / (1.0f + 0.3275911f * z);
  float p = 1.061405429f;
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const float half_tail = 0.5f * p * t * ExpOfNegative(-z * z);
  return x < 0.0f ? half_tail : 1.0f - half_tail;
}

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_SIMD_H_
