// Prompt encoder and mask decoder of the fused executor.
#ifndef INTSAM_RUNTIME_EXEC_FUSED_MASK_DECODER_H_
#define INTSAM_RUNTIME_EXEC_FUSED_MASK_DECODER_H_

#include <algorithm>
#include <vector>

#include "runtime/base/thread_pool.h"
#include "runtime/exec/executor.h"
#include "runtime/exec/prepare.h"
#include "runtime/ops/attention.h"

namespace intsam::internal {

class FusedMaskDecoder {
 public:
  FusedMaskDecoder(const PreparedModel& prepared, Parallel& parallel)
      : prepared_(prepared), parallel_(parallel), steps_(MaskDecoderSteps(prepared.model->config)) {}

  static constexpr int kRowBlock = 64;  // image positions per block

  struct Worker {
    uint8_t* codes;   // [kRowBlock][max(dim, mlp)]
    int32_t* acc;     // [kRowBlock * 4][widest]
    int32_t* rows;    // R24, likewise
    int16_t* s16;     // likewise
    int16_t* logits;  // [num_masks][kRowBlock * 16]
    HeadScratch head;
    HeadScratch few_keys;  // of a block of image positions that attend to tokens
    HeadScratch strip;     // of tokens that meet heads packed before, or a block of image rows that meets tokens
  };
  struct Buffers {
    int16_t* tokens;    // [tokens][dim]
    int16_t* token_pe;  // [tokens][dim]: the initial tokens
    int8_t* token_q;    // plain s8 [tokens][dim]; of moved projections codes, as operands
    int8_t* token_k;
    int8_t* token_v;
    uint8_t* token_out;                    // codes [tokens][max(dim, mlp)]
    uint8_t* token_codes;                  // [tokens][dim]
    int16_t* token_sums;                   // [tokens][dim]: with their positional encoding
    int16_t* token_words;                  // [tokens][dim]: s16 queries of self-attention, then what it gives
    int8_t* token_v_low;                   // of s16 values the low bytes, [tokens][dim]; token_v has the high ones
    int16_t* low_values;                   // of one head, packed
    int64_t* low_mixed;                    // [HeadScratch::kStrip][dim / heads]
    int32_t* token_acc;                    // [tokens][max(dim, mlp)]
    int32_t* token_rows;                   // R24 [tokens][dim]
    int16_t* keys;                         // [grid^2][dim]
    int8_t* key_a;                         // plain s8 [grid^2][cross_dim]: keys, or queries that are codes
    int8_t* key_b;                         // values
    uint8_t* key_out;                      // codes [grid^2][cross_dim]
    int16_t* hyper;                        // [num_masks][upscale2_dim]
    std::vector<HeadScratch> token_heads;  // packed tokens, no strip
    // Of attentions whose projections moved to the tokens; columns are token * heads + head.
    int8_t* moved;    // plain s8 [tokens * heads][dim]
    int8_t* columns;  // panels, [tokens * heads][cross_dim]: what queries of image rows are multiplied by
    int32_t* column_bias;
    int8_t* out_panels;  // panels, [dim][tokens * heads]: what probabilities are multiplied by
    int8_t* image_rows;  // plain s8 [grid^2][dim]
    HeadScratch image;   // packed image rows, no strip
    std::vector<Worker> workers;
  };
  static void Layout(const SamConfig& config, Arena& arena, Buffers& buffers);

  // The image, and what the first prompt without a mask leaves for the next ones: until norm4 of layer 0 the image keys
  // of such prompts are the same.
  struct ImageSide {
    const int16_t* embedding = nullptr;
    Frame frame;
    bool projected = false;          // the rest is filled in, of attentions of layer 0 that project image rows
    std::vector<HeadScratch> heads;  // packed keys and values of token-to-image attention, no strip
    int8_t* q;                       // [grid^2][cross_dim] of image-to-token attention, as token_q;
    int16_t* words;                  // or s16, where it asks in words
  };
  static void Layout(const SamConfig& config, Arena& arena, ImageSide& image);

  // Fills in `image` unless it is. Run does so itself where a prompt needs it.
  void Project(ImageSide& image, Buffers& buffers);

  Status Run(const Prompt& prompt, ImageSide& image, Buffers& buffers, int16_t* low_res, int16_t* iou,
             const StepHook& hook);

 private:
  void DensePrompt(const int16_t* mask);
  void DenseRows(const int16_t* mask, size_t first, int rows, Worker& w);
  void DownscaleMask(const int16_t* mask, size_t first, int rows, Worker& w) const;
  void SelfAttention(uint32_t layer);
  void TokenToImage(const DecoderAttention& attn, const PreparedAttention& prepared, const NormWide& norm,
                    bool on_image);
  void TokenMlp(uint32_t layer);
  void ImageToToken(uint32_t layer);
  void Hypernetworks();
  void Masks(int16_t* low_res);
  void Upscale(size_t first, int rows, Worker& w, int16_t* out) const;
  void IouHead(int16_t* iou);

  // Where rows of a stream become what a layer reads: one of the two, [rows][dim].
  struct StreamScratch {
    uint8_t* codes;
    int16_t* sums;
  };
  // acc = bias + rows of a stream (plus a positional encoding unless `pe` is null) times a layer.
  void MultiplyStream(const StreamInput& in, const PreparedLinear& linear, const int16_t* x, const int16_t* pe,
                      int rows, const StreamScratch& scratch, ops::Rows<int32_t> acc) const;
  // The same of all tokens, into token_acc, and of some image rows, into w.acc.
  ops::Rows<const int32_t> MultiplyTokens(const StreamInput& in, const PreparedLinear& linear, bool pe);
  ops::Rows<const int32_t> MultiplyKeys(const StreamInput& in, const PreparedLinear& linear, bool pe, size_t first,
                                        int rows, Worker& w);
  // Projects the tokens (plus their positional encoding where `pe`) to codes XORed with `flip`: 0x80 leaves plain s8.
  void ProjectTokens(const StreamInput& in, const PreparedLinear& linear, const Rq16& rq, bool pe, uint8_t flip,
                     int8_t* out);
  void ProjectKeys(const StreamInput& in, const PreparedLinear& linear, const Rq16& rq, bool pe, size_t first, int rows,
                   uint8_t flip, Worker& w, int8_t* out);
  // The same to s16, at most `largest` in magnitude.
  void ProjectWords(const StreamInput& in, const PreparedLinear& linear, const Rq32& rq, bool pe, int largest,
                    int16_t* out);
  // s16 queries of image rows, [rows][inner]; `out` may be w.s16.
  void ProjectQueries(const DecoderAttention& a, const PreparedLinear& linear, size_t first, int rows, Worker& w,
                      int16_t* out);
  // Head h of an attention: its keys and values, and the tokens' queries against them into token_out.
  void PackDecoderHead(const DecoderAttention& a, uint32_t h, const int8_t* k_rows, const int8_t* v_rows, int keys,
                       HeadScratch& head) const;
  void AttendTokens(const DecoderAttention& a, uint32_t h, HeadScratch& head);
  // s16 queries, values and results of self-attention, the results in token_words.
  void AttendInWords(const DecoderAttention& a, const PreparedAttention& prepared, bool pe);
  ops::Rows<const uint8_t> TokenOut(const PreparedLinear& reader) const {
    return {buffers_->token_out, reader.linear->in};
  }
  // tokens = norm((residual ? tokens : 0) + out_proj(x)), x codes or s16.
  template <class T>
  void FinishTokens(const PreparedLinear& linear, ops::Rows<const T> x, const Rq32& rq, const NormWide& norm,
                    bool residual);
  void ImageToTokenOnImage(uint32_t layer, bool on_image);

  // Projections on the tokens' side. A layer of all heads on the tokens' operands into `moved`:
  void Move(const DecoderAttention& a, const PreparedLinear& layer, const Rq16& rq, const int8_t* operands);
  void PackImage(const DecoderAttention& a, bool on_image);
  void AskImage(const DecoderAttention& a, const PreparedAttention& prepared, int first, int tokens, Worker& w);
  void PackColumns(const DecoderAttention& a);
  void PackOut(const DecoderAttention& a, const PreparedAttention& prepared);
  void ImageToTokenOnTokens(uint32_t layer, bool on_image);
  void RunMlp(const Mlp& mlp, const std::vector<PreparedLinear>& layers, const int16_t* in, int last_limit,
              int16_t* out);
  int key_count() const { return static_cast<int>(prepared_.model->config.grid() * prepared_.model->config.grid()); }
  // body(first, rows, worker) for every block of image positions.
  template <class Body>
  void ForKeys(const Body& body) {
    const int keys = key_count();
    parallel_.For((keys + kRowBlock - 1) / kRowBlock, [&](int block, int worker) {
      const int first = block * kRowBlock;
      body(static_cast<size_t>(first), std::min(kRowBlock, keys - first),
           buffers_->workers[static_cast<size_t>(worker)]);
    });
  }
  static void LayoutOnTokens(const SamConfig& config, Arena& arena, Buffers& buffers);
  static void LayoutInWords(const SamConfig& config, Arena& arena, Buffers& buffers);
  static size_t Padded(uint32_t n) { return (n + 15) / 16 * 16; }

  const PreparedModel& prepared_;
  Parallel& parallel_;
  const std::vector<DecoderStep> steps_;
  Buffers* buffers_ = nullptr;  // of the running call
  ImageSide* image_ = nullptr;
  int tokens_ = 0;
  bool no_mask_ = false;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_FUSED_MASK_DECODER_H_
