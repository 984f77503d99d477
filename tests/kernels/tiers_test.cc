// The tier table itself: complete, ordered, and consistent about the flip.
#include <set>

#include "tests/kernels/harness.h"

namespace intsam::internal {
namespace {

TEST(Tiers, EndWithScalar) {
  ASSERT_FALSE(BuiltKernels().empty());
  EXPECT_EQ(BuiltKernels().back(), &ScalarKernels());
  EXPECT_STREQ(ScalarKernels().name, "scalar");
  EXPECT_EQ(ScalarKernels().flip, 0x00);
}

TEST(Tiers, HaveDistinctNamesAndEveryEntry) {
  std::set<std::string> names;
  for (const Kernels* k : BuiltKernels()) {
    EXPECT_TRUE(names.insert(k->name).second) << k->name;
    Kernels::ForEach([&]<auto kEntry> { EXPECT_NE(k->*kEntry, nullptr) << k->name; });
  }
}

TEST(Tiers, BringTheirOwnProductsOfCodesWhenTheyFlip) {
  for (const Kernels* k : BuiltKernels()) {
    EXPECT_TRUE(k->flip == 0x00 || k->flip == 0x80) << k->name;
    if (k->flip != ScalarKernels().flip) {
      EXPECT_NE(k->gemm_a8w8, ScalarKernels().gemm_a8w8) << k->name;
      EXPECT_NE(k->depthwise_codes, ScalarKernels().depthwise_codes) << k->name;
    }
  }
}

}  // namespace
}  // namespace intsam::internal
