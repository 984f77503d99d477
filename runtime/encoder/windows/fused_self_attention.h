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
  FusedSelfAttention(const SelfAttention& record, std::span<const int32_t> pad, const Kernels& kernels)
      : record_(record), kernels_(kernels), prepared_(record, pad, kernels.flip) {}

  // Queries side by side in one row of a window, the first at (y, x) of it; rows of head_dim values.
  struct Strip {
    uint32_t head, y, x;
    int rows;
    ops::Rows<const int8_t> q;
  };
  // What positions add to the logits of a strip; `scratch` has position_bytes for it.
  virtual StripRelPos Positions(const Strip& strip, Arena scratch) const = 0;

  const SelfAttention& record_;
  const Kernels& kernels_;

 private:
  void Qkv(FusedImage& image) const;
  void AttendTask(FusedImage& image, const Windows::Task& task, int worker) const;
  void Projection(FusedImage& image) const;

  const PreparedSelfAttention prepared_;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_WINDOWS_FUSED_SELF_ATTENTION_H_
