// Smooth lines and digits on a picture, in integers: the same bytes everywhere.
#ifndef INTSAM_APPS_COMMON_OVERLAY_CANVAS_H_
#define INTSAM_APPS_COMMON_OVERLAY_CANVAS_H_

#include <cstdint>
#include <string_view>

#include "apps/common/photo/photo_reader.h"

namespace intsam::internal {

struct Rgb {
  uint8_t red, green, blue;
  bool operator==(const Rgb&) const = default;
};

// `weight` of 256 parts of b, the rest a.
Rgb Mix(Rgb a, Rgb b, int64_t weight);

// Lengths and places on a canvas are in 1/16 pixel from its left and top edge.
constexpr int64_t kSubpixel = 16;

struct Place {
  int64_t x, y;
};

class Canvas {
 public:
  explicit Canvas(Image& image) : image_(image), width_(image.size.width), height_(image.size.height) {}

  int64_t width() const { return width_; }  // pixels
  int64_t height() const { return height_; }

  // Mixes `weight` of 256 parts of c into a pixel of the picture.
  void Blend(int64_t x, int64_t y, Rgb c, int64_t weight);

  // All points at most `radius` from the line between a and b, with a smooth edge; a disc when a is b. Clipped.
  void Stroke(Place a, Place b, int64_t radius, Rgb c);

  // Digits, '.', '-' and ' ' in strokes of that radius; `height` is that of the pen's way, `at` its top left end.
  void Text(std::string_view text, Place at, int64_t height, int64_t radius, Rgb c);
  static int64_t TextWidth(std::string_view text, int64_t height);

 private:
  Image& image_;
  int64_t width_, height_;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_OVERLAY_CANVAS_H_
