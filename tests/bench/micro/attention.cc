// Attention kernels over a strip of 16 queries, the keys of a window (14 x 14) or of the whole image (64 x 64), heads
// of 64 channels.
#include <algorithm>

#include "tests/bench/micro/micro.h"

namespace intsam::internal::micro {
namespace {

constexpr int kStrip = 16, kHead = 64;
constexpr int kSides[] = {14, 64};

size_t Padded(int count) { return static_cast<size_t>(RoundUp(count, kPanel)); }

void Softmax(benchmark::State& state, const Kernels& kernels, int side, const SoftmaxCode& code) {
  const int count = side * side;
  // The logits are overwritten, so each row needs its own again; the copy is a small part of the time.
  const auto fresh = Values<int32_t>(Padded(count), -(1 << 15), 1 << 15);
  auto logits = fresh;
  const auto rh = Values<int32_t>(static_cast<size_t>(side), -(1 << 12), 1 << 12);
  std::vector<uint16_t> prob(Padded(count) + kPadBytes);
  for ([[maybe_unused]] auto _ : state) {
    std::copy(fresh.begin(), fresh.end(), logits.begin());
    SoftmaxRow row{.logits = logits.data(),
                   .rh = rh.data(),
                   .rw = rh.data(),
                   .rw_stride = 0,
                   .side_h = side,
                   .side_w = side,
                   .count = count,
                   .shift = 2,
                   .mult = 40000,
                   .code = code,
                   .prob = prob.data(),
                   .sum = 0};
    kernels.softmax_row(row);
    Keep(prob);
  }
  CountElements(state, count);
}

void Mix(benchmark::State& state, const Kernels& kernels, int side) {
  const int count = side * side;
  const auto prob = Values<uint16_t>(kStrip * Padded(count), 0, 32767);
  const auto values = Values<int16_t>(Padded(count) * kHead, -127, 127);
  std::vector<int64_t> out(kStrip * kHead + kPadBytes);
  for ([[maybe_unused]] auto _ : state) {
    kernels.attention_mix({.prob = prob.data(),
                           .prob_stride = Padded(count),
                           .values = values.data(),
                           .rows = kStrip,
                           .count = count,
                           .d = kHead,
                           .out = out.data()});
    Keep(out);
  }
  CountMacs(state, double{kStrip} * count * kHead);
}

void Output(benchmark::State& state, const Kernels& kernels) {
  const auto n = Values<int64_t>(kStrip * kHead, -(int64_t{1} << 30), int64_t{1} << 30);
  const auto sum = Values<int32_t>(kStrip, 1 << 24, 1 << 28);
  TimeInto<uint8_t>(state, kStrip * kHead, [&](uint8_t* out) {
    kernels.attention_output({.n = n.data(),
                              .sum = sum.data(),
                              .mult = 1 << 30,
                              .shift = 30,
                              .zero = 128,
                              .lo = -127,
                              .hi = 127,
                              .flip = kernels.flip,
                              .out = out,
                              .out_stride = kHead,
                              .rows = kStrip,
                              .d = kHead});
  });
}

void Pack(benchmark::State& state, const Kernels& kernels, int side) {
  const int count = side * side;
  constexpr size_t kStride = 3 * 768;  // of a row of q, k and v
  const auto rows = Values<int8_t>(static_cast<size_t>(count) * kStride, -127, 127);
  std::vector<int8_t> panels(Padded(count) * kHead + kPadBytes);
  std::vector<int32_t> sums(Padded(count) + kPadBytes);
  std::vector<int16_t> values(Padded(count) * kHead + kPadBytes);
  for ([[maybe_unused]] auto _ : state) {
    kernels.pack_keys({.k = rows.data(),
                       .stride = kStride,
                       .count = count,
                       .d = kHead,
                       .panels = panels.data(),
                       .column_sums = sums.data()});
    kernels.pack_values({.v = rows.data(), .stride = kStride, .count = count, .d = kHead, .values = values.data()});
    Keep(panels);
  }
  CountElements(state, 2.0 * count * kHead);
}

void Relative(benchmark::State& state, const Kernels& kernels, int side, int step) {
  const auto q = Values<int8_t>(kStrip * kHead, -127, 127);
  const int positions = 2 * side - 1, rows = std::min(kStrip, side);
  const auto pairs = Values<int16_t>(static_cast<size_t>(positions) * kHead + kPadBytes, -32767, 32767);
  const std::vector<int32_t> bias(static_cast<size_t>(positions) + kPadBytes);
  std::vector<int32_t> out(static_cast<size_t>(kStrip * side) + kPadBytes);
  for ([[maybe_unused]] auto _ : state) {
    kernels.relative_position({.q = q.data(),
                               .q_stride = kHead,
                               .pairs = pairs.data(),
                               .bias = bias.data(),
                               .positions = positions,
                               .first = side - 1,
                               .step = step,
                               .count = side,
                               .mult = 1 << 30,
                               .shift = 40,
                               .out = out.data(),
                               .out_stride = static_cast<size_t>(side),
                               .rows = rows,
                               .d = kHead});
    Keep(out);
  }
  CountMacs(state, double{1} * rows * side * kHead);
}

}  // namespace

void RegisterAttention(const Kernels& kernels) {
  const std::string tier = std::string("/") + kernels.name + "/";
  const std::pair<const char*, SoftmaxCode> codes[] = {
      {"exact", {}},
      {"uniform8", {.variant = SoftmaxVariant::kU8, .bits = 8, .step_mult = 32768, .step_shift = 7}},
      {"agq6", {.variant = SoftmaxVariant::kAgq, .bits = 6, .tau_shift = 1}}};
  for (const int side : kSides) {
    const std::string keys = std::to_string(side * side);
    for (const auto& [variant, code] : codes) {
      Register("softmax_row" + tier + variant + "/" + keys,
               [=, &kernels, code = code](benchmark::State& state) { Softmax(state, kernels, side, code); });
    }
    Register("attention_mix" + tier + "p15v8/16x64x" + keys,
             [=, &kernels](benchmark::State& state) { Mix(state, kernels, side); });
    Register("pack" + tier + keys + "x64", [=, &kernels](benchmark::State& state) { Pack(state, kernels, side); });
    for (const int step : {0, -1}) {
      Register("relative_position" + tier + (step == 0 ? "beside/" : "along/") + std::to_string(side) + "x64",
               [=, &kernels](benchmark::State& state) { Relative(state, kernels, side, step); });
    }
  }
  Register("attention_output" + tier + "16x64", [&](benchmark::State& state) { Output(state, kernels); });
}

}  // namespace intsam::internal::micro
