// Masks, prompts and tags over a photo. The lengths below are in units of a 512th of the picture's longer side.
#include "apps/common/overlay.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string>

#include "apps/common/score.h"
#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {
namespace {

constexpr Rgb kWhite{255, 255, 255}, kDark{16, 16, 20};
constexpr int64_t kFill = 144, kHalo = 200;  // of 256 parts

// Sizes of everything that is drawn, in subpixels.
struct Pen {
  explicit Pen(ImageSize size)
      : unit(std::max<int64_t>(12, int64_t{std::max(size.width, size.height)} * kSubpixel / 512)) {}
  int64_t operator()(int64_t percent) const { return unit * percent / 100; }
  int64_t unit;
};

// The rectangle of a picture that holds a mask: columns x0..x1 - 1, rows y0..y1 - 1.
struct Rect {
  int64_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool Meets(const Rect& other) const { return x0 < other.x1 && other.x0 < x1 && y0 < other.y1 && other.y0 < y1; }
};

struct Shape {
  Rect rect;
  uint64_t area = 0;
};

Shape Measure(const BitMask& mask) {
  std::vector<uint8_t> bytes;
  UnpackMask(mask, bytes);
  const MaskExtent extent = MeasureMask(bytes.data(), mask.size);
  return {{extent.x, extent.y, extent.x + extent.width, extent.y + extent.height}, extent.area};
}

// How far a pixel is from the edge of a mask: the mask is smoothed over a few pixels, and the smooth value read as the
// distance from a straight edge. Rows are asked for from top to bottom.
class EdgeDistance {
 public:
  // Distances up to `reach` subpixels are told.
  EdgeDistance(const BitMask& mask, int64_t reach)
      : mask_(mask), taps_(2 * ((reach / kSubpixel + 2) / 2) + 1), rows_(2 * static_cast<size_t>(taps_) - 1) {}

  int64_t reach_pixels() const { return taps_; }

  // Subpixels, positive inside, for columns x0..x1-1 of row y.
  void Row(int64_t y, int64_t x0, int64_t x1, std::vector<int64_t>& distance) {
    for (int64_t i = 1 - taps_; i < taps_; ++i) Smoothed(y + i, x0, x1);
    const int64_t whole = taps_ * taps_ * taps_ * taps_;
    distance.resize(static_cast<size_t>(x1 - x0));
    for (int64_t x = x0; x < x1; ++x) {
      int64_t sum = 0;
      for (int64_t i = 1 - taps_; i < taps_; ++i) {
        sum += (taps_ - std::abs(i)) * Stored(y + i).values[static_cast<size_t>(x - x0)];
      }
      // An edge at distance d leaves (1 - d/taps)^2 / 2 of the whole on its other side.
      const int64_t other = std::min(sum, whole - sum);
      const auto root = IntegerSqrt(static_cast<uint64_t>(2 * other * kSubpixel * kSubpixel / (taps_ * taps_)));
      const int64_t d = taps_ * kSubpixel - static_cast<int64_t>(root);
      // What is too thin for the smoothing counts as edge.
      const bool inside = At(x, y), core = 2 * sum >= whole;
      distance[static_cast<size_t>(x - x0)] = inside != core ? 0 : inside ? d : -d;
    }
  }

 private:
  struct SmoothRow {
    int64_t y = INT64_MIN;
    std::vector<int32_t> values;
  };

  // The mask goes on beyond the picture: its edge is no contour.
  bool At(int64_t x, int64_t y) const {
    return mask_.At(static_cast<uint32_t>(std::clamp<int64_t>(x, 0, mask_.size.width - 1)),
                    static_cast<uint32_t>(std::clamp<int64_t>(y, 0, mask_.size.height - 1)));
  }

  SmoothRow& Stored(int64_t y) { return rows_[static_cast<size_t>(y + (int64_t{1} << 32)) % rows_.size()]; }

  // A row smoothed along itself; kept until its place is needed.
  void Smoothed(int64_t y, int64_t x0, int64_t x1) {
    SmoothRow& row = Stored(y);
    if (row.y == y) return;
    row.y = y;
    row.values.assign(static_cast<size_t>(x1 - x0), 0);
    // Twice a moving sum: the second adds what the first has for each of `taps` neighbours.
    const int64_t half = taps_ / 2;
    std::vector<int32_t> sums(static_cast<size_t>(x1 - x0 + 2 * half));
    int32_t sum = 0;
    for (int64_t x = x0 - 2 * half; x < x0 + 1; ++x) sum += At(x, y);
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] = sum;
      const int64_t x = x0 - half + static_cast<int64_t>(i);
      sum += At(x + half + 1, y) - At(x - half, y);
    }
    int32_t twice = std::accumulate(sums.begin(), sums.begin() + taps_, 0);
    for (size_t i = 0; i < row.values.size(); ++i) {
      row.values[i] = twice;
      if (i + 1 < row.values.size()) twice += sums[i + static_cast<size_t>(taps_)] - sums[i];
    }
  }

  const BitMask& mask_;
  int64_t taps_;  // odd
  std::vector<SmoothRow> rows_;
};

// How much of a pixel lies below `limit` when its centre is at `distance`, of 256.
int64_t Below(int64_t limit, int64_t distance) {
  return std::clamp<int64_t>(limit + kSubpixel / 2 - distance, 0, kSubpixel) * 256 / kSubpixel;
}

void DrawMask(Canvas& canvas, const Pen& pen, const BitMask& mask, const Rect& rect, Rgb colour) {
  const int64_t line = pen(75), halo = pen(200);
  EdgeDistance edge(mask, halo + kSubpixel);
  const int64_t reach = edge.reach_pixels();
  const int64_t x0 = std::max<int64_t>(0, rect.x0 - reach), x1 = std::min(canvas.width(), rect.x1 + reach);
  const int64_t y0 = std::max<int64_t>(0, rect.y0 - reach), y1 = std::min(canvas.height(), rect.y1 + reach);
  const Rgb light = Mix(colour, kWhite, 190);
  std::vector<int64_t> distance;
  for (int64_t y = y0; y < y1; ++y) {
    edge.Row(y, x0, x1, distance);
    for (int64_t x = x0; x < x1; ++x) {
      const int64_t d = distance[static_cast<size_t>(x - x0)];
      if (d <= -(halo + kSubpixel)) continue;
      if (mask.At(static_cast<uint32_t>(x), static_cast<uint32_t>(y))) canvas.Blend(x, y, colour, kFill);
      canvas.Blend(x, y, kDark, Below(halo, std::abs(d)) * kHalo / 256 * (d < 0 ? 2 : 1) / 2);
      canvas.Blend(x, y, light, Below(line, std::abs(d)));
    }
  }
}

// Where a coordinate of the photo lies on the canvas.
int64_t OnCanvas(int32_t coordinate, uint32_t photo, int64_t canvas) {
  return int64_t{coordinate} * canvas * kSubpixel / (int64_t{photo} * kPixel);
}

void DrawBox(Canvas& canvas, const Pen& pen, const intsam_box& box, ImageSize photo, Rgb colour) {
  // Inside the picture by half a line, so that a box along its edge is seen.
  const int64_t inset = pen(100);
  const auto x = [&](int32_t c) {
    return std::clamp(OnCanvas(c, photo.width, canvas.width()), inset, canvas.width() * kSubpixel - inset);
  };
  const auto y = [&](int32_t c) {
    return std::clamp(OnCanvas(c, photo.height, canvas.height()), inset, canvas.height() * kSubpixel - inset);
  };
  const Place corners[] = {
      {x(box.x0), y(box.y0)}, {x(box.x1), y(box.y0)}, {x(box.x1), y(box.y1)}, {x(box.x0), y(box.y1)}};
  for (const auto& [radius, c] : {std::pair{pen(180), kDark}, {pen(100), colour}}) {
    for (size_t i = 0; i < 4; ++i) canvas.Stroke(corners[i], corners[(i + 1) % 4], radius, c);
  }
}

// A disc on the object, a cross off it.
void DrawPoint(Canvas& canvas, const Pen& pen, const intsam_point& point, ImageSize photo, Rgb colour) {
  const Place p{OnCanvas(point.x, photo.width, canvas.width()), OnCanvas(point.y, photo.height, canvas.height())};
  const bool on = point.label == 1;
  const int64_t arm = on ? 0 : pen(400), core = on ? pen(450) : pen(130);
  for (const auto& [extra, c] : {std::pair{pen(220), kDark}, {pen(150), kWhite}, {int64_t{0}, colour}}) {
    canvas.Stroke({p.x - arm, p.y - arm}, {p.x + arm, p.y + arm}, core + extra, c);
    if (!on) canvas.Stroke({p.x - arm, p.y + arm}, {p.x + arm, p.y - arm}, core + extra, c);
  }
}

// A pill with text at a corner of `around`, where it hides no tag drawn before.
void DrawTag(Canvas& canvas, const Pen& pen, const std::string& text, const Rect& around, Rgb colour,
             std::vector<Rect>& taken) {
  const int64_t letters = pen(900), radius = pen(750), rim = pen(70), text_width = Canvas::TextWidth(text, letters);
  const int64_t width = text_width + pen(1000), height = 2 * radius, gap = pen(200);
  const int64_t right = canvas.width() * kSubpixel, bottom = canvas.height() * kSubpixel;
  const Place places[] = {{around.x0, around.y0 - height - gap},
                          {around.x0, around.y1 + gap},
                          {around.x1 - width, around.y0 - height - gap},
                          {around.x1 - width, around.y1 + gap},
                          {around.x0 + gap, around.y0 + gap},
                          {around.x1 - width - gap, around.y0 + gap},
                          {around.x0 + gap, around.y1 - height - gap},
                          {around.x1 - width - gap, around.y1 - height - gap},
                          {(around.x0 + around.x1 - width) / 2, (around.y0 + around.y1 - height) / 2}};
  std::optional<Rect> chosen;
  for (const Place& place : places) {
    const Rect rect{place.x, place.y, place.x + width, place.y + height};
    const bool fits = rect.x0 >= 0 && rect.y0 >= 0 && rect.x1 <= right && rect.y1 <= bottom;
    const bool free = std::none_of(taken.begin(), taken.end(), [&](const Rect& other) { return rect.Meets(other); });
    if (fits && free) {
      chosen = rect;
      break;
    }
  }
  if (!chosen) {  // over another one, but whole
    const int64_t x = std::clamp<int64_t>(around.x0, 0, std::max<int64_t>(0, right - width));
    const int64_t y = std::clamp<int64_t>(around.y0, 0, std::max<int64_t>(0, bottom - height));
    chosen = Rect{x, y, x + width, y + height};
  }
  taken.push_back(*chosen);
  const Place from{chosen->x0 + radius, chosen->y0 + radius}, to{chosen->x1 - radius, chosen->y0 + radius};
  canvas.Stroke(from, to, radius, kDark);
  canvas.Stroke(from, to, radius - rim, colour);
  const bool bright = 3 * colour.red + 6 * colour.green + colour.blue > 1300;
  canvas.Text(text, {(chosen->x0 + chosen->x1 - text_width) / 2, chosen->y0 + radius - letters / 2}, letters, pen(85),
              bright ? kDark : kWhite);
}

// What a tag stands beside, in subpixels: the box of the prompt, its first point on the object, or the mask.
Rect TaggedRect(const Canvas& canvas, const Pen& pen, const ObjectPrompt& prompt, ImageSize photo, const Rect& mask) {
  const auto x = [&](int32_t c) { return OnCanvas(c, photo.width, canvas.width()); };
  const auto y = [&](int32_t c) { return OnCanvas(c, photo.height, canvas.height()); };
  if (prompt.box) return {x(prompt.box->x0), y(prompt.box->y0), x(prompt.box->x1), y(prompt.box->y1)};
  for (const intsam_point& point : prompt.points) {
    const int64_t room = pen(500);
    if (point.label == 1) return {x(point.x) - room, y(point.y) - room, x(point.x) + room, y(point.y) + room};
  }
  return {mask.x0 * kSubpixel, mask.y0 * kSubpixel, mask.x1 * kSubpixel, mask.y1 * kSubpixel};
}

}  // namespace

Rgb ObjectColour(size_t i) {
  static constexpr Rgb kPalette[] = {{30, 144, 255}, {255, 140, 0},  {0, 185, 110},   {235, 65, 165},
                                     {250, 220, 50}, {90, 215, 245}, {225, 50, 45},   {145, 85, 225},
                                     {165, 225, 60}, {160, 105, 60}, {255, 170, 190}, {0, 105, 125},
                                     {65, 70, 190},  {130, 135, 30}, {205, 175, 255}, {140, 25, 75}};
  return kPalette[i % std::size(kPalette)];
}

ImageSize OverlaySize(ImageSize photo, uint32_t longest) {
  const uint32_t side = std::max(photo.width, photo.height);
  if (longest == 0 || side <= longest) return photo;
  const auto scaled = [&](uint32_t v) {
    return std::max<uint32_t>(1, static_cast<uint32_t>((2 * uint64_t{v} * longest + side) / (2 * uint64_t{side})));
  };
  return {scaled(photo.width), scaled(photo.height)};
}

Image ShrinkPhoto(const Image& photo, ImageSize to) {
  Image out{to, std::vector<uint8_t>(size_t{3} * to.width * to.height)};
  const uint64_t sw = photo.size.width, sh = photo.size.height;
  // A new pixel covers sw/to.width columns; in units of 1/to.width of an old one, that is sw.
  std::vector<uint64_t> sums(size_t{3} * to.width);
  for (uint64_t y = 0; y < to.height; ++y) {
    std::fill(sums.begin(), sums.end(), 0);
    for (uint64_t row = y * sh / to.height; row * to.height < (y + 1) * sh; ++row) {
      const uint64_t tall = std::min((row + 1) * to.height, (y + 1) * sh) - std::max(row * to.height, y * sh);
      const uint8_t* pixels = &photo.rgb[3 * row * sw];
      for (uint64_t x = 0; x < to.width; ++x) {
        for (uint64_t column = x * sw / to.width; column * to.width < (x + 1) * sw; ++column) {
          const uint64_t wide = std::min((column + 1) * to.width, (x + 1) * sw) - std::max(column * to.width, x * sw);
          for (size_t c = 0; c < 3; ++c) sums[3 * x + c] += tall * wide * pixels[3 * column + c];
        }
      }
    }
    const uint64_t whole = sw * sh;
    for (size_t i = 0; i < sums.size(); ++i) {
      out.rgb[size_t{3} * to.width * y + i] = static_cast<uint8_t>((sums[i] + whole / 2) / whole);
    }
  }
  return out;
}

void DrawOverlay(Image& picture, ImageSize photo, const std::vector<OverlayObject>& objects) {
  Canvas canvas(picture);
  const Pen pen(picture.size);
  std::vector<Shape> shapes;
  for (const OverlayObject& object : objects) shapes.push_back(Measure(object.mask));
  std::vector<size_t> order(objects.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return shapes[a].area > shapes[b].area; });
  for (const size_t i : order) {
    if (shapes[i].area != 0) DrawMask(canvas, pen, objects[i].mask, shapes[i].rect, ObjectColour(i));
  }
  for (const size_t i : order) {
    const ObjectPrompt& prompt = objects[i].prompt;
    if (prompt.box) DrawBox(canvas, pen, *prompt.box, photo, ObjectColour(i));
  }
  std::vector<Rect> taken;
  for (size_t i = 0; i < objects.size(); ++i) {
    for (const intsam_point& point : objects[i].prompt.points) DrawPoint(canvas, pen, point, photo, ObjectColour(i));
  }
  for (size_t i = 0; i < objects.size(); ++i) {
    if (!objects[i].iou_q15) continue;
    const std::string number = objects.size() == 1 ? "" : std::to_string(i) + "  ";
    DrawTag(canvas, pen, number + ScoreText(*objects[i].iou_q15, 2),
            TaggedRect(canvas, pen, objects[i].prompt, photo, shapes[i].rect), ObjectColour(i), taken);
  }
}

}  // namespace intsam::internal
