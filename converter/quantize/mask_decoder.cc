// The prompt encoder's and mask decoder's sites (docs/numerics.md section 14, lower half of the table).
#include <algorithm>
#include <cmath>

#include "converter/quantize/layers.h"
#include "converter/quantize/rounding.h"
#include "converter/sam_constants.h"
#include "runtime/ops/ops.h"

namespace intsam::internal {
namespace {

constexpr double kRowHeadRoom = 1.1;  // of moved values over the calibrated maximum of their channel
constexpr double kWordHeadRoom = 2;   // of s16 queries and values

// Keys are image positions, or tokens.
uint32_t MaxDecoderKeys(const SamConfig& c) { return std::max(c.grid() * c.grid(), MaxTokens(c)); }

// Input units of q, k and v, output unit, of one attention.
struct AttentionUnits {
  double q, k, v, out;
};

StreamInput CodesOfStream(double unit, const Scale& scale) {
  return {StreamInput::kCodes, {MakeRq32Scalar(unit / scale.scale), scale.codes}};
}

// What a layer reads of a stream with such a unit. Returns the scale of that.
double QuantizeInput(QuantizeContext& q, const std::string& site, double unit, StreamInput& in) {
  if (q.plan.as_values.contains(site)) {
    in.form = StreamInput::kValues;
    return unit;
  }
  const Scale scale = q.Codes(site);
  in = CodesOfStream(unit, scale);
  return scale.scale;
}

void QuantizeProjection(QuantizeContext& q, const std::string& name, double input_unit, const Scale& out,
                        StreamInput& in, Linear& linear, Rq16& rq) {
  const double scale = QuantizeInput(q, name + ".in", input_unit, in);
  const std::vector<double> units = PlannedLinear(q, name, {scale, out.scale}, linear);
  rq = MakeRq16(Multipliers(units, out.scale), out.codes, q.pool);
}

// A projection to s16 of this unit.
void QuantizeWords(QuantizeContext& q, const std::string& name, double input_unit, double unit, StreamInput& in,
                   Linear& linear, Rq32& rq) {
  const double scale = QuantizeInput(q, name + ".in", input_unit, in);
  rq = MakeRq32(Multipliers(PlannedLinear(q, name, {scale, unit}, linear), unit), q.pool);
}

// Rows (head, channel) over a head's part of a token: of a layer's rows, transposed, or of its columns.
std::vector<float> MovedRows(const std::vector<float>& weight, const DecoderAttention& a, bool transposed) {
  std::vector<float> rows(size_t{a.heads} * a.dim * a.head_dim);
  for (size_t row = 0; row < size_t{a.heads} * a.dim; ++row) {
    for (size_t d = 0; d < a.head_dim; ++d) {
      const size_t channel = row % a.dim, at = row / a.dim * a.head_dim + d;
      rows[row * a.head_dim + d] = transposed ? weight[at * a.dim + channel] : weight[channel * a.inner() + at];
    }
  }
  return rows;
}

void QuantizeMoved(QuantizeContext& q, const std::vector<float>& rows, const Scale& in, const Scale& out,
                   Linear& linear, Rq16& rq) {
  rq = MakeRq16(Multipliers(WideLinear(q, rows, {}, in.scale, linear), out.scale), out.codes, q.pool);
}

// What tokens give to each channel of the image's stream, coded with a scale per channel: outlier channels of the
// stream would leave the others few codes. Returns the scales.
std::vector<double> QuantizeMovedOut(QuantizeContext& q, const std::string& name, const Scale& value,
                                     DecoderAttention& a) {
  const std::vector<float>& bias = q.Weight(name + ".out_proj.bias");
  const double least = q.MaxAbs(name + ".v_rows") / (1 << 20);
  std::vector<double> scales(a.dim, least);
  if (!q.status.ok()) return scales;
  const SiteStatistics& seen = q.statistics.at(name + ".v_rows");
  std::vector<double> multipliers =
      WideLinear(q, MovedRows(q.Weight(name + ".out_proj.weight"), a, false), {}, value.scale, a.out);
  for (size_t c = 0; c < a.dim; ++c) {
    const double largest = std::max(-seen.channel_min()[c], seen.channel_max()[c]);
    // With a bias of at most 2^29 units of a probability times a row.
    scales[c] = std::max({kRowHeadRoom * largest / 127, std::fabs(double{bias[c]}) / (1 << 14), least});
  }
  for (size_t i = 0; i < multipliers.size(); ++i) multipliers[i] /= scales[i % a.dim];
  a.out_rows_rq = MakeRq16(multipliers, Codes::Signed(), q.pool);
  return scales;
}

double LogitUnit(const DecoderAttention& a, double score_unit) {
  return score_unit / std::sqrt(static_cast<double>(a.head_dim));
}

// s16 queries and coded keys, and a softmax of their scores that codes nothing. Queries are not so fine that the softmax
// could not express the unit of the scores (docs/numerics.md 6.2).
void QuantizeWordScores(QuantizeContext& q, const std::string& name, const AttentionUnits& units, DecoderAttention& a) {
  const Scale key = q.Signed(name + ".k");
  const double query =
      std::max(q.S16Unit(name + ".q", kWordHeadRoom), std::ldexp(1 / LogitUnit(a, key.scale), -26));
  QuantizeWords(q, name + ".q_proj", units.q, query, a.q_in, a.q, a.q_words);
  QuantizeProjection(q, name + ".k_proj", units.k, key, a.k_in, a.k, a.k_rq);
  a.softmax = MakeSoftmax({}, LogitUnit(a, query * key.scale), {1, Codes::Signed()}, {1, Codes::Signed()}, 1);
}

void QuantizeTokenToImage(QuantizeContext& q, const std::string& name, const AttentionUnits& units,
                          DecoderAttention& a) {
  const Scale query = q.Signed(name + ".q"), asked = q.Signed(name + ".q_rows"), mix = q.Signed(name + ".mix");
  const Scale key = q.Signed(name + ".k_proj.in"), value = q.Signed(name + ".v_proj.in");
  const Scale attended = q.Signed(name + ".out_proj.in");
  QuantizeProjection(q, name + ".q_proj", units.q, query, a.q_in, a.q, a.q_rq);
  a.k_in = CodesOfStream(units.k, key);
  QuantizeMoved(q, MovedRows(q.Weight(name + ".k_proj.weight"), a, true), query, asked, a.k, a.k_rq);
  a.v_in = CodesOfStream(units.v, value);
  a.softmax = MakeSoftmax({}, LogitUnit(a, asked.scale * key.scale), value, mix, 1);
  const std::vector<double> v = PlannedLinear(q, name + ".v_proj", {mix.scale, attended.scale}, a.v);
  a.v_rq = MakeRq16(Multipliers(v, attended.scale), attended.codes, q.pool);
  const std::vector<double> out = PlannedLinear(q, name + ".out_proj", {attended.scale, 0}, a.out);
  a.out_rq = MakeRq32(Multipliers(out, units.out / 256), q.pool);
}

void QuantizeImageToToken(QuantizeContext& q, const std::string& name, const AttentionUnits& units,
                          DecoderAttention& a) {
  const Scale value = q.Signed(name + ".v");
  QuantizeWordScores(q, name, units, a);
  QuantizeProjection(q, name + ".v_proj", units.v, value, a.v_in, a.v, a.v_rq);
  std::vector<double> unit = QuantizeMovedOut(q, name, value, a);  // of a probability times a row
  for (double& u : unit) u /= 32768;
  std::vector<int32_t> bias;
  for (const float b : q.Weight(name + ".out_proj.bias")) bias.push_back(RoundTo<int32_t>(b / unit[bias.size()]));
  a.out_bias = q.pool.Add(bias);
  a.out_rq = MakeRq32(Multipliers(unit, units.out / 256), q.pool);
}

// What is mixed has the unit of the values, which it cannot exceed.
void QuantizeInWords(QuantizeContext& q, const std::string& name, const AttentionUnits& units, DecoderAttention& a) {
  const double value = kWordHeadRoom * q.MaxAbs(name + ".v") / ops::kWordValueMax;
  QuantizeWordScores(q, name, units, a);
  QuantizeWords(q, name + ".v_proj", units.v, value, a.v_in, a.v, a.v_words);
  a.softmax.mix = MakeRq32Scalar(256);  // of sums of 256 units
  const std::vector<double> out = PlannedLinear(q, name + ".out_proj", {value, 0}, a.out);
  a.out_rq = MakeRq32(Multipliers(out, units.out / 256), q.pool);
}

void QuantizeAttention(QuantizeContext& q, const std::string& name, const AttentionUnits& units, DecoderAttention& a) {
  const auto form = q.plan.forms.find(name);
  if (form != q.plan.forms.end()) {
    a.SetForm(form->second);
    if (a.in_words()) return QuantizeInWords(q, name, units, a);
    return a.image_asks() ? QuantizeImageToToken(q, name, units, a) : QuantizeTokenToImage(q, name, units, a);
  }
  const Scale query = q.Attended(name + ".q"), key = q.Attended(name + ".k"), value = q.Attended(name + ".v");
  QuantizeProjection(q, name + ".q_proj", units.q, query, a.q_in, a.q, a.q_rq);
  QuantizeProjection(q, name + ".k_proj", units.k, key, a.k_in, a.k, a.k_rq);
  QuantizeProjection(q, name + ".v_proj", units.v, value, a.v_in, a.v, a.v_rq);
  const Scale attended = q.Attended(name + ".out_proj.in");
  a.softmax = MakeSoftmax(q.Coding(name), query.scale * key.scale / std::sqrt(static_cast<double>(a.head_dim)), value,
                          attended, MaxDecoderKeys(q.float_model.config));
  const std::vector<double> out = PlannedLinear(q, name + ".out_proj", {attended.scale, 0}, a.out);
  a.out_rq = MakeRq32(Multipliers(out, units.out / 256), q.pool);
}

NormWide StreamNorm(QuantizeContext& q, const std::string& name, double unit) {
  return MakeNormWide(q.Weight(name + ".weight"), q.Weight(name + ".bias"), kDecoderEpsilon, unit / 256, unit, q.pool);
}

void QuantizeLayer(QuantizeContext& q, const std::string& name, double token_unit, double key_unit, DecoderLayer& l) {
  QuantizeAttention(q, name + "self_attn", {token_unit, token_unit, token_unit, token_unit}, l.self_attn);
  QuantizeAttention(q, name + "cross_attn_token_to_image", {token_unit, key_unit, key_unit, token_unit},
                    l.token_to_image);
  QuantizeAttention(q, name + "cross_attn_image_to_token", {key_unit, token_unit, token_unit, key_unit},
                    l.image_to_token);
  l.norm1 = StreamNorm(q, name + "norm1", token_unit);
  l.norm2 = StreamNorm(q, name + "norm2", token_unit);
  l.norm3 = StreamNorm(q, name + "norm3", token_unit);
  l.norm4 = StreamNorm(q, name + "norm4", key_unit);

  const Scale hidden = q.Codes(name + "mlp.lin2.in");
  const double in = QuantizeInput(q, name + "mlp.lin1.in", token_unit, l.mlp_in);
  std::vector<double> units = PlannedLinear(q, name + "mlp.lin1", {in, hidden.scale}, l.lin1);
  // The ReLU is the clamp at the code of zero.
  l.lin1_rq =
      MakeRq16(Multipliers(units, hidden.scale), {hidden.codes.zero, hidden.codes.zero, hidden.codes.hi}, q.pool);
  units = PlannedLinear(q, name + "mlp.lin2", {hidden.scale, 0}, l.lin2);
  l.lin2_rq = MakeRq32(Multipliers(units, token_unit / 256), q.pool);
}

// Official [in][out][2][2] to rows (dy, dx, out) x in, the bias repeated for the four positions.
void TransposedWeights(const std::vector<float>& weight, const std::vector<float>& bias, uint32_t in, uint32_t out,
                       std::vector<float>& rows, std::vector<float>& row_bias) {
  rows.resize(weight.size());
  row_bias.resize(size_t{4} * out);
  for (uint32_t part = 0; part < 4; ++part) {
    for (uint32_t o = 0; o < out; ++o) {
      row_bias[part * out + o] = bias[o];
      for (uint32_t i = 0; i < in; ++i)
        rows[(size_t{part} * out + o) * in + i] = weight[(size_t{i} * out + o) * 4 + part];
    }
  }
}

// The exponent of a GELU unit that holds `head_room` times the largest value of a site.
int GeluBits(QuantizeContext& q, const std::string& site, double head_room) {
  return UnitBits(head_room * q.MaxAbs(site), 32767);
}

// Returns the unit bits of the upscaled embedding.
int QuantizeUpscaling(QuantizeContext& q, Upscaling& u, double key_unit) {
  const std::string name = "mask_decoder.output_upscaling.";
  std::vector<float> rows, bias;
  TransposedWeights(q.Weight(name + "0.weight"), q.Weight(name + "0.bias"), u.conv1.in, u.conv1.out / 4, rows, bias);
  const double unit1 = q.R24Unit(name + "0.out");
  std::vector<double> units = WideLinear(q, rows, bias, key_unit, u.conv1);
  u.conv1_rq = MakeRq32(Multipliers(units, unit1), q.pool);
  const int bits1 = GeluBits(q, name + "1.out", 1.5), bits2 = GeluBits(q, name + "3.out", 2);
  u.norm = MakeNormWide(q.Weight(name + "1.weight"), q.Weight(name + "1.bias"), kMapEpsilon, unit1,
                        std::ldexp(1.0, -bits1), q.pool);
  u.gelu1_bits = static_cast<uint32_t>(bits1);
  TransposedWeights(q.Weight(name + "3.weight"), q.Weight(name + "3.bias"), u.conv2.in, u.conv2.out / 4, rows, bias);
  units = WideLinear(q, rows, bias, std::ldexp(1.0, -bits1), u.conv2);
  u.conv2_rq = MakeRq32(Multipliers(units, std::ldexp(1.0, -bits2)), q.pool);
  u.gelu2_bits = static_cast<uint32_t>(bits2);
  return bits2;
}

// W8A16 layers from `input_unit`; hidden units hold 4 times the calibrated maximum. Returns the unit of the output.
double QuantizeMlp(QuantizeContext& q, const std::string& name, double input_unit, double last_head_room,
                   int last_limit, Mlp& mlp) {
  for (size_t i = 0; i < mlp.layers.size(); ++i) {
    const std::string layer = name + ".layers." + std::to_string(i);
    const bool last = i + 1 == mlp.layers.size();
    const double unit = last ? last_head_room * q.MaxAbs(layer + ".out") / last_limit : q.S16Unit(layer + ".out", 4);
    const std::vector<double> units =
        WideLinear(q, q.Weight(layer + ".weight"), q.Weight(layer + ".bias"), input_unit, mlp.layers[i].linear);
    mlp.layers[i].rq = MakeRq32(Multipliers(units, unit), q.pool);
    input_unit = unit;
  }
  return input_unit;
}

}  // namespace

void QuantizePromptEncoder(QuantizeContext& q, PromptEncoder& p, double token_unit, double key_unit,
                           double logit_unit) {
  const std::string name = "prompt_encoder.";
  std::vector<int32_t> gaussian;
  for (const float g : q.Weight(name + "pe_layer.positional_encoding_gaussian_matrix")) {
    gaussian.push_back(
        static_cast<int32_t>(std::clamp(std::floor(std::ldexp(g, 24) + 0.5), -2147483647.0, 2147483647.0)));
  }
  p.gaussian = q.pool.Add(gaussian);
  std::vector<int16_t> points;
  for (int label = 0; label < 4; ++label) {
    const std::vector<int16_t> row =
        ToS16Values(q.Weight(name + "point_embeddings." + std::to_string(label) + ".weight"), token_unit);
    points.insert(points.end(), row.begin(), row.end());
  }
  p.point_embeddings = q.pool.Add(points);
  p.not_a_point = q.pool.Add(ToS16Values(q.Weight(name + "not_a_point_embed.weight"), token_unit));
  p.no_mask = q.pool.Add(ToS16Values(q.Weight(name + "no_mask_embed.weight"), key_unit));
  p.token_pe = MakeRq32Scalar(1 / (32767 * token_unit));
  p.image_pe = MakeRq32Scalar(1 / (32767 * key_unit));

  MaskDownscaling& m = p.mask;
  const std::string mask = name + "mask_downscaling.";
  const double unit1 = q.R24Unit(mask + "0.out"), unit2 = q.R24Unit(mask + "3.out");
  std::vector<double> units =
      QuantizeLinear12(q, q.Weight(mask + "0.weight"), q.Weight(mask + "0.bias"), logit_unit, m.conv1);
  m.conv1_rq = MakeRq32(Multipliers(units, unit1), q.pool);
  const int bits1 = GeluBits(q, mask + "1.out", 1.5), bits2 = GeluBits(q, mask + "4.out", 1.5);
  m.norm1 = MakeNormWide(q.Weight(mask + "1.weight"), q.Weight(mask + "1.bias"), kMapEpsilon, unit1,
                         std::ldexp(1.0, -bits1), q.pool);
  m.gelu1_bits = static_cast<uint32_t>(bits1);
  units = QuantizeLinear12(q, q.Weight(mask + "3.weight"), q.Weight(mask + "3.bias"), std::ldexp(1.0, -bits1), m.conv2);
  m.conv2_rq = MakeRq32(Multipliers(units, unit2), q.pool);
  m.norm2 = MakeNormWide(q.Weight(mask + "4.weight"), q.Weight(mask + "4.bias"), kMapEpsilon, unit2,
                         std::ldexp(1.0, -bits2), q.pool);
  m.gelu2_bits = static_cast<uint32_t>(bits2);
  units = QuantizeLinear12(q, q.Weight(mask + "6.weight"), q.Weight(mask + "6.bias"), std::ldexp(1.0, -bits2), m.conv3);
  m.conv3_rq = MakeRq32(Multipliers(units, key_unit), q.pool);
}

void QuantizeMaskDecoder(QuantizeContext& q, MaskDecoder& d, double token_unit, double key_unit, double logit_unit) {
  d.token_unit = MakeUnit(token_unit);
  d.key_unit = MakeUnit(key_unit);
  d.logit_unit = MakeUnit(logit_unit);
  d.iou_token = q.pool.Add(ToS16Values(q.Weight("mask_decoder.iou_token.weight"), token_unit));
  d.mask_tokens = q.pool.Add(ToS16Values(q.Weight("mask_decoder.mask_tokens.weight"), token_unit));
  const std::string transformer = "mask_decoder.transformer.";
  for (size_t i = 0; i < d.layers.size(); ++i) {
    QuantizeLayer(q, transformer + "layers." + std::to_string(i) + ".", token_unit, key_unit, d.layers[i]);
  }
  QuantizeAttention(q, transformer + "final_attn_token_to_image", {token_unit, key_unit, key_unit, token_unit},
                    d.final_attn);
  d.norm_final = StreamNorm(q, transformer + "norm_final_attn", token_unit);

  const int upscaled_bits = QuantizeUpscaling(q, d.upscaling, key_unit);
  std::vector<double> products;
  for (size_t i = 0; i < d.hypernetworks.size(); ++i) {
    const std::string name = "mask_decoder.output_hypernetworks_mlps." + std::to_string(i);
    const double unit = QuantizeMlp(q, name, token_unit, 1.5, kHyperMax, d.hypernetworks[i]);
    products.push_back(std::ldexp(unit, -upscaled_bits) / logit_unit);
  }
  d.mask_product = MakeRq32(products, q.pool);
  const double iou_unit = QuantizeMlp(q, "mask_decoder.iou_prediction_head", token_unit, 4, 32767, d.iou_head);
  d.iou_q15 = MakeRq32Scalar(iou_unit * 32768);
}

}  // namespace intsam::internal
