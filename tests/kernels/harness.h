// What the kernel tests share: buffers that end at an inaccessible page, a seeded generator with a taste for extremes,
// and the list of tiers that this build contains and this CPU can run or emulate.
#ifndef INTSAM_TESTS_KERNELS_HARNESS_H_
#define INTSAM_TESTS_KERNELS_HARNESS_H_

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/numerics/packed_weights.h"
#include "runtime/base/cpu.h"
#include "tests/kernels/emulation/emulated_tiers.h"
#include "tests/wide.h"

namespace intsam::internal::test {

// `count` elements followed by exactly kPadBytes that a kernel may read, then a page that faults. Elements and padding
// start as 0x7f garbage. Neither the padding, nor what lies before the data, nor the gaps between strided rows may be
// written: strips of one buffer are written by different threads.
template <class T>
class Guarded {
 public:
  explicit Guarded(size_t count) : count_(count) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t used = count * sizeof(T) + kPadBytes;
    body_ = (used + kPadBytes + page - 1) / page * page;
    mapped_ = body_ + page;
    void* base = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(static_cast<char*>(base) + body_, page, PROT_NONE) != 0) std::abort();
    base_ = static_cast<unsigned char*>(base);
    front_ = body_ - used;
    std::memset(base_, kCanary, front_);
    std::memset(base_ + front_, kGarbage, used);
  }
  explicit Guarded(const std::vector<T>& values) : Guarded(values.size()) {
    std::copy(values.begin(), values.end(), data());
  }
  // Rows of `width` values laid out with a stride, garbage between them.
  Guarded(const std::vector<T>& values, size_t width, size_t stride)
      : Guarded(values.empty() ? 0 : (values.size() / width - 1) * stride + width) {
    for (size_t i = 0; i < values.size(); ++i) data()[i / width * stride + i % width] = values[i];
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() {
    EXPECT_TRUE(std::all_of(base_, base_ + front_, [](unsigned char c) { return c == kCanary; }))
        << "something was written before the start of a buffer";
    EXPECT_TRUE(IsGarbage(base_ + front_ + count_ * sizeof(T), kPadBytes))
        << "something was written past the end of a buffer";
    munmap(base_, mapped_);
  }

  T* data() { return reinterpret_cast<T*>(base_ + front_); }
  size_t size() const { return count_; }
  std::vector<T> Values() { return {data(), data() + count_}; }
  // The rows of an output, checking the gaps between them.
  std::vector<T> Rows(size_t rows, size_t width, size_t stride) {
    std::vector<T> values;
    for (size_t i = 0; i < rows; ++i) {
      T* row = data() + i * stride;
      values.insert(values.end(), row, row + width);
      if (i + 1 < rows) {
        EXPECT_TRUE(IsGarbage(row + width, (stride - width) * sizeof(T))) << "something was written between two rows";
      }
    }
    return values;
  }

 private:
  static bool IsGarbage(const void* bytes, size_t size) {
    const unsigned char* p = static_cast<const unsigned char*>(bytes);
    return std::all_of(p, p + size, [](unsigned char c) { return c == kGarbage; });
  }

  static constexpr unsigned char kCanary = 0xc3;
  static constexpr unsigned char kGarbage = 0x7f;
  size_t count_, body_, mapped_, front_;
  unsigned char* base_;
};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int64_t In(int64_t lo, int64_t hi) { return std::uniform_int_distribution<int64_t>(lo, hi)(engine_); }
  bool Chance(int one_in) { return In(1, one_in) == 1; }
  // Within +-limit: every magnitude equally likely, the limits themselves and zero often.
  int64_t Wide(int64_t limit) {
    const int kind = static_cast<int>(In(0, 9));
    if (kind == 0) return limit;
    if (kind == 1) return -limit;
    if (kind == 2) return In(-1, 1) * std::min<int64_t>(limit, 1);
    const int64_t bound = std::max<int64_t>(1, limit >> In(0, 63 - __builtin_clzll(static_cast<uint64_t>(limit) | 1)));
    return std::clamp(In(-bound, bound), -limit, limit);
  }
  template <class T>
  std::vector<T> Values(size_t count, int64_t lo, int64_t hi) {
    std::vector<T> values(count);
    for (T& v : values) v = static_cast<T>(In(lo, hi));
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

// The largest |acc| for which the loader's proof lets RQ32 keep 32 bits: (acc * mult >> shift) < 2^31 - 1.
inline int64_t Rq32Limit(int32_t mult, int shift) {
  const Int128 bound = ((Int128{2147483647} << shift) - 1) / mult;
  return static_cast<int64_t>(std::min<Int128>(bound, 2147483647));
}

// Weights [n][k] to panels [n/16][k/4][16][4], k a multiple of 4, padding channels zero.
inline std::vector<int8_t> PackPanels(const std::vector<int8_t>& w, int n, int k) {
  std::vector<int8_t> panels(static_cast<size_t>(RoundUp(n, kPanel)) * static_cast<size_t>(k));
  for (int j = 0; j < n; ++j) {
    for (int c = 0; c < k; ++c) {
      const int at = j / kPanel * kPanel * k + c / 4 * kPanel * 4 + j % kPanel * 4 + c % 4;
      panels[static_cast<size_t>(at)] = w[static_cast<size_t>(j) * static_cast<size_t>(k) + static_cast<size_t>(c)];
    }
  }
  return panels;
}

// Codes [n][k] below 2^bits, bits in 4..7, to packed groups [n/16][k/4], padding channels zero.
inline std::vector<uint8_t> PackGroups(const std::vector<int8_t>& codes, int n, int k, int bits) {
  const std::vector<int8_t> panels = PackPanels(codes, n, k);
  std::vector<uint8_t> packed(panels.size() / kGroup * GroupBytes(bits));
  for (size_t i = 0; i < panels.size() / kGroup; ++i) {
    GroupCodes group;
    for (size_t lane = 0; lane < kGroup; ++lane) group[lane] = static_cast<uint8_t>(panels[i * kGroup + lane]);
    PackGroup(group, bits, packed.data() + i * GroupBytes(bits));
  }
  return packed;
}

inline std::vector<const Kernels*> RunnableTiers() {
  std::vector<const Kernels*> tiers;
  for (const Kernels* k : BuiltKernels()) {
    if (CpuSupports(k->name)) tiers.push_back(k);
  }
  for (const Kernels* k : EmulatedTiers()) tiers.push_back(k);
  return tiers;
}

// Base of the tests that run once per tier; GetParam() is the tier.
class TierTest : public testing::TestWithParam<const Kernels*> {};

inline std::string TierName(const testing::TestParamInfo<const Kernels*>& tier) { return tier.param->name; }

#define INTSAM_FOR_EVERY_TIER(suite) \
  INSTANTIATE_TEST_SUITE_P(Tiers, suite, testing::ValuesIn(test::RunnableTiers()), test::TierName)

}  // namespace intsam::internal::test

#endif  // INTSAM_TESTS_KERNELS_HARNESS_H_
