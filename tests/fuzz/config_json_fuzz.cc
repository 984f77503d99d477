// The JSON beside a checkpoint. Oracle: where it agrees with a configuration, every field that it states under its own
// name has the configuration's value.
#include <algorithm>

#include "converter/checkpoint/sidecar.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {
namespace {

// Requires that nothing else is stated than what is visited.
struct Agreement {
  const Sidecar& sidecar;

  void Field(const char* name, uint64_t value, uint64_t, uint64_t) {
    Require(sidecar.Number(name, value) == value, "a field that differs");
  }
  void Field(const char*, uint64_t) {}
};

}  // namespace

std::vector<std::string> FuzzSeeds() {
  return {R"({"image_size":128,"patch_size":16,"embed_dim":32,"depth":2,"num_heads":2,"mlp_ratio":4,"window_size":3,
          "global_attn_indexes":[1],"prompt_embed_dim":32,"decoder_depth":2,"mask_in_chans":16})",
          R"({"image_encoder":"vit","mlp_ratio":4.0})",
          R"({"image_encoder":"tiny_vit","patch_size":16,"local_conv_size":3,"mbconv_expand_ratio":4,
          "embed_dims":[16,32,32,64],"depths":[1,2,2,1],"num_heads":[1,2,2,4],"window_sizes":[7,7,5,3]})",
          // Refused.
          R"({"depth":2,"depth":2})", R"({"global_attn_indexes":[99]})", R"({"global_attn_indexes":[]})",
          R"({"mlp_ratio":"4"})", R"({"local_conv_size":5})", R"({"window_sizes":7})", R"({"width":1})", "[]", "{",
          R"({"a":[[[[[[[[[[1]]]]]]]]]]})"};
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  const auto parsed = Sidecar::Parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!parsed.ok()) return 0;
  const Sidecar& sidecar = parsed.value();
  for (const char* name : {"micro", "micro_mobile"}) {
    SamConfig config = PresetConfig(name).value();
    if (!sidecar.Compare(config).ok()) continue;
    testing::Agreement agreement{sidecar};
    config.Visit(agreement);
    const uint32_t last = config.tiny_vit.window_sizes[3];
    testing::Require(config.family == kVit || sidecar.Number("window_sizes", 3, last) == last, "a list that differs");
  }
  return 0;
}
