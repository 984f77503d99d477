// Every profile on every tier: models of the bit widths and softmax codings that the converter offers give the same
// integers by the reference executor, by all tiers of this CPU and with several threads.
#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "runtime/base/cpu.h"
#include "tests/format/micro_model.h"
#include "tests/golden/golden_cases.h"
#include "tests/kernels/emulation/emulated_tiers.h"

namespace intsam::internal::testing {
namespace {

struct Profile {
  const char* bits;
  const char* softmax;
};

class ProfilesTest : public ::testing::TestWithParam<Profile> {};

TEST_P(ProfilesTest, EqualOnEveryTier) {
  const auto quantized = MakeModel(PresetConfig("micro").value(), 7, {GetParam().bits, "intsam", GetParam().softmax});
  const ModelBytes bytes = FileOf(quantized->model, "{}");
  auto opened = Model::OpenMemory(bytes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const std::unique_ptr<Model> owner = std::move(opened).value();
  const Model& model = *owner;
  const std::vector<GoldenImage> images = {MakeImage(100, 61, 2)};
  const Hashes expected = RunReference(model.weights(), images);
  for (const Kernels* kernels : BuiltKernels()) {
    if (!CpuSupports(kernels->name)) continue;
    for (const int threads : {1, 3}) {
      EXPECT_EQ(RunSession(model, *kernels, threads, images), expected) << kernels->name << ", " << threads;
    }
  }
  for (const Kernels* kernels : test::EmulatedTiers()) {
    EXPECT_EQ(RunSession(model, *kernels, 2, images), expected) << kernels->name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ProfilesTest,
                         ::testing::Values(Profile{"w8a8", ""}, Profile{"w8a8", "uniform"}, Profile{"w7a8", "agq"},
                                           Profile{"w6a8", "uniform"}, Profile{"w6a6", ""}, Profile{"w6a6", "agq"},
                                           Profile{"w5a7", "agq"}, Profile{"w4a8", "exact"}, Profile{"w4a4", "agq"},
                                           Profile{"w4a4", "uniform"}, Profile{"w2a2", "agq"}, Profile{"mixed6", ""},
                                           Profile{"mixed4", "agq"}),
                         [](const auto& instance) {
                           return std::string(instance.param.bits) + "_" +
                                  (*instance.param.softmax == 0 ? "auto" : instance.param.softmax);
                         });

}  // namespace
}  // namespace intsam::internal::testing
