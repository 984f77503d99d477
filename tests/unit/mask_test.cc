// Masks as data through the C API: every form of a mask against the pixels of the definition, and every bad argument.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <thread>

#include "intsam/intsam.hpp"
#include "tests/image/plain_masks.h"
#include "tests/unit/api_fixture.h"

namespace intsam::internal::testing {
namespace {

constexpr ImageSize kPhoto{100, 61}, kResized{128, 78};

class MaskTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    session_ = Create(model_);
    SetImageAndPredict(session_);
    logits_.assign(intsam_session_low_res(session_, 0, 1), intsam_session_low_res(session_, 0, 1) + 32 * 32);
    const intsam_model_info info = InfoOf(model_);
    unit_ = std::ldexp(info.logit_mantissa, -info.logit_shift);
    // A threshold that cuts the micro model's mask in two: its median.
    std::vector<int16_t> sorted = logits_;
    std::nth_element(sorted.begin(), sorted.begin() + 512, sorted.end());
    median_ = static_cast<int32_t>(std::lround(sorted[512] * unit_ * 65536));
  }
  void TearDown() override {
    for (intsam_mask* mask : made_) intsam_mask_destroy(mask);
    ApiTest::TearDown();
  }

  intsam_mask_options Options() const {
    intsam_mask_options options;
    intsam_mask_options_init(&options);
    options.threshold_offset = median_;
    return options;
  }
  intsam_mask* Make(const intsam_mask_options& options, intsam_session* session = nullptr) {
    if (session == nullptr) session = session_;
    intsam_mask* mask = nullptr;
    EXPECT_EQ(intsam_session_make_mask(session, 0, 1, &options, &mask), INTSAM_OK) << intsam_session_error(session);
    made_.push_back(mask);
    return mask;
  }
  static intsam_mask_info InfoOfMask(const intsam_mask* mask) {
    intsam_mask_info info = {};
    info.size = sizeof info;
    intsam_mask_get_info(mask, &info);
    return info;
  }
  static std::vector<uint8_t> PixelsOfMask(const intsam_mask* mask) {
    const intsam_mask_info info = InfoOfMask(mask);
    std::vector<uint8_t> pixels(static_cast<size_t>(info.width) * static_cast<size_t>(info.height));
    EXPECT_EQ(intsam_mask_pixels(mask, pixels.data(), static_cast<size_t>(info.width)), INTSAM_OK);
    return pixels;
  }
  std::vector<uint8_t> Expected(const MaskView& view, double offset) const {
    const auto threshold = static_cast<int32_t>(std::lround(offset / unit_ * 4096));
    return PlainMask(logits_, 32, kResized, kPhoto, view, threshold);
  }

  intsam_session* session_ = nullptr;
  std::vector<int16_t> logits_;
  double unit_ = 0;
  int32_t median_ = 0;  // Q16

 private:
  std::vector<intsam_mask*> made_;
};

TEST_F(MaskTest, DefaultsGiveTheMaskOfTheSession) {
  std::vector<uint8_t> expected(6100);
  ASSERT_EQ(intsam_session_mask(session_, 0, 1, expected.data(), 100), INTSAM_OK);
  intsam_mask* mask = nullptr;
  ASSERT_EQ(intsam_session_make_mask(session_, 0, 1, nullptr, &mask), INTSAM_OK);
  EXPECT_EQ(PixelsOfMask(mask), expected);
  intsam_mask_destroy(mask);
  intsam_mask_destroy(nullptr);
}

TEST_F(MaskTest, SizesRegionsAndThresholds) {
  struct {
    int32_t x, y, region_width, region_height, width, height;
    MaskView view;
  } const cases[] = {
      {0, 0, 0, 0, 0, 0, {0, 0, {100, 61}, {100, 61}}},   {0, 0, 0, 0, 30, 20, {0, 0, {100, 61}, {30, 20}}},
      {10, 20, 0, 0, 0, 0, {10, 20, {90, 41}, {90, 41}}}, {10, 20, 30, 5, 0, 0, {10, 20, {30, 5}, {30, 5}}},
      {99, 60, 1, 1, 3, 4, {99, 60, {1, 1}, {3, 4}}},     {5, 6, 50, 40, 333, 222, {5, 6, {50, 40}, {333, 222}}},
      {0, 0, 0, 0, 100, 0, {0, 0, {100, 61}, {100, 61}}}, {7, 0, 20, 0, 0, 9, {7, 0, {20, 61}, {20, 9}}},
  };
  for (const auto& c : cases) {
    for (const double offset : {0.0, 0.25, -1.5, 1000.0, -32768.0}) {
      intsam_mask_options options = Options();
      options.x = c.x, options.y = c.y, options.region_width = c.region_width, options.region_height = c.region_height;
      options.width = c.width, options.height = c.height;
      const double wanted = std::max(median_ / 65536.0 + offset, -32768.0);
      options.threshold_offset = static_cast<int32_t>(wanted * 65536);
      // Beyond all logits it does not matter how far.
      const std::vector<uint8_t> expected =
          Expected(c.view, std::clamp(options.threshold_offset / 65536.0, -65535 * unit_, 65535 * unit_));
      const intsam_mask* mask = Make(options);
      const intsam_mask_info info = InfoOfMask(mask);
      ASSERT_EQ(info.width, static_cast<int32_t>(c.view.size.width));
      ASSERT_EQ(info.height, static_cast<int32_t>(c.view.size.height));
      ASSERT_EQ(PixelsOfMask(mask), expected) << c.x << ", " << c.y << ": " << c.width << ", " << offset;
    }
  }
}

TEST_F(MaskTest, EveryFormSaysTheSame) {
  const intsam_mask* mask = Make(Options());
  const std::vector<uint8_t> pixels = PixelsOfMask(mask);
  const auto area = std::count(pixels.begin(), pixels.end(), 1);
  ASSERT_GT(area, 1500);
  ASSERT_LT(area, 4600);

  const intsam_mask_info info = InfoOfMask(mask);
  EXPECT_EQ(info.area, area);
  EXPECT_GE(info.memory, 61u * 4);
  int32_t x0 = 100, y0 = 61, x1 = -1, y1 = -1;
  for (int32_t y = 0; y < 61; ++y) {
    for (int32_t x = 0; x < 100; ++x) {
      if (pixels[static_cast<size_t>(y * 100 + x)] == 0) continue;
      x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
    }
  }
  EXPECT_EQ((std::array{info.x0, info.y0, info.x1, info.y1}), (std::array{x0, y0, x1, y1}));

  std::vector<uint8_t> bits(61 * 13);
  ASSERT_EQ(intsam_mask_bits(mask, bits.data(), 13), INTSAM_OK);
  for (size_t y = 0; y < 61; ++y) {
    for (size_t x = 0; x < 104; ++x) ASSERT_EQ(bits[y * 13 + x / 8] >> x % 8 & 1, x < 100 ? pixels[y * 100 + x] : 0);
  }

  size_t count = 0;
  ASSERT_EQ(intsam_mask_run_lengths(mask, nullptr, 0, &count), INTSAM_OK);
  std::vector<uint32_t> lengths(count);
  ASSERT_EQ(intsam_mask_run_lengths(mask, lengths.data(), count, &count), INTSAM_OK);
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    for (uint32_t n = 0; n < lengths[i]; ++n, ++at) ASSERT_EQ(pixels[at % 61 * 100 + at / 61], i % 2);
  }
  EXPECT_EQ(at, pixels.size());

  size_t length = 0;
  ASSERT_EQ(intsam_mask_coco_string(mask, nullptr, 0, &length), INTSAM_OK);
  std::string text(length + 1, '!');
  ASSERT_EQ(intsam_mask_coco_string(mask, text.data(), length + 1, &length), INTSAM_OK);
  EXPECT_EQ(text[length], 0);
  EXPECT_EQ(text.find_first_not_of("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmno"), length);

  size_t num_corners = 0, num_rings = 0;
  ASSERT_EQ(intsam_mask_outlines(mask, nullptr, 0, &num_corners, nullptr, 0, &num_rings), INTSAM_OK);
  std::vector<intsam_corner> corners(num_corners);
  std::vector<intsam_ring> rings(num_rings);
  ASSERT_EQ(intsam_mask_outlines(mask, corners.data(), num_corners, &num_corners, rings.data(), num_rings, &num_rings),
            INTSAM_OK);
  int64_t twice_area = 0;
  for (const intsam_ring& ring : rings) {
    for (size_t i = 0; i < ring.count; ++i) {
      const intsam_corner &a = corners[ring.first + i], &b = corners[ring.first + (i + 1) % ring.count];
      twice_area += int64_t{a.x} * b.y - int64_t{b.x} * a.y;
    }
  }
  EXPECT_EQ(twice_area, 2 * area);
}

TEST_F(MaskTest, Stability) {
  const MaskView whole = MaskView::Whole(kPhoto);
  for (const double offset : {0.0, 0.25, 1.0, 5000.0}) {
    const std::vector<uint8_t> high = Expected(whole, std::min(median_ / 65536.0 + offset, 65535 * unit_));
    const std::vector<uint8_t> low = Expected(whole, std::max(median_ / 65536.0 - offset, -65535 * unit_));
    const auto inside = [](const std::vector<uint8_t>& mask) { return std::count(mask.begin(), mask.end(), 1); };
    const intsam_mask_options options = Options();
    int32_t stability = -1;
    ASSERT_EQ(intsam_session_stability(session_, 0, 1, &options, static_cast<int32_t>(offset * 65536), &stability),
              INTSAM_OK);
    EXPECT_EQ(stability, inside(high) * 65536 / inside(low)) << offset;
  }
  intsam_mask_options none = Options();
  none.threshold_offset = INT32_MAX;
  int32_t stability = -1;
  ASSERT_EQ(intsam_session_stability(session_, 0, 1, &none, 0, &stability), INTSAM_OK);
  EXPECT_EQ(stability, 0) << "of no pixels";
}

TEST_F(MaskTest, SameOnAnyNumberOfThreads) {
  intsam_mask_options options = Options();
  options.width = 1500, options.height = 1200;
  const std::vector<uint8_t> expected = PixelsOfMask(Make(options));
  EXPECT_EQ(expected, Expected({0, 0, kPhoto, {1500, 1200}}, median_ / 65536.0));
  for (const int32_t threads : {1, 3, 8}) {
    intsam_session_options session_options;
    intsam_session_options_init(&session_options);
    session_options.threads = threads;
    intsam_session* session = Create(model_, &session_options);
    SetImageAndPredict(session);
    EXPECT_EQ(PixelsOfMask(Make(options, session)), expected) << threads;
  }
}

TEST_F(MaskTest, OutlivesTheSessionAndServesManyThreads) {
  intsam_session* session = nullptr;
  ASSERT_EQ(intsam_session_create(model_, nullptr, &session, nullptr, 0), INTSAM_OK);
  SetImageAndPredict(session);
  const intsam_mask* mask = Make(Options(), session);
  intsam_session_destroy(session);
  const std::vector<uint8_t> expected = PixelsOfMask(Make(Options()));
#ifdef __EMSCRIPTEN__
  EXPECT_EQ(PixelsOfMask(mask), expected);
#else
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20; ++n) EXPECT_EQ(PixelsOfMask(mask), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
#endif
}

TEST_F(MaskTest, MakingMisuse) {
  intsam_mask* const poison = reinterpret_cast<intsam_mask*>(uintptr_t{64});
  intsam_mask* mask = poison;
  intsam_mask_options options = Options();
  const auto refuse = [&](size_t result, int32_t index, intsam_status status, const char* word) {
    ExpectError(session_, intsam_session_make_mask(session_, result, index, &options, &mask), status, word);
    EXPECT_EQ(mask, nullptr) << word;
    mask = poison;
    int32_t stability = 77;
    ExpectError(session_, intsam_session_stability(session_, result, index, &options, 65536, &stability), status, word);
    EXPECT_EQ(stability, 77) << word;
    options = Options();
  };
  refuse(1, 0, INTSAM_ERROR_ARGUMENT, "result: index 1");
  refuse(0, 4, INTSAM_ERROR_ARGUMENT, "mask: index 4");
  refuse(0, -1, INTSAM_ERROR_ARGUMENT, "mask: index -1");
  options.size = 3, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "options: size 3");
  options.x = -1, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "x -1 is negative");
  options.y = INT32_MIN, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "y -2147483648 is negative");
  options.region_width = -5, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "region_width -5");
  options.region_height = -5, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "region_height -5");
  options.width = -1, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "width -1");
  options.height = -1, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "height -1");
  options.x = 100, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "is not within the image of 100 x 61");
  options.x = 1, options.region_width = 100, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "100 x 61 pixels at 1, 0");
  options.y = 61, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "is not within");
  options.region_height = INT32_MAX, options.y = INT32_MAX, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "is not within");
  options.width = 32769, refuse(0, 0, INTSAM_ERROR_ARGUMENT, "mask: 32769 x 61");
  options.width = 32768, options.height = 32768, refuse(0, 0, INTSAM_ERROR_RESOURCE, "over the limit");

  ExpectError(session_, intsam_session_make_mask(session_, 0, 0, &options, nullptr), INTSAM_ERROR_ARGUMENT, "made");
  int32_t stability = 0;
  ExpectError(session_, intsam_session_stability(session_, 0, 0, nullptr, 0, nullptr), INTSAM_ERROR_ARGUMENT,
              "stability");
  ExpectError(session_, intsam_session_stability(session_, 0, 0, nullptr, -1, &stability), INTSAM_ERROR_ARGUMENT,
              "offset: -1");
  EXPECT_EQ(intsam_session_make_mask(nullptr, 0, 0, nullptr, &mask), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_session_stability(nullptr, 0, 0, nullptr, 0, &stability), INTSAM_ERROR_ARGUMENT);

  intsam_session* fresh = Create(model_);
  ExpectError(fresh, intsam_session_make_mask(fresh, 0, 0, nullptr, &mask), INTSAM_ERROR_ARGUMENT,
              "nothing has been predicted");
  EXPECT_EQ(mask, nullptr);
  intsam_mask_options_init(nullptr);
}

TEST_F(MaskTest, AskingMisuse) {
  const intsam_mask* mask = Make(Options());
  std::vector<uint8_t> bytes(6100, 9);
  EXPECT_EQ(intsam_mask_pixels(nullptr, bytes.data(), 100), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_pixels(mask, nullptr, 100), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_pixels(mask, bytes.data(), 99), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_bits(nullptr, bytes.data(), 13), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_bits(mask, nullptr, 13), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_bits(mask, bytes.data(), 12), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 9), 6100);

  size_t count = 0, rings = 0;
  ASSERT_EQ(intsam_mask_run_lengths(mask, nullptr, 0, &count), INTSAM_OK);
  std::vector<uint32_t> lengths(count, 9);
  EXPECT_EQ(intsam_mask_run_lengths(mask, lengths.data(), count - 1, &count), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(count, lengths.size()) << "how much there is comes all the same";
  EXPECT_EQ(std::count(lengths.begin(), lengths.end(), 9u), static_cast<std::ptrdiff_t>(count));
  EXPECT_EQ(intsam_mask_run_lengths(nullptr, lengths.data(), 9, &count), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_run_lengths(mask, lengths.data(), 9, nullptr), INTSAM_ERROR_ARGUMENT);

  ASSERT_EQ(intsam_mask_coco_string(mask, nullptr, 0, &count), INTSAM_OK);
  std::string text(count + 1, '!');
  EXPECT_EQ(intsam_mask_coco_string(mask, text.data(), count, &count), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(text, std::string(count + 1, '!'));
  EXPECT_EQ(intsam_mask_coco_string(nullptr, text.data(), count, &count), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_coco_string(mask, text.data(), count, nullptr), INTSAM_ERROR_ARGUMENT);

  ASSERT_EQ(intsam_mask_outlines(mask, nullptr, 0, &count, nullptr, 0, &rings), INTSAM_OK);
  std::vector<intsam_corner> corner_list(count, intsam_corner{-9, -9});
  std::vector<intsam_ring> ring_list(rings);
  intsam_corner* const c = corner_list.data();
  intsam_ring* const r = ring_list.data();
  EXPECT_EQ(intsam_mask_outlines(mask, c, count - 1, &count, r, rings, &rings), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_outlines(mask, c, count, &count, r, rings - 1, &rings), INTSAM_ERROR_ARGUMENT);
  for (const intsam_corner& corner : corner_list) ASSERT_EQ(corner.x, -9);
  EXPECT_EQ(intsam_mask_outlines(mask, nullptr, 0, &count, r, rings, &rings), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_outlines(mask, c, count, &count, nullptr, 0, &rings), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_outlines(nullptr, c, count, &count, r, rings, &rings), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_outlines(mask, c, count, nullptr, r, rings, &rings), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_mask_outlines(mask, c, count, &count, r, rings, nullptr), INTSAM_ERROR_ARGUMENT);

  intsam_mask_info info = {};
  info.size = sizeof info, info.width = 5;
  intsam_mask_get_info(nullptr, &info);
  EXPECT_EQ(info.width, 5);
  info.size = 0;
  intsam_mask_get_info(mask, &info);
  EXPECT_EQ(info.width, 5);
  intsam_mask_get_info(mask, nullptr);
}

TEST_F(MaskTest, Wrapper) {
  intsam::Model model;
  intsam::Session session;
  ASSERT_TRUE(intsam::Model::Open(GoldenModelPath("micro"), model));
  ASSERT_TRUE(intsam::Session::Create(model, nullptr, session));
  ASSERT_TRUE(session.SetImage(image()));
  ASSERT_TRUE(session.Predict(prompt()));
  const intsam_mask_options options = Options();
  intsam::Mask mask;
  EXPECT_EQ(mask.info().width, 0);
  std::vector<uint8_t> pixels;
  EXPECT_EQ(mask.Pixels(pixels).message, "mask: none has been made");
  ASSERT_TRUE(session.MakeMask(0, 1, &options, mask));
  ASSERT_TRUE(mask.Pixels(pixels));
  EXPECT_EQ(pixels, PixelsOfMask(Make(options)));
  EXPECT_EQ(mask.info().area, std::count(pixels.begin(), pixels.end(), 1));
  std::vector<uint32_t> lengths;
  ASSERT_TRUE(mask.RunLengths(lengths));
  EXPECT_GT(lengths.size(), 10u);
  std::string text;
  ASSERT_TRUE(mask.CocoString(text));
  EXPECT_GE(text.size(), lengths.size());
  EXPECT_EQ(text.find('\0'), std::string::npos);
  std::vector<intsam_corner> corners;
  std::vector<intsam_ring> rings;
  ASSERT_TRUE(mask.Outlines(corners, rings));
  ASSERT_FALSE(rings.empty());
  EXPECT_EQ(rings.back().first + rings.back().count, corners.size());
  int stability = -1, expected = -2;
  ASSERT_TRUE(session.Stability(0, 1, &options, 65536, stability));
  ASSERT_EQ(intsam_session_stability(session_, 0, 1, &options, 65536, &expected), INTSAM_OK);
  EXPECT_EQ(stability, expected);
  EXPECT_EQ(session.MakeMask(3, 1, &options, mask).status, INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(mask.get(), nullptr);
}

}  // namespace
}  // namespace intsam::internal::testing
