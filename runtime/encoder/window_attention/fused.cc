#include "runtime/encoder/windows/fused_self_attention.h"

#include "runtime/encoder/window_attention/window_attention.h"

namespace intsam::internal {
namespace {

struct Scratch {
  int32_t *rh, *rw;  // [kStrip][side]
  Scratch(const WindowAttention& a, Arena& arena)
      : rh(arena.Take<int32_t>(HeadScratch::kStrip * size_t{a.windows.side})),
        rw(arena.Take<int32_t>(HeadScratch::kStrip * size_t{a.windows.side})) {}
};

class FusedWindowAttention : public FusedSelfAttention {
 public:
  // A token that is zero after the norm has the bias as its qkv accumulator (docs/numerics.md 13).
  FusedWindowAttention(const WindowAttention& record, const Kernels& kernels)
      : FusedSelfAttention(record, record.qkv.bias, Strips::kInRows, kernels), attention_(record) {}

 private:
  void Positions(const Strip& strip, Arena scratch, ops::RowRelPos* out) const override {
    const Scratch s(attention_, scratch);
    const uint32_t side = attention_.windows.side;
    const int n = static_cast<int>(side);
    ops::RelativePositions(kernels_, attention_.rel_pos_h, strip.q, static_cast<int>(strip.rows), side - 1 - strip.y, n,
                           {s.rh, side});
    for (uint32_t i = 0; i < strip.rows; ++i) {
      ops::RelativePositions(kernels_, attention_.rel_pos_w, {strip.q[i], strip.q.stride}, 1, side - 1 - (strip.x + i),
                             n, {s.rw + size_t{i} * side, side});
      out[i] = {s.rh + size_t{i} * side, s.rw + size_t{i} * side, 0, n, n};
    }
  }

  const WindowAttention& attention_;
};

}  // namespace

FusedMemory MemoryOf(const WindowAttention& attention) {
  return FusedSelfAttention::Memory(attention, ScratchBytes<Scratch>(attention));
}

std::unique_ptr<FusedLayer> MakeFused(const WindowAttention& attention, const Kernels& kernels) {
  return std::make_unique<FusedWindowAttention>(attention, kernels);
}

}  // namespace intsam::internal
