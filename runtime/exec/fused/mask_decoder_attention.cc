// The two-way transformer of mask_decoder.h. Work on tokens is a handful of rows and runs on the calling thread; work
// on image positions is split into blocks of them, token-to-image attention into heads, or into strips of tokens.
#include <algorithm>

#include "runtime/exec/fused/mask_decoder.h"

namespace intsam::internal {

using ops::Rows;

namespace {

constexpr uint8_t kPlain = 0x80;  // XORed with codes of zero point 128 this leaves plain s8

uint8_t* AsCodes(int8_t* plain) { return reinterpret_cast<uint8_t*>(plain); }
const uint8_t* AsCodes(const int8_t* plain) { return reinterpret_cast<const uint8_t*>(plain); }
const int8_t* AsPlain(const uint8_t* codes) { return reinterpret_cast<const int8_t*>(codes); }

}  // namespace

void FusedMaskDecoder::LayoutOnTokens(const SamConfig& c, Arena& arena, Buffers& b) {
  const size_t columns = size_t{MaxTokens(c)} * c.decoder_num_heads, dim = c.prompt_embed_dim;
  b.moved = arena.Take<int8_t>(columns * dim);
  b.columns = arena.Take<int8_t>(Padded(static_cast<uint32_t>(columns)) * dim);
  b.column_bias = arena.Take<int32_t>(Padded(static_cast<uint32_t>(columns)));
  b.out_panels = arena.Take<int8_t>(Padded(static_cast<uint32_t>(columns)) * dim);
}

void FusedMaskDecoder::LayoutInWords(const SamConfig& c, Arena& arena, Buffers& b) {
  const size_t tokens = MaxTokens(c), dim = c.prompt_embed_dim, head_dim = dim / c.decoder_num_heads;
  b.token_words = arena.Take<int16_t>(tokens * dim);
  b.token_v_low = arena.Take<int8_t>(tokens * dim);
  b.low_values = arena.Take<int16_t>(Padded(static_cast<uint32_t>(tokens)) * head_dim);
  b.low_mixed = arena.Take<int64_t>(HeadScratch::kStrip * head_dim);
}

void FusedMaskDecoder::Project(ImageSide& image, Buffers& buffers) {
  if (image.projected) return;
  image_ = &image, buffers_ = &buffers;
  const DecoderLayer& layer = prepared_.model->mask_decoder.layers[0];
  const DecoderAttention &to_image = layer.token_to_image, &to_token = layer.image_to_token;
  const PreparedLayer& prepared = prepared_.layers[0];
  ForKeys([&](size_t first, int rows, Worker& w) {
    DenseRows(nullptr, first, rows, w);
    if (!to_image.on_tokens()) {
      ProjectKeys(to_image.k_in, prepared.token_to_image.k, to_image.k_rq, true, first, rows, kPlain, w, buffers.key_a);
      ProjectKeys(to_image.v_in, prepared.token_to_image.v, to_image.v_rq, false, first, rows, kPlain, w,
                  buffers.key_b);
    }
    if (to_token.on_tokens()) {
      ProjectQueries(to_token, prepared.image_to_token.q, first, rows, w, image.words + first * to_token.inner());
    } else {
      ProjectKeys(to_token.q_in, prepared.image_to_token.q, to_token.q_rq, true, first, rows, kPlain, w, image.q);
    }
  });
  if (!to_image.on_tokens()) {
    parallel_.For(static_cast<int>(to_image.heads), [&](int h, int) {
      PackDecoderHead(to_image, static_cast<uint32_t>(h), buffers.key_a, buffers.key_b, key_count(),
                      image.heads[static_cast<size_t>(h)]);
    });
  }
  image.projected = true;
}

void FusedMaskDecoder::MultiplyStream(const StreamInput& in, const PreparedLinear& linear, const int16_t* x,
                                      const int16_t* pe, int rows, const StreamScratch& scratch,
                                      Rows<int32_t> acc) const {
  const Kernels& k = *prepared_.kernels;
  const size_t dim = linear.linear->in, n = static_cast<size_t>(rows) * dim;
  if (in.as_values()) {
    if (pe != nullptr) k.add_s16({x, pe, scratch.sums, n});
    return ops::Gemm(k, linear, Rows<const int16_t>{pe == nullptr ? x : scratch.sums, dim}, rows, acc);
  }
  ops::Quantize(k, in.codes, x, pe, n, scratch.codes);
  ops::Gemm(k, linear, Rows<const uint8_t>{scratch.codes, dim}, rows, acc);
}

Rows<const int32_t> FusedMaskDecoder::MultiplyTokens(const StreamInput& in, const PreparedLinear& linear, bool pe) {
  const Rows<int32_t> acc{buffers_->token_acc, Padded(linear.linear->out)};
  MultiplyStream(in, linear, buffers_->tokens, pe ? buffers_->token_pe : nullptr, tokens_,
                 {buffers_->token_codes, buffers_->token_sums}, acc);
  return acc;
}

Rows<const int32_t> FusedMaskDecoder::MultiplyKeys(const StreamInput& in, const PreparedLinear& linear, bool pe,
                                                   size_t first, int rows, Worker& w) {
  const size_t at = first * linear.linear->in;
  const Rows<int32_t> acc{w.acc, Padded(linear.linear->out)};
  MultiplyStream(in, linear, buffers_->keys + at, pe ? prepared_.image_pe.data() + at : nullptr, rows,
                 {w.codes, w.s16}, acc);
  return acc;
}

void FusedMaskDecoder::ProjectTokens(const StreamInput& in, const PreparedLinear& linear, const Rq16& rq, bool pe,
                                     uint8_t flip, int8_t* out) {
  ops::ToCodes(*prepared_.kernels, rq, MultiplyTokens(in, linear, pe), tokens_, 0, static_cast<int>(rq.n), flip,
               {AsCodes(out), rq.n});
}

void FusedMaskDecoder::ProjectWords(const StreamInput& in, const PreparedLinear& linear, const Rq32& rq, bool pe,
                                    int largest, int16_t* out) {
  ops::ToS16(*prepared_.kernels, rq, MultiplyTokens(in, linear, pe), tokens_, -largest, largest, {out, rq.n});
}

void FusedMaskDecoder::ProjectQueries(const DecoderAttention& a, const PreparedLinear& linear, size_t first, int rows,
                                      Worker& w, int16_t* out) {
  ops::ToS16(*prepared_.kernels, a.q_words, MultiplyKeys(a.q_in, linear, true, first, rows, w), rows, -32767, 32767,
             {out, a.q_words.n});
}

void FusedMaskDecoder::ProjectKeys(const StreamInput& in, const PreparedLinear& linear, const Rq16& rq, bool pe,
                                   size_t first, int rows, uint8_t flip, Worker& w, int8_t* out) {
  ops::ToCodes(*prepared_.kernels, rq, MultiplyKeys(in, linear, pe, first, rows, w), rows, 0, static_cast<int>(rq.n),
               flip, {AsCodes(out + first * rq.n), rq.n});
}

template <class T>
void FusedMaskDecoder::FinishTokens(const PreparedLinear& linear, Rows<const T> x, const Rq32& rq, const NormWide& norm,
                                    bool residual) {
  const Kernels& k = *prepared_.kernels;
  const size_t dim = rq.n, acc = Padded(rq.n);
  ops::Gemm(k, linear, x, tokens_, {buffers_->token_acc, acc});
  if (residual) {
    ops::AddStream(k, rq, {buffers_->token_acc, acc}, {buffers_->tokens, dim}, tokens_, {buffers_->token_rows, dim});
  } else {
    ops::ToR24(k, rq, {buffers_->token_acc, acc}, tokens_, {buffers_->token_rows, dim});
  }
  ops::Norm(k, norm, {buffers_->token_rows, dim}, tokens_, Rows<int16_t>{buffers_->tokens, dim});
}

void FusedMaskDecoder::PackDecoderHead(const DecoderAttention& a, uint32_t h, const int8_t* k_rows,
                                       const int8_t* v_rows, int keys, HeadScratch& head) const {
  const size_t inner = a.q.out, at = size_t{h} * a.head_dim;
  PackHead(*prepared_.kernels, {a.q_rq.out, a.k_rq.out, a.v_rq.out}, {k_rows + at, inner}, {v_rows + at, inner}, keys,
           static_cast<int>(a.head_dim), head);
}

void FusedMaskDecoder::AttendTokens(const DecoderAttention& a, uint32_t h, HeadScratch& head) {
  const size_t inner = a.q.out;
  for (int i = 0; i < tokens_; i += HeadScratch::kStrip) {
    const size_t row = static_cast<size_t>(i) * inner + size_t{h} * a.head_dim;
    AttendStrip(*prepared_.kernels, a.softmax, {buffers_->token_q + row, inner},
                std::min(HeadScratch::kStrip, tokens_ - i), nullptr, head, {buffers_->token_out + row, inner});
  }
}

void FusedMaskDecoder::SelfAttention(uint32_t layer) {
  const DecoderLayer& record = prepared_.model->mask_decoder.layers[layer];
  const DecoderAttention& a = record.self_attn;
  const PreparedAttention& prepared = prepared_.layers[layer].self_attn;
  const bool first_layer = layer == 0;  // no positional encoding, and the result replaces the tokens
  if (a.in_words()) {
    AttendInWords(a, prepared, !first_layer);
    return FinishTokens(prepared.out, Rows<const int16_t>{buffers_->token_words, a.inner()}, a.out_rq, record.norm1,
                        !first_layer);
  }
  ProjectTokens(a.q_in, prepared.q, a.q_rq, !first_layer, kPlain, buffers_->token_q);
  ProjectTokens(a.k_in, prepared.k, a.k_rq, !first_layer, kPlain, buffers_->token_k);
  ProjectTokens(a.v_in, prepared.v, a.v_rq, false, kPlain, buffers_->token_v);
  HeadScratch& head = buffers_->workers[0].head;
  for (uint32_t h = 0; h < a.heads; ++h) {
    PackDecoderHead(a, h, buffers_->token_k, buffers_->token_v, tokens_, head);
    AttendTokens(a, h, head);
  }
  FinishTokens(prepared.out, TokenOut(prepared.out), a.out_rq, record.norm1, !first_layer);
}

// s16 queries and values of all tokens against each other, into token_words. The high and the low bytes of values are
// mixed one after the other.
void FusedMaskDecoder::AttendInWords(const DecoderAttention& a, const PreparedAttention& prepared, bool pe) {
  const Kernels& k = *prepared_.kernels;
  const size_t inner = a.inner(), values = static_cast<size_t>(tokens_) * inner;
  const int d = static_cast<int>(a.head_dim);
  Buffers& b = *buffers_;
  ProjectTokens(a.k_in, prepared.k, a.k_rq, pe, kPlain, b.token_k);
  ProjectWords(a.v_in, prepared.v, a.v_words, false, ops::kWordValueMax, b.token_words);
  for (size_t i = 0; i < values; ++i) {
    const int high = (b.token_words[i] + 128) >> 8;
    b.token_v[i] = static_cast<int8_t>(high);
    b.token_v_low[i] = static_cast<int8_t>(b.token_words[i] - 256 * high);
  }
  ProjectWords(a.q_in, prepared.q, a.q_words, pe, 32767, b.token_words);
  HeadScratch& head = b.workers[0].head;
  const size_t stride = static_cast<size_t>(RoundUp(tokens_, kPanel)), logits = HeadScratch::LogitsStride(stride);
  for (size_t at = 0; at < inner; at += a.head_dim) {
    k.pack_keys({b.token_k + at, inner, tokens_, d, head.panels, head.bias});
    std::fill_n(head.bias, stride, 0);
    k.pack_values({b.token_v + at, inner, tokens_, d, head.values});
    k.pack_values({b.token_v_low + at, inner, tokens_, d, b.low_values});
    for (int first = 0; first < tokens_; first += HeadScratch::kStrip) {
      int16_t* words = b.token_words + static_cast<size_t>(first) * inner + at;  // queries, and then what they get
      const int rows = std::min(HeadScratch::kStrip, tokens_ - first);
      k.gemm_a16w8({words, inner, S8Panels(head.panels, LargestValue(a.k_rq.out)), head.bias, head.logits, logits, rows,
                    tokens_, d});
      for (size_t i = 0; i < static_cast<size_t>(rows); ++i) {
        head.sums[i] =
            ops::Probabilities(k, a.softmax, head.logits + i * logits, tokens_, {}, head.prob + i * stride);
      }
      k.attention_mix({head.prob, stride, head.values, rows, tokens_, d, head.mixed});
      k.attention_mix({head.prob, stride, b.low_values, rows, tokens_, d, b.low_mixed});
      for (int i = 0; i < rows * d; ++i) head.mixed[i] = 256 * head.mixed[i] + b.low_mixed[i];
      ops::AttentionWords(a.softmax, head.mixed, head.sums, rows, d, {words, inner});
    }
  }
}

// on_image: layer 0 without a mask, where image rows are the same for every prompt, and what is projected is at hand
// and packed.
void FusedMaskDecoder::TokenToImage(const DecoderAttention& a, const PreparedAttention& prepared, const NormWide& norm,
                                    bool on_image) {
  if (a.on_tokens()) {
    ProjectTokens(a.q_in, prepared.q, a.q_rq, true, prepared_.kernels->flip, buffers_->token_q);
    Move(a, prepared.k, a.k_rq, buffers_->token_q);
    PackImage(a, on_image);
    const int most = std::max(1, kRowBlock / static_cast<int>(a.heads));
    const int each = std::min(most, (tokens_ + parallel_.workers() - 1) / parallel_.workers());
    parallel_.For((tokens_ + each - 1) / each, [&](int strip, int worker) {
      const int first = strip * each;
      AskImage(a, prepared, first, std::min(each, tokens_ - first), buffers_->workers[static_cast<size_t>(worker)]);
    });
    return FinishTokens(prepared.out, TokenOut(prepared.out), a.out_rq, norm, true);
  }
  ProjectTokens(a.q_in, prepared.q, a.q_rq, true, kPlain, buffers_->token_q);
  if (!on_image) {
    ForKeys([&](size_t first, int rows, Worker& w) {
      ProjectKeys(a.k_in, prepared.k, a.k_rq, true, first, rows, kPlain, w, buffers_->key_a);
      ProjectKeys(a.v_in, prepared.v, a.v_rq, false, first, rows, kPlain, w, buffers_->key_b);
    });
  }
  parallel_.For(static_cast<int>(a.heads), [&](int index, int worker) {
    const uint32_t h = static_cast<uint32_t>(index);
    Worker& w = buffers_->workers[static_cast<size_t>(worker)];
    if (on_image) {
      w.strip.Share(image_->heads[h]);
    } else {
      PackDecoderHead(a, h, buffers_->key_a, buffers_->key_b, key_count(), w.head);
    }
    AttendTokens(a, h, on_image ? w.strip : w.head);
  });
  FinishTokens(prepared.out, TokenOut(prepared.out), a.out_rq, norm, true);
}

void FusedMaskDecoder::TokenMlp(uint32_t layer) {
  const DecoderLayer& record = prepared_.model->mask_decoder.layers[layer];
  const PreparedLayer& prepared = prepared_.layers[layer];
  const Kernels& k = *prepared_.kernels;
  const size_t hidden = record.lin1.out;
  MultiplyStream(record.mlp_in, prepared.lin1, buffers_->tokens, nullptr, tokens_,
                 {buffers_->token_codes, buffers_->token_sums}, {buffers_->token_acc, hidden});
  ops::ToCodes(k, record.lin1_rq, {buffers_->token_acc, hidden}, tokens_, 0, static_cast<int>(hidden), k.flip,
               {buffers_->token_out, hidden});
  FinishTokens(prepared.lin2, TokenOut(prepared.lin2), record.lin2_rq, record.norm3, true);
}

void FusedMaskDecoder::ImageToToken(uint32_t layer) {
  const DecoderAttention& a = prepared_.model->mask_decoder.layers[layer].image_to_token;
  const bool on_image = no_mask_ && layer == 0;
  a.on_tokens() ? ImageToTokenOnTokens(layer, on_image) : ImageToTokenOnImage(layer, on_image);
}

void FusedMaskDecoder::ImageToTokenOnImage(uint32_t layer, bool on_image) {
  const DecoderLayer& record = prepared_.model->mask_decoder.layers[layer];
  const DecoderAttention& a = record.image_to_token;
  const PreparedAttention& prepared = prepared_.layers[layer].image_to_token;
  const Kernels& k = *prepared_.kernels;
  const size_t inner = a.inner(), dim = a.dim;
  ProjectTokens(a.k_in, prepared.k, a.k_rq, true, kPlain, buffers_->token_k);
  ProjectTokens(a.v_in, prepared.v, a.v_rq, false, kPlain, buffers_->token_v);
  for (uint32_t h = 0; h < a.heads; ++h) {
    PackDecoderHead(a, h, buffers_->token_k, buffers_->token_v, tokens_, buffers_->token_heads[h]);
  }
  const int8_t* q_rows = on_image ? image_->q : buffers_->key_a;
  ForKeys([&](size_t first, int rows, Worker& w) {
    if (on_image) {
      DenseRows(nullptr, first, rows, w);
    } else {
      ProjectKeys(a.q_in, prepared.q, a.q_rq, true, first, rows, kPlain, w, buffers_->key_a);
    }
    for (uint32_t h = 0; h < a.heads; ++h) {
      const size_t at = first * inner + size_t{h} * a.head_dim;
      w.few_keys.Share(buffers_->token_heads[h]);
      AttendStrip(k, a.softmax, {q_rows + at, inner}, rows, nullptr, w.few_keys, {buffers_->key_out + at, inner});
    }
    const Rows<int16_t> keys{buffers_->keys + first * dim, dim};
    ops::Gemm(k, prepared.out, {buffers_->key_out + first * inner, inner}, rows, {w.acc, dim});
    ops::AddStream(k, a.out_rq, {w.acc, dim}, {keys.data, dim}, rows, {w.rows, dim});
    ops::Norm(k, record.norm4, {w.rows, dim}, rows, keys);
  });
}

// ---------------------------------------------------------------- projections on the tokens' side

void FusedMaskDecoder::Move(const DecoderAttention& a, const PreparedLinear& layer, const Rq16& rq,
                            const int8_t* operands) {
  const Kernels& k = *prepared_.kernels;
  const size_t inner = a.inner(), dim = a.dim;
  for (uint32_t h = 0; h < a.heads; ++h) {
    const uint32_t first = h * a.dim;
    const Rows<int32_t> acc{buffers_->token_acc, dim};
    ops::Gemm(k, layer, {AsCodes(operands) + size_t{h} * a.head_dim, inner}, tokens_, acc, first,
              static_cast<int>(dim));
    ops::ToCodes(k, rq, acc, tokens_, first, static_cast<int>(dim), kPlain,
                 {AsCodes(buffers_->moved + first), a.heads * dim});
  }
}

// Image rows in the places of keys and values.
void FusedMaskDecoder::PackImage(const DecoderAttention& a, bool on_image) {
  const Kernels& k = *prepared_.kernels;
  const size_t dim = a.dim;
  HeadScratch& image = buffers_->image;
  const int columns = a.dim % 64 == 0 ? 64 : 32;
  DescribeHead({a.k_rq.out, a.k_in.codes.out, a.v_in.codes.out}, key_count(), static_cast<int>(dim), columns, image);
  ForKeys([&](size_t first, int rows, Worker& w) {
    if (on_image) DenseRows(nullptr, first, rows, w);
    const int16_t* keys = buffers_->keys + first * dim;
    const size_t values = static_cast<size_t>(rows) * dim;
    ops::Quantize(k, a.k_in.codes, keys, prepared_.image_pe.data() + first * dim, values, kPlain, w.codes);
    int32_t* bias = image.bias + first;
    k.pack_keys({AsPlain(w.codes), dim, rows, static_cast<int>(dim), image.panels + first * dim, bias});
    for (int j = 0; j < RoundUp(rows, kPanel); ++j) bias[j] = FoldBias(0, bias[j], image.q_zero, k.flip);
    ops::Quantize(k, a.v_in.codes, keys, nullptr, values, kPlain, AsCodes(buffers_->image_rows + first * dim));
  });
  const size_t padded = static_cast<size_t>(RoundUp(image.count, kPanel));
  parallel_.For(static_cast<int>(dim) / columns, [&](int group, int) {
    const size_t at = static_cast<size_t>(group) * static_cast<size_t>(columns);
    k.pack_values({buffers_->image_rows + at, dim, image.count, columns, image.values + padded * at});
  });
}

// `tokens` tokens from `first` on, all heads: from `moved` to token_out.
void FusedMaskDecoder::AskImage(const DecoderAttention& a, const PreparedAttention& prepared, int first, int tokens,
                                Worker& w) {
  const Kernels& k = *prepared_.kernels;
  const size_t dim = a.dim, inner = a.inner(), row = static_cast<size_t>(first) * a.heads;
  const int rows = tokens * static_cast<int>(a.heads);
  w.strip.Share(buffers_->image);
  AttendStrip(k, a.softmax, {buffers_->moved + row * dim, dim}, rows, nullptr, w.strip, {w.codes, dim});
  // v_proj of every head's mix, of which the head's part is taken.
  ops::Gemm(k, prepared.v, {w.codes, dim}, rows, {w.acc, Padded(a.v.out)});
  ops::ToCodes(k, a.v_rq, {w.acc, Padded(a.v.out)}, rows, 0, static_cast<int>(inner), k.flip, {w.codes, inner});
  for (size_t i = 0; i < static_cast<size_t>(rows); ++i) {
    const size_t head = i % a.heads * a.head_dim, token = static_cast<size_t>(first) + i / a.heads;
    std::copy_n(w.codes + i * inner + head, a.head_dim, buffers_->token_out + token * inner + head);
  }
}

// The panels that queries of image rows are multiplied by to give scores: each key in the place of its head, zeros
// elsewhere.
void FusedMaskDecoder::PackColumns(const DecoderAttention& a) {
  const Kernels& k = *prepared_.kernels;
  const size_t inner = a.inner(), columns = static_cast<size_t>(tokens_) * a.heads;
  std::fill_n(buffers_->moved, columns * inner, int8_t{0});
  for (size_t at = 0; at < columns; ++at) {
    const size_t first = at % a.heads * a.head_dim;
    std::copy_n(buffers_->token_k + at / a.heads * inner + first, a.head_dim, buffers_->moved + at * inner + first);
  }
  int32_t* bias = buffers_->column_bias;
  k.pack_keys({buffers_->moved, inner, static_cast<int>(columns), static_cast<int>(inner), buffers_->columns, bias});
  std::fill_n(bias, Padded(static_cast<uint32_t>(columns)), 0);  // s16 queries have no zero point
}

// The panels [dim / 16][columns / 4][16][4] that probabilities are multiplied by.
void FusedMaskDecoder::PackOut(const DecoderAttention& a, const PreparedAttention& prepared) {
  Move(a, prepared.out, a.out_rows_rq, buffers_->token_v);
  const size_t dim = a.dim, columns = static_cast<size_t>(tokens_) * a.heads, depth = (columns + 3) / 4 * 4;
  std::fill_n(buffers_->out_panels, dim * depth, int8_t{0});
  for (size_t at = 0; at < columns; ++at) {
    for (size_t c = 0; c < dim; ++c) {
      buffers_->out_panels[c / kPanel * kPanel * depth + at / 4 * 4 * kPanel + c % kPanel * 4 + at % 4] =
          buffers_->moved[at * dim + c];
    }
  }
}

void FusedMaskDecoder::ImageToTokenOnTokens(uint32_t layer, bool on_image) {
  const DecoderLayer& record = prepared_.model->mask_decoder.layers[layer];
  const DecoderAttention& a = record.image_to_token;
  const PreparedAttention& prepared = prepared_.layers[layer].image_to_token;
  const Kernels& k = *prepared_.kernels;
  const size_t dim = a.dim, inner = a.inner();
  ProjectTokens(a.k_in, prepared.k, a.k_rq, true, kPlain, buffers_->token_k);
  ProjectTokens(a.v_in, prepared.v, a.v_rq, false, k.flip, buffers_->token_v);
  PackColumns(a);
  PackOut(a, prepared);
  const int columns = tokens_ * static_cast<int>(a.heads), depth = RoundUp(columns, 4);
  const size_t score_stride = static_cast<size_t>(RoundUp(columns, kPanel)), prob_stride = static_cast<size_t>(depth);
  ForKeys([&](size_t first, int rows, Worker& w) {
    if (on_image) DenseRows(nullptr, first, rows, w);
    const Rows<int16_t> keys{buffers_->keys + first * dim, dim};
    if (!on_image) ProjectQueries(a, prepared.q, first, rows, w, w.s16);
    k.gemm_a16w8({.a = on_image ? image_->words + first * inner : w.s16,
                  .a_stride = inner,
                  .weights = S8Panels(buffers_->columns, LargestValue(a.k_rq.out)),
                  .bias = buffers_->column_bias,
                  .acc = w.strip.logits,
                  .acc_stride = score_stride,
                  .m = rows,
                  .n = columns,
                  .k = static_cast<int>(inner)});
    int16_t* prob = reinterpret_cast<int16_t*>(w.strip.prob);
    ops::HeadProbabilities(k, a.softmax, {w.strip.logits, score_stride}, rows, static_cast<int>(a.heads), tokens_,
                           {prob, prob_stride});
    k.gemm_a16w8({.a = prob,
                  .a_stride = prob_stride,
                  .weights = S8Panels(buffers_->out_panels),
                  .bias = a.out_bias.data(),
                  .acc = w.acc,
                  .acc_stride = dim,
                  .m = rows,
                  .n = static_cast<int>(dim),
                  .k = depth});
    ops::AddStream(k, a.out_rq, {w.acc, dim}, {keys.data, dim}, rows, {w.rows, dim});
    ops::Norm(k, record.norm4, {w.rows, dim}, rows, keys);
  });
}

}  // namespace intsam::internal
