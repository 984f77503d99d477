// See mask_decoder.h: memory, the order of steps, the prompt encoder and the heads. Work on image positions is split
// into blocks of them.
#include "runtime/exec/fused/mask_decoder.h"

#include <algorithm>
#include <cstring>

#include "runtime/exec/prompt_tokens.h"

namespace intsam::internal {

using ops::Rows;

void FusedMaskDecoder::Layout(const SamConfig& c, Arena& arena, Buffers& b) {
  const size_t tokens = MaxTokens(c), keys = size_t{c.grid()} * c.grid(), dim = c.prompt_embed_dim;
  const size_t wide = std::max({dim, size_t{c.decoder_mlp_dim}, size_t{c.iou_head_hidden_dim}});
  b.tokens = arena.Take<int16_t>(tokens * dim);
  b.token_pe = arena.Take<int16_t>(tokens * dim);
  b.token_q = arena.Take<int8_t>(tokens * dim);
  b.token_k = arena.Take<int8_t>(tokens * dim);
  b.token_v = arena.Take<int8_t>(tokens * dim);
  b.token_out = arena.Take<uint8_t>(tokens * wide);
  b.token_codes = arena.Take<uint8_t>(tokens * dim);
  b.token_sums = arena.Take<int16_t>(tokens * dim);
  b.token_acc = arena.Take<int32_t>(tokens * Padded(static_cast<uint32_t>(wide)));
  b.token_rows = arena.Take<int32_t>(tokens * dim);
  b.keys = arena.Take<int16_t>(keys * dim);
  b.key_a = arena.Take<int8_t>(keys * c.cross_dim());
  b.key_b = arena.Take<int8_t>(keys * c.cross_dim());
  b.key_out = arena.Take<uint8_t>(keys * c.cross_dim());
  b.image_rows = arena.Take<int8_t>(keys * dim);
  b.image.LayoutPacked(arena, static_cast<int>(keys), static_cast<int>(dim));
  b.hyper = arena.Take<int16_t>(size_t{c.num_masks()} * c.upscale2_dim());
  LayoutOnTokens(c, arena, b);
  LayoutInWords(c, arena, b);
  // Widest strip: the outputs of either transposed convolution, or of the mask prompt's last one.
  const size_t strip =
      std::max({Padded(4 * c.upscale1_dim()), 4 * Padded(4 * c.upscale2_dim()), Padded(c.prompt_embed_dim)});
  const int head_dim = static_cast<int>(dim / c.decoder_num_heads);
  const size_t columns = tokens * c.decoder_num_heads;
  b.token_heads.resize(c.decoder_num_heads);
  for (HeadScratch& head : b.token_heads) head.LayoutPacked(arena, static_cast<int>(tokens), head_dim);
  for (Worker& w : b.workers) {
    w.codes = arena.Take<uint8_t>(kRowBlock * dim);
    w.acc = arena.Take<int32_t>(kRowBlock * strip);
    w.rows = arena.Take<int32_t>(kRowBlock * strip);
    w.s16 = arena.Take<int16_t>(kRowBlock * strip * 2);
    w.logits = arena.Take<int16_t>(size_t{kRowBlock} * 16 * c.num_masks());
    w.head.Layout(arena, static_cast<int>(std::max(keys, tokens)), head_dim);
    w.few_keys.LayoutStrip(arena, static_cast<int>(tokens), head_dim, kRowBlock);
    w.strip.LayoutStrip(arena, static_cast<int>(std::max(keys, columns)), static_cast<int>(dim),
                        std::max(kRowBlock, static_cast<int>(c.decoder_num_heads)));
  }
}

void FusedMaskDecoder::Layout(const SamConfig& c, Arena& arena, ImageSide& image) {
  const size_t keys = size_t{c.grid()} * c.grid();
  image.heads.resize(c.decoder_num_heads);
  for (HeadScratch& head : image.heads) {
    head.LayoutPacked(arena, static_cast<int>(keys), static_cast<int>(c.cross_dim() / c.decoder_num_heads));
  }
  Arena codes = arena, words = arena;  // one of both
  image.q = codes.Take<int8_t>(keys * c.cross_dim());
  image.words = words.Take<int16_t>(keys * c.cross_dim());
  arena = Arena::Behind(codes, words);
}

Status FusedMaskDecoder::Run(const Prompt& prompt, ImageSide& image, Buffers& buffers, int16_t* low_res, int16_t* iou,
                             const StepHook& hook) {
  buffers_ = &buffers, image_ = &image;
  no_mask_ = prompt.mask == nullptr;
  tokens_ = static_cast<int>(TokenCount(prepared_.model->config, prompt));
  const MaskDecoder& d = prepared_.model->mask_decoder;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (hook && !hook(steps_[i], static_cast<int>(i), static_cast<int>(steps_.size())))
      return Error(Code::kCancelled, "cancelled");
    const uint32_t layer = steps_[i].layer;
    switch (steps_[i].kind) {
      case DecoderStepKind::kPromptTokens:
        PromptTokens(*prepared_.model, image.frame, prompt, buffers_->tokens);
        std::copy_n(buffers_->tokens, static_cast<size_t>(tokens_) * d.dim, buffers_->token_pe);
        break;
      case DecoderStepKind::kDensePrompt: DensePrompt(prompt.mask); break;
      case DecoderStepKind::kSelfAttention: SelfAttention(layer); break;
      case DecoderStepKind::kTokenToImage:
        TokenToImage(d.layers[layer].token_to_image, prepared_.layers[layer].token_to_image, d.layers[layer].norm2,
                     no_mask_ && layer == 0);
        break;
      case DecoderStepKind::kTokenMlp: TokenMlp(layer); break;
      case DecoderStepKind::kImageToToken: ImageToToken(layer); break;
      case DecoderStepKind::kFinalTokenToImage:
        TokenToImage(d.final_attn, prepared_.final_attn, d.norm_final, false);
        break;
      case DecoderStepKind::kHypernetworks: Hypernetworks(); break;
      case DecoderStepKind::kMasks: Masks(low_res); break;
      case DecoderStepKind::kIouHead: IouHead(iou); break;
    }
  }
  return Status();
}

// ---------------------------------------------------------------- prompt encoder

// With a mask: the keys. Without: their projections, once per image; the keys themselves wait for image-to-token
// attention.
void FusedMaskDecoder::DensePrompt(const int16_t* mask) {
  if (no_mask_) {
    Project(*image_, *buffers_);
  } else {
    ForKeys([&](size_t first, int rows, Worker& w) { DenseRows(mask, first, rows, w); });
  }
}

// keys = embedding + dense embedding of the mask, or of none.
void FusedMaskDecoder::DenseRows(const int16_t* mask, size_t first, int rows, Worker& w) {
  const PromptEncoder& p = prepared_.model->prompt_encoder;
  const size_t dim = p.dim;
  if (mask != nullptr) DownscaleMask(mask, first, rows, w);  // into w.s16
  for (size_t i = 0; i < static_cast<size_t>(rows); ++i) {
    const int16_t* dense = mask == nullptr ? p.no_mask.data() : w.s16 + i * dim;
    const int16_t* embedding = image_->embedding + (first + i) * dim;
    prepared_.kernels->add_s16({embedding, dense, buffers_->keys + (first + i) * dim, dim});
  }
}

// Each image position sees its own 4x4 mask pixels: conv 2x2, norm, GELU, conv 2x2, norm, GELU, conv 1x1.
void FusedMaskDecoder::DownscaleMask(const int16_t* mask, size_t first, int rows, Worker& w) const {
  const MaskDownscaling& m = prepared_.model->prompt_encoder.mask;
  const Kernels& k = *prepared_.kernels;
  const uint32_t grid = prepared_.model->config.grid(), side = 4 * grid, c1 = m.conv1.out, c2 = m.conv2.out,
                 dim = m.conv3.out;
  const auto convolve = [](const Linear12& conv, const int16_t* in, int32_t* acc) {
    for (uint32_t o = 0; o < conv.out; ++o) {
      acc[o] = conv.bias[o];
      for (uint32_t i = 0; i < conv.in; ++i) acc[o] += int32_t{conv.weight[o * conv.in + i]} * in[i];
    }
  };
  for (int i = 0; i < rows; ++i) {
    const uint32_t key = static_cast<uint32_t>(first) + static_cast<uint32_t>(i), y0 = key / grid * 4,
                   x0 = key % grid * 4;
    // mask_in_chans <= 32 (ValidateConfig); the kernels may read kPadBytes more.
    // hidden: [channel][dy][dx], the input of the second convolution.
    int16_t hidden[32 + kPadBytes], out1[32 + kPadBytes], patch[4];
    for (uint32_t part = 0; part < 4; ++part) {
      const int16_t* at = mask + size_t{y0 + part / 2 * 2} * side + x0 + part % 2 * 2;
      patch[0] = at[0], patch[1] = at[1], patch[2] = at[side], patch[3] = at[side + 1];
      convolve(m.conv1, patch, w.acc);
      ops::ToR24(k, m.conv1_rq, {w.acc, c1}, 1, {w.rows, c1});
      ops::Norm(k, m.norm1, {w.rows, c1}, 1, Rows<int16_t>{out1, c1});
      k.gelu_s16({out1, c1, static_cast<int>(m.gelu1_bits)});
      for (uint32_t c = 0; c < c1; ++c) hidden[c * 4 + part] = out1[c];
    }
    convolve(m.conv2, hidden, w.acc);
    ops::ToR24(k, m.conv2_rq, {w.acc, c2}, 1, {w.rows, c2});
    ops::Norm(k, m.norm2, {w.rows, c2}, 1, Rows<int16_t>{hidden, c2});
    k.gelu_s16({hidden, c2, static_cast<int>(m.gelu2_bits)});
    convolve(m.conv3, hidden, w.acc);
    ops::ToS16(k, m.conv3_rq, {w.acc, dim}, 1, -32767, 32767, {w.s16 + static_cast<size_t>(i) * dim, dim});
  }
}

// ---------------------------------------------------------------- heads

void FusedMaskDecoder::RunMlp(const Mlp& mlp, const std::vector<PreparedLinear>& layers, const int16_t* in,
                              int last_limit, int16_t* out) {
  const Kernels& k = *prepared_.kernels;
  int16_t* ping[2] = {buffers_->workers[0].s16, buffers_->workers[0].s16 + limits::kHiddenDim};
  for (size_t i = 0; i < mlp.layers.size(); ++i) {
    const bool last = i + 1 == mlp.layers.size();
    const Linear& linear = mlp.layers[i].linear;
    int16_t* to = last ? out : ping[i % 2];
    ops::Gemm(k, layers[i], Rows<const int16_t>{in, linear.in}, 1, {buffers_->token_acc, linear.padded_out()});
    ops::ToS16(k, mlp.layers[i].rq, {buffers_->token_acc, linear.padded_out()}, 1, last ? -last_limit : 0,
               last ? last_limit : 32767, {to, linear.out});
    in = to;
  }
}

void FusedMaskDecoder::Hypernetworks() {
  const MaskDecoder& d = prepared_.model->mask_decoder;
  const size_t c2 = prepared_.model->config.upscale2_dim();
  for (uint32_t i = 0; i < d.num_masks; ++i) {
    RunMlp(d.hypernetworks[i], prepared_.hypernetworks[i], buffers_->tokens + size_t{1 + i} * d.dim, kHyperMax,
           buffers_->hyper + i * c2);
  }
}

// Both transposed convolutions of some image positions, each of which becomes 2x2, then 4x4 pixels: `out` receives
// [rows][2x2 outer][2x2 inner][channel].
void FusedMaskDecoder::Upscale(size_t first, int rows, Worker& w, int16_t* out) const {
  const Upscaling& u = prepared_.model->mask_decoder.upscaling;
  const Kernels& k = *prepared_.kernels;
  const size_t dim = u.conv1.in, c1 = u.norm.channels, n1 = u.conv1.out, n2 = u.conv2.out;
  ops::Gemm(k, prepared_.upscale1, Rows<const int16_t>{buffers_->keys + first * dim, dim}, rows,
            {w.acc, Padded(u.conv1.out)});
  ops::ToR24(k, u.conv1_rq, {w.acc, Padded(u.conv1.out)}, rows, {w.rows, n1});
  ops::Norm(k, u.norm, {w.rows, c1}, 4 * rows, Rows<int16_t>{w.s16, c1});
  k.gelu_s16({w.s16, static_cast<size_t>(rows) * n1, static_cast<int>(u.gelu1_bits)});
  ops::Gemm(k, prepared_.upscale2, Rows<const int16_t>{w.s16, c1}, 4 * rows, {w.acc, Padded(u.conv2.out)});
  ops::ToS16(k, u.conv2_rq, {w.acc, Padded(u.conv2.out)}, 4 * rows, -32767, 32767, {out, n2});
  k.gelu_s16({out, static_cast<size_t>(4 * rows) * n2, static_cast<int>(u.gelu2_bits)});
}

// The upscaled embedding, the largest map of the model, is never there as a whole: logits are made of a block of it.
void FusedMaskDecoder::Masks(int16_t* low_res) {
  const MaskDecoder& d = prepared_.model->mask_decoder;
  const size_t grid = prepared_.model->config.grid(), side = 4 * grid;
  const size_t channels = prepared_.model->config.upscale2_dim();
  ForKeys([&](size_t first, int rows, Worker& w) {
    int16_t* upscaled = w.s16 + kRowBlock * size_t{d.upscaling.conv1.out};
    Upscale(first, rows, w, upscaled);
    const size_t pixels = static_cast<size_t>(rows) * 16;
    prepared_.kernels->mask_product({buffers_->hyper, upscaled, ops::Channels(d.mask_product), w.logits, pixels,
                                     static_cast<int>(d.num_masks), static_cast<int>(pixels),
                                     static_cast<int>(channels)});
    for (size_t i = 0; i < static_cast<size_t>(rows); ++i) {
      const size_t y = (first + i) / grid * 4, x = (first + i) % grid * 4;
      for (size_t mask = 0; mask < d.num_masks; ++mask) {
        const int16_t* logits = w.logits + mask * pixels + i * 16;
        int16_t* out = low_res + (mask * side + y) * side + x;
        for (size_t part = 0; part < 8; ++part) {  // two pixels side by side
          const size_t outer = part / 2, row = outer / 2 * 2 + part % 2, column = outer % 2 * 2;
          std::copy_n(logits + part * 2, 2, out + row * side + column);
        }
      }
    }
  });
}

void FusedMaskDecoder::IouHead(int16_t* iou) {
  RunMlp(prepared_.model->mask_decoder.iou_head, prepared_.iou_head, buffers_->tokens, 32767, iou);
}

}  // namespace intsam::internal
