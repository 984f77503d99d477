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
    EXPECT_TRUE(k->gemm_a8w8 && k->gemm_a16w8 && k->depthwise_codes && k->depthwise_s16 && k->requantize_narrow &&
                k->requantize_gelu && k->requantize_r24 && k->requantize_s16 && k->quantize_codes && k->gelu_s16 &&
                k->narrow_r24 && k->layer_norm_narrow && k->layer_norm_wide && k->pack_keys && k->pack_values &&
                k->softmax_row && k->attention_mix && k->attention_output && k->relative_position && k->mask_product)
        << k->name;
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
