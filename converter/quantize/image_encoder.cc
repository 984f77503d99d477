// The image encoder's sites (docs/numerics.md section 14, upper half of the table).
#include <algorithm>
#include <cmath>

#include "converter/quantize/layers.h"
#include "converter/quantize/pack_weights.h"

namespace intsam::internal {
namespace {

constexpr double kEps = 1e-6;
constexpr double kMean[3] = {123.675, 116.28, 103.53};
constexpr double kStd[3] = {58.395, 57.12, 57.375};

int LeastWeightBits(const QuantizationPlan& plan) {
  int least = 8;
  for (const auto& [name, weights] : plan.weights) least = std::min(least, weights.bits);
  return least;
}

// 14-bit weights in two planes, normalisation folded; positions carry the convolution's bias.
void QuantizePatchEmbed(QuantizeContext& q, PatchEmbed& patch, double residual_unit) {
  const std::string key = "image_encoder.patch_embed.proj.";
  const std::vector<float>& weight = q.Weight(key + "weight");
  const std::vector<float>& bias = q.Weight(key + "bias");
  const std::vector<float>& position = q.Weight("image_encoder.pos_embed");
  const uint32_t pixels = patch.in / 3;
  std::vector<int8_t> high(weight.size()), low(weight.size());
  std::vector<double> units(patch.out);
  for (uint32_t n = 0; n < patch.out; ++n) {
    const float* row = weight.data() + size_t{n} * patch.in;
    double max = 1e-12;
    for (uint32_t k = 0; k < patch.in; ++k) max = std::max(max, std::fabs(row[k]) / kStd[k / pixels]);
    const double scale = max / 8128;
    for (uint32_t k = 0; k < patch.in; ++k) {
      const int w = static_cast<int>(std::floor(row[k] / kStd[k / pixels] / scale + 0.5));
      const int w_high = (w + 32) >> 6;
      high[size_t{n} * patch.in + k] = static_cast<int8_t>(w_high);
      low[size_t{n} * patch.in + k] = static_cast<int8_t>(w - 64 * w_high);
    }
    units[n] = scale / residual_unit;
  }
  patch.weight_high = q.pool.Add(PackPanels(high, patch.out, patch.in));
  patch.weight_low = q.pool.Add(PackPanels(low, patch.out, patch.in));
  patch.rq = MakeRq32(units, q.pool);
  std::vector<int32_t> mean;
  for (const double m : kMean) mean.push_back(static_cast<int32_t>(std::lround(m * 65536)));
  patch.mean = q.pool.Add(mean);

  // Channel by channel, the finest power of two that holds the largest position.
  patch.narrow_positions = LeastWeightBits(q.plan) < 6 ? 1 : 0;
  const double most = patch.narrow_positions == 1 ? 127 : 32767;
  std::vector<uint8_t> shifts(patch.out);
  std::vector<int16_t> codes(position.size());
  for (size_t n = 0; n < patch.out; ++n) {
    const auto sum = [&](size_t i) { return (double{position[i]} + bias[n]) / residual_unit; };
    double max = 0;
    for (size_t i = n; i < position.size(); i += patch.out) max = std::max(max, std::fabs(sum(i)));
    while (shifts[n] < 16 && std::ldexp(most, shifts[n]) < max) ++shifts[n];
    for (size_t i = n; i < position.size(); i += patch.out) {
      codes[i] = static_cast<int16_t>(std::clamp(std::floor(std::ldexp(sum(i), -shifts[n]) + 0.5), -most, most));
    }
  }
  patch.position_shift = q.pool.Add(shifts);
  if (patch.narrow_positions == 1) {
    patch.position8 = q.pool.Add(std::vector<int8_t>(codes.begin(), codes.end()));
  } else {
    patch.position = q.pool.Add(codes);
  }
}

void QuantizeBlock(QuantizeContext& q, const std::string& name, EncoderBlock& b, double residual_unit,
                   uint32_t head_dim) {
  const uint32_t dim = b.proj.out;
  const Scale norm1 = q.Codes(name + "attn.qkv.in");
  b.norm1 = MakeNormNarrow(q.Weight(name + "norm1.weight"), q.Weight(name + "norm1.bias"), kEps, residual_unit, norm1,
                           q.pool);

  const Scale query = q.Signed(name + "attn.q"), key = q.Signed(name + "attn.k"), value = q.Signed(name + "attn.v");
  const double coarsest = std::max({query.scale, key.scale, value.scale});
  std::vector<double> units = PlannedLinear(q, name + "attn.qkv", {norm1.scale, coarsest}, b.qkv);
  const std::span<const double> all(units);
  b.q_rq = MakeRq16(Multipliers(all.subspan(0, dim), query.scale), query.codes, q.pool);
  b.k_rq = MakeRq16(Multipliers(all.subspan(dim, dim), key.scale), key.codes, q.pool);
  b.v_rq = MakeRq16(Multipliers(all.subspan(2 * dim, dim), value.scale), value.codes, q.pool);

  const Scale attended = q.Signed(name + "attn.proj.in");
  b.rel_pos_h = MakeRelPos(q.Weight(name + "attn.rel_pos_h"), b.side, head_dim, key.scale, q.pool);
  b.rel_pos_w = MakeRelPos(q.Weight(name + "attn.rel_pos_w"), b.side, head_dim, key.scale, q.pool);
  b.softmax = MakeSoftmax(q.Coding(name + "attn"), query.scale * key.scale / std::sqrt(static_cast<double>(head_dim)),
                          value.scale, attended, b.side * b.side);
  units = PlannedLinear(q, name + "attn.proj", {attended.scale, 0}, b.proj);
  b.proj_rq = MakeRq32(Multipliers(units, residual_unit), q.pool);

  const Scale norm2 = q.Codes(name + "mlp.lin1.in");
  b.norm2 = MakeNormNarrow(q.Weight(name + "norm2.weight"), q.Weight(name + "norm2.bias"), kEps, residual_unit, norm2,
                           q.pool);
  const int unit_bits = UnitBits(1.25 * q.MaxAbs(name + "mlp.lin1.out"), 16383);
  const Scale hidden = q.Codes(name + "mlp.lin2.in");
  units = PlannedLinear(q, name + "mlp.lin1", {norm2.scale, std::ldexp(1.0, -unit_bits)}, b.lin1);
  b.gelu = MakeRqGelu(units, unit_bits, hidden, q.pool);
  units = PlannedLinear(q, name + "mlp.lin2", {hidden.scale, 0}, b.lin2);
  b.lin2_rq = MakeRq32(Multipliers(units, residual_unit), q.pool);
}

void QuantizeNeck(QuantizeContext& q, Neck& neck, double residual_unit, double key_unit) {
  const std::string name = "image_encoder.neck.";
  const Scale in = q.Codes(name + "0.in");
  neck.in = {MakeRq32Scalar(residual_unit / in.scale), in.codes};
  const double unit1 = q.R24Unit(name + "0.out");
  std::vector<double> units = PlannedLinear(q, name + "0", {in.scale, 0}, neck.conv1);
  neck.conv1_rq = MakeRq32(Multipliers(units, unit1), q.pool);
  const Scale middle = q.Codes(name + "2.in");
  neck.norm1 = MakeNormNarrow(q.Weight(name + "1.weight"), q.Weight(name + "1.bias"), kEps, unit1, middle, q.pool);
  const double unit2 = q.R24Unit(name + "2.out");
  units = PlannedConvolution(q, name + "2", {middle.scale, 0}, neck.conv1.out, neck.conv2);
  neck.conv2_rq = MakeRq32(Multipliers(units, unit2), q.pool);
  neck.norm2 = MakeNormWide(q.Weight(name + "3.weight"), q.Weight(name + "3.bias"), kEps, unit2, key_unit, q.pool);
}

}  // namespace

void QuantizeImageEncoder(QuantizeContext& q, ImageEncoder& encoder, double key_unit) {
  const double residual_unit = q.R24Unit("image_encoder.x");
  encoder.residual_unit = MakeUnit(residual_unit);
  QuantizePatchEmbed(q, encoder.patch_embed, residual_unit);
  for (size_t i = 0; i < encoder.blocks.size(); ++i) {
    QuantizeBlock(q, "image_encoder.blocks." + std::to_string(i) + ".", encoder.blocks[i], residual_unit,
                  q.float_model.config.vit.head_dim());
  }
  QuantizeNeck(q, encoder.neck, residual_unit, key_unit);
}

}  // namespace intsam::internal
