// Both linear layers for one block of rows, so that the hidden tensor never exists as a whole.
#include "runtime/encoder/fused.h"

#include "runtime/encoder/mlp/prepared.h"
#include "runtime/ops/ops.h"

namespace intsam::internal {
namespace {

struct Scratch {
  uint8_t* codes;   // [kMaxRowBlock][RowStride(width)]
  uint8_t* hidden;  // [kMaxRowBlock][RowStride(hidden)]
  int32_t* acc;     // [kMaxRowBlock][kColumns]
  Scratch(const MlpBlock& mlp, Arena& arena)
      : codes(arena.Take<uint8_t>(kMaxRowBlock * RowStride(mlp.width()))),
        hidden(arena.Take<uint8_t>(kMaxRowBlock * RowStride(mlp.hidden()))),
        acc(arena.Take<int32_t>(size_t{kMaxRowBlock} * kColumns)) {}
};

class FusedMlp : public FusedLayer {
 public:
  FusedMlp(const MlpBlock& record, const Kernels& kernels)
      : record_(record), kernels_(kernels), prepared_(record, kernels.flip) {}

  void Run(FusedImage& image) const override {
    const Kernels& k = kernels_;
    const uint32_t width = record_.width(), hidden = record_.hidden();
    const size_t codes_stride = RowStride(width), hidden_stride = RowStride(hidden);
    image.ForRows(record_.tokens, k.row_block, [&](size_t token, int rows, int worker) {
      const auto s = image.ScratchOf<Scratch>(record_, worker);
      int32_t* x = image.x() + token * width;
      ops::Norm(k, record_.norm, {x, width}, rows, {s.codes, codes_stride});
      for (uint32_t first = 0; first < hidden; first += kColumns) {
        const int n = static_cast<int>(std::min<uint32_t>(kColumns, hidden - first));
        ops::Gemm(k, prepared_.lin1, {s.codes, codes_stride}, rows, {s.acc, kColumns}, first, n);
        ops::ToGeluCodes(k, record_.gelu, {s.acc, kColumns}, rows, first, n, {s.hidden + first, hidden_stride});
      }
      for (uint32_t first = 0; first < width; first += kColumns) {
        const int n = static_cast<int>(std::min<uint32_t>(kColumns, width - first));
        ops::Gemm(k, prepared_.lin2, {s.hidden, hidden_stride}, rows, {s.acc, kColumns}, first, n);
        ops::AddToR24(k, record_.lin2_rq, {s.acc, kColumns}, rows, first, n, {x + first, width});
      }
    });
  }

 private:
  const MlpBlock& record_;
  const Kernels& kernels_;
  const PreparedMlp prepared_;
};

}  // namespace

FusedMemory MemoryOf(const MlpBlock& mlp) {
  return {.stream = size_t{mlp.tokens} * mlp.width() * sizeof(int32_t), .worker = ScratchBytes<Scratch>(mlp)};
}

std::unique_ptr<FusedLayer> MakeFused(const MlpBlock& mlp, const Kernels& kernels) {
  return std::make_unique<FusedMlp>(mlp, kernels);
}

}  // namespace intsam::internal
