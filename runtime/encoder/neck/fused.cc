// One pass over blocks of tokens for each convolution. The codes between them lie in the spare buffer.
#include "runtime/encoder/fused.h"

#include <cstring>

#include "runtime/encoder/neck/prepared.h"
#include "runtime/ops/ops.h"

namespace intsam::internal {
namespace {

struct Scratch {
  uint8_t* codes;  // [kRowBlock][max(width, 9 * out)]
  int32_t* acc;    // [kRowBlock][out]
  int32_t* rows;   // [kRowBlock][out]
  Scratch(const Neck& neck, Arena& arena)
      : codes(arena.Take<uint8_t>(kRowBlock * size_t{std::max(neck.width(), 9 * neck.out())})),
        acc(arena.Take<int32_t>(kRowBlock * size_t{neck.out()})),
        rows(arena.Take<int32_t>(kRowBlock * size_t{neck.out()})) {}
};

class FusedNeck : public FusedLayer {
 public:
  FusedNeck(const Neck& record, const Kernels& kernels)
      : record_(record), kernels_(kernels), prepared_(record, kernels.flip) {}

  void Run(FusedImage& image) const override {
    const Kernels& k = kernels_;
    const uint32_t width = record_.width(), dim = record_.out();
    const size_t tokens = size_t{record_.grid} * record_.grid;
    uint8_t* middle = image.spare;
    image.ForRows(tokens, kRowBlock, [&](size_t token, int rows, int worker) {
      const auto s = image.ScratchOf<Scratch>(record_, worker);
      ops::Quantize(k, record_.in, image.x() + token * width, static_cast<size_t>(rows) * width, s.codes);
      ops::Gemm(k, prepared_.conv1, {s.codes, width}, rows, {s.acc, dim});
      ops::ToR24(k, record_.conv1_rq, {s.acc, dim}, rows, {s.rows, dim});
      ops::Norm(k, record_.norm1, {s.rows, dim}, rows, {middle + token * dim, dim});
    });
    image.ForRows(tokens, kRowBlock, [&](size_t token, int rows, int worker) {
      const auto s = image.ScratchOf<Scratch>(record_, worker);
      for (size_t i = 0; i < static_cast<size_t>(rows); ++i)
        Neighbourhood(middle, static_cast<int>(token + i), s.codes + i * 9 * dim);
      ops::Gemm(k, prepared_.conv2, {s.codes, size_t{9} * dim}, rows, {s.acc, dim});
      ops::ToR24(k, record_.conv2_rq, {s.acc, dim}, rows, {s.rows, dim});
      ops::Norm(k, record_.norm2, {s.rows, dim}, rows, {image.embedding + token * dim, dim});
    });
  }

 private:
  // The operand of conv2 for one token: codes around it, that of zero outside.
  void Neighbourhood(const uint8_t* codes, int token, uint8_t* out) const {
    const int grid = static_cast<int>(record_.grid), y = token / grid, x = token % grid;
    const size_t dim = record_.out();
    const uint8_t pad = static_cast<uint8_t>(record_.norm1.out.zero) ^ kernels_.flip;
    for (int ky = y - 1; ky <= y + 1; ++ky) {
      for (int kx = x - 1; kx <= x + 1; ++kx, out += dim) {
        if (ky >= 0 && kx >= 0 && ky < grid && kx < grid) {
          std::memcpy(out, codes + static_cast<size_t>(ky * grid + kx) * dim, dim);
        } else {
          std::memset(out, pad, dim);
        }
      }
    }
  }

  const Neck& record_;
  const Kernels& kernels_;
  const PreparedNeck prepared_;
};

}  // namespace

FusedMemory MemoryOf(const Neck& neck) {
  const size_t tokens = size_t{neck.grid} * neck.grid;
  return {.stream = tokens * neck.width() * sizeof(int32_t),
          .spare = tokens * neck.out(),
          .worker = ScratchBytes<Scratch>(neck)};
}

std::unique_ptr<FusedLayer> MakeFused(const Neck& neck, const Kernels& kernels) {
  return std::make_unique<FusedNeck>(neck, kernels);
}

}  // namespace intsam::internal
