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
      : FusedSelfAttention(record, record.qkv.bias, Strips::kInRows, kernels),
        attention_(record),
        along_y_(record.rel_pos_h, record.q_rq.out),
        along_x_(record.rel_pos_w, record.q_rq.out) {}

 private:
  void Positions(const Strip& strip, Arena scratch, ops::RowRelPos* out) const override {
    const Scratch s(attention_, scratch);
    const uint32_t side = attention_.windows.side;
    const int n = static_cast<int>(side);
    const int rows = static_cast<int>(strip.rows);
    ops::RelativePositions(kernels_, along_y_, strip.q, rows, side - 1 - strip.y, 0, n, {s.rh, side});
    ops::RelativePositions(kernels_, along_x_, strip.q, rows, side - 1 - strip.x, -1, n, {s.rw, side});
    for (size_t i = 0; i < strip.rows; ++i) out[i] = {s.rh + i * side, s.rw + i * side, 0, n, n};
  }

  const WindowAttention& attention_;
  const PreparedRelPos along_y_, along_x_;
};

}  // namespace

FusedMemory MemoryOf(const WindowAttention& attention) {
  return FusedSelfAttention::Memory(attention, ScratchBytes<Scratch>(attention));
}

std::unique_ptr<FusedLayer> MakeFused(const WindowAttention& attention, const Kernels& kernels) {
  return std::make_unique<FusedWindowAttention>(attention, kernels);
}

}  // namespace intsam::internal
