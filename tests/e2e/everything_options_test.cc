// Options of everything mode: decimals to fixed point without floating point, and the scores that come back.
#include "apps/common/everything_options.h"

#include <gtest/gtest.h>

#include "apps/common/score.h"
#include "tests/e2e/expect_failure.h"

namespace intsam::internal {
namespace {

int32_t Parsed(const std::string& text, int bits, Rounding rounding) {
  const Result<int32_t> value = ParseDecimal("--x", text, bits, rounding);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? value.value() : -1;
}

Result<intsam_everything_options> Read(std::vector<const char*> words) {
  cxxopts::Options options("tool");
  AddEverythingOptions(options);
  words.insert(words.begin(), "tool");
  return EverythingOptionsOf(options.parse(static_cast<int>(words.size()), words.data()));
}

TEST(EverythingOptions, DecimalsAreRoundedAsAsked) {
  EXPECT_EQ(Parsed("0", 30, Rounding::kUp), 0);
  EXPECT_EQ(Parsed("1", 30, Rounding::kUp), 1 << 30);
  EXPECT_EQ(Parsed("1.", 30, Rounding::kDown), 1 << 30);
  EXPECT_EQ(Parsed(".5", 30, Rounding::kUp), 1 << 29);
  EXPECT_EQ(Parsed("0.000000001", 30, Rounding::kDown), 1);  // 1.07
  EXPECT_EQ(Parsed("0.000000001", 30, Rounding::kUp), 2);
  EXPECT_EQ(Parsed("1.999999999", 30, Rounding::kDown), INT32_MAX - 1);  // 2^31 - 1.07
  EXPECT_EQ(Parsed("0.25", 16, Rounding::kDown), 1 << 14);
  EXPECT_EQ(Parsed("32767.999", 16, Rounding::kDown), INT32_MAX - 65);  // 0.001 is 65.5
}

TEST(EverythingOptions, WhatIsNoDecimalIsRefused) {
  for (const char* text : {"", ".", "-1", "+1", "1e3", "0x1", "nan", "inf", "1.2.3", " 1", "1,5", "0.1234567890",
                           "1234567890", "99999999999999999999999999"}) {
    ExpectFailure(ParseDecimal("--x", text, 30, Rounding::kDown).status(), Code::kUsage, "--x");
  }
  ExpectFailure(ParseDecimal("--x", "2", 30, Rounding::kDown).status(), Code::kUsage, "too large");
  ExpectFailure(ParseDecimal("--x", "999999999", 30, Rounding::kUp).status(), Code::kUsage, "too large");
  ExpectFailure(ParseDecimal("--x", "32768", 16, Rounding::kUp).status(), Code::kUsage, "the limit is 32767");
}

// What the help prints as defaults gives the library's own, so each is rounded to the right side.
TEST(EverythingOptions, TypedDefaultsAreTheLibrarysOwn) {
  Result<intsam_everything_options> typed =
      Read({"--points-per-side=32", "--points-per-batch=64", "--pred-iou-thresh=0.88", "--stability-score-thresh=0.95",
            "--stability-score-offset=1.0", "--box-nms-thresh=0.7", "--crop-n-layers=0", "--crop-nms-thresh=0.7",
            "--crop-overlap-ratio=0.341333333", "--crop-n-points-downscale-factor=1", "--min-mask-region-area=0"});
  ASSERT_TRUE(typed.ok()) << typed.status().message();
  intsam_everything_options defaults;
  intsam_everything_options_init(&defaults);
  EXPECT_EQ(typed->points_per_side, defaults.points_per_side);
  EXPECT_EQ(typed->points_per_batch, defaults.points_per_batch);
  EXPECT_EQ(typed->pred_iou_thresh, defaults.pred_iou_thresh);
  EXPECT_EQ(typed->stability_score_thresh, defaults.stability_score_thresh);
  EXPECT_EQ(typed->stability_score_offset, defaults.stability_score_offset);
  EXPECT_EQ(typed->box_nms_thresh, defaults.box_nms_thresh);
  EXPECT_EQ(typed->crop_n_layers, defaults.crop_n_layers);
  EXPECT_EQ(typed->crop_nms_thresh, defaults.crop_nms_thresh);
  EXPECT_NEAR(typed->crop_overlap_ratio, defaults.crop_overlap_ratio, 1);  // 512/1500 is no decimal
  EXPECT_EQ(typed->crop_n_points_downscale_factor, defaults.crop_n_points_downscale_factor);
  EXPECT_EQ(typed->min_mask_region_area, defaults.min_mask_region_area);
  EXPECT_EQ(Read({})->crop_overlap_ratio, defaults.crop_overlap_ratio);
}

TEST(EverythingOptions, ErrorsNameTheOption) {
  ExpectFailure(Read({"--points-per-side=9x"}).status(), Code::kUsage, "--points-per-side");
  ExpectFailure(Read({"--box-nms-thresh=x"}).status(), Code::kUsage, "--box-nms-thresh");
  ExpectFailure(Read({"--crop-overlap-ratio=1.000000001"}).status(), Code::kUsage, "is more than 1");
  EXPECT_TRUE(Read({"--crop-overlap-ratio=1"}).ok());
}

TEST(Scores, SixDecimalsTellAllQ16ValuesApart) {
  EXPECT_EQ(FixedText(32768, 15, 6), "1.000000");
  EXPECT_EQ(FixedText(1, 16, 6), "0.000015");
  EXPECT_EQ(FixedText(-1, 15, 6), "-0.000031");
  EXPECT_EQ(FixedText(65535, 16, 6), "0.999985");
  std::string before;
  for (int32_t q16 = 0; q16 <= 65536; ++q16) {
    const std::string text = FixedText(q16, 16, 6);
    ASSERT_NE(text, before) << q16;
    before = text;
  }
}

}  // namespace
}  // namespace intsam::internal
