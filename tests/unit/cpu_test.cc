// How many threads a process may run: its affinity mask, and what cgroups of either version grant, under a root made up
// for the test.
#include "runtime/base/cpu.h"

#include <gtest/gtest.h>

#if defined(__linux__)
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace intsam::internal {
namespace {

class AvailableThreadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / ("intsam_cpu_test_" + std::to_string(getpid()));
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void File(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_.string() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  int Threads() const { return AvailableThreads(root_.string()); }

  // Only what lies below can be seen, however many CPUs this machine has.
  const int all_ = [] {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  }();
  std::filesystem::path root_;
};

TEST_F(AvailableThreadsTest, WithoutCgroupsTheAffinityMask) {
  EXPECT_EQ(Threads(), all_);
  EXPECT_GE(AvailableThreads(), 1);
  EXPECT_LE(AvailableThreads(), all_);
}

TEST_F(AvailableThreadsTest, OneCpuOfTheMask) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  if (sched_setaffinity(0, sizeof one, &one) != 0) GTEST_SKIP() << "no affinity here";
  EXPECT_EQ(Threads(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(Threads(), all_);
}

struct QuotaCase {
  const char* quota;
  const char* period;
  int cpus;  // 0: no limit
};
constexpr QuotaCase kQuotas[] = {{"100000", "100000", 1},
                                 {"100001", "100000", 2},
                                 {"50000", "100000", 1},
                                 {"1", "1000000", 1},
                                 {"150000", "100000", 2},
                                 {"-1", "100000", 0},
                                 {"max", "100000", 0},
                                 {"0", "100000", 0},
                                 {"100000", "0", 0},
                                 {"junk", "junk", 0},
                                 {"", "", 0},
                                 {"99999999999999999999", "1", 0}};

TEST_F(AvailableThreadsTest, QuotasAreRoundedUp) {
  for (const QuotaCase& c : kQuotas) {
    SCOPED_TRACE(std::string(c.quota) + " " + c.period);
    const int expected = c.cpus == 0 ? all_ : std::min(all_, c.cpus);
    File("/proc/self/cgroup", "0::/\n");
    File("/sys/fs/cgroup/cpu.max", std::string(c.quota) + " " + c.period + "\n");
    EXPECT_EQ(Threads(), expected) << "version 2";
    std::filesystem::remove_all(root_);
    File("/proc/self/cgroup", "5:memory:/\n4:cpu,cpuacct:/\n0::/\n");
    File("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", std::string(c.quota) + "\n");
    File("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", std::string(c.period) + "\n");
    EXPECT_EQ(Threads(), expected) << "version 1";
    std::filesystem::remove_all(root_);
  }
}

TEST_F(AvailableThreadsTest, TheTightestGroupOnTheWayUpCounts) {
  File("/proc/self/cgroup", "0::/outer/inner\n");
  File("/sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
  EXPECT_EQ(Threads(), all_);
  File("/sys/fs/cgroup/outer/cpu.max", "100000 100000\n");
  EXPECT_EQ(Threads(), 1);
  File("/sys/fs/cgroup/outer/cpu.max", "max 100000\n");
  File("/sys/fs/cgroup/cpu.max", "40000 100000\n");
  EXPECT_EQ(Threads(), 1);
}

// A container whose own group is mounted as the root, while /proc names it as the host does.
TEST_F(AvailableThreadsTest, AGroupThatIsNotFoundIsTheRoot) {
  File("/proc/self/cgroup", "3:cpu:/docker/0123\n");
  File("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "70000\n");
  File("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Threads(), 1);
}

TEST_F(AvailableThreadsTest, OtherControllersAndDamagedLinesSayNothing) {
  for (const char* text :
       {"", "0\n", "0:\n", "0::\n", "::\n", "0::relative\n", "4:cpuset:/\n", "4:xcpu,cpux:/\n", "\n\n"}) {
    File("/proc/self/cgroup", text);
    File("/sys/fs/cgroup/cpu.max", "1 100000\n");
    File("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "1\n");
    File("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "1\n");
    EXPECT_EQ(Threads(), all_) << text;
  }
}

}  // namespace
}  // namespace intsam::internal
#else
TEST(AvailableThreads, AtLeastOne) { EXPECT_GE(intsam::internal::AvailableThreads(), 1); }
#endif
