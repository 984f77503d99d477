// Lengths of runs down the columns against a walk over all pixels, and COCO's string against what pycocotools wrote.
#include "runtime/image/run_lengths.h"

#include <gtest/gtest.h>

#include "tests/image/pixels.h"

namespace intsam::internal {
namespace {

using testing::Pixels;
using testing::RunsOf;
using Lengths = std::vector<uint32_t>;

Lengths Walked(const Pixels& pixels) {
  Lengths lengths = {0};
  char last = '.';
  for (size_t x = 0; x < pixels[0].size(); ++x) {
    for (const std::string& row : pixels) {
      if (row[x] != last) lengths.push_back(0), last = row[x];
      ++lengths.back();
    }
  }
  return lengths;
}

// The way back, as pycocotools reads it.
Lengths Read(const std::string& text) {
  Lengths lengths;
  for (size_t at = 0; at < text.size();) {
    int64_t value = 0;
    int shift = 0;
    for (bool more = true; more; shift += 5) {
      const int group = text[at++] - '0';
      value |= static_cast<int64_t>(group & 0x1f) << shift;
      more = (group & 0x20) != 0;
      if (!more && (group & 0x10) != 0) value |= -(int64_t{1} << (shift + 5));
    }
    if (lengths.size() > 2) value += lengths[lengths.size() - 2];
    lengths.push_back(static_cast<uint32_t>(value));
  }
  return lengths;
}

TEST(RunLengths, GoDownTheColumns) {
  EXPECT_EQ(ColumnRunLengths(RunsOf({".##", "..#"})), (Lengths{2, 1, 1, 2}));
  EXPECT_EQ(ColumnRunLengths(RunsOf({"...", "..."})), Lengths{6});
  EXPECT_EQ(ColumnRunLengths(RunsOf({"###", "###"})), (Lengths{0, 6}));
  EXPECT_EQ(ColumnRunLengths(RunsOf({"#..", "#.."})), (Lengths{0, 2, 4}));
  EXPECT_EQ(ColumnRunLengths(RunsOf({"..#", "#.."})), (Lengths{1, 1, 2, 1, 1}));
  EXPECT_EQ(ColumnRunLengths(RunsOf({"#"})), (Lengths{0, 1}));
}

TEST(RunLengths, EqualAWalkOverAllPixels) {
  std::mt19937 random(2);
  for (const uint32_t width : {1u, 2u, 5u, 31u}) {
    for (const uint32_t height : {1u, 2u, 7u, 40u}) {
      for (const uint32_t density : {1u, 2u, 3u, 25u, 4000u}) {
        const Pixels pixels = testing::RandomPixels(width, height, density, random);
        const Lengths lengths = ColumnRunLengths(RunsOf(pixels));
        ASSERT_EQ(lengths, Walked(pixels)) << width << " x " << height << ", one in " << density;
        ASSERT_EQ(Read(CocoString(lengths)), lengths);
      }
    }
  }
}

// Written by pycocotools 2.0.11 (frPyObjects) for the same counts.
TEST(CocoString, IsThatOfPycocotools) {
  EXPECT_EQ(CocoString(Lengths{6}), R"(6)");
  EXPECT_EQ(CocoString(Lengths{0, 6}), R"(06)");
  EXPECT_EQ(CocoString(Lengths{2, 1, 1, 2}), R"(2111)");
  EXPECT_EQ(CocoString(Lengths{1000000, 1, 31, 32, 33, 1000, 15, 16, 17, 7911, 5, 2}),
            R"(Pb`n01o0o02Xn0^OXQO2gf7DkXH)");
  EXPECT_EQ(CocoString(Lengths{0, 1, 2, 500000, 3, 70000, 90000}), R"(012oXX?1`RlB]lg2)");
}

}  // namespace
}  // namespace intsam::internal
