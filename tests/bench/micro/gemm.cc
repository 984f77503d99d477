// GEMMs in the blocks that the fused executor cuts them into, alone and with the requantization behind them.
#include <algorithm>
#include <memory>

#include "kernels/numerics/packed_weights.h"
#include "tests/bench/micro/micro.h"

namespace intsam::internal::micro {
namespace {

constexpr int kRowBlock = 64, kColumns = 256;  // as in runtime/encoder/fused.h
constexpr int kWeightBits[] = {8, 7, 6, 4};
// MobileSAM's: patch embedding, MBConv and mergings, then qkv, proj, fc1 and fc2 of the stages' blocks.
constexpr Shape kSmallShapes[] = {{64, 32, 28},   {64, 64, 288},  {64, 256, 64},  {64, 64, 256},   {64, 384, 128},
                                  {64, 128, 128}, {64, 512, 128}, {64, 128, 512}, {64, 480, 160},  {64, 640, 160},
                                  {64, 160, 640}, {64, 960, 320}, {64, 320, 320}, {64, 1280, 320}, {64, 320, 1280}};

// Codes and weights of a linear layer, and its strip of accumulators.
struct Layer {
  Shape shape;
  int bits, max_code;
  std::vector<uint8_t> a, groups, zero, out;
  std::vector<int32_t> bias, acc;
  std::vector<int16_t> mult;
  std::vector<uint8_t> shift;

  Layer(const Kernels& kernels, const Shape& s, int weight_bits, int largest)
      : shape(s), bits(weight_bits), max_code(largest) {
    const auto n = static_cast<size_t>(RoundUp(s.n, kPanel)), k = static_cast<size_t>(s.k);
    a = Values<uint8_t>(static_cast<size_t>(s.m) * k, 0, max_code);
    for (uint8_t& code : a) code ^= kernels.flip;
    // Any byte is a weight, but for -128 among the s8 ones.
    groups = Values<uint8_t>(n * k / kGroup * GroupBytes(bits), 0, 255);
    if (bits == 8) std::replace(groups.begin(), groups.end(), uint8_t{0x80}, uint8_t{0x81});
    zero = Values<uint8_t>(n, 1 << (bits - 1), 1 << (bits - 1));
    bias = Values<int32_t>(n, -1000, 1000);
    acc.resize(kRowBlock * kColumns + kPadBytes);
    out.resize(static_cast<size_t>(s.m) * static_cast<size_t>(s.n) + kPadBytes);
    mult = Values<int16_t>(n, 1 << 14, (1 << 15) - 1);
    shift = Values<uint8_t>(n, 6, 10);
  }

  WeightPanels Panels(int first) const {
    const size_t skipped = static_cast<size_t>(first / kPanel) * static_cast<size_t>(shape.k / 4) * GroupBytes(bits);
    WeightPanels panels = S8Panels(reinterpret_cast<const int8_t*>(groups.data() + skipped));
    if (bits < 8) panels.zero = zero.data() + first, panels.bits = bits;
    return panels;
  }
};

// One strip of columns for one block of rows.
void RunGemm(const Kernels& kernels, Layer& layer, int row, int rows, int first, int columns) {
  const auto k = static_cast<size_t>(layer.shape.k);
  GemmA8W8 gemm{};
  gemm.a = layer.a.data() + static_cast<size_t>(row) * k;
  gemm.a_stride = k;
  gemm.weights = layer.Panels(first);
  gemm.bias = layer.bias.data() + first;
  gemm.acc = layer.acc.data();
  gemm.acc_stride = kColumns;
  gemm.m = rows, gemm.n = columns, gemm.k = layer.shape.k;
  gemm.a_max = layer.max_code;
  kernels.gemm_a8w8(gemm);
}

void RunRequantize(const Kernels& kernels, Layer& layer, int row, int rows, int first, int columns) {
  const auto n = static_cast<size_t>(layer.shape.n);
  kernels.requantize_narrow({.acc = layer.acc.data(),
                             .acc_stride = kColumns,
                             .up = 0,
                             .mult = layer.mult.data() + first,
                             .shift = layer.shift.data() + first,
                             .k = 3,
                             .zero = 128,
                             .lo = 0,
                             .hi = 255,
                             .flip = kernels.flip,
                             .out = layer.out.data() + static_cast<size_t>(row) * n + static_cast<size_t>(first),
                             .out_stride = n,
                             .rows = rows,
                             .n = columns});
}

void RunLayer(benchmark::State& state, const Kernels& kernels, Layer& layer, bool requantize) {
  const Shape& s = layer.shape;
  for ([[maybe_unused]] auto _ : state) {
    for (int row = 0; row < s.m; row += kRowBlock) {
      const int rows = std::min(kRowBlock, s.m - row);
      for (int first = 0; first < s.n; first += kColumns) {
        const int columns = std::min(kColumns, s.n - first);
        RunGemm(kernels, layer, row, rows, first, columns);
        if (requantize) RunRequantize(kernels, layer, row, rows, first, columns);
      }
    }
    Keep(layer.acc);
  }
  CountMacs(state, double{1} * s.m * s.n * s.k);
}

void RegisterLayer(const Kernels& kernels, const Shape& shape, int bits, int max_code) {
  const std::string what =
      std::string(kernels.name) + "/w" + std::to_string(bits) + (max_code < 255 ? "a6/" : "a8/") + NameOf(shape);
  for (const bool requantize : {false, true}) {
    Register((requantize ? "linear/" : "gemm_a8w8/") + what, [=, &kernels](benchmark::State& state) {
      Layer layer(kernels, shape, bits, max_code);
      RunLayer(state, kernels, layer, requantize);
    });
  }
}

// A strip of queries against the keys of a window or of the whole image.
void QueriesByKeys(benchmark::State& state, const Kernels& kernels, int keys, int bits) {
  constexpr int kStrip = 16, kHead = 64;
  const int largest = (1 << bits) - 1;
  const auto n = static_cast<size_t>(RoundUp(keys, kPanel));
  auto q = Values<uint8_t>(kStrip * kHead, 1, largest);
  for (uint8_t& code : q) code ^= kernels.flip;
  const auto panels = Values<int8_t>(n * kHead, -largest / 2, largest / 2);
  const auto bias = Values<int32_t>(n, -1000, 1000);
  std::vector<int32_t> logits(kStrip * n + kPadBytes);
  for ([[maybe_unused]] auto _ : state) {
    GemmA8W8 gemm{};
    gemm.a = q.data(), gemm.a_stride = kHead;
    gemm.weights = S8Panels(panels.data(), largest / 2);
    gemm.bias = bias.data();
    gemm.acc = logits.data(), gemm.acc_stride = n;
    gemm.m = kStrip, gemm.n = keys, gemm.k = kHead;
    gemm.a_max = largest;
    kernels.gemm_a8w8(gemm);
    Keep(logits);
  }
  CountMacs(state, double{kStrip} * keys * kHead);
}

}  // namespace

void RegisterGemm(const Kernels& kernels) {
  const std::string tier = std::string("/") + kernels.name;
  for (const Shape& shape : LinearShapes(tier != "/scalar")) {
    for (const int bits : kWeightBits) RegisterLayer(kernels, shape, bits, 255);
    RegisterLayer(kernels, shape, 6, 63);
  }
  for (const Shape& shape : kSmallShapes) RegisterLayer(kernels, shape, 8, 255);
  for (const Shape& shape : {Shape{64, 256, 256}, Shape{64, 2048, 256}}) {
    Register("gemm_a16w8" + tier + "/" + NameOf(shape), [=, &kernels](benchmark::State& state) {
      const auto m = static_cast<size_t>(shape.m), n = static_cast<size_t>(shape.n), k = static_cast<size_t>(shape.k);
      const auto a = Values<int16_t>(m * k, -32767, 32767);
      const auto weights = Values<int8_t>(n * k, -127, 127);
      const auto bias = Values<int32_t>(n, -1000, 1000);
      std::vector<int32_t> acc(m * n + kPadBytes);
      for ([[maybe_unused]] auto _ : state) {
        GemmA16W8 gemm{};
        gemm.a = a.data(), gemm.a_stride = k;
        gemm.weights = S8Panels(weights.data());
        gemm.bias = bias.data();
        gemm.acc = acc.data(), gemm.acc_stride = n;
        gemm.m = shape.m, gemm.n = shape.n, gemm.k = shape.k;
        kernels.gemm_a16w8(gemm);
        Keep(acc);
      }
      CountMacs(state, double{1} * shape.m * shape.n * shape.k);
    });
  }
  for (const int keys : {196, 4096}) {
    for (const int bits : {8, 6}) {
      Register("qk" + tier + "/q" + std::to_string(bits) + "k" + std::to_string(bits) + "/" + NameOf({16, keys, 64}),
               [=, &kernels](benchmark::State& state) { QueriesByKeys(state, kernels, keys, bits); });
    }
  }
}

}  // namespace intsam::internal::micro
