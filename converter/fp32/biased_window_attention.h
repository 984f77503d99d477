// TinyViT's attention: in windows, with a learned bias for each head and each distance (|dy|, |dx|) of query and key.
//   x += proj(softmax(q k^T / sqrt(dim) + bias) v), q, k, v = qkv(norm(x))
// A cell that only pads a window is zero before the norm: its key and value are those of the norm's bias, and it is not
// masked.
#ifndef INTSAM_CONVERTER_FP32_BIASED_WINDOW_ATTENTION_H_
#define INTSAM_CONVERTER_FP32_BIASED_WINDOW_ATTENTION_H_

#include <string>
#include <vector>

#include "converter/fp32/context.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"

namespace intsam::internal::fp32 {

class BiasedWindowAttention {
 public:
  // `name` is the module path, `stream` the site of the map that the layer adds to.
  BiasedWindowAttention(const Context& context, const std::string& name, std::string stream, size_t side, size_t width,
                        size_t heads, size_t window, WeightLayout layout);

  void Run(Stream& stream);

 private:
  struct ThreadScratch {
    Buffer q, k, v, scores, sums, out;
  };
  void AttendHead(size_t window_y, size_t window_x, size_t head, const float* const bias[3], ThreadScratch& scratch);

  const Context& context_;
  std::string name_, stream_;
  size_t side_, width_, heads_, dim_, window_;
  // Of each head, a row for each |dy|: the biases of dx from -(window - 1) to window - 1.
  std::vector<float> biases_;
  Linear q_, k_, v_, proj_;
  Buffer q_rows_, k_rows_, v_rows_, out_;  // one more row of keys and values, the padding cell's
  std::vector<ThreadScratch> scratch_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_BIASED_WINDOW_ATTENTION_H_
