#include "runtime/format/proof.h"

#include <string>
#include <variant>
#include <vector>

namespace intsam::internal {
namespace {

// A layer between codes and codes with zero point 128.
void ProveSigned(Proof& proof, const std::string& name, Linear& linear, const Codes& in, const Rq16& rq) {
  proof.Lifted(name.c_str(), proof.CodesLayer(name.c_str(), linear, in), rq.up);
  proof.SignedCodes((name + ".rq.out").c_str(), rq.out);
}

// A layer between a stream and codes.
void ProveToCodes(Proof& proof, const std::string& name, Linear& linear, const StreamInput& in, const Rq16& rq) {
  proof.Lifted(name.c_str(), proof.StreamLayer(name.c_str(), linear, in), rq.up);
  proof.CodesRange((name + ".rq.out").c_str(), rq.out);
}

// The same to codes with zero point 128.
void ProveProjection(Proof& proof, const std::string& name, Linear& linear, const StreamInput& in, const Rq16& rq) {
  proof.Lifted(name.c_str(), proof.StreamLayer(name.c_str(), linear, in), rq.up);
  proof.SignedCodes((name + ".rq.out").c_str(), rq.out);
}

// A layer between a stream and s16 values.
void ProveWords(Proof& proof, const std::string& name, Linear& linear, const StreamInput& in, const Rq32& rq) {
  proof.Requantized((name + ".words").c_str(), rq, proof.StreamLayer(name.c_str(), linear, in));
}

// Scores of s16 queries: a part of every query times a key of at most 127.
void ProveWordScores(Proof& proof, const DecoderAttention& a) {
  proof.Accumulators("q_proj.words", {int64_t{a.head_dim} * 32767 * 127});
}

// Image rows that are keys or values as they are.
void ProveImageRows(Proof& proof, const std::string& name, const StreamInput& in) {
  if (in.as_values())
    return proof.Fail((name + ".form").c_str(), 0, "image rows are codes here, but the form is", in.form);
  proof.SignedCodes((name + ".out").c_str(), in.codes.out);
}

// Probabilities that are divided by their sum at once: of each head they add up to at most one and half a unit per key.
void ProveDividedMix(Proof& proof, DecoderAttention& a, uint32_t keys) {
  ProveSigned(proof, "out_proj", a.out, a.v_rq.out, a.out_rows_rq);
  const int64_t mixed = int64_t{a.heads} * (32768 + keys / 2 + 1) * 127;
  std::vector<int64_t> bounds;
  for (const int32_t bias : a.out_bias) bounds.push_back(mixed + Abs(bias));
  proof.Accumulators("out_proj.mix", bounds);
  proof.Requantized("out_proj.rq", a.out_rq, bounds);
}

void ProveExact(Proof& proof, const Softmax& softmax) {
  if (softmax.variant != Softmax::kE16)
    proof.Fail("softmax", 0, "this form takes exact probabilities, but the variant is", softmax.variant);
}

// Where image rows meet tokens without being projected (docs/numerics.md 11.1).
void ProveOnTokens(Proof& proof, DecoderAttention& a, uint32_t keys) {
  ProveExact(proof, a.softmax);
  if (a.image_asks()) {
    const Softmax unused;
    if (a.softmax.mix.mult != unused.mix.mult || a.softmax.mix.shift != unused.mix.shift ||
        a.softmax.out.lo != unused.out.lo || a.softmax.out.hi != unused.out.hi)
      proof.Fail("softmax.mix", 0, "this form has no codes of mixed values, but mix.shift is", a.softmax.mix.shift);
    ProveProjection(proof, "k_proj", a.k, a.k_in, a.k_rq);
    ProveProjection(proof, "v_proj", a.v, a.v_in, a.v_rq);
    ProveWords(proof, "q_proj", a.q, a.q_in, a.q_words);
    ProveWordScores(proof, a);
    return ProveDividedMix(proof, a, keys);
  }
  ProveImageRows(proof, "k_proj.in", a.k_in);
  ProveImageRows(proof, "v_proj.in", a.v_in);
  ProveProjection(proof, "q_proj", a.q, a.q_in, a.q_rq);
  ProveSigned(proof, "k_proj", a.k, a.q_rq.out, a.k_rq);
  ProveSigned(proof, "v_proj", a.v, a.softmax.out, a.v_rq);
  proof.Requantized("out_proj.rq", a.out_rq, proof.CodesLayer("out_proj", a.out, a.v_rq.out));
}

void ProveOnImage(Proof& proof, DecoderAttention& a) {
  ProveToCodes(proof, "q_proj", a.q, a.q_in, a.q_rq);
  ProveToCodes(proof, "k_proj", a.k, a.k_in, a.k_rq);
  ProveToCodes(proof, "v_proj", a.v, a.v_in, a.v_rq);
  proof.Requantized("out_proj.rq", a.out_rq, proof.CodesLayer("out_proj", a.out, a.softmax.out));
}

// Of |N| <= 2^15 * S, of which the division takes care (docs/numerics.md 6.7).
void ProveInWords(Proof& proof, DecoderAttention& a) {
  ProveExact(proof, a.softmax);
  ProveWords(proof, "q_proj", a.q, a.q_in, a.q_words);
  ProveWordScores(proof, a);
  ProveProjection(proof, "k_proj", a.k, a.k_in, a.k_rq);
  ProveWords(proof, "v_proj", a.v, a.v_in, a.v_words);
  const Softmax unused;
  if (a.softmax.out.lo != unused.out.lo || a.softmax.out.hi != unused.out.hi)
    proof.Fail("softmax.out", 0, "this form has no codes of mixed values, but the least one is", a.softmax.out.lo);
  proof.Requantized("out_proj.rq", a.out_rq, proof.S16Layer("out_proj", a.out));
}

void ProveAttention(Proof& proof, const std::string& name, DecoderAttention& a, uint32_t keys) {
  const std::string outer = proof.prefix;
  proof.prefix += "." + name;
  proof.Stream("q_proj.in", a.q_in);
  proof.Stream("k_proj.in", a.k_in);
  proof.Stream("v_proj.in", a.v_in);
  a.form == DecoderAttention::kOnImage ? proof.CodesRange("softmax.out", a.softmax.out)
                                       : proof.SignedCodes("softmax.out", a.softmax.out);
  proof.Attention("softmax", a.softmax, a.on_tokens() ? a.v_in.codes.out : a.v_rq.out, keys);
  if (a.kind == DecoderAttention::Kind::kSelf && a.on_tokens())
    proof.Fail("form", 0, "self-attention has no image side, but the form is", a.form);
  if (a.in_words()) {
    ProveInWords(proof, a);
  } else {
    a.on_tokens() ? ProveOnTokens(proof, a, keys) : ProveOnImage(proof, a);
  }
  proof.prefix = outer;
}

void ProveMlp(Proof& proof, const std::string& name, Mlp& mlp) {
  const std::string outer = proof.prefix;
  for (size_t i = 0; i < mlp.layers.size(); ++i) {
    proof.prefix = outer + "." + name + ".layers." + std::to_string(i);
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
    proof.prefix = "mask_decoder.transformer.layers." + std::to_string(i);
    ProveAttention(proof, "self_attn", l.self_attn, tokens);
    ProveAttention(proof, "cross_attn_token_to_image", l.token_to_image, image);
    ProveAttention(proof, "cross_attn_image_to_token", l.image_to_token, tokens);
    proof.Stream("mlp.in", l.mlp_in);
    proof.Lifted("mlp.lin1", proof.StreamLayer("mlp.lin1", l.lin1, l.mlp_in), l.lin1_rq.up);
    proof.CodesRange("mlp.lin1.rq.out", l.lin1_rq.out);
    proof.Requantized("mlp.lin2.rq", l.lin2_rq, proof.CodesLayer("mlp.lin2", l.lin2, l.lin1_rq.out));
  }
  proof.prefix = "mask_decoder.transformer";
  ProveAttention(proof, "final_attn_token_to_image", d.final_attn, image);
  proof.prefix = "mask_decoder";
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
  for (EncoderLayer& layer : model.image_encoder.layers) {
    proof.prefix = layer.path();
    std::visit([&](auto& record) { Prove(proof, record); }, layer.kind);
  }
  proof.prefix = "prompt_encoder";
  ProvePromptEncoder(proof, model.prompt_encoder);
  ProveMaskDecoder(proof, model.mask_decoder, model.config);
  return proof.status;
}

}  // namespace intsam::internal
