// Masks as bits, and the overlay: what is drawn where, in which colours, and the same bytes everywhere.
#include "apps/common/overlay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "apps/common/bit_mask.h"
#include "apps/common/overlay_canvas.h"

namespace intsam::internal {
namespace {

Image Plain(ImageSize size, Rgb c) {
  Image image{size, std::vector<uint8_t>(size_t{3} * size.width * size.height)};
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    image.rgb[i] = c.red, image.rgb[i + 1] = c.green, image.rgb[i + 2] = c.blue;
  }
  return image;
}

Rgb At(const Image& image, uint32_t x, uint32_t y) {
  const uint8_t* p = &image.rgb[size_t{3} * (size_t{y} * image.size.width + x)];
  return {p[0], p[1], p[2]};
}

int Light(Rgb c) { return c.red + c.green + c.blue; }

int Apart(Rgb a, Rgb b) { return std::abs(a.red - b.red) + std::abs(a.green - b.green) + std::abs(a.blue - b.blue); }

std::vector<uint8_t> Rectangle(ImageSize size, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1) {
  std::vector<uint8_t> mask(size_t{size.width} * size.height);
  for (uint32_t y = y0; y < y1; ++y) std::fill_n(&mask[size_t{y} * size.width + x0], x1 - x0, 1);
  return mask;
}

OverlayObject Object(ImageSize size, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1) {
  OverlayObject object;
  object.mask = PackMask(Rectangle(size, x0, y0, x1, y1).data(), size, size);
  object.iou_q15 = 30000;
  return object;
}

TEST(BitMask, PacksUnpacksAndMeasures) {
  std::mt19937 random(5);
  for (const ImageSize size : {ImageSize{1, 1}, {7, 3}, {8, 8}, {65, 20}}) {
    for (const unsigned rarity : {1u, 2u, 40u}) {
      std::vector<uint8_t> mask(size_t{size.width} * size.height);
      for (uint8_t& m : mask) m = random() % rarity == 0;
      const BitMask packed = PackMask(mask.data(), size, size);
      EXPECT_EQ(packed.bits.size(), BitMask::Bytes(size));
      std::vector<uint8_t> unpacked;
      UnpackMask(packed, unpacked);
      EXPECT_EQ(unpacked, mask);
      uint64_t area = 0;
      uint32_t x0 = UINT32_MAX, y0 = UINT32_MAX, x1 = 0, y1 = 0;
      for (uint32_t y = 0; y < size.height; ++y) {
        for (uint32_t x = 0; x < size.width; ++x) {
          if (mask[size_t{y} * size.width + x] == 0) continue;
          ++area;
          x0 = std::min(x0, x), y0 = std::min(y0, y), x1 = std::max(x1, x + 1), y1 = std::max(y1, y + 1);
        }
      }
      const MaskExtent extent = MeasureMask(mask.data(), size);
      EXPECT_EQ(extent.area, area);
      if (area == 0) x0 = y0 = 0;
      EXPECT_EQ((std::vector<uint32_t>{extent.x, extent.y, extent.width, extent.height}),
                (std::vector<uint32_t>{x0, y0, x1 - x0, y1 - y0}));
    }
  }
}

TEST(BitMask, SmallerOnesTakeThePixelUnderTheCentre) {
  const uint8_t row[9] = {0, 1, 0, 0, 1, 0, 0, 0, 1};
  const BitMask third = PackMask(row, {9, 1}, {3, 1});
  EXPECT_TRUE(third.At(0, 0) && third.At(1, 0) && !third.At(2, 0));
}

TEST(OverlayPhoto, SizeKeepsTheShape) {
  EXPECT_EQ(OverlaySize({640, 480}, 2048), (ImageSize{640, 480}));
  EXPECT_EQ(OverlaySize({6000, 4000}, 2048), (ImageSize{2048, 1365}));
  EXPECT_EQ(OverlaySize({4000, 6000}, 2048), (ImageSize{1365, 2048}));
  EXPECT_EQ(OverlaySize({6000, 4000}, 0), (ImageSize{6000, 4000}));
  EXPECT_EQ(OverlaySize({32768, 1}, 2048), (ImageSize{2048, 1}));
}

TEST(OverlayPhoto, ShrinksByAveraging) {
  Image photo = Plain({7, 5}, {0, 0, 0});
  std::mt19937 random(1);
  for (uint8_t& v : photo.rgb) v = static_cast<uint8_t>(random());
  EXPECT_EQ(ShrinkPhoto(photo, photo.size).rgb, photo.rgb);
  const Image small = ShrinkPhoto(photo, {3, 2});
  for (uint32_t y = 0; y < 2; ++y) {
    for (uint32_t x = 0; x < 3; ++x) {
      // On a grid of 21 x 10 every old pixel is 3 x 2 cells and every new one 7 x 5.
      int sum = 0;
      for (uint32_t v = 5 * y; v < 5 * y + 5; ++v) {
        for (uint32_t u = 7 * x; u < 7 * x + 7; ++u) sum += At(photo, u / 3, v / 2).green;
      }
      EXPECT_EQ(At(small, x, y).green, (sum + 17) / 35);
    }
  }
}

TEST(Canvas, StrokesCoverWhatIsNear) {
  Image image = Plain({40, 20}, {0, 0, 0});
  Canvas(image).Stroke({8 * 16, 10 * 16}, {32 * 16, 10 * 16}, 3 * 16, {200, 100, 50});
  for (uint32_t y = 0; y < 20; ++y) {
    const bool inside = y >= 7 && y <= 12;
    EXPECT_EQ(At(image, 20, y), inside ? (Rgb{200, 100, 50}) : (Rgb{0, 0, 0})) << y;
  }
  EXPECT_EQ(At(image, 3, 10), (Rgb{0, 0, 0}));
  EXPECT_EQ(At(image, 6, 9), (Rgb{200, 100, 50}));  // the round end
  EXPECT_LT(At(image, 5, 7).red, 100);
  Image other = Plain({40, 20}, {0, 0, 0});
  Canvas canvas(other);  // nearly all of it outside
  canvas.Stroke({-1000 * 16, -1000 * 16}, {0, 0}, 32, {9, 9, 9});
  canvas.Stroke({40 * 16, 20 * 16}, {5000 * 16, 20 * 16}, 32, {9, 9, 9});
  EXPECT_EQ(At(other, 0, 0), (Rgb{9, 9, 9}));
  EXPECT_EQ(At(other, 39, 19), (Rgb{9, 9, 9}));
  EXPECT_EQ(At(other, 20, 10), (Rgb{0, 0, 0}));
}

TEST(Canvas, CharactersDiffer) {
  std::vector<std::vector<uint8_t>> seen;
  for (const char c : std::string("0123456789.- ")) {
    Image image = Plain({16, 20}, {0, 0, 0});
    Canvas(image).Text({&c, 1}, {64, 64}, 12 * 16, 12, {255, 255, 255});
    EXPECT_EQ(std::count(seen.begin(), seen.end(), image.rgb), 0) << c;
    seen.push_back(image.rgb);
  }
  EXPECT_EQ(Canvas::TextWidth("", 120), 0);
  EXPECT_EQ(Canvas::TextWidth("00", 120), 200);
}

TEST(Overlay, SixteenColoursThatAreToldApart) {
  for (size_t i = 0; i < 16; ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_GT(Apart(ObjectColour(i), ObjectColour(j)), 80) << i << " " << j;
  }
  EXPECT_EQ(ObjectColour(16), ObjectColour(0));
}

TEST(Overlay, LeavesThePhotoAloneAndShowsTheMask) {
  const ImageSize size{400, 300};
  const Rgb ground{100, 110, 120}, colour = ObjectColour(0);
  Image picture = Plain(size, ground);
  DrawOverlay(picture, size, {Object(size, 100, 100, 300, 250)});
  EXPECT_EQ(At(picture, 20, 20), ground);  // nothing is dimmed
  EXPECT_EQ(At(picture, 390, 290), ground);
  const Rgb inside = At(picture, 200, 180);
  EXPECT_EQ(inside, Mix(ground, colour, 144));
}

// A light line between darker ones, on any ground.
TEST(Overlay, ContourIsSeenOnAnyGround) {
  const ImageSize size{400, 300};
  for (const Rgb ground : {Rgb{0, 0, 0}, Rgb{255, 255, 255}, Rgb{128, 128, 128}, ObjectColour(0)}) {
    Image picture = Plain(size, ground);
    DrawOverlay(picture, size, {Object(size, 100, 100, 300, 250)});
    int lightest = 0, darkest = 3 * 255;
    for (uint32_t x = 94; x < 106; ++x) {
      lightest = std::max(lightest, Light(At(picture, x, 200)));
      darkest = std::min(darkest, Light(At(picture, x, 200)));
    }
    EXPECT_GT(lightest - darkest, 150) << Light(ground);
  }
}

TEST(Overlay, TheEdgeOfThePictureIsNoContour) {
  const ImageSize size{400, 300};
  Image picture = Plain(size, {90, 90, 90});
  DrawOverlay(picture, size, {Object(size, 0, 0, 200, 300)});
  EXPECT_EQ(At(picture, 0, 150), At(picture, 100, 150));
  EXPECT_EQ(At(picture, 100, 299), At(picture, 100, 150));
}

// Whatever the order of the objects, the small one lies on top.
TEST(Overlay, SmallMasksLieOnLargeOnes) {
  const ImageSize size{400, 300};
  const Rgb ground{100, 110, 120};
  for (const bool small_first : {false, true}) {
    std::vector<OverlayObject> objects = {Object(size, 50, 50, 350, 280), Object(size, 180, 150, 240, 200)};
    if (small_first) std::swap(objects[0], objects[1]);
    Image picture = Plain(size, ground);
    DrawOverlay(picture, size, objects);
    const size_t small = small_first ? 0 : 1;
    EXPECT_EQ(At(picture, 210, 175), Mix(Mix(ground, ObjectColour(1 - small), 144), ObjectColour(small), 144));
  }
}

TEST(Overlay, PromptsHaveTheColourOfTheirObject) {
  const ImageSize size{400, 300};
  std::vector<OverlayObject> objects = {Object(size, 0, 0, 1, 1), Object(size, 399, 299, 400, 300)};
  // The overlay is half as large as the photo.
  objects[1].prompt.points = {{200 * 64, 300 * 64, 1}, {600 * 64, 300 * 64, 0}};
  objects[1].prompt.box = intsam_box{160 * 64, 200 * 64, 700 * 64, 500 * 64};
  Image picture = Plain(size, {100, 100, 100});
  DrawOverlay(picture, {800, 600}, objects);
  const Rgb colour = ObjectColour(1);
  EXPECT_EQ(At(picture, 100, 150), colour);  // the disc
  EXPECT_EQ(At(picture, 300, 150), colour);  // the middle of the cross
  EXPECT_NE(At(picture, 300, 145), At(picture, 100, 145));
  EXPECT_GT(Apart(At(picture, 350, 200), {100, 100, 100}), 60);  // the box
  EXPECT_GT(Apart(At(picture, 200, 250), {100, 100, 100}), 60);
  EXPECT_EQ(At(picture, 200, 180), (Rgb{100, 100, 100}));
}

TEST(Overlay, TagsOfTwentyObjectsStayInThePicture) {
  const ImageSize size{300, 200};
  std::vector<OverlayObject> objects;
  for (uint32_t i = 0; i < 20; ++i) objects.push_back(Object(size, 10 * i, 5 * i, 10 * i + 60, 5 * i + 50));
  Image picture = Plain(size, {100, 110, 120});
  DrawOverlay(picture, size, objects);
  EXPECT_GT(Apart(At(picture, 30, 25), {100, 110, 120}), 0);
}

TEST(Overlay, TinyPicturesAndEmptyMasksAreDrawn) {
  for (const ImageSize size : {ImageSize{1, 1}, {9, 7}, {3, 200}}) {
    OverlayObject full = Object(size, 0, 0, size.width, size.height), empty = Object(size, 0, 0, 0, 0);
    full.prompt.points = {{0, 0, 1}, {int32_t(size.width) * 64 - 1, int32_t(size.height) * 64 - 1, 0}};
    full.prompt.box = intsam_box{0, 0, int32_t(size.width) * 64, int32_t(size.height) * 64};
    Image picture = Plain(size, {10, 20, 30});
    DrawOverlay(picture, size, {full, empty, full});
    EXPECT_NE(picture.rgb, Plain(size, {10, 20, 30}).rgb);
  }
}

// A line one pixel wide is too thin to have an inside, and must be seen all the same.
TEST(Overlay, ThinMasksAreSeen) {
  const ImageSize size{400, 300};
  Image picture = Plain(size, {100, 100, 100});
  DrawOverlay(picture, size, {Object(size, 50, 250, 350, 251)});
  EXPECT_GT(Light(At(picture, 200, 250)), 450);
}

// FNV-1a of a picture with everything in it, computed once: integers give it on every machine.
TEST(Overlay, SameBytesEverywhere) {
  const ImageSize size{200, 150};
  Image photo = Plain(size, {0, 0, 0});
  for (size_t i = 0; i < photo.rgb.size(); ++i) photo.rgb[i] = static_cast<uint8_t>(uint64_t{i} * i / 977);
  std::vector<OverlayObject> objects = {Object(size, 20, 30, 120, 140), Object(size, 60, 50, 190, 90)};
  objects[0].prompt.box = intsam_box{20 * 64 + 7, 30 * 64, 121 * 64, 141 * 64 + 30};
  objects[1].prompt.points = {{70 * 64 + 9, 60 * 64, 1}, {150 * 64, 120 * 64 + 33, 0}};
  objects[1].iou_q15 = -4000;
  DrawOverlay(photo, size, objects);
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint8_t v : photo.rgb) hash = (hash ^ v) * 0x100000001b3;
  EXPECT_EQ(hash, 13785558720449553781u);
}

}  // namespace
}  // namespace intsam::internal
