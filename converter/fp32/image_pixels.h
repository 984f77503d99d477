// How the image encoders read a photo: pixels normalized by the mean and deviation of the training photos, zero
// outside.
#ifndef INTSAM_CONVERTER_FP32_IMAGE_PIXELS_H_
#define INTSAM_CONVERTER_FP32_IMAGE_PIXELS_H_

#include <cstddef>
#include <cstdint>

#include "converter/sam_constants.h"

namespace intsam::internal::fp32 {

// A pixel's value of one colour.
inline float Normalized(uint8_t value, size_t colour) {
  constexpr float kMean[3] = {float{kPixelMean[0]}, float{kPixelMean[1]}, float{kPixelMean[2]}};
  constexpr float kDeviation[3] = {float{kPixelDeviation[0]}, float{kPixelDeviation[1]}, float{kPixelDeviation[2]}};
  return (static_cast<float>(value) - kMean[colour]) / kDeviation[colour];
}

// out[3]: pixel (y, x) of rgb [height][width][3]; padding is zero after normalization.
inline void NormalizedPixel(const uint8_t* rgb, size_t height, size_t width, size_t y, size_t x, float* out) {
  const bool inside = y < height && x < width;
  for (size_t c = 0; c < 3; ++c) {
    out[c] = inside ? Normalized(rgb[(y * width + x) * 3 + c], c) : 0.0f;
  }
}

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_IMAGE_PIXELS_H_
