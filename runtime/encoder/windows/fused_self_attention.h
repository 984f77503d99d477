// The fused form of attentions over windows. In the spare buffer lie q, k and v of every token; what is attended takes
// the place of the queries.
#ifndef INTSAM_RUNTIME_ENCODER_WINDOWS_FUSED_SELF_ATTENTION_H_
#define INTSAM_RUNTIME_ENCODER_WINDOWS_FUSED_SELF_ATTENTION_H_

#include <cstdint>

#include "runtime/encoder/fused.h"
#include "runtime/encoder/windows/self_attention.h"
#include "runtime/ops/attention.h"

namespace intsam::internal {

class FusedSelfAttention : public FusedLayer {
 public:
  void Run(FusedImage& image) const override;

  // What Run needs; a worker's part grows by position_bytes for Positions.
  static FusedMemory Memory(const SelfAttention& attention, size_t position_bytes);

 protected:
  // strips: whether they may go on in the next row of their window.
  enum class Strips { kInRows, kAcrossRows };
  FusedSelfAttention(const SelfAttention& record, std::span<const int32_t> pad, Strips strips, const Kernels& kernels)
      : record_(record), kernels_(kernels), strips_(strips), prepared_(record, pad, kernels.flip) {}

  // Queries of a window, the first at (y, x) of it and the others in order, `width` to a row; rows of head_dim values.
  struct Strip {
    uint32_t head, y, x, width, rows;
    ops::Rows<const int8_t> q;
  };
  // Fills in what positions add to the logits of each query; `scratch` has position_bytes for it.
  virtual void Positions(const Strip& strip, Arena scratch, ops::RowRelPos* out) const = 0;

  const SelfAttention& record_;
  const Kernels& kernels_;

 private:
  void Qkv(FusedImage& image) const;
  void AttendTask(FusedImage& image, const Windows::Task& task, int worker) const;
  void Projection(FusedImage& image) const;

  const Strips strips_;
  const PreparedSelfAttention prepared_;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_WINDOWS_FUSED_SELF_ATTENTION_H_
