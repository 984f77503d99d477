// Kernels that turn rows into rows: epilogues over a strip of accumulators (64 x 256), LayerNorm and element-wise
// operations over 64 tokens of 768 channels.
#include "kernels/numerics/fixed_point.h"
#include "tests/bench/micro/micro.h"

namespace intsam::internal::micro {
namespace {

constexpr int kRows = 64, kColumns = 256, kChannels = 768;
constexpr size_t kStrip = size_t{kRows} * kColumns, kTokens = size_t{kRows} * kChannels;

struct Strip {
  std::vector<int32_t> acc = Values<int32_t>(kStrip, -(1 << 20), 1 << 20);
  std::vector<int16_t> mult16 = Values<int16_t>(kColumns, 1 << 14, (1 << 15) - 1);
  std::vector<uint8_t> shift16 = Values<uint8_t>(kColumns, 6, 10);
  std::vector<int32_t> mult32 = Values<int32_t>(kColumns, 1 << 30, INT32_MAX);
  std::vector<uint8_t> shift32 = Values<uint8_t>(kColumns, 34, 38);
};

void Narrow(benchmark::State& state, const Kernels& kernels) {
  const Strip strip;
  TimeInto<uint8_t>(state, kStrip, [&](uint8_t* out) {
    kernels.requantize_narrow({.acc = strip.acc.data(),
                               .acc_stride = kColumns,
                               .up = 0,
                               .mult = strip.mult16.data(),
                               .shift = strip.shift16.data(),
                               .k = 3,
                               .zero = 128,
                               .lo = 0,
                               .hi = 255,
                               .flip = kernels.flip,
                               .out = out,
                               .out_stride = kColumns,
                               .rows = kRows,
                               .n = kColumns});
  });
}

void Gelu(benchmark::State& state, const Kernels& kernels) {
  const Strip strip;
  TimeInto<uint8_t>(state, kStrip, [&](uint8_t* out) {
    kernels.requantize_gelu({.acc = strip.acc.data(),
                             .acc_stride = kColumns,
                             .up = 0,
                             .mult = strip.mult16.data(),
                             .shift = strip.shift16.data(),
                             .unit_bits = 12,
                             .out_mult = 20000,
                             .k = 3,
                             .zero = 10,
                             .lo = 0,
                             .hi = 255,
                             .flip = kernels.flip,
                             .out = out,
                             .out_stride = kColumns,
                             .rows = kRows,
                             .n = kColumns});
  });
}

void Residual(benchmark::State& state, const Kernels& kernels) {
  const Strip strip;
  const auto x = Values<int32_t>(kStrip, -(1 << 22), 1 << 22);
  TimeInto<int32_t>(state, kStrip, [&](int32_t* out) {
    kernels.requantize_r24({.acc = strip.acc.data(),
                            .acc_stride = kColumns,
                            .rq = {strip.mult32.data(), strip.shift32.data()},
                            .add = x.data(),
                            .add_stride = kColumns,
                            .out = out,
                            .out_stride = kColumns,
                            .rows = kRows,
                            .n = kColumns});
  });
}

void Wide(benchmark::State& state, const Kernels& kernels) {
  const Strip strip;
  TimeInto<int16_t>(state, kStrip, [&](int16_t* out) {
    kernels.requantize_s16({.acc = strip.acc.data(),
                            .acc_stride = kColumns,
                            .rq = {strip.mult32.data(), strip.shift32.data()},
                            .lo = -32767,
                            .hi = 32767,
                            .out = out,
                            .out_stride = kColumns,
                            .rows = kRows,
                            .n = kColumns});
  });
}

void Codes(benchmark::State& state, const Kernels& kernels, bool wide) {
  const auto x = Values<int16_t>(kTokens, -32767, 32767);
  const auto r24 = Values<int32_t>(kTokens, -(1 << 22), 1 << 22);
  TimeInto<uint8_t>(state, kTokens, [&](uint8_t* out) {
    kernels.quantize_codes({.x = x.data(),
                            .y = x.data(),
                            .wide = wide ? r24.data() : nullptr,
                            .mult = 1 << 30,
                            .shift = wide ? 45 : 38,
                            .zero = 128,
                            .lo = 0,
                            .hi = 255,
                            .flip = kernels.flip,
                            .out = out,
                            .n = kTokens});
  });
}

void NarrowStream(benchmark::State& state, const Kernels& kernels) {
  const auto x = Values<int32_t>(kTokens, -kR24Max, kR24Max);
  TimeInto<int16_t>(state, kTokens,
                    [&](int16_t* out) { kernels.narrow_r24({.x = x.data(), .out = out, .n = kTokens}); });
}

void GeluInPlace(benchmark::State& state, const Kernels& kernels) {
  // Applied over and over; its cost does not depend on the values.
  auto x = Values<int16_t>(kTokens, -32767, 32767);
  for ([[maybe_unused]] auto _ : state) {
    kernels.gelu_s16({.x = x.data(), .n = kTokens, .unit_bits = 12});
    Keep(x);
  }
  CountElements(state, kTokens);
}

void NormNarrow(benchmark::State& state, const Kernels& kernels) {
  const auto x = Values<int32_t>(kTokens, -(1 << 20), 1 << 20);
  const auto gain = Values<int16_t>(kChannels, 1000, 2000);
  const auto bias = Values<int32_t>(kChannels, 0, 1 << 20);
  TimeInto<uint8_t>(state, kTokens, [&](uint8_t* out) {
    kernels.layer_norm_narrow({.x = x.data(),
                               .x_stride = kChannels,
                               .epsilon = 1000,
                               .sqrt_c = 1816187,  // round(sqrt(768) * 2^16)
                               .gain = gain.data(),
                               .bias = bias.data(),
                               .k = 8,
                               .lo = 0,
                               .hi = 255,
                               .flip = kernels.flip,
                               .out = out,
                               .out_stride = kChannels,
                               .rows = kRows,
                               .channels = kChannels});
  });
}

void NormWide(benchmark::State& state, const Kernels& kernels) {
  const auto x = Values<int32_t>(kTokens, -(1 << 20), 1 << 20);
  const auto gain = Values<int32_t>(kChannels, 1 << 20, 1 << 21);
  const auto bias = Values<int64_t>(kChannels, 0, 1 << 20);
  TimeInto<int16_t>(state, kTokens, [&](int16_t* out) {
    kernels.layer_norm_wide({.x = x.data(),
                             .x_stride = kChannels,
                             .epsilon = 1000,
                             .sqrt_c = 1816187,
                             .gain = gain.data(),
                             .bias = bias.data(),
                             .shift = 24,
                             .out = out,
                             .out_stride = kChannels,
                             .rows = kRows,
                             .channels = kChannels});
  });
}

}  // namespace

void RegisterRows(const Kernels& kernels) {
  const std::string tier = std::string("/") + kernels.name + "/";
  const auto add = [&](const std::string& name, const char* shape, auto body) {
    Register(name + tier + shape, [body, &kernels](benchmark::State& state) { body(state, kernels); });
  };
  add("requantize_narrow", "64x256", Narrow);
  add("requantize_gelu", "64x256", Gelu);
  add("requantize_r24", "64x256", Residual);
  add("requantize_s16", "64x256", Wide);
  add("quantize_codes", "s16/64x768", [](benchmark::State& s, const Kernels& k) { Codes(s, k, false); });
  add("quantize_codes", "r24/64x768", [](benchmark::State& s, const Kernels& k) { Codes(s, k, true); });
  add("gelu_s16", "64x768", GeluInPlace);
  add("narrow_r24", "64x768", NarrowStream);
  add("layer_norm_narrow", "64x768", NormNarrow);
  add("layer_norm_wide", "64x768", NormWide);
}

}  // namespace intsam::internal::micro
