// Depthwise convolutions of strips of 32 pixels, alone and with GELU to codes behind them, as an MBConv block has them.
#include "tests/bench/micro/micro.h"

namespace intsam::internal::micro {
namespace {

constexpr int kPixels = 32;

template <class Value, class Weight>
struct Strip {
  int channels, stride;
  std::vector<Value> rows[3];
  std::vector<Weight> weight;
  std::vector<int32_t> bias, acc;

  Strip(int c, int t, int64_t least, int64_t most, int64_t w_max) : channels(c), stride(t) {
    const auto width = static_cast<size_t>(channels), pixels = static_cast<size_t>((kPixels - 1) * stride + 3);
    for (auto& row : rows) row = Values<Value>(pixels * width, least, most);
    weight = Values<Weight>(9 * width, -w_max, w_max);
    bias = Values<int32_t>(width, -1000, 1000);
    acc.resize(kPixels * width + kPadBytes);
  }
  size_t elements() const { return size_t{kPixels} * static_cast<size_t>(channels); }
  template <class Arguments>
  void Run(void (*kernel)(const Arguments&)) {
    kernel({.rows = {rows[0].data(), rows[1].data(), rows[2].data()},
            .stride = stride,
            .weight = weight.data(),
            .bias = bias.data(),
            .acc = acc.data(),
            .acc_stride = static_cast<size_t>(channels),
            .count = kPixels,
            .channels = channels});
  }
};

void Codes(benchmark::State& state, const Kernels& kernels, int channels, int stride) {
  Strip<uint8_t, int8_t> strip(channels, stride, 0, 255, 127);
  for ([[maybe_unused]] auto _ : state) {
    strip.Run(kernels.depthwise_codes);
    Keep(strip.acc);
  }
  CountElements(state, static_cast<double>(strip.elements()));
}

void S16(benchmark::State& state, const Kernels& kernels, int channels) {
  Strip<int16_t, int16_t> strip(channels, 1, -32767, 32767, 2047);
  for ([[maybe_unused]] auto _ : state) {
    strip.Run(kernels.depthwise_s16);
    Keep(strip.acc);
  }
  CountElements(state, static_cast<double>(strip.elements()));
}

void CodesAndGelu(benchmark::State& state, const Kernels& kernels, int channels) {
  Strip<uint8_t, int8_t> strip(channels, 1, 0, 255, 127);
  const auto mult = Values<int16_t>(static_cast<size_t>(channels), 1 << 14, (1 << 15) - 1);
  const auto shift = Values<uint8_t>(static_cast<size_t>(channels), 3, 5);
  TimeInto<uint8_t>(state, strip.elements(), [&](uint8_t* out) {
    strip.Run(kernels.depthwise_codes);
    kernels.requantize_gelu({.acc = strip.acc.data(),
                             .acc_stride = static_cast<size_t>(channels),
                             .up = 0,
                             .mult = mult.data(),
                             .shift = shift.data(),
                             .unit_bits = 12,
                             .out_mult = 20000,
                             .k = 3,
                             .zero = 10,
                             .lo = 0,
                             .hi = 255,
                             .flip = kernels.flip,
                             .out = out,
                             .out_stride = static_cast<size_t>(channels),
                             .rows = kPixels,
                             .n = channels});
  });
}

}  // namespace

void RegisterDepthwise(const Kernels& kernels) {
  const std::string tier = std::string("/") + kernels.name + "/";
  const auto add = [&](const std::string& name, const char* shape, auto body) {
    Register(name + tier + shape, [body, &kernels](benchmark::State& state) { body(state, kernels); });
  };
  add("depthwise_codes", "32x256", [](auto& s, auto& k) { Codes(s, k, 256, 1); });
  add("depthwise_codes", "32x512/stride2", [](auto& s, auto& k) { Codes(s, k, 512, 2); });
  add("depthwise_codes_gelu", "32x256", [](auto& s, auto& k) { CodesAndGelu(s, k, 256); });
  add("depthwise_s16", "32x320", [](auto& s, auto& k) { S16(s, k, 320); });
}

}  // namespace intsam::internal::micro
