// A bundled model, as converted by this build: its integers come out of floating point, so there is no committed list;
// but all tiers and numbers of threads agree on them.
#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "runtime/base/cpu.h"
#include "tests/golden/golden_cases.h"

namespace intsam::internal::testing {
namespace {

class BundledModel : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, BundledModel, ::testing::Values("sam_tiny", "sam_tiny_mobile"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(BundledModel, TiersAndThreadsAgree) {
  auto opened = Model::Open(std::string(INTSAM_CONVERTED_MODELS) + "/" + GetParam() + ".isam");
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const Model& model = **opened;
  const std::vector<GoldenImage> images = {MakeImage(600, 400, 1)};
  const auto built = BuiltKernels();
  const Hashes expected = RunSession(model, *built.back(), 4, images);
  for (const Kernels* kernels : built) {
    if (!CpuSupports(kernels->name) || kernels == built.back()) continue;
    for (const int threads : {1, 2, 3, 4}) {
      EXPECT_EQ(RunSession(model, *kernels, threads, images), expected) << kernels->name << ", threads: " << threads;
    }
  }
}

}  // namespace
}  // namespace intsam::internal::testing
