// Overlay rendering. Line widths grow with the image, so that a 12-megapixel photo does not get hairlines.
#include "apps/common/overlay.h"

#include <algorithm>

namespace intsam::internal {
namespace {

constexpr Rgb kPositive = {0, 200, 0}, kNegative = {220, 0, 0}, kBox = {255, 220, 0}, kRim = {255, 255, 255};

class Canvas {
 public:
  explicit Canvas(Image& image)
      : image_(image),
        width_(image.size.width),
        height_(image.size.height),
        line_(1 + std::max(width_, height_) / 700) {}

  int64_t width() const { return width_; }
  int64_t height() const { return height_; }
  int64_t line() const { return line_; }

  void Set(int64_t x, int64_t y, Rgb c) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
    uint8_t* p = &image_.rgb[3 * static_cast<size_t>(y * width_ + x)];
    p[0] = c.red, p[1] = c.green, p[2] = c.blue;
  }

  // Half photo, half colour. The photo is halved already.
  void Tint(size_t pixel, Rgb c) {
    uint8_t* p = &image_.rgb[3 * pixel];
    const uint8_t add[3] = {c.red, c.green, c.blue};
    for (int i = 0; i < 3; ++i) p[i] = static_cast<uint8_t>(std::min(255, p[i] + add[i] / 2));
  }

  void Disc(int64_t cx, int64_t cy, int64_t radius, Rgb c) {
    for (int64_t y = -radius; y <= radius; ++y) {
      for (int64_t x = -radius; x <= radius; ++x) {
        if (x * x + y * y <= radius * radius) Set(cx + x, cy + y, c);
      }
    }
  }

  // The frame just inside x0 <= x <= x1, y0 <= y <= y1.
  void Frame(int64_t x0, int64_t y0, int64_t x1, int64_t y1, Rgb c) {
    for (int64_t i = 0; i < line_; ++i) {
      for (int64_t x = x0; x <= x1; ++x) Set(x, y0 + i, c), Set(x, y1 - i, c);
      for (int64_t y = y0; y <= y1; ++y) Set(x0 + i, y, c), Set(x1 - i, y, c);
    }
  }

 private:
  Image& image_;
  int64_t width_, height_, line_;
};

void DrawMask(Canvas& canvas, const uint8_t* mask, Rgb colour) {
  const int64_t width = canvas.width(), height = canvas.height(), reach = canvas.line();
  const auto inside = [&](int64_t x, int64_t y) {
    // The mask is taken to go on beyond the picture: its edge is no contour.
    return mask[std::clamp<int64_t>(y, 0, height - 1) * width + std::clamp<int64_t>(x, 0, width - 1)] != 0;
  };
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      if (!inside(x, y)) continue;
      const bool deep = inside(x - reach, y) && inside(x + reach, y) && inside(x, y - reach) && inside(x, y + reach);
      if (deep) {
        canvas.Tint(static_cast<size_t>(y * width + x), colour);
      } else {
        canvas.Set(x, y, colour);
      }
    }
  }
}

void DrawPrompt(Canvas& canvas, const ObjectPrompt& prompt) {
  if (prompt.box.has_value()) {
    const BoxPrompt& b = *prompt.box;
    canvas.Frame(b.x0 / kPixel, b.y0 / kPixel, std::min<int64_t>(b.x1 / kPixel, canvas.width() - 1),
                 std::min<int64_t>(b.y1 / kPixel, canvas.height() - 1), kBox);
  }
  const int64_t radius = 2 + std::max(canvas.width(), canvas.height()) / 120;
  for (const PointPrompt& p : prompt.points) {
    canvas.Disc(p.x / kPixel, p.y / kPixel, radius + canvas.line(), kRim);
    canvas.Disc(p.x / kPixel, p.y / kPixel, radius, p.label == 1 ? kPositive : kNegative);
  }
}

}  // namespace

Rgb MaskColour(size_t i) {
  static constexpr Rgb kPalette[] = {{30, 144, 255}, {255, 140, 0},  {50, 205, 50},  {220, 20, 140},
                                     {0, 206, 209},  {240, 230, 40}, {148, 80, 220}, {250, 128, 114}};
  return kPalette[i % std::size(kPalette)];
}

Image RenderOverlay(const Image& photo, std::span<const uint8_t* const> masks, std::span<const ObjectPrompt> prompts) {
  Image out = photo;
  for (uint8_t& b : out.rgb) b /= 2;
  Canvas canvas(out);
  for (size_t i = 0; i < masks.size(); ++i) DrawMask(canvas, masks[i], MaskColour(i));
  for (const ObjectPrompt& prompt : prompts) DrawPrompt(canvas, prompt);
  return out;
}

}  // namespace intsam::internal
