// The parts of everything mode alone, against values of the original package's functions.
#include <gtest/gtest.h>

#include "runtime/everything/candidates.h"
#include "runtime/everything/crops.h"
#include "runtime/everything/suppress.h"

namespace intsam::internal {
namespace {

constexpr int32_t kOverlap = 366503876;  // 512 / 1500 in Q30, rounded up
using Boxes = std::vector<PixelBox>;
using Indices = std::vector<size_t>;

// generate_crop_boxes((683, 1024), 2, 512 / 1500)
TEST(Crops, AreThoseOfTheOriginal) {
  const std::vector<Crop> crops = CropsOf({1024, 683}, 2, kOverlap);
  const std::vector<Crop> expected = {{0, 0, 1024, 683, 0},     {0, 0, 629, 458, 1},      {0, 225, 629, 683, 1},
                                      {396, 0, 1024, 458, 1},   {396, 225, 1024, 683, 1}, {0, 0, 343, 258, 2},
                                      {0, 142, 343, 400, 2},    {0, 284, 343, 542, 2},    {0, 426, 343, 683, 2},
                                      {227, 0, 570, 258, 2},    {227, 142, 570, 400, 2},  {227, 284, 570, 542, 2},
                                      {227, 426, 570, 683, 2},  {454, 0, 797, 258, 2},    {454, 142, 797, 400, 2},
                                      {454, 284, 797, 542, 2},  {454, 426, 797, 683, 2},  {681, 0, 1024, 258, 2},
                                      {681, 142, 1024, 400, 2}, {681, 284, 1024, 542, 2}, {681, 426, 1024, 683, 2}};
  EXPECT_EQ(crops, expected);
}

TEST(Crops, VerySmallPhotos) {
  EXPECT_EQ(CropsOf({1, 1}, 0, kOverlap), (std::vector<Crop>{{0, 0, 1, 1, 0}}));
  // Of four crops along three pixels the last would have none.
  for (const Crop& crop : CropsOf({3, 2}, 3, kOverlap)) {
    EXPECT_LT(crop.x0, crop.x1);
    EXPECT_LT(crop.y0, crop.y1);
    EXPECT_LE(crop.x1, 3u);
    EXPECT_LE(crop.y1, 2u);
  }
  // Full overlap: all crops of a square are all of it.
  for (const Crop& crop : CropsOf({64, 64}, 1, 1 << 30)) EXPECT_EQ(crop.size(), (ImageSize{64, 64}));
}

TEST(Grid, MiddlesOfCellsRowByRow) {
  const std::vector<PointPrompt> points = GridOf({100, 61}, 3);
  ASSERT_EQ(points.size(), 9u);
  const int32_t x[] = {1067, 3200, 5333}, y[] = {651, 1952, 3253};  // 64 * 100 / 6 = 1066.7, 64 * 61 / 6 = 650.7
  for (size_t i = 0; i < 9; ++i) EXPECT_EQ(points[i], (PointPrompt{x[i % 3], y[i / 3], 1})) << i;
  EXPECT_EQ(GridOf({1, 1}, 1), (std::vector<PointPrompt>{{32, 32, 1}}));
}

TEST(Suppress, TheBestOfOverlappingBoxesStays) {
  const Boxes boxes = {{0, 0, 10, 10}, {0, 0, 10, 9}, {20, 20, 30, 30}, {0, 0, 10, 10}};
  constexpr int32_t kHalf = 1 << 29;
  EXPECT_EQ(Suppress(boxes, {5, 9, 1, 5}, kHalf), (Indices{1, 2}));
  EXPECT_EQ(Suppress(boxes, {9, 5, 10, 9}, kHalf), (Indices{2, 0}));
  EXPECT_EQ(Suppress(boxes, {5, 5, 5, 5}, kHalf), (Indices{0, 2})) << "of equal scores the first";
  EXPECT_EQ(Suppress(boxes, {1, 2, 3, 4}, 1 << 30), (Indices{3, 2, 1, 0})) << "no IoU is above 1";
  EXPECT_EQ(Suppress({}, {}, kHalf), Indices{});
}

// IoU 7 / 10 is not above 0.7, and is above what lies just below.
TEST(Suppress, MustBeAboveTheThreshold) {
  const Boxes boxes = {{0, 0, 10, 1}, {0, 0, 7, 1}};
  EXPECT_EQ(Suppress(boxes, {2, 1}, 751619277), (Indices{0, 1}));
  EXPECT_EQ(Suppress(boxes, {2, 1}, 751619276), (Indices{0}));
}

TEST(Suppress, BoxesOfOneColumnOverlapNothing) {
  const Boxes boxes = {{5, 5, 5, 9}, {5, 5, 5, 9}, {0, 0, 10, 10}, {0, 0, 0, 0}};
  EXPECT_EQ(Suppress(boxes, {4, 3, 2, 1}, 0), (Indices{0, 1, 2, 3}));
}

TEST(Suppress, LargestBoxes) {
  const Boxes boxes = {{0, 0, 32767, 32767}, {0, 0, 32767, 32766}};
  EXPECT_EQ(Suppress(boxes, {2, 1}, INT32_MAX), (Indices{0, 1}));
  EXPECT_EQ(Suppress(boxes, {2, 1}, (1 << 30) - 1), (Indices{0, 1})) << "32766 / 32767 is less";
  EXPECT_EQ(Suppress(boxes, {2, 1}, 1073000000), (Indices{0}));
}

TEST(NearCropEdge, TwentyPixelsUnlessThePhotoEndsThereToo) {
  const ImageSize photo{1000, 800};
  const Crop crop{300, 0, 700, 400, 1};
  EXPECT_FALSE(NearCropEdge({321, 5, 679, 379}, crop, photo)) << "the upper edge is the photo's";
  EXPECT_TRUE(NearCropEdge({320, 5, 679, 379}, crop, photo));
  EXPECT_TRUE(NearCropEdge({321, 5, 680, 379}, crop, photo));
  EXPECT_TRUE(NearCropEdge({321, 5, 679, 380}, crop, photo));
  EXPECT_FALSE(NearCropEdge({0, 0, 999, 799}, {0, 0, 1000, 800, 0}, photo));
  EXPECT_TRUE(NearCropEdge({300, 0, 300, 0}, crop, photo)) << "an empty mask lies in the crop's corner";
}

}  // namespace
}  // namespace intsam::internal
