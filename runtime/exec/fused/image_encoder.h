// The image encoder of the fused executor.
#ifndef INTSAM_RUNTIME_EXEC_FUSED_IMAGE_ENCODER_H_
#define INTSAM_RUNTIME_EXEC_FUSED_IMAGE_ENCODER_H_

#include <vector>

#include "runtime/base/thread_pool.h"
#include "runtime/exec/executor.h"
#include "runtime/exec/fused/attention.h"

namespace intsam::internal {

class FusedImageEncoder {
 public:
  FusedImageEncoder(const PreparedModel& prepared, Parallel& parallel)
      : p_(prepared), parallel_(parallel), steps_(ImageEncoderSteps(prepared.model->config)) {}

  // Sizes of every buffer depend on the configuration and the number of workers alone.
  static constexpr int kRowBlock = 64;  // tokens per block: operands and hidden codes of a block stay in L2
  static constexpr int kColumns = 256;  // output channels per accumulator strip

  struct Worker {
    // For rows of tokens:
    uint8_t* codes;   // [kRowBlock][widest operand]
    uint8_t* hidden;  // [kRowBlock][mlp_dim]
    int32_t* acc;     // [kRowBlock][kColumns]
    int32_t* rows;    // [kRowBlock][max(embed, prompt) dim]
    // For attention, in the same memory:
    int8_t* queries;  // [kStrip][head_dim]
    int8_t* keys;     // [side^2][head_dim] of one window
    int8_t* values;
    int32_t* rh;  // [kStrip][side]
    int32_t* rw;
    HeadScratch head;
  };
  struct Buffers {
    int32_t* x;         // residual stream, R24 [tokens][embed_dim]
    int8_t* qkv;        // plain s8 [tokens][3 * embed_dim], rows QkvStride apart
    uint8_t* attended;  // codes [tokens][embed_dim], rows QkvStride apart: each takes the place of its query
    uint8_t* neck;      // codes [tokens][prompt_embed_dim], in the place of qkv when all blocks are done
    int32_t* partial;   // mean correction of patches that are partly outside the image
    std::vector<Worker> workers;
  };
  // A gap keeps kernels that read past the values of the last head off the next row, which others may be writing.
  static constexpr size_t QkvStride(const SamConfig& c) { return size_t{3} * c.vit.embed_dim + 16; }
  static void Layout(const SamConfig& config, Arena& arena, Buffers& buffers);

  Status Run(const uint8_t* rgb, ImageSize size, Buffers& buffers, int16_t* embedding, const StepHook& hook);

 private:
  void PatchEmbedding(const uint8_t* rgb, ImageSize size);
  void Attention(uint32_t block);
  void Qkv(uint32_t block);
  void AttendWindows(uint32_t block);
  void AttendTask(uint32_t block, uint32_t head, uint32_t window_y, uint32_t window_x, uint32_t first_row,
                  uint32_t last_row, Worker& w);
  void Projection(uint32_t block);
  void Mlp(uint32_t block);
  void NeckLayers(int16_t* embedding);
  // Runs body(first_token, rows, worker scratch) over blocks of tokens.
  template <class Body>
  void ForRows(const Body& body);

  const PreparedModel& p_;
  Parallel& parallel_;
  const std::vector<Step> steps_;
  Buffers* b_ = nullptr;  // of the running call
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_FUSED_IMAGE_ENCODER_H_
