#include "runtime/format/proof.h"

#include <algorithm>
#include <cinttypes>
#include <string>

#include "kernels/numerics/fixed_point.h"
#include "runtime/format/weight_sums.h"

namespace intsam::internal {
namespace {

constexpr int64_t kMaxS32 = INT32_MAX;

int64_t Abs(int64_t x) { return x < 0 ? -x : x; }

class Proof {
 public:
  explicit Proof(std::vector<LayerBound>* report) : report_(report) {}

  Status status;

  // Of a layer over such codes. Proves that no partial sum overflows, whichever form the operands take, and returns
  // what the whole sum can reach per channel: codes are inside lo..hi, however wide the operands are.
  std::vector<int64_t> CodesLayer(const char* site, Linear& linear, const Codes& codes) {
    const int64_t zero = codes.zero, reach = std::max<int64_t>(codes.zero - codes.lo, codes.hi - codes.zero);
    return Layer(
        site, linear,
        [&](int64_t magnitude, int64_t bias, int64_t sum) {
          const int64_t unsigned_form = 255 * magnitude + Abs(bias - zero * sum);
          const int64_t signed_form = 128 * magnitude + Abs(bias + (128 - zero) * sum);
          return std::max(unsigned_form, signed_form);
        },
        [&](int64_t magnitude, int64_t bias) { return reach * magnitude + Abs(bias); });
  }
  std::vector<int64_t> S16Layer(const char* site, Linear& linear) {
    const auto whole = [](int64_t magnitude, int64_t bias) { return 32767 * magnitude + Abs(bias); };
    return Layer(
        site, linear, [&](int64_t magnitude, int64_t bias, int64_t) { return whole(magnitude, bias); }, whole);
  }
  std::vector<int64_t> S16Layer(const char* site, const Linear12& linear) {
    std::vector<int64_t> bounds;
    for (uint32_t c = 0; c < linear.out; ++c) {
      int64_t magnitude = 0;
      for (uint32_t k = 0; k < linear.in; ++k) magnitude += Abs(linear.weight[c * linear.in + k]);
      bounds.push_back(32767 * magnitude + Abs(linear.bias[c]));
    }
    Accumulators(site, bounds);
    return bounds;
  }

  // bounds: of one layer, per channel; not empty.
  void Accumulators(const char* site, const std::vector<int64_t>& bounds) {
    const auto tightest = std::max_element(bounds.begin(), bounds.end());
    const auto channel = static_cast<uint32_t>(tightest - bounds.begin());
    if (*tightest > kAccumulatorMax) Fail(site, channel, "accumulator can reach", *tightest);
    if (report_ != nullptr) report_->push_back({prefix + site, channel, *tightest});
  }
  // Accumulators that are multiplied by 2^up before they are requantized.
  void Lifted(const char* site, const std::vector<int64_t>& bounds, uint32_t up) {
    const auto tightest = std::max_element(bounds.begin(), bounds.end());
    if (*tightest << up > kAccumulatorMax)
      Fail(site, static_cast<uint32_t>(tightest - bounds.begin()), "lifted accumulator can reach", *tightest << up);
  }
  void Requantized(const char* site, const Rq32& rq, const std::vector<int64_t>& bounds) {
    for (uint32_t c = 0; c < rq.n; ++c) Product(site, c, bounds[c], rq.mult[c], rq.shift[c]);
  }
  void Requantized(const char* site, const Rq32Scalar& rq, int64_t bound) {
    Product(site, 0, bound, rq.mult, rq.shift);
  }

  void CodesRange(const char* site, const Codes& codes) {
    if (codes.lo > codes.zero || codes.zero > codes.hi) Fail(site, 0, "zero point is outside lo..hi", codes.zero);
  }
  // The products of attention and the head split rely on zero point 128 and values of at least -127.
  void SignedCodes(const char* site, const Codes& codes) {
    CodesRange(site, codes);
    if (codes.zero != 128 || codes.lo < 1) Fail(site, 0, "is a signed site, but the zero point is", codes.zero);
  }
  void Narrow(const char* site, const NormNarrow& norm) {
    CodesRange(site, norm.out);
    for (uint32_t c = 0; c < norm.channels; ++c) {
      if (32768 * Abs(norm.gain[c]) + Abs(norm.bias[c]) > kMaxS32)
        Fail(site, c, "gain and bias leave s32; bias", norm.bias[c]);
    }
  }
  void Quantize(const char* site, const QuantizeSite& quantize, int64_t bound) {
    CodesRange(site, quantize.out);
    Requantized(site, quantize.rq, bound);
  }

  // keys: the most that a row can have.
  void Attention(const char* site, const Softmax& softmax, uint32_t keys) {
    const Softmax unused;
    const bool e16 = softmax.variant == Softmax::kE16, u8 = softmax.variant == Softmax::kU8,
               agq = softmax.variant == Softmax::kAgq;
    const struct {
      bool used;
      int64_t value, expected;
      const char* what;
    } fields[] = {{!e16, softmax.bits, unused.bits, "E16 has no bits, but they are"},
                  {!e16, softmax.pre_shift, unused.pre_shift, "E16 has no pre_shift, but it is"},
                  {agq, softmax.tau_shift, unused.tau_shift, "only AGQ has a tau_shift, but it is"},
                  {agq, softmax.log2_scale, unused.log2_scale, "only AGQ has a log2_scale, but it is"},
                  {u8, softmax.step_mult, unused.step_mult, "only U8 has a step_mult, but it is"},
                  {u8, softmax.step_shift, unused.step_shift, "only U8 has a step_shift, but it is"}};
    for (const auto& field : fields) {
      if (!field.used && field.value != field.expected) Fail(site, 0, field.what, field.value);
    }
    // E16 sums are bounded by 128 * S, which the division takes care of (docs/numerics.md 6.4).
    const int64_t bound = ProbabilityMax(softmax) * 128 * keys;
    if (!e16 && RoundingShiftRight(bound, static_cast<int>(softmax.pre_shift)) > kMaxS32)
      Fail(site, 0, "pre_shift is too small for sums that can reach", bound);
  }

  void Fail(const std::string& site, uint32_t channel, const char* what, int64_t value) {
    if (!status.ok()) return;
    status = Error(Code::kDamaged, "%s%s: channel %u: %s %" PRId64, prefix.c_str(), site.c_str(), channel, what, value);
  }

  std::string prefix;

 private:
  // partial(magnitude, bias, sum): bound of every partial sum; whole(magnitude, bias): of the result, which is
  // returned.
  template <class Partial, class Whole>
  std::vector<int64_t> Layer(const char* site, Linear& linear, Partial partial, Whole whole) {
    WeightSums sums = SumWeights(linear);
    std::vector<int64_t> partial_bounds(linear.out), bounds(linear.out);
    for (uint32_t c = 0; c < linear.out; ++c) {
      partial_bounds[c] = partial(sums.magnitude[c], linear.bias[c], sums.sum[c]);
      bounds[c] = whole(sums.magnitude[c], linear.bias[c]);
    }
    Accumulators(site, partial_bounds);
    linear.column_sums = std::move(sums.sum);
    return bounds;
  }

  // |RQ32(acc)| < 2^31 - 1, so that the low half of the 64-bit result is the result; 256 leaves room for a zero point.
  void Product(const char* site, uint32_t channel, int64_t bound, int32_t mult, uint32_t shift) {
    const int64_t limit = std::min(bound, kMaxS32);
    if (((limit * mult) >> shift) + 256 >= kMaxS32)
      Fail(site, channel, "requantized value can leave s32; shift", shift);
  }

  std::vector<LayerBound>* report_;
};

void ProvePatchEmbed(Proof& proof, PatchEmbed& p) {
  WeightSums high = SumPanels(p.weight_high, p.in, p.out), low = SumPanels(p.weight_low, p.in, p.out);
  std::vector<int64_t> bounds(p.out);
  for (uint32_t c = 0; c < p.out; ++c) {
    // |A| and the mean correction are each at most 255 * sum |w|; the operands of one plane are at most 255 too.
    bounds[c] = 2 * 255 * (64 * int64_t{high.magnitude[c]} + low.magnitude[c]);
  }
  proof.Accumulators("patch_embed", bounds);
  proof.Requantized("patch_embed.rq", p.rq, bounds);
  p.high_column_sums = std::move(high.sum), p.low_column_sums = std::move(low.sum);
}

void ProveRelPos(Proof& proof, const char* site, const RelPos& rel, int64_t& logit) {
  int64_t bound = 0;
  for (size_t row = 0; row < rel.table.size(); row += rel.head_dim) {
    int64_t magnitude = 0;
    for (uint32_t d = 0; d < rel.head_dim; ++d) magnitude += Abs(rel.table[row + d]);
    bound = std::max(bound, 127 * magnitude);
  }
  proof.Accumulators(site, {bound});
  proof.Requantized(site, rel.rq, bound);
  logit += ((bound * rel.rq.mult) >> rel.rq.shift) + 1;
}

void ProveBlock(Proof& proof, EncoderBlock& b, uint32_t head_dim) {
  proof.Narrow("norm1", b.norm1);
  proof.Lifted("attn.qkv", proof.CodesLayer("attn.qkv", b.qkv, b.norm1.out),
               std::max({b.q_rq.up, b.k_rq.up, b.v_rq.up}));
  proof.SignedCodes("attn.q.rq.out", b.q_rq.out);
  proof.SignedCodes("attn.k.rq.out", b.k_rq.out);
  proof.SignedCodes("attn.v.rq.out", b.v_rq.out);
  proof.SignedCodes("attn.softmax.out", b.softmax.out);
  // |q.k| <= d * 127^2, and both relative positions are added to it.
  int64_t logit = int64_t{head_dim} * 127 * 127;
  ProveRelPos(proof, "attn.rel_pos_h", b.rel_pos_h, logit);
  ProveRelPos(proof, "attn.rel_pos_w", b.rel_pos_w, logit);
  if (logit >= kMaxS32) proof.Fail("attn", 0, "logits can reach", logit);
  proof.Attention("attn.softmax", b.softmax, b.side * b.side);
  proof.Requantized("attn.proj.rq", b.proj_rq, proof.CodesLayer("attn.proj", b.proj, b.softmax.out));
  proof.Narrow("norm2", b.norm2);
  proof.Lifted("mlp.lin1", proof.CodesLayer("mlp.lin1", b.lin1, b.norm2.out), b.gelu.up);
  proof.CodesRange("mlp.gelu.out", b.gelu.out);
  proof.Requantized("mlp.lin2.rq", b.lin2_rq, proof.CodesLayer("mlp.lin2", b.lin2, b.gelu.out));
}

void ProveAttention(Proof& proof, const std::string& name, DecoderAttention& a, uint32_t keys) {
  const std::string outer = proof.prefix;
  proof.prefix += name + ".";
  proof.Quantize("q_proj.in", a.q_in, 2 * 32767);
  proof.Quantize("k_proj.in", a.k_in, 2 * 32767);
  proof.Quantize("v_proj.in", a.v_in, 2 * 32767);
  proof.Lifted("q_proj", proof.CodesLayer("q_proj", a.q, a.q_in.out), a.q_rq.up);
  proof.Lifted("k_proj", proof.CodesLayer("k_proj", a.k, a.k_in.out), a.k_rq.up);
  proof.Lifted("v_proj", proof.CodesLayer("v_proj", a.v, a.v_in.out), a.v_rq.up);
  proof.SignedCodes("q_proj.rq.out", a.q_rq.out);
  proof.SignedCodes("k_proj.rq.out", a.k_rq.out);
  proof.SignedCodes("v_proj.rq.out", a.v_rq.out);
  proof.SignedCodes("softmax.out", a.softmax.out);
  proof.Attention("softmax", a.softmax, keys);
  proof.Requantized("out_proj.rq", a.out_rq, proof.CodesLayer("out_proj", a.out, a.softmax.out));
  proof.prefix = outer;
}

void ProveMlp(Proof& proof, const std::string& name, Mlp& mlp) {
  const std::string outer = proof.prefix;
  for (size_t i = 0; i < mlp.layers.size(); ++i) {
    proof.prefix = outer + name + ".layers." + std::to_string(i) + ".";
    proof.Requantized("rq", mlp.layers[i].rq, proof.S16Layer("linear", mlp.layers[i].linear));
  }
  proof.prefix = outer;
}

void ProvePromptEncoder(Proof& proof, PromptEncoder& p) {
  proof.Requantized("token_pe", p.token_pe, 32767);
  proof.Requantized("image_pe", p.image_pe, 32767);
  proof.Requantized("mask_downscaling.0.rq", p.mask.conv1_rq, proof.S16Layer("mask_downscaling.0", p.mask.conv1));
  proof.Requantized("mask_downscaling.3.rq", p.mask.conv2_rq, proof.S16Layer("mask_downscaling.3", p.mask.conv2));
  proof.Requantized("mask_downscaling.6.rq", p.mask.conv3_rq, proof.S16Layer("mask_downscaling.6", p.mask.conv3));
}

void ProveMaskDecoder(Proof& proof, MaskDecoder& d, const SamConfig& config) {
  const uint32_t tokens = MaxTokens(config), image = config.grid() * config.grid();
  for (size_t i = 0; i < d.layers.size(); ++i) {
    DecoderLayer& l = d.layers[i];
    proof.prefix = "mask_decoder.transformer.layers." + std::to_string(i) + ".";
    ProveAttention(proof, "self_attn", l.self_attn, tokens);
    ProveAttention(proof, "cross_attn_token_to_image", l.token_to_image, image);
    ProveAttention(proof, "cross_attn_image_to_token", l.image_to_token, tokens);
    proof.Quantize("mlp.in", l.mlp_in, 2 * 32767);
    proof.Lifted("mlp.lin1", proof.CodesLayer("mlp.lin1", l.lin1, l.mlp_in.out), l.lin1_rq.up);
    proof.CodesRange("mlp.lin1.rq.out", l.lin1_rq.out);
    proof.Requantized("mlp.lin2.rq", l.lin2_rq, proof.CodesLayer("mlp.lin2", l.lin2, l.lin1_rq.out));
  }
  proof.prefix = "mask_decoder.transformer.";
  ProveAttention(proof, "final_attn_token_to_image", d.final_attn, image);
  proof.prefix = "mask_decoder.";
  proof.Requantized("output_upscaling.0.rq", d.upscaling.conv1_rq,
                    proof.S16Layer("output_upscaling.0", d.upscaling.conv1));
  proof.Requantized("output_upscaling.3.rq", d.upscaling.conv2_rq,
                    proof.S16Layer("output_upscaling.3", d.upscaling.conv2));
  for (size_t i = 0; i < d.hypernetworks.size(); ++i) {
    ProveMlp(proof, "output_hypernetworks_mlps." + std::to_string(i), d.hypernetworks[i]);
  }
  ProveMlp(proof, "iou_prediction_head", d.iou_head);
  // Terms of at most kHyperMax * 32767, prompt_embed_dim / 8 <= 32 of them (ValidateConfig).
  proof.Requantized("mask_product", d.mask_product,
                    std::vector<int64_t>(d.num_masks, int64_t{d.dim / 8} * kHyperMax * 32767));
  proof.Requantized("iou_q15", d.iou_q15, 32767);
}

}  // namespace

Status ProveModel(IntegerModel& model, std::vector<LayerBound>* report) {
  Proof proof(report);
  ImageEncoder& encoder = model.image_encoder;
  proof.prefix = "image_encoder.";
  ProvePatchEmbed(proof, encoder.patch_embed);
  for (size_t i = 0; i < encoder.blocks.size(); ++i) {
    proof.prefix = "image_encoder.blocks." + std::to_string(i) + ".";
    ProveBlock(proof, encoder.blocks[i], model.config.vit.head_dim());
  }
  proof.prefix = "image_encoder.neck.";
  Neck& neck = encoder.neck;
  proof.Quantize("in", neck.in, 1 << 23);
  proof.Requantized("0.rq", neck.conv1_rq, proof.CodesLayer("0", neck.conv1, neck.in.out));
  proof.Narrow("1", neck.norm1);
  proof.Requantized("2.rq", neck.conv2_rq, proof.CodesLayer("2", neck.conv2, neck.norm1.out));
  proof.prefix = "prompt_encoder.";
  ProvePromptEncoder(proof, model.prompt_encoder);
  ProveMaskDecoder(proof, model.mask_decoder, model.config);
  return proof.status;
}

}  // namespace intsam::internal
