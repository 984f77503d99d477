// Loops of the float reference on a pool: every item once, exceptions reach the caller, and the pool survives them.
#include "converter/fp32/parallel.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <vector>

namespace intsam::internal::fp32 {
namespace {

constexpr size_t kMuch = kMinimumParallelWork;

TEST(Parallel, RowsMakeUpTheWholeAndAreCutAlikeForAnyThreads) {
  for (const size_t channels : {size_t{1}, size_t{100}, kMuch, kMuch + 1}) {
    for (const size_t rows : {size_t{1}, size_t{2}, size_t{163}, size_t{164}, size_t{40000}}) {
      if (rows * channels > 100 * kMuch) continue;
      std::vector<std::vector<size_t>> starts;
      for (const int threads : {1, 2, 5}) {
        ThreadPool pool(threads);
        std::vector<std::atomic<int>> seen(rows), start(rows);
        ParallelRows(pool, rows, channels, [&](size_t begin, size_t end) {
          ASSERT_LT(begin, end);
          ++start[begin];
          for (size_t i = begin; i < end; ++i) ++seen[i];
        });
        std::vector<size_t> begins;
        for (size_t i = 0; i < rows; ++i) {
          ASSERT_EQ(seen[i], 1) << i << " of " << rows << " rows of " << channels;
          if (start[i] != 0) begins.push_back(i);
        }
        starts.push_back(begins);
      }
      EXPECT_EQ(starts[0], starts[1]);
      EXPECT_EQ(starts[0], starts[2]);
    }
  }
}

TEST(Parallel, AnExceptionReachesTheCallerAndThePoolGoesOn) {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (const size_t thrower : {0, 1, 50, 99}) {
      const auto throws = [&](size_t item, int) {
        if (item == thrower) throw std::bad_alloc();
      };
      EXPECT_THROW(ParallelItems(pool, 100, kMuch, throws), std::bad_alloc) << threads << " threads";
    }
    const auto all_throw = [](size_t item, int) { throw std::runtime_error(std::to_string(item)); };
    EXPECT_THROW(ParallelItems(pool, 100, kMuch, all_throw), std::runtime_error);
    std::atomic<int> ran = 0;
    ParallelItems(pool, 100, kMuch, [&](size_t, int) { ++ran; });
    EXPECT_EQ(ran, 100);
  }
}

TEST(Parallel, LittleWorkStaysOnTheCallingThread) {
  ThreadPool pool(4);
  const std::thread::id caller = std::this_thread::get_id();
  ParallelItems(pool, 100, kMuch - 1, [&](size_t, int worker) {
    EXPECT_EQ(worker, 0);
    EXPECT_EQ(std::this_thread::get_id(), caller);
  });
}

}  // namespace
}  // namespace intsam::internal::fp32
