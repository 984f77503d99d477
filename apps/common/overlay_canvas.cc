// Lines by the distance of each pixel's centre from them; digits as lines.
#include "apps/common/overlay_canvas.h"

#include <algorithm>

#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {
namespace {

// The way of a pen on a field 12 high: column and row of each stop as a pair of hexadecimal digits; a space lifts it.
struct Glyph {
  std::string_view way;
  int64_t width;
};
constexpr int64_t kFieldHeight = 12, kGap = 4;

Glyph GlyphOf(char c) {
  static constexpr Glyph kDigits[] = {
      {"2060828a6c2c0a0220", 8},          {"13404c", 6},   {"02206082840c8c", 8},
      {"02206082846636 66888a6c2c0a", 8}, {"6c600888", 8}, {"7010062565878a6c2c0a", 8},
      {"715030040a2c6c8a87652507", 8},    {"00803c", 8},   {"2060828466888a6c2c0a0826040220 2666", 8},
      {"1b3c5c888260200205276785", 8}};
  if (c >= '0' && c <= '9') return kDigits[c - '0'];
  if (c == '.') return {"0c", 0};
  if (c == '-') return {"1666", 7};
  return {"", 3};
}

int HexDigit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

}  // namespace

Rgb Mix(Rgb a, Rgb b, int64_t weight) {
  const auto mix = [weight](uint8_t from, uint8_t to) {
    return static_cast<uint8_t>((from * (256 - weight) + to * weight + 128) >> 8);
  };
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)};
}

void Canvas::Blend(int64_t x, int64_t y, Rgb c, int64_t weight) {
  uint8_t* p = &image_.rgb[3 * static_cast<size_t>(y * width_ + x)];
  const Rgb mixed = Mix({p[0], p[1], p[2]}, c, weight);
  p[0] = mixed.red, p[1] = mixed.green, p[2] = mixed.blue;
}

void Canvas::Stroke(Place a, Place b, int64_t radius, Rgb c) {
  const int64_t dx = b.x - a.x, dy = b.y - a.y, squared = dx * dx + dy * dy;
  const int64_t length = IntegerSqrt(static_cast<uint64_t>(squared)), reach = radius + kSubpixel;
  const int64_t left = std::max<int64_t>(0, (std::min(a.x, b.x) - reach) / kSubpixel);
  const int64_t right = std::min(width_ - 1, (std::max(a.x, b.x) + reach) / kSubpixel);
  const int64_t top = std::max<int64_t>(0, (std::min(a.y, b.y) - reach) / kSubpixel);
  const int64_t bottom = std::min(height_ - 1, (std::max(a.y, b.y) + reach) / kSubpixel);
  for (int64_t y = top; y <= bottom; ++y) {
    for (int64_t x = left; x <= right; ++x) {
      const int64_t px = x * kSubpixel + kSubpixel / 2 - a.x, py = y * kSubpixel + kSubpixel / 2 - a.y;
      const int64_t along = px * dx + py * dy;
      int64_t distance;
      if (along > 0 && along < squared) {
        distance = std::abs(px * dy - py * dx) / length;
      } else {
        const int64_t ex = along <= 0 ? px : px - dx, ey = along <= 0 ? py : py - dy;
        distance = IntegerSqrt(static_cast<uint64_t>(ex * ex + ey * ey));
      }
      const int64_t cover = std::clamp<int64_t>(radius + kSubpixel / 2 - distance, 0, kSubpixel);
      if (cover != 0) Blend(x, y, c, cover * 256 / kSubpixel);
    }
  }
}

void Canvas::Text(std::string_view text, Place at, int64_t height, int64_t radius, Rgb c) {
  for (const char character : text) {
    const Glyph glyph = GlyphOf(character);
    Place last{};
    bool down = false;
    for (size_t i = 0; i < glyph.way.size(); ++i) {
      if (glyph.way[i] == ' ') {
        down = false;
        continue;
      }
      const Place stop{at.x + HexDigit(glyph.way[i]) * height / kFieldHeight,
                       at.y + HexDigit(glyph.way[i + 1]) * height / kFieldHeight};
      Stroke(down ? last : stop, stop, radius, c);
      last = stop;
      down = true;
      ++i;
    }
    at.x += (glyph.width + kGap) * height / kFieldHeight;
  }
}

int64_t Canvas::TextWidth(std::string_view text, int64_t height) {
  int64_t width = -kGap;
  for (const char character : text) width += GlyphOf(character).width + kGap;
  return std::max<int64_t>(0, width) * height / kFieldHeight;
}

}  // namespace intsam::internal
