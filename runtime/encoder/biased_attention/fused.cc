#include <cstdlib>

#include "runtime/encoder/biased_attention/biased_attention.h"
#include "runtime/encoder/windows/fused_self_attention.h"
#include "runtime/ops/tensors.h"

namespace intsam::internal {
namespace {

class FusedBiasedAttention : public FusedSelfAttention {
 public:
  FusedBiasedAttention(const BiasedAttention& record, const Kernels& kernels)
      : FusedSelfAttention(record, PaddingToken(record), Strips::kAcrossRows, kernels),
        side_(record.windows.side),
        zeros_(side_),
        tables_(record.windows.heads * Extent() * Extent() + kPadBytes) {
    int32_t* out = tables_.data();
    const int last = static_cast<int>(side_) - 1;
    for (uint32_t head = 0; head < record.windows.heads; ++head) {
      const int32_t* biases = record.biases.data() + size_t{head} * record.windows.keys();
      for (int dy = -last; dy <= last; ++dy) {
        for (int dx = -last; dx <= last; ++dx) *out++ = biases[std::abs(dy) * (last + 1) + std::abs(dx)];
      }
    }
  }

 private:
  size_t Extent() const { return 2 * side_ - 1; }

  // The keys of a query at (y, x) are at distances -y.. and -x..: a square of the table.
  void Positions(const Strip& strip, Arena, ops::RowRelPos* out) const override {
    const int32_t* table = tables_.data() + strip.head * Extent() * Extent();
    const int side = static_cast<int>(side_);
    for (uint32_t i = 0; i < strip.rows; ++i) {
      const size_t y = strip.y + (strip.x + i) / strip.width, x = (strip.x + i) % strip.width;
      out[i] = {zeros_.data(), table + (side_ - 1 - y) * Extent() + side_ - 1 - x, Extent(), side, side};
    }
  }

  const size_t side_;
  const std::vector<int32_t> zeros_;  // [side]
  std::vector<int32_t> tables_;       // [heads][Extent()][Extent()]: by distances from 1 - side on, dy and dx
};

}  // namespace

FusedMemory MemoryOf(const BiasedAttention& attention) { return FusedSelfAttention::Memory(attention, 0); }

std::unique_ptr<FusedLayer> MakeFused(const BiasedAttention& attention, const Kernels& kernels) {
  return std::make_unique<FusedBiasedAttention>(attention, kernels);
}

}  // namespace intsam::internal
