// Random weights of the right shapes. Every value is an integer from SplitMix64 times one scale per tensor: a single
// correctly rounded product, so that no compiler, library or CPU can give another result.
// Each tensor has its own generator, seeded by its name; its values do not depend on the other tensors.
#include <cmath>
#include <string_view>
#include <utility>

#include "converter/checkpoint/plain_tensors.h"
#include "converter/checkpoint/sam_checkpoint.h"

namespace intsam::internal {
namespace {

// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (Stafford's mix 13).
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }

 private:
  uint64_t state_;
};

// Nearly normal: four uniform numbers of 16 bits, less their mean. |n| < 2^17; standard deviation sqrt(4 / 12) * 2^16.
int32_t NextNormal(SplitMix64* random) {
  const uint64_t bits = random->Next();
  const auto sum = static_cast<int32_t>((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
  return sum - 2 * 0xffff;
}
constexpr double kNormalDeviation = 37837.2;

uint64_t HashOf(std::string_view name) {  // FNV-1a
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

struct Distribution {
  double mean, deviation;
};

Distribution DistributionOf(const TensorSpec& spec) {
  const std::string_view name = spec.name;
  const auto ends_with = [&](std::string_view end) { return name.ends_with(end); };
  if (ends_with("gaussian_matrix")) return {0, 1};
  if (ends_with("pos_embed") || ends_with("rel_pos_h") || ends_with("rel_pos_w")) return {0, 0.02};
  if (ends_with("attention_biases")) return {0, 0.5};
  if (ends_with(".bn.running_mean")) return {0, 0.3};
  if (ends_with(".bn.running_var")) return {1, 0.25};  // above 0.13: no value is further than 3.5 deviations away
  if (ends_with(".bn.weight")) return {1, 0.2};
  if (ends_with(".bn.bias")) return {0, 0.2};
  if (spec.shape.size() == 1) return ends_with(".bias") ? Distribution{0, 0.02} : Distribution{1, 0.05};
  // Embeddings and tokens: rows that are looked up, not multiplied.
  if (ends_with("embed.weight") || ends_with("token.weight") || ends_with("tokens.weight") ||
      name.find("point_embeddings") != std::string_view::npos) {
    return {0, 0.5};
  }
  uint64_t fan_in = 1;
  for (size_t i = 1; i < spec.shape.size(); ++i) fan_in *= spec.shape[i];
  // Transposed convolutions without overlap: each output pixel sums over the input channels, which come first.
  if (name.find("output_upscaling") != std::string_view::npos) fan_in = spec.shape[0];
  return {0, 1 / std::sqrt(static_cast<double>(fan_in))};
}

}  // namespace

FloatModel SyntheticModel(const SamConfig& config, uint64_t seed) {
  FloatModel model;
  model.config = config;
  for (const TensorSpec& spec : SamTensorSpecs(config)) {
    size_t elements = 1;
    for (const uint64_t n : spec.shape) elements *= n;
    const Distribution distribution = DistributionOf(spec);
    const auto scale = static_cast<float>(distribution.deviation / kNormalDeviation);
    // The mean is added as an integer, because a sum of floats could be fused with the product on some machines. |sum|
    // < 2^24.
    const auto mean = static_cast<int32_t>(std::lround(distribution.mean / scale));
    SplitMix64 random(SplitMix64(seed).Next() ^ HashOf(spec.name));
    std::vector<float> values(elements);
    for (float& value : values) value = static_cast<float>(mean + NextNormal(&random)) * scale;
    model.tensors.emplace(spec.name, std::move(values));
  }
  (void)MakePlain(&model);  // cannot fail: no variance is negative
  return model;
}

}  // namespace intsam::internal
