// The pool: every index once, whatever the number of workers, and never two tasks on one worker.
#include "runtime/base/thread_pool.h"

#include <gtest/gtest.h>

#include <memory>

namespace intsam::internal {
namespace {

TEST(ThreadPool, EveryIndexExactlyOnce) {
  for (int workers = 1; workers <= 8; ++workers) {
    ThreadPool pool(workers);
    EXPECT_EQ(pool.workers(), workers);
    for (const int count : {0, 1, 2, workers - 1, workers, workers + 1, 100, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
      pool.For(count, [&](int index, int worker) {
        ASSERT_TRUE(worker >= 0 && worker < workers);
        ASSERT_TRUE(index >= 0 && index < count);
        ++seen[static_cast<size_t>(index)];
      });
      for (const std::atomic<int>& times : seen) ASSERT_EQ(times, 1) << workers << " workers, " << count << " tasks";
    }
  }
}

TEST(ThreadPool, ManyShortRounds) {
  for (const int workers : {2, 5}) {
    ThreadPool pool(workers);
    int64_t sum = 0;
    for (int round = 0; round < 2000; ++round) {
      std::atomic<int64_t> part{0};
      pool.For(3, [&](int index, int) { part += index + round; });
      sum += part;  // everything of a round is over when For returns
    }
    EXPECT_EQ(sum, 3 * (2000 * 1999 / 2) + 2000 * 3);
  }
}

TEST(ThreadPool, WorkersAreExclusive) {
  constexpr int kWorkers = 4;
  ThreadPool pool(kWorkers);
  std::atomic<int> busy[kWorkers] = {};
  std::atomic<int> clashes{0};
  for (int round = 0; round < 200; ++round) {
    pool.For(64, [&](int, int worker) {
      if (busy[worker].fetch_add(1) != 0) ++clashes;
      for (volatile int spin = 0; spin < 50;) spin = spin + 1;
      busy[worker].fetch_sub(1);
    });
  }
  EXPECT_EQ(clashes, 0);
}

// Plain memory written by tasks is visible after For: the thread sanitizer checks this one.
TEST(ThreadPool, ResultsArePublished) {
  ThreadPool pool(3);
  std::vector<int> values(257);
  for (int round = 1; round <= 100; ++round) {
    pool.For(257, [&](int index, int) { values[static_cast<size_t>(index)] += index; });
  }
  for (int i = 0; i < 257; ++i) EXPECT_EQ(values[static_cast<size_t>(i)], 100 * i);
}

TEST(ThreadPool, PoolsAreIndependent) {
  ThreadPool outer(2);
  std::atomic<int> total{0};
  outer.For(4, [&](int, int) {
    ThreadPool inner(2);
    inner.For(10, [&](int, int) { ++total; });
  });
  EXPECT_EQ(total, 40);
}

TEST(ThreadPool, UnusedPoolEnds) {
  for (int i = 0; i < 50; ++i) ThreadPool pool(1 + i % 4);
}

}  // namespace
}  // namespace intsam::internal
