// Prompt encoder and mask decoder over whole tensors (docs/numerics.md 10, 11).
#include "runtime/exec/reference/mask_decoder.h"

#include <algorithm>

#include "kernels/numerics/fixed_point.h"
#include "runtime/exec/prompt_tokens.h"
#include "runtime/ops/tensors.h"

namespace intsam::internal::reference {
namespace {

struct State {
  const PreparedModel& p;
  Tensor<int16_t> tokens{0, 0}, token_pe{0, 0}, keys{0, 0}, upscaled{0, 0}, hyper{0, 0};

  const MaskDecoder& decoder() const { return p.model->mask_decoder; }
};

Tensor<int32_t> Multiply12(const Linear12& conv, const Tensor<int16_t>& x) {
  Tensor<int32_t> acc(x.rows, conv.out);
  for (size_t i = 0; i < x.rows; ++i) {
    for (uint32_t o = 0; o < conv.out; ++o) {
      int32_t sum = conv.bias[o];
      for (uint32_t k = 0; k < conv.in; ++k) sum += int32_t{conv.weight[o * conv.in + k]} * x[i][k];
      acc[i][o] = sum;
    }
  }
  return acc;
}

// Rows of 2x2 patches, stride 2, of a map [side][side][channels], in order (channel, dy, dx).
Tensor<int16_t> Patches2x2(const int16_t* map, size_t side, size_t channels) {
  Tensor<int16_t> out(side / 2 * (side / 2), 4 * channels);
  for (size_t i = 0; i < out.rows; ++i) {
    for (size_t part = 0; part < 4; ++part) {
      const size_t y = i / (side / 2) * 2 + part / 2, x = i % (side / 2) * 2 + part % 2;
      for (size_t c = 0; c < channels; ++c) out[i][c * 4 + part] = map[(y * side + x) * channels + c];
    }
  }
  return out;
}

void DensePrompt(State& s, const int16_t* embedding, const int16_t* mask) {
  const PromptEncoder& p = s.p.model->prompt_encoder;
  const size_t grid = s.p.model->config.grid();
  Tensor<int16_t> dense(grid * grid, p.dim);
  if (mask == nullptr) {
    for (size_t i = 0; i < dense.rows; ++i) std::copy_n(p.no_mask.data(), p.dim, dense[i]);
  } else {
    const MaskDownscaling& m = p.mask;
    Tensor<int16_t> x = Norm(m.norm1, ToR24(m.conv1_rq, Multiply12(m.conv1, Patches2x2(mask, 4 * grid, 1))));
    Gelu(m.gelu1_bits, x);
    x = Norm(m.norm2, ToR24(m.conv2_rq, Multiply12(m.conv2, Patches2x2(x[0], 2 * grid, x.columns))));
    Gelu(m.gelu2_bits, x);
    dense = ToS16(m.conv3_rq, Multiply12(m.conv3, x), -32767, 32767);
  }
  s.keys = Tensor<int16_t>(grid * grid, p.dim);
  Scalar().add_s16({embedding, dense[0], s.keys[0], grid * grid * p.dim});
}

// The two sides of an attention; `pe` of one is null where none is added.
struct Side {
  const Tensor<int16_t>& rows;
  const int16_t* pe;
};

// bias + x * w, x being what the layer reads of a stream with, where pe is not null, a positional encoding.
Tensor<int32_t> MultiplyStream(const StreamInput& in, const PreparedLinear& layer, const Tensor<int16_t>& x,
                               const int16_t* pe) {
  if (!in.as_values()) return Multiply(layer, Quantize(in.codes, x, pe));
  if (pe == nullptr) return Multiply(layer, x);
  Tensor<int16_t> sum(x.rows, x.columns);
  Scalar().add_s16({x[0], pe, sum[0], x.rows * x.columns});
  return Multiply(layer, sum);
}

// One layer of every head, [rows][heads * dim], from the heads' parts of x: a moved projection.
Tensor<int32_t> MultiplyHeads(const DecoderAttention& a, const PreparedLinear& layer, const Tensor<uint8_t>& x) {
  Tensor<int32_t> acc(x.rows, layer.linear->out);
  for (uint32_t head = 0; head < a.heads; ++head) {
    const Tensor<uint8_t> part = Slice(x, size_t{head} * a.head_dim, a.head_dim);
    ops::Gemm(Scalar(), layer, part.all(), part.n(), {acc[0] + size_t{head} * a.dim, acc.columns}, head * a.dim,
              static_cast<int>(a.dim));
  }
  return acc;
}

// [rows][heads * columns] as [rows * heads][columns].
template <class T>
Tensor<T> RowsOfHeads(Tensor<T> x, size_t heads) {
  x.rows *= heads, x.columns /= heads;
  return x;
}

Tensor<int8_t> Signed(const Tensor<uint8_t>& codes) {
  Tensor<int8_t> out(codes.rows, codes.columns);
  for (size_t i = 0; i < codes.rows * codes.columns; ++i) out.values[i] = static_cast<int8_t>(codes.values[i] - 128);
  return out;
}

// Every image row is projected; also self-attention. Returns accumulators of out_proj.
Tensor<int32_t> AttendOnImage(const DecoderAttention& a, const PreparedAttention& prepared, const Side& from,
                              const Side& to) {
  const Tensor<int8_t> q = ToSigned(a.q_rq, MultiplyStream(a.q_in, prepared.q, from.rows, from.pe));
  const Tensor<int8_t> k = ToSigned(a.k_rq, MultiplyStream(a.k_in, prepared.k, to.rows, to.pe));
  const Tensor<int8_t> v = ToSigned(a.v_rq, MultiplyStream(a.v_in, prepared.v, to.rows, nullptr));
  Tensor<uint8_t> attended(q.rows, q.columns);
  for (uint32_t head = 0; head < a.heads; ++head) {
    const size_t first = size_t{head} * a.head_dim;
    const Tensor<uint8_t> out =
        Attend(a.softmax, {a.q_rq.out, a.k_rq.out, a.v_rq.out}, Slice(q, first, a.head_dim),
               Slice(k, first, a.head_dim), Slice(v, first, a.head_dim), [](size_t) { return ops::RowRelPos(); });
    for (size_t i = 0; i < q.rows; ++i) std::copy_n(out[i], a.head_dim, attended[i] + first);
  }
  return Multiply(prepared.out, attended);
}

// Scores of all heads, columns key * heads + head.
Tensor<int32_t> ScoresOfHeads(const DecoderAttention& a, const Tensor<int16_t>& q, const Tensor<int8_t>& k) {
  Tensor<int32_t> scores(q.rows, k.rows * a.heads);
  for (size_t i = 0; i < q.rows; ++i) {
    for (size_t at = 0; at < scores.columns; ++at) {
      const size_t first = at % a.heads * a.head_dim;
      for (size_t d = first; d < first + a.head_dim; ++d) scores[i][at] += int32_t{q[i][d]} * k[at / a.heads][d];
    }
  }
  return scores;
}

// Self-attention whose queries, values and results are s16. Returns accumulators of out_proj.
Tensor<int32_t> AttendInWords(const DecoderAttention& a, const PreparedAttention& prepared, const Side& tokens) {
  const Tensor<int16_t> q =
      ToS16(a.q_words, MultiplyStream(a.q_in, prepared.q, tokens.rows, tokens.pe), -32767, 32767);
  const Tensor<int8_t> k = ToSigned(a.k_rq, MultiplyStream(a.k_in, prepared.k, tokens.rows, tokens.pe));
  const Tensor<int16_t> v =
      ToS16(a.v_words, MultiplyStream(a.v_in, prepared.v, tokens.rows, nullptr), -ops::kWordValueMax, ops::kWordValueMax);
  const Tensor<int32_t> scores = ScoresOfHeads(a, q, k);
  Tensor<int16_t> attended(q.rows, q.columns);
  Tensor<int32_t> row(1, k.rows);
  Tensor<uint16_t> prob(1, static_cast<size_t>(RoundUp(k.n(), kPanel)));
  Tensor<int64_t> mixed(1, a.head_dim);
  for (size_t i = 0; i < q.rows; ++i) {
    for (uint32_t head = 0; head < a.heads; ++head) {
      for (size_t j = 0; j < k.rows; ++j) row[0][j] = scores[i][j * a.heads + head];
      const int32_t sum = ops::Probabilities(Scalar(), a.softmax, row[0], k.n(), {}, prob[0]);
      const size_t first = size_t{head} * a.head_dim;
      for (size_t d = 0; d < a.head_dim; ++d) {
        mixed[0][d] = 0;
        for (size_t j = 0; j < k.rows; ++j) mixed[0][d] += int64_t{prob[0][j]} * v[j][first + d];
      }
      ops::AttentionWords(a.softmax, mixed[0], &sum, 1, static_cast<int>(a.head_dim), {attended[i] + first, q.columns});
    }
  }
  return Multiply(prepared.out, attended);
}

// Image rows are keys and values as they are. Returns accumulators of out_proj.
Tensor<int32_t> TokensAskImage(const DecoderAttention& a, const PreparedAttention& prepared, const Side& tokens,
                               const Side& image) {
  const Tensor<uint8_t> q = ToCodes(a.q_rq, MultiplyStream(a.q_in, prepared.q, tokens.rows, tokens.pe));
  const Tensor<int8_t> asked = RowsOfHeads(ToSigned(a.k_rq, MultiplyHeads(a, prepared.k, q)), a.heads);
  const Tensor<uint8_t> mixed =
      Attend(a.softmax, {a.k_rq.out, a.k_in.codes.out, a.v_in.codes.out}, asked,
             Signed(Quantize(a.k_in.codes, image.rows, image.pe)), Signed(Quantize(a.v_in.codes, image.rows, nullptr)),
             [](size_t) { return ops::RowRelPos(); });
  // v_proj of every head's mix, of which the head's part is taken.
  const Tensor<uint8_t> all = ToCodes(a.v_rq, Multiply(prepared.v, mixed));
  Tensor<uint8_t> attended(q.rows, a.inner());
  for (size_t i = 0; i < all.rows; ++i) {
    const size_t first = i % a.heads * a.head_dim;
    std::copy_n(all[i] + first, a.head_dim, attended[i / a.heads] + first);
  }
  return Multiply(prepared.out, attended);
}

// Image rows are queries; what each token's value becomes behind out_proj is mixed. Returns accumulators of the mix.
Tensor<int32_t> ImageAsksTokens(const DecoderAttention& a, const PreparedAttention& prepared, const Side& image,
                                const Side& tokens) {
  const Tensor<int16_t> q = ToS16(a.q_words, MultiplyStream(a.q_in, prepared.q, image.rows, image.pe), -32767, 32767);
  const Tensor<int8_t> k = ToSigned(a.k_rq, MultiplyStream(a.k_in, prepared.k, tokens.rows, tokens.pe));
  const Tensor<uint8_t> v = ToCodes(a.v_rq, MultiplyStream(a.v_in, prepared.v, tokens.rows, nullptr));
  const Tensor<int32_t> scores = ScoresOfHeads(a, q, k);
  const Tensor<int8_t> rows = RowsOfHeads(ToSigned(a.out_rows_rq, MultiplyHeads(a, prepared.out, v)), a.heads);
  Tensor<int16_t> prob(scores.rows, static_cast<size_t>(RoundUp(static_cast<int>(rows.rows), 4)));
  ops::HeadProbabilities(Scalar(), a.softmax, scores.all(), scores.n(), static_cast<int>(a.heads), k.n(), prob.all());
  Tensor<int32_t> acc(scores.rows, a.dim);
  for (size_t i = 0; i < acc.rows; ++i) {
    for (size_t c = 0; c < a.dim; ++c) {
      acc[i][c] = a.out_bias[c];
      for (size_t at = 0; at < rows.rows; ++at) acc[i][c] += int32_t{prob[i][at]} * rows[at][c];
    }
  }
  return acc;
}

void SelfAttention(State& s, uint32_t layer) {
  const DecoderLayer& l = s.decoder().layers[layer];
  const Side tokens{s.tokens, layer == 0 ? nullptr : s.token_pe[0]};
  const PreparedAttention& prepared = s.p.layers[layer].self_attn;
  const Tensor<int32_t> acc = l.self_attn.in_words() ? AttendInWords(l.self_attn, prepared, tokens)
                                                     : AttendOnImage(l.self_attn, prepared, tokens, tokens);
  s.tokens = Norm(l.norm1, layer == 0 ? ToR24(l.self_attn.out_rq, acc) : AddStream(l.self_attn.out_rq, acc, s.tokens));
}

void TokenToImage(State& s, const DecoderAttention& a, const PreparedAttention& prepared, const NormWide& norm) {
  const Side tokens{s.tokens, s.token_pe[0]}, image{s.keys, s.p.image_pe.data()};
  const Tensor<int32_t> acc =
      a.on_tokens() ? TokensAskImage(a, prepared, tokens, image) : AttendOnImage(a, prepared, tokens, image);
  s.tokens = Norm(norm, AddStream(a.out_rq, acc, s.tokens));
}

void TokenMlp(State& s, uint32_t layer) {
  const DecoderLayer& l = s.decoder().layers[layer];
  const Tensor<uint8_t> hidden =
      ToCodes(l.lin1_rq, MultiplyStream(l.mlp_in, s.p.layers[layer].lin1, s.tokens, nullptr));
  s.tokens = Norm(l.norm3, AddStream(l.lin2_rq, Multiply(s.p.layers[layer].lin2, hidden), s.tokens));
}

void ImageToToken(State& s, uint32_t layer) {
  const DecoderLayer& l = s.decoder().layers[layer];
  const DecoderAttention& a = l.image_to_token;
  const PreparedAttention& prepared = s.p.layers[layer].image_to_token;
  const Side tokens{s.tokens, s.token_pe[0]}, image{s.keys, s.p.image_pe.data()};
  const Tensor<int32_t> acc =
      a.on_tokens() ? ImageAsksTokens(a, prepared, image, tokens) : AttendOnImage(a, prepared, image, tokens);
  s.keys = Norm(l.norm4, AddStream(a.out_rq, acc, s.keys));
}

// Rows (position)(dy, dx, channel) of a transposed 2x2 convolution to a map of twice the side.
template <class T>
Tensor<T> Spread(const Tensor<T>& x, size_t side, size_t channels) {
  Tensor<T> out(x.rows * 4, channels);
  for (size_t i = 0; i < x.rows; ++i) {
    for (size_t part = 0; part < 4; ++part) {
      const size_t y = i / side * 2 + part / 2, column = i % side * 2 + part % 2;
      std::copy_n(x[i] + part * channels, channels, out[y * 2 * side + column]);
    }
  }
  return out;
}

void Upscale(State& s) {
  const Upscaling& u = s.decoder().upscaling;
  const size_t grid = s.p.model->config.grid();
  Tensor<int16_t> x = Norm(u.norm, Spread(ToR24(u.conv1_rq, Multiply(s.p.upscale1, s.keys)), grid, u.norm.channels));
  Gelu(u.gelu1_bits, x);
  s.upscaled = Spread(ToS16(u.conv2_rq, Multiply(s.p.upscale2, x), -32767, 32767), 2 * grid, u.conv2.out / 4);
  Gelu(u.gelu2_bits, s.upscaled);
}

Tensor<int16_t> RunMlp(const Mlp& mlp, const std::vector<PreparedLinear>& layers, Tensor<int16_t> x, int last_limit) {
  for (size_t i = 0; i < mlp.layers.size(); ++i) {
    const bool last = i + 1 == mlp.layers.size();
    x = ToS16(mlp.layers[i].rq, Multiply(layers[i], x), last ? -last_limit : 0, last ? last_limit : 32767);
  }
  return x;
}

Tensor<int16_t> TokenRow(const State& s, size_t row) {
  Tensor<int16_t> out(1, s.tokens.columns);
  std::copy_n(s.tokens[row], s.tokens.columns, out[0]);
  return out;
}

void Hypernetworks(State& s) {
  const MaskDecoder& d = s.decoder();
  s.hyper = Tensor<int16_t>(d.num_masks, s.p.model->config.upscale2_dim());
  for (uint32_t i = 0; i < d.num_masks; ++i) {
    const Tensor<int16_t> out = RunMlp(d.hypernetworks[i], s.p.hypernetworks[i], TokenRow(s, 1 + i), kHyperMax);
    std::copy_n(out[0], out.columns, s.hyper[i]);
  }
}

void MaskProduct(const State& s, int16_t* low_res) {
  Scalar().mask_product({s.hyper[0], s.upscaled[0], ops::Channels(s.decoder().mask_product), low_res, s.upscaled.rows,
                         static_cast<int>(s.decoder().num_masks), s.upscaled.n(),
                         static_cast<int>(s.upscaled.columns)});
}

}  // namespace

Status Decode(const PreparedModel& p, const int16_t* embedding, const Frame& frame, const Prompt& prompt,
              int16_t* low_res, int16_t* iou, const StepHook& hook) {
  State s{p};
  const MaskDecoder& d = p.model->mask_decoder;
  const std::vector<DecoderStep> steps = MaskDecoderSteps(p.model->config);
  for (size_t i = 0; i < steps.size(); ++i) {
    if (hook && !hook(steps[i], static_cast<int>(i), static_cast<int>(steps.size())))
      return Error(Code::kCancelled, "cancelled");
    const uint32_t layer = steps[i].layer;
    switch (steps[i].kind) {
      case DecoderStepKind::kPromptTokens:
        s.tokens = Tensor<int16_t>(TokenCount(p.model->config, prompt), d.dim);
        PromptTokens(*p.model, frame, prompt, s.tokens[0]);
        s.token_pe = s.tokens;
        break;
      case DecoderStepKind::kDensePrompt: DensePrompt(s, embedding, prompt.mask); break;
      case DecoderStepKind::kSelfAttention: SelfAttention(s, layer); break;
      case DecoderStepKind::kTokenToImage:
        TokenToImage(s, d.layers[layer].token_to_image, p.layers[layer].token_to_image, d.layers[layer].norm2);
        break;
      case DecoderStepKind::kTokenMlp: TokenMlp(s, layer); break;
      case DecoderStepKind::kImageToToken: ImageToToken(s, layer); break;
      case DecoderStepKind::kFinalTokenToImage: TokenToImage(s, d.final_attn, p.final_attn, d.norm_final); break;
      case DecoderStepKind::kHypernetworks: Hypernetworks(s); break;
      case DecoderStepKind::kMasks:
        Upscale(s);
        MaskProduct(s, low_res);
        break;
      case DecoderStepKind::kIouHead:
        std::copy_n(RunMlp(d.iou_head, p.iou_head, TokenRow(s, 0), 32767)[0], d.num_masks, iou);
        break;
    }
  }
  return Status();
}

}  // namespace intsam::internal::reference
