// What the microbenchmarks share: tiers, inputs and counters. Inputs are random within the ranges of
// kernels/kernels.h, outputs are not looked at: that they are right is what tests/kernels proves.
#ifndef INTSAM_TESTS_BENCH_MICRO_MICRO_H_
#define INTSAM_TESTS_BENCH_MICRO_MICRO_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/base/cpu.h"

namespace intsam::internal::micro {

// Each source registers its benchmarks for one tier; names are kernel/tier/what.
void RegisterGemm(const Kernels& kernels);
void RegisterAttention(const Kernels& kernels);
void RegisterRows(const Kernels& kernels);
void RegisterDepthwise(const Kernels& kernels);
// Without tiers: resizing, masks, and oneDNN's matrix product for the shapes of RegisterGemm.
void RegisterResize();
void RegisterMasks();
void RegisterOneDnn();

// A linear layer over m rows.
struct Shape {
  int m, n, k;
};
std::string NameOf(const Shape& shape);

// The layers of SAM-B's blocks (proj, qkv, lin1, lin2), for one block of rows and for a whole image. Scalar code takes
// seconds for an image, and has nothing to show with it.
std::vector<Shape> LinearShapes(bool whole_images);

// `count` values of lo..hi and readable padding.
template <class T>
std::vector<T> Values(size_t count, int64_t lo, int64_t hi) {
  std::mt19937 engine(1);
  std::uniform_int_distribution<int64_t> distribution(lo, hi);
  std::vector<T> values(count + kPadBytes / sizeof(T));
  for (T& v : values) v = static_cast<T>(distribution(engine));
  return values;
}

template <class Body>
void Register(const std::string& name, Body body) {
  benchmark::RegisterBenchmark(name.c_str(), [body](benchmark::State& state) { body(state); });
}

inline void CountMacs(benchmark::State& state, double macs) {
  state.counters["GMAC/s"] =
      benchmark::Counter(macs * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
inline void CountElements(benchmark::State& state, double elements) {
  state.counters["elements/s"] =
      benchmark::Counter(elements * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

// Keeps the compiler from leaving out what wrote to `data`.
template <class T>
void Keep(std::vector<T>& data) {
  benchmark::DoNotOptimize(data.data());
  benchmark::ClobberMemory();
}

// Times call(out), which writes `count` elements to out, and counts them.
template <class T, class Call>
void TimeInto(benchmark::State& state, size_t count, const Call& call) {
  std::vector<T> out(count + kPadBytes);
  for ([[maybe_unused]] auto _ : state) {
    call(out.data());
    Keep(out);
  }
  CountElements(state, static_cast<double>(count));
}

}  // namespace intsam::internal::micro

#endif  // INTSAM_TESTS_BENCH_MICRO_MICRO_H_
