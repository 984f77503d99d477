// RGB bytes to the encoder's input size, bit-equal to Pillow's 8-bit bilinear resampler (docs/numerics.md section 9).
#ifndef INTSAM_RUNTIME_IMAGE_RESIZE_H_
#define INTSAM_RUNTIME_IMAGE_RESIZE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace intsam::internal {

struct ImageSize {
  uint32_t width = 0;
  uint32_t height = 0;
  bool operator==(const ImageSize&) const = default;
};

enum class PixelFormat { kRgb, kBgr, kRgba, kBgra, kGray };
constexpr uint32_t PixelBytes(PixelFormat f) {
  return f == PixelFormat::kGray ? 1 : f == PixelFormat::kRgb || f == PixelFormat::kBgr ? 3 : 4;
}

// The size of an image scaled so that its longest side is `longest` (ResizeLongestSide of the original package, in
// integers). Sides are 1..32768; a side never becomes smaller than 1.
ImageSize ResizedSize(ImageSize original, uint32_t longest);

// Resizes to `to` as RGB [to.height][to.width][3]. Alpha is ignored, gray is replicated. `stride` is in bytes.
// Horizontal pass first, rounded to u8, then vertical. `out` is resized; the only allocations are `out` and `scratch`.
void ResizeToRgb(const uint8_t* pixels, ImageSize from, size_t stride, PixelFormat format, ImageSize to,
                 std::vector<uint8_t>& out, std::vector<uint8_t>& scratch);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_RESIZE_H_
