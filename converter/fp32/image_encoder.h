// The image encoder: patch embedding, windowed and global attention blocks with relative positions, neck.
// Tokens that only pad a window are not computed: norm1 makes them zero, so their key and value are the bias.
#ifndef INTSAM_CONVERTER_FP32_IMAGE_ENCODER_H_
#define INTSAM_CONVERTER_FP32_IMAGE_ENCODER_H_

#include <string>
#include <vector>

#include "converter/fp32/attention.h"
#include "converter/fp32/context.h"
#include "converter/fp32/matmul.h"
#include "converter/fp32/mlp.h"
#include "converter/fp32/neck.h"

namespace intsam::internal::fp32 {

class ImageEncoder {
 public:
  ImageEncoder(const Context& context, WeightLayout layout);

  void PatchEmbed(const uint8_t* rgb, uint32_t height, uint32_t width);
  void Attention(uint32_t block, const std::string& name);
  void RunMlp(uint32_t block) { mlps_[block].Run(x_.data(), norm_, hidden_); }
  std::vector<float> RunNeck() { return neck_.Run(x_.data(), hidden_); }

 private:
  struct Block {
    std::string prefix;
    Linear q, k, v, proj;
    std::vector<float> rel_h, rel_w;  // rows reversed: for a query at i, the keys' rows start at side - 1 - i
  };
  // A square of `side` by `side` keys at (y, x) of the grid, of which height by width are real tokens, which are the
  // queries.
  struct Window {
    size_t y, x, side, height, width;
  };
  // One head of one window, contiguous.
  struct Head {
    Buffer q, k, v, rel_h, rel_w;
  };
  struct ThreadScratch {
    Head head;
    StripScratch strip;
    Buffer out;
  };

  void GatherHead(const Window& window, const Block& block, size_t index, const float* const bias[3], Head& head) const;
  void AttendHead(const Window& window, size_t index, const Head& head, size_t first, size_t count,
                  ThreadScratch& scratch);

  const Context& context_;
  const size_t grid_, tokens_, width_, dim_;  // dim_: of one head
  std::vector<float> patch_weight_;           // channel-last
  Linear patch_;
  std::vector<Block> blocks_;
  std::vector<Mlp> mlps_;
  std::vector<ThreadScratch> scratch_;
  std::vector<Head> heads_;  // of a global block
  Neck neck_;
  Buffer x_, norm_, q_, k_, v_, out_, hidden_;  // q_, k_, v_: one more row, the padding token's
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_IMAGE_ENCODER_H_
