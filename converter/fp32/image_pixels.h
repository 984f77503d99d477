// How the image encoders read a photo: pixels normalized by the mean and deviation of the training photos, zero
// outside.
#ifndef INTSAM_CONVERTER_FP32_IMAGE_PIXELS_H_
#define INTSAM_CONVERTER_FP32_IMAGE_PIXELS_H_

#include <cstddef>
#include <cstdint>

namespace intsam::internal::fp32 {

inline constexpr float kMean[3] = {123.675f, 116.28f, 103.53f};
inline constexpr float kDeviation[3] = {58.395f, 57.12f, 57.375f};

// out[3]: pixel (y, x) of rgb [height][width][3]; padding is zero after normalization.
inline void NormalizedPixel(const uint8_t* rgb, size_t height, size_t width, size_t y, size_t x, float* out) {
  const bool inside = y < height && x < width;
  for (size_t c = 0; c < 3; ++c) {
    out[c] = inside ? (static_cast<float>(rgb[(y * width + x) * 3 + c]) - kMean[c]) / kDeviation[c] : 0.0f;
  }
}

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_IMAGE_PIXELS_H_
