// The scan of a mask computes pixels along the outline only, and equals to the bit the definition that computes all.
#include "runtime/image/mask_scan.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>

#include "runtime/image/masks.h"
#include "tests/emulated.h"
#include "tests/image/plain_masks.h"

namespace intsam::internal {
namespace {

using testing::PlainMask;
using Logits = std::vector<int16_t>;

std::string Name(ImageSize size) { return std::to_string(size.width) + " x " + std::to_string(size.height); }

// All rows of the scan, drawn; runs are checked on the way.
std::vector<uint8_t> Drawn(const MaskScan& scan) {
  const ImageSize size = scan.size();
  std::vector<uint8_t> mask(size_t{size.width} * size.height, 2);
  MaskScan::Reader reader(scan);
  for (uint32_t y = 0; y < size.height; ++y) {
    const std::span<const PixelRun> row = reader.Row(y);
    for (size_t i = 0; i < row.size(); ++i) {
      EXPECT_LT(row[i].begin, row[i].end);
      EXPECT_LE(row[i].end, size.width);
      if (i > 0) {
        EXPECT_LT(row[i - 1].end, row[i].begin) << "runs touch";
      }
    }
    DrawBytes(row, size.width, &mask[size_t{y} * size.width]);
  }
  return mask;
}

void ExpectPlain(const Logits& logits, uint32_t side, ImageSize original, const MaskView& view, int32_t threshold) {
  const ImageSize resized = ResizedSize(original, 4 * side);
  const MaskSampling sampling(resized, original, view);
  ASSERT_EQ(Drawn(MaskScan(logits.data(), side, sampling, threshold)),
            PlainMask(logits, side, resized, original, view, threshold))
      << "side " << side << ", photo " << Name(original) << ", region " << Name(view.region) << " at " << view.x << ", "
      << view.y << ", shown as " << Name(view.size) << ", threshold " << threshold;
}

// Maps of logits of several tempers: smooth ones cross the threshold seldom, noise does everywhere.
Logits Make(uint32_t side, int temper, uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](uint32_t n) { return static_cast<int32_t>(random() % n); };
  Logits logits;
  const int32_t cx = below(side + 1), cy = below(side + 1), r = 1 + below(side), slope = 1 + below(900);
  for (int32_t y = 0; y < static_cast<int32_t>(side); ++y) {
    for (int32_t x = 0; x < static_cast<int32_t>(side); ++x) {
      int32_t v = 0;
      switch (temper) {
        case 0: v = (r * r - (x - cx) * (x - cx) - (y - cy) * (y - cy)) * slope / r; break;  // a disc
        case 1: v = static_cast<int32_t>(random() % 65536) - 32768; break;                   // noise
        case 2: v = (x + y) % 2 == 0 ? 32767 : -32768; break;                                // the worst of slopes
        case 3: v = below(3) - 1; break;                                                     // about the threshold
        case 4: v = (x / 3 + y / 2) % 3 == 0 ? 500 + below(9) : -300; break;                 // squares
        default: v = below(20) == 0 ? 30000 : -1; break;                                     // specks
      }
      logits.push_back(static_cast<int16_t>(std::clamp(v, -32768, 32767)));
    }
  }
  return logits;
}

constexpr int kTempers = 6;
constexpr ImageSize kPhotos[] = {{1, 1},    {1, 500},  {500, 1},  {3, 2},     {64, 64},  {63, 65},
                                 {100, 57}, {57, 100}, {255, 31}, {300, 225}, {641, 37}, {400, 399}};
constexpr int32_t kThresholds[] = {0, 1, -1, 4095, 4096, -4096, 1234567, -7654321, 2047, INT32_MAX, INT32_MIN};

TEST(MaskScan, EqualsTheDefinitionAtFullSize) {
  test::Sweep sweep;
  for (const uint32_t side : {1u, 2u, 3u, 8u, 15u, 16u, 17u, 32u, 63u, 64u}) {
    for (const ImageSize photo : kPhotos) {
      for (int temper = 0; temper < kTempers; ++temper) {
        if (!sweep.Next()) continue;
        const Logits logits = Make(side, temper, side * 31 + photo.width);
        const int32_t threshold = kThresholds[(side + photo.height + static_cast<uint32_t>(temper)) % 11];
        ExpectPlain(logits, side, photo, MaskView::Whole(photo), 0);
        ExpectPlain(logits, side, photo, MaskView::Whole(photo), threshold);
        if (HasFailure()) return;
      }
    }
  }
}

TEST(MaskScan, EqualsTheDefinitionForEveryThreshold) {
  for (const int32_t threshold : kThresholds) {
    for (int temper = 0; temper < kTempers; ++temper) {
      ExpectPlain(Make(24, temper, 5), 24, {150, 99}, MaskView::Whole({150, 99}), threshold);
      ExpectPlain(Make(24, temper, 6), 24, {41, 90}, MaskView::Whole({41, 90}), threshold);
    }
  }
}

// Regions and sizes at random; a region at its own size is a piece of the whole mask.
TEST(MaskScan, EqualsTheDefinitionForEveryView) {
  std::mt19937 random(3);
  const auto between = [&](uint32_t low, uint32_t high) {
    return low + static_cast<uint32_t>(random() % (high - low + 1));
  };
  test::Sweep sweep;
  for (int i = 0; i < 600; ++i) {
    const ImageSize photo{between(1, 300), between(1, 300)};
    MaskView view;
    view.x = between(0, photo.width - 1), view.y = between(0, photo.height - 1);
    view.region = {between(1, photo.width - view.x), between(1, photo.height - view.y)};
    view.size = i % 3 == 0 ? view.region : ImageSize{between(1, 400), between(1, 400)};
    const uint32_t side = between(1, 40);
    const Logits logits = Make(side, i % kTempers, random());
    if (!sweep.Next()) continue;
    ExpectPlain(logits, side, photo, view, kThresholds[random() % 9]);
    if (HasFailure()) return;
    if (i % 3 != 0) continue;
    const ImageSize resized = ResizedSize(photo, 4 * side);
    const MaskSampling all(resized, photo, MaskView::Whole(photo)), part(resized, photo, view);
    const std::vector<uint8_t> whole = Drawn(MaskScan(logits.data(), side, all, 0));
    const std::vector<uint8_t> piece = Drawn(MaskScan(logits.data(), side, part, 0));
    for (uint32_t y = 0; y < view.region.height; ++y) {
      const uint8_t* row = &whole[size_t{view.y + y} * photo.width + view.x];
      ASSERT_TRUE(std::equal(row, row + view.region.width, &piece[size_t{y} * view.region.width])) << i;
    }
  }
}

// At the sizes of the official models.
TEST(MaskScan, EqualsTheDefinitionOnLargePhotos) {
  const std::vector<ImageSize> photos = {{1024, 683}, {2000, 1501}, {700, 1050}};
  for (const ImageSize photo : photos) {
    ExpectPlain(Make(256, 0, photo.width), 256, photo, MaskView::Whole(photo), 0);
    ExpectPlain(Make(256, test::kSweepStride == 1 ? 1 : 4, photo.width), 256, photo, MaskView::Whole(photo), 777);
  }
}

TEST(MaskScan, RowsMayBeAskedInAnyOrder) {
  const ImageSize photo{77, 91};
  const Logits logits = Make(16, 4, 2);
  const MaskSampling sampling(ResizedSize(photo, 64), photo, MaskView::Whole(photo));
  const MaskScan scan(logits.data(), 16, sampling, 0);
  MaskScan::Reader in_order(scan), at_random(scan);
  std::vector<std::vector<PixelRun>> expected;
  for (uint32_t y = 0; y < photo.height; ++y) {
    const std::span<const PixelRun> row = in_order.Row(y);
    expected.emplace_back(row.begin(), row.end());
  }
  for (uint32_t i = 0; i < 3 * photo.height; ++i) {
    const uint32_t y = i * 37 % photo.height;
    const std::span<const PixelRun> row = at_random.Row(y);
    ASSERT_TRUE(std::equal(row.begin(), row.end(), expected[y].begin(), expected[y].end())) << y;
  }
}

// What is drawn and counted does not depend on threads, and nothing is written behind a row.
TEST(Masks, SameOnAnyNumberOfThreads) {
  constexpr ImageSize kPhoto{301, 1100};
  const ImageSize resized = ResizedSize(kPhoto, 256);
  const Logits logits = Make(64, 4, 9);
  const MaskSampling sampling(resized, kPhoto, MaskView::Whole(kPhoto));
  const MaskScan scan(logits.data(), 64, sampling, 50 * 4096);
  const std::vector<uint8_t> expected = PlainMask(logits, 64, resized, kPhoto, MaskView::Whole(kPhoto), 50 * 4096);
  const auto area = static_cast<uint64_t>(std::count(expected.begin(), expected.end(), 1));
  ASSERT_GT(area, 1000u);
  EXPECT_EQ(CountPixels(scan), area);
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    constexpr size_t kStride = 310, kBitStride = 40;
    std::vector<uint8_t> bytes(kStride * kPhoto.height, 0xEE), bits(kBitStride * kPhoto.height, 0xEE);
    ASSERT_TRUE(DrawMask(scan, MaskFormat::kBytes, bytes.data(), kStride, pool).ok());
    ASSERT_TRUE(DrawMask(scan, MaskFormat::kBits, bits.data(), kBitStride, pool).ok());
    Result<MaskRuns> collected = CollectRuns(scan, pool);
    ASSERT_TRUE(collected.ok());
    const MaskRuns runs = std::move(collected).value(), alone = CollectRuns(scan);
    EXPECT_EQ(runs.Area(), area);
    for (uint32_t y = 0; y < kPhoto.height; ++y) {
      std::vector<uint8_t> row(kPhoto.width);
      ASSERT_TRUE(std::equal(runs.Row(y).begin(), runs.Row(y).end(), alone.Row(y).begin(), alone.Row(y).end()));
      DrawBytes(runs.Row(y), kPhoto.width, row.data());
      for (uint32_t x = 0; x < kStride; ++x) {
        const uint8_t want = x < kPhoto.width ? expected[size_t{y} * kPhoto.width + x] : 0xEE;
        ASSERT_EQ(bytes[y * kStride + x], want);
        if (x < kPhoto.width) {
          ASSERT_EQ(row[x], want);
        }
      }
      for (uint32_t x = 0; x < 8 * kBitStride; ++x) {
        const int bit = bits[y * kBitStride + x / 8] >> (x % 8) & 1;
        const uint32_t padded = (kPhoto.width + 7) / 8 * 8;
        const int want = x < kPhoto.width ? expected[size_t{y} * kPhoto.width + x] : x < padded ? 0 : 0xEE >> x % 8 & 1;
        ASSERT_EQ(bit, want) << x << ", " << y;
      }
    }
  }
}

}  // namespace
}  // namespace intsam::internal
