// Models changed under right checksums, and run. Oracle: every model that opens gives the same integers by the
// reference executor and by a kernel tier of this CPU, which the input chooses, whatever the image.
#include <iterator>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/base/cpu.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/model_edits.h"
#include "tests/fuzz/smallest_model.h"
#include "tests/golden/golden_cases.h"

namespace intsam::internal::testing {
namespace {

// One with a decoder of each form.
EditedModel& Chosen(uint8_t number) {
  static EditedModel models[] = {EditedModel(SmallestModel()), EditedModel(SmallestModel("intsam"))};
  return models[number % std::size(models)];
}

const std::vector<const Kernels*>& Tiers() {
  static const std::vector<const Kernels*> tiers = [] {
    std::vector<const Kernels*> found;
    for (const Kernels* kernels : BuiltKernels()) {
      if (CpuSupports(kernels->name)) found.push_back(kernels);
    }
    return found;
  }();
  return tiers;
}

}  // namespace

// Seed of the image, which also chooses the model; its sides, whose upper bits choose the tier; changes of the model.
std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds = {"", "abc"};
  for (const int64_t value : {int64_t{1}, int64_t{-127}, int64_t{127}, int64_t{32767}}) {
    std::vector<ModelEdit> edits;
    for (uint16_t i = 0; i < 16; ++i) edits.push_back({1, 0, static_cast<uint16_t>(5 * i), 3u * i, value});
    seeds.push_back("\x07\x20\x14" + EditText(edits));
    seeds.push_back("\x09\x01\x60" + EditText({edits[3]}));
    seeds.push_back("\x08\xa0\xd8" + EditText({edits[3], edits[4]}));
  }
  return seeds;
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  constexpr size_t kImageBytes = 3;
  if (size < kImageBytes) return 0;
  auto model = Model::OpenMemory(testing::Chosen(data[0]).Apply({data + kImageBytes, size - kImageBytes}));
  if (!model.ok()) return 0;
  const std::vector<testing::GoldenImage> images = {testing::MakeImage(1 + data[1] % 64u, 1 + data[2] % 64u, data[0])};
  const std::vector<const Kernels*>& tiers = testing::Tiers();
  const Kernels& kernels = *tiers[(data[1] / 64u * 4 + data[2] / 64u) % tiers.size()];
  testing::Require(testing::RunSession(**model, kernels, 1, images) == testing::RunReference((*model)->weights(), images),
                   kernels.name);
  return 0;
}
