// Same integers everywhere: the reference executor, every tier of this CPU and any number of threads give the hashes of
// one committed list, for the committed models.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "kernels/kernels.h"
#include "runtime/base/cpu.h"
#include "tests/format/model_bytes.h"
#include "tests/golden/golden_cases.h"
#include "tests/kernels/emulation/emulated_tiers.h"

namespace intsam::internal::testing {
namespace {

Hashes GoldenList(const std::string& model) {
  std::ifstream file(GoldenListPath());
  Hashes lines;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(model + " ")) lines.push_back(line.substr(model.size() + 1));
  }
  return lines;
}

void ExpectEqual(const Hashes& got, const Hashes& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], expected[i]);
}

class GoldenTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto opened = Model::OpenMemory(GoldenModel(GetParam()));
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    model_ = std::move(opened).value();
    expected_ = GoldenList(GetParam());
    ASSERT_EQ(expected_.size(), images_.size() * (1 + 4 * 3)) << "outputs per image, of " << GoldenListPath();
  }

  const std::vector<GoldenImage> images_ = GoldenImages();
  std::unique_ptr<Model> model_;
  Hashes expected_;
};

TEST_P(GoldenTest, ReferenceExecutor) { ExpectEqual(RunReference(model_->weights(), images_), expected_); }

TEST_P(GoldenTest, EveryTierAndNumberOfThreads) {
  int tiers = 0;
  for (const Kernels* kernels : BuiltKernels()) {
    if (!CpuSupports(kernels->name)) continue;
    ++tiers;
    for (const int threads : {1, 2, 3, 4, 7}) {
      SCOPED_TRACE(std::string(kernels->name) + ", threads: " + std::to_string(threads));
      ExpectEqual(RunSession(*model_, *kernels, threads, images_), expected_);
    }
  }
  EXPECT_GE(tiers, 1);
}

// Tiers that this CPU cannot run, emulated: tiles and scratch belong to a thread, so there are several.
TEST_P(GoldenTest, EmulatedTiers) {
  for (const Kernels* kernels : test::EmulatedTiers()) {
    SCOPED_TRACE(kernels->name);
    ExpectEqual(RunSession(*model_, *kernels, 3, images_), expected_);
  }
}

// The list tells runs apart: no two images, prompts or outputs of it may hash alike, or a broken run could pass. Masks
// of the one-pixel image are the exception.
TEST_P(GoldenTest, ListDistinguishesRuns) {
  std::vector<std::string> seen;
  for (const std::string& line : expected_) {
    if (line.find(" mask ") != std::string::npos) continue;
    const std::string hash = line.substr(line.rfind(' '));
    EXPECT_EQ(std::count(seen.begin(), seen.end(), hash), 0) << line;
    seen.push_back(hash);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest,
                         ::testing::Values("micro", "odd", "tokens", "w6a6", "mixed4", "mobile", "mobile_odd",
                                           "mobile4", "imported"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace intsam::internal::testing
