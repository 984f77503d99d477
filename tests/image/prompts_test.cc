// Prompt coordinates and positional encodings against doubles, with the error bounds of docs/numerics.md section 10.
#include "runtime/image/prompts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace intsam::internal {
namespace {

constexpr double kQ24 = 1 << 24;

TEST(PointCoordinate, IsTheNearestQ24) {
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    const uint32_t image_size = i % 2 ? 512 : 1024;
    const uint32_t original = 1 + random() % 16384;
    const uint32_t resized = 1 + random() % image_size;
    const int32_t x = static_cast<int32_t>(random() % (64 * original));
    const double real = 2 * ((x / 64.0 * resized / original + 0.5) / image_size) - 1;
    EXPECT_LE(std::abs(PointCoordinate(x, original, resized, image_size) - real * kQ24), 0.5 + 1e-6);
  }
}

TEST(PointCoordinate, ExtremesOfTheRange) {
  constexpr int32_t kLimit = 1 << 27, kMost = (1 << 21) - 1;
  for (uint32_t original : {1u, 2u, 333u, 16384u, 32768u}) {
    for (uint32_t resized : {1u, 512u, 1024u, 4096u}) {
      for (uint32_t image_size : {512u, 1024u, 4096u}) {
        if (resized > image_size) continue;
        for (int32_t x : {-kMost, -1, 0, 1, kMost}) {
          const double real = 2 * ((x / 64.0 * resized / original + 0.5) / image_size) - 1;
          const double clamped = std::min<double>(std::max<double>(real * kQ24, -kLimit), kLimit);
          EXPECT_LE(std::abs(PointCoordinate(x, original, resized, image_size) - clamped), 0.5 + 1e-6);
        }
      }
    }
  }
  EXPECT_EQ(PointCoordinate(kMost, 1, 1024, 1024), kLimit);
  EXPECT_EQ(PointCoordinate(-kMost, 1, 1024, 1024), -kLimit);
}

TEST(PointCoordinate, IsMonotonic) {
  for (uint32_t original : {7u, 451u, 4000u}) {
    int32_t last = PointCoordinate(-1000, original, 512, 512);
    for (int32_t x = -999; x < 30000; ++x) {
      const int32_t now = PointCoordinate(x, original, 512, 512);
      ASSERT_GE(now, last) << x;
      last = now;
    }
  }
}

TEST(GridCoordinate, CellCentres) {
  for (uint32_t grid : {1u, 2u, 7u, 32u, 64u}) {
    for (uint32_t i = 0; i < grid; ++i) {
      EXPECT_LE(std::abs(GridCoordinate(i, grid) - (2 * (i + 0.5) / grid - 1) * kQ24), 0.5 + 1e-6);
      EXPECT_LE(std::abs(GridCoordinate(i, grid) + GridCoordinate(grid - 1 - i, grid)), 1);
    }
  }
}

TEST(SineOfTurn, FollowsTheSine) {
  double worst = 0;
  for (uint64_t phase = 0; phase < (1ull << 32); phase += 99991) {
    const double real = std::sin(2 * std::numbers::pi * static_cast<double>(phase) / 4294967296.0);
    worst = std::max(worst, std::abs(SineOfTurn(static_cast<uint32_t>(phase)) / 32767.0 - real));
  }
  EXPECT_LE(worst, 4e-5);
  EXPECT_EQ(SineOfTurn(0), 0);
  EXPECT_EQ(SineOfTurn(1u << 30), 32767);
  EXPECT_EQ(SineOfTurn(1u << 31), 0);
  EXPECT_EQ(SineOfTurn(3u << 30), -32767);
  EXPECT_EQ(SineOfTurn(1u << 29), 23170);
  EXPECT_EQ(SineOfTurn(0xFFFFFFFFu), 0);
}

TEST(SineOfTurn, IsOddAndRisesInTheFirstQuarter) {
  int16_t last = 0;
  for (uint32_t phase = 0; phase <= 1u << 30; phase += 4096) {
    const int16_t now = SineOfTurn(phase);
    ASSERT_GE(now, last);
    ASSERT_EQ(SineOfTurn(0u - phase), -now);
    last = now;
  }
}

TEST(PositionalEncoding, FollowsTheRandomFourierFeatures) {
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  constexpr int kFeatures = 128;
  std::vector<int32_t> gaussian;
  for (int i = 0; i < 2 * kFeatures; ++i) gaussian.push_back(static_cast<int32_t>(std::lround(normal(random) * kQ24)));
  double worst = 0;
  std::vector<int16_t> codes(2 * kFeatures);
  for (int i = 0; i < 500; ++i) {
    const int32_t x = static_cast<int32_t>(random() % (1u << 25)) - (1 << 24);
    const int32_t y = static_cast<int32_t>(random() % (1u << 25)) - (1 << 24);
    PositionalEncoding(x, y, gaussian, codes.data());
    for (int f = 0; f < kFeatures; ++f) {
      const double turns = x / kQ24 * (gaussian[f] / kQ24) + y / kQ24 * (gaussian[kFeatures + f] / kQ24);
      worst = std::max(worst, std::abs(codes[f] / 32767.0 - std::sin(2 * std::numbers::pi * turns)));
      worst = std::max(worst, std::abs(codes[kFeatures + f] / 32767.0 - std::cos(2 * std::numbers::pi * turns)));
    }
  }
  EXPECT_LE(worst, 4e-5);
}

// The widest coordinates and Gaussian entries the format allows: whole turns drop out, nothing overflows.
TEST(PositionalEncoding, Extremes) {
  const std::vector<int32_t> gaussian = {INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN};
  int16_t codes[4];
  for (int32_t x : {-(1 << 27), 1 << 27}) {
    PositionalEncoding(x, x, gaussian, codes);
    // 2 * 2^27 * -2^31 in Q48 is a whole number of turns.
    EXPECT_EQ(codes[1], 0);
    EXPECT_EQ(codes[3], 32767);
    const double turns = 2.0 * (x / kQ24) * -1 / kQ24;  // INT32_MAX is one unit short of a whole number of turns
    EXPECT_NEAR(codes[0] / 32767.0, std::sin(2 * std::numbers::pi * turns), 4e-5);
  }
}

}  // namespace
}  // namespace intsam::internal
