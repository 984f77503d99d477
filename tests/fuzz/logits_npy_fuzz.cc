// Files of logits. Oracle: what is accepted has the model's shape, and its codes survive being written and read.
#include "apps/common/logits_npy.h"

#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {

constexpr LogitForm kForm{4, 1'500'000'001, 40};

std::vector<std::string> FuzzSeeds() {
  std::vector<int16_t> codes;
  for (int i = 0; i < 16; ++i) codes.push_back(static_cast<int16_t>(4000 * (i - 8)));
  const std::vector<uint8_t> file = EncodeLogits(codes, kForm);
  const std::string one(file.begin(), file.end());
  std::string two = one;
  two.replace(two.find("(1, 4, 4), }"), 12, "(4,4)}      ");
  return {one, two};
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  const auto codes = DecodeLogits({data, size}, testing::kForm);
  if (!codes.ok()) return 0;
  testing::Require(codes.value().size() == 16, "number of codes");
  const auto again = DecodeLogits(EncodeLogits(codes.value(), testing::kForm), testing::kForm);
  testing::Require(again.ok() && again.value() == codes.value(), "codes that change");
  return 0;
}
