// Every field and every tensor that has a range is refused outside of it, whatever the family of the model.
#include <gtest/gtest.h>

#include <limits>

#include "tests/emulated.h"
#include "tests/format/edited_model.h"
#include "tests/format/value_ranges.h"

namespace intsam::internal::testing {
namespace {

class ValueRanges : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Families, ValueRanges, ::testing::Values("micro", "mobile", "tokens", "imported"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(ValueRanges, EveryFieldOutsideItsRange) {
  const Ranges ranges = RangesOf(ReadModel(GoldenModel(GetParam()))->model);
  ModelBytes bytes = GoldenModel(GetParam());
  size_t refused = 0;
  test::Sweep sweep;
  for (size_t i = 0; i < ranges.fields.size(); ++i) {
    const auto& [name, lo, hi, width, elements, is_signed] = ranges.fields[i];
    if (lo == INT64_MIN) continue;
    const int64_t right = bytes.field(i);
    for (const int64_t wrong : {lo - 1, hi + 1, INT64_MIN, INT64_MAX, int64_t{1} << 32 | right}) {
      if ((wrong >= lo && wrong <= hi) || !sweep.Next()) continue;
      bytes.set_field(i, wrong);
      Reseal(bytes, {isam::kFields});
      ExpectRefused(bytes, Code::kDamaged, name + ": " + std::to_string(wrong) + " is outside");
      ++refused;
    }
    bytes.set_field(i, right);
  }
  EXPECT_GT(refused, 1000 / test::kSweepStride);
}

TEST_P(ValueRanges, EveryTensorOutsideItsRange) {
  const Ranges ranges = RangesOf(ReadModel(GoldenModel(GetParam()))->model);
  ModelBytes bytes = GoldenModel(GetParam());
  const ModelNames names(bytes);
  size_t refused = 0;
  test::Sweep sweep;
  for (const auto& [name, lo, hi, width, elements, is_signed] : ranges.tensors) {
    const size_t bits = 8 * width;
    const int64_t least = is_signed ? INT64_MIN >> (64 - bits) : 0;
    const int64_t most = is_signed ? INT64_MAX >> (64 - bits) : (int64_t{1} << bits) - 1;
    uint8_t* tensor = bytes.tensor(names.tensor(name));
    for (const int64_t wrong : {lo - 1, hi + 1, least, most}) {
      if (wrong < least || wrong > most || (wrong >= lo && wrong <= hi) || !sweep.Next()) continue;
      for (const size_t at : {size_t{0}, elements - 1}) {
        uint8_t right[8];
        std::memcpy(right, tensor + at * width, width);
        std::memcpy(tensor + at * width, &wrong, width);
        ExpectRefused(bytes, Code::kDamaged, name + ": holds");
        std::memcpy(tensor + at * width, right, width);
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 500 / test::kSweepStride);
  EXPECT_TRUE(ReadModel(bytes).ok());
}

}  // namespace
}  // namespace intsam::internal::testing
