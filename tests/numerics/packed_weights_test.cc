// Packed groups of weights: every code of every width survives at every place, and the bytes are those of the format.
#include <gtest/gtest.h>

#include <vector>

#include "kernels/numerics/packed_weights.h"

namespace intsam::internal {
namespace {

std::vector<uint8_t> Packed(const GroupCodes& codes, int bits) {
  std::vector<uint8_t> packed(GroupBytes(bits), 0xa5);
  PackGroup(codes, bits, packed.data());
  return packed;
}

TEST(PackedWeights, EveryCodeAtEveryPlace) {
  for (int bits = 4; bits <= 7; ++bits) {
    const int levels = 1 << bits;
    for (size_t place = 0; place < kGroup; ++place) {
      for (int code = 0; code < levels; ++code) {
        for (const int others : {0, levels - 1}) {
          GroupCodes codes;
          codes.fill(static_cast<uint8_t>(others));
          codes[place] = static_cast<uint8_t>(code);
          ASSERT_EQ(UnpackGroup(Packed(codes, bits).data(), bits), codes) << bits << " bits, place " << place;
        }
      }
    }
  }
}

// All codes of a group different, as far as there are enough.
TEST(PackedWeights, MixedGroup) {
  for (int bits = 4; bits <= 7; ++bits) {
    GroupCodes codes;
    for (size_t i = 0; i < kGroup; ++i) codes[i] = static_cast<uint8_t>(i * 37 % (size_t{1} << bits));
    ASSERT_EQ(UnpackGroup(Packed(codes, bits).data(), bits), codes) << bits;
  }
}

TEST(PackedWeights, SizeOfAGroup) {
  EXPECT_EQ(GroupBytes(4), 32u);
  EXPECT_EQ(GroupBytes(5), 40u);
  EXPECT_EQ(GroupBytes(6), 48u);
  EXPECT_EQ(GroupBytes(7), 56u);
  EXPECT_EQ(GroupBytes(8), 64u);
}

// Bit `bit` of code `place` alone sets bit `in_byte` of byte `byte` of the packed group alone.
struct Place {
  int bits;
  size_t place;
  int bit;
  size_t byte;
  int in_byte;
};

// The layout of docs/format.md, at the ends of each plane: a file must not change its meaning with this code.
TEST(PackedWeights, PlanesOfTheFormat) {
  const Place places[] = {
      {4, 0, 0, 0, 0},  {4, 0, 3, 0, 3},   {4, 31, 0, 31, 0}, {4, 32, 0, 0, 4},  {4, 63, 3, 31, 7}, {5, 31, 3, 31, 3},
      {5, 0, 4, 32, 0}, {5, 7, 4, 39, 0},  {5, 8, 4, 32, 1},  {5, 63, 4, 39, 7}, {6, 63, 3, 31, 7}, {6, 0, 4, 32, 0},
      {6, 0, 5, 32, 1}, {6, 15, 4, 47, 0}, {6, 16, 4, 32, 2}, {6, 32, 5, 32, 5}, {6, 63, 4, 47, 6}, {6, 63, 5, 47, 7},
      {7, 0, 5, 32, 1}, {7, 48, 4, 32, 6}, {7, 0, 6, 48, 0},  {7, 7, 6, 55, 0},  {7, 56, 6, 48, 7}, {7, 63, 6, 55, 7},
  };
  for (const auto& [bits, place, bit, byte, in_byte] : places) {
    GroupCodes codes{};
    codes[place] = static_cast<uint8_t>(1 << bit);
    std::vector<uint8_t> expected(GroupBytes(bits));
    expected[byte] = static_cast<uint8_t>(1 << in_byte);
    EXPECT_EQ(Packed(codes, bits), expected) << bits << " bits, place " << place << " bit " << bit;
  }
}

constexpr bool ConstantEvaluated() {
  GroupCodes codes{};
  codes[5] = 21;
  uint8_t packed[40] = {};
  PackGroup(codes, 5, packed);
  return UnpackGroup(packed, 5) == codes;
}
static_assert(ConstantEvaluated());

}  // namespace
}  // namespace intsam::internal
