#include <algorithm>
#include <cmath>

#include "converter/encoder/patch_embed/patch_embed.h"
#include "converter/quantize/layers.h"
#include "converter/quantize/pack_weights.h"
#include "converter/quantize/sites.h"
#include "converter/sam_constants.h"

namespace intsam::internal {
namespace {

int LeastWeightBits(const QuantizationPlan& plan) {
  int least = 8;
  for (const auto& [name, weights] : plan.weights) least = std::min(least, weights.bits);
  return least;
}

}  // namespace

// Its pixels are 8-bit codes as they come, and its weights have 14 bits in every profile.
void AddSites(const PatchEmbed&, const std::string&, QuantizedSites&) {}

// 14-bit weights in two planes, normalization folded; positions carry the convolution's bias.
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, PatchEmbed& embed) {
  QuantizeContext& q = encoder.q;
  const double residual_unit = encoder.WideUnit(place.output);
  const std::string key = place.path + ".proj.";
  const std::vector<float>& weight = q.Weight(key + "weight");
  const std::vector<float>& bias = q.Weight(key + "bias");
  const std::vector<float>& position = q.Weight("image_encoder.pos_embed");
  const uint32_t pixels = embed.in / 3;
  std::vector<int8_t> high(weight.size()), low(weight.size());
  std::vector<double> units(embed.out);
  for (uint32_t n = 0; n < embed.out; ++n) {
    const float* row = weight.data() + size_t{n} * embed.in;
    double max = 1e-12;
    for (uint32_t k = 0; k < embed.in; ++k) max = std::max(max, std::fabs(row[k]) / kPixelDeviation[k / pixels]);
    const double scale = max / 8128;
    for (uint32_t k = 0; k < embed.in; ++k) {
      const int w = static_cast<int>(std::floor(row[k] / kPixelDeviation[k / pixels] / scale + 0.5));
      const int w_high = (w + 32) >> 6;
      high[size_t{n} * embed.in + k] = static_cast<int8_t>(w_high);
      low[size_t{n} * embed.in + k] = static_cast<int8_t>(w - 64 * w_high);
    }
    units[n] = scale / residual_unit;
  }
  embed.weight_high = q.pool.Add(PackPanels(high, embed.out, embed.in));
  embed.weight_low = q.pool.Add(PackPanels(low, embed.out, embed.in));
  embed.rq = MakeRq32(units, q.pool);
  std::vector<int32_t> mean;
  for (const double m : kPixelMean) mean.push_back(static_cast<int32_t>(std::lround(m * 65536)));
  embed.mean = q.pool.Add(mean);

  // Channel by channel, the finest power of two that holds the largest position.
  embed.narrow_positions = LeastWeightBits(q.plan) < 6 ? 1 : 0;
  const double most = embed.narrow_positions == 1 ? 127 : 32767;
  std::vector<uint8_t> shifts(embed.out);
  std::vector<int16_t> codes(position.size());
  for (size_t n = 0; n < embed.out; ++n) {
    const auto sum = [&](size_t i) { return (double{position[i]} + bias[n]) / residual_unit; };
    double max = 0;
    for (size_t i = n; i < position.size(); i += embed.out) max = std::max(max, std::fabs(sum(i)));
    while (shifts[n] < 16 && std::ldexp(most, shifts[n]) < max) ++shifts[n];
    for (size_t i = n; i < position.size(); i += embed.out) {
      codes[i] = static_cast<int16_t>(std::clamp(std::floor(std::ldexp(sum(i), -shifts[n]) + 0.5), -most, most));
    }
  }
  embed.position_shift = q.pool.Add(shifts);
  if (embed.narrow_positions == 1) {
    embed.position8 = q.pool.Add(std::vector<int8_t>(codes.begin(), codes.end()));
  } else {
    embed.position = q.pool.Add(codes);
  }
}

}  // namespace intsam::internal
