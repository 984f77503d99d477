// What attentions over windows have in common, in F32: everything but what positions add to the scores.
#ifndef INTSAM_CONVERTER_ENCODER_WINDOWS_FP32_H_
#define INTSAM_CONVERTER_ENCODER_WINDOWS_FP32_H_

#include <string>

#include "converter/encoder/kind.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"
#include "runtime/encoder/windows/windows.h"

namespace intsam::internal::fp32 {

// Every token exists once, in image order; a window is gathered head by head when it is attended. Tokens that only pad
// a window are one row behind the others. With a hook the bias is added before the site is shown, else while gathering.
class SelfAttention : public Layer {
 public:
  void Run(Stream& s) override;

 protected:
  // What a padding token is behind the norm: zero where windows are padded there, the norm's bias where before it.
  enum class Padding { kZero, kNormBias };

  SelfAttention(const Context& context, const Windows& windows, const LayerPlace& place, const std::string& norm,
                Padding padding, WeightLayout layout);

  // At (y, x) of the grid, of which height by width are real tokens, which are the queries.
  struct Window {
    size_t y, x, height, width;
    size_t queries() const { return height * width; }
  };
  size_t window_count() const { return size_t{windows_.per_side()} * windows_.per_side(); }
  Window WindowAt(size_t index) const;
  size_t keys() const { return windows_.keys(); }

  // Gathers and attends every head of every window: from s.q, s.k, s.v, which lack `bias` (each null or [width]), to
  // s.attended. s.threads has one for each worker.
  virtual void Attend(Stream& s, const float* const bias[3]) = 0;

  void GatherHead(const Stream& s, const Window& window, size_t index, const float* const bias[3],
                  HeadBuffers& head) const;
  // Of `count` queries from `first` on, rows of `out` divided by their sums to their places in s.attended.
  void Scatter(Stream& s, const Window& window, size_t index, size_t first, size_t count, const float* out,
               const float* sums) const;

  const Context& context_;
  const Windows windows_;
  const std::string name_;
  const size_t grid_, tokens_, width_, dim_;  // dim_: of one head

 private:
  const std::string norm_, map_;
  const float epsilon_;
  const Padding padding_;
  Linear q_, k_, v_, proj_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_ENCODER_WINDOWS_FP32_H_
