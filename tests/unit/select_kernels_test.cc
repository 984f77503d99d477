// Which tier a session gets: a name is taken literally or refused, never replaced by another.
#include "runtime/exec/select_kernels.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "runtime/base/cpu.h"

namespace intsam::internal {
namespace {

// Sets INTSAM_ISA for a scope; null: not set.
class IsaVariable {
 public:
  explicit IsaVariable(const char* value) {
    const char* before = std::getenv("INTSAM_ISA");
    if (before != nullptr) before_ = before, had_ = true;
    Set(value);
  }
  ~IsaVariable() { Set(had_ ? before_.c_str() : nullptr); }

 private:
  static void Set(const char* value) { value == nullptr ? unsetenv("INTSAM_ISA") : setenv("INTSAM_ISA", value, 1); }
  std::string before_;
  bool had_ = false;
};

void ExpectRefused(const char* name, Code code, const std::string& word) {
  const Status status = SelectKernels(name).status();
  EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(code)) << status.message();
  EXPECT_NE(status.message().find(word), std::string::npos) << status.message();
}

TEST(SelectKernels, ByName) {
  const IsaVariable other("no such tier");  // a given name wins over the variable
  for (const Kernels* kernels : BuiltKernels()) {
    const auto selected = SelectKernels(kernels->name);
    if (CpuSupports(kernels->name)) {
      ASSERT_TRUE(selected.ok()) << selected.status().message();
      EXPECT_EQ(selected.value(), kernels);
    } else {
      ExpectRefused(kernels->name, Code::kUnsupported, "CPU does not support");
    }
  }
}

TEST(SelectKernels, BestByDefault) {
  const IsaVariable unset(nullptr);
  for (const char* name : {static_cast<const char*>(nullptr), ""}) {
    const auto selected = SelectKernels(name);
    ASSERT_TRUE(selected.ok());
    for (const Kernels* kernels : BuiltKernels()) {
      if (!CpuSupports(kernels->name)) continue;
      EXPECT_EQ(selected.value(), kernels) << "the first one that is supported";
      break;
    }
  }
}

TEST(SelectKernels, VariableIsHonoured) {
  {
    const IsaVariable scalar("scalar");
    ASSERT_TRUE(SelectKernels(nullptr).ok());
    EXPECT_STREQ(SelectKernels(nullptr).value()->name, "scalar");
    EXPECT_STREQ(SelectKernels("").value()->name, "scalar");
  }
  {
    const IsaVariable wrong("vax");
    ExpectRefused(nullptr, Code::kUsage, "INTSAM_ISA: unknown tier 'vax'");
  }
  const IsaVariable empty("");
  EXPECT_TRUE(SelectKernels(nullptr).ok());
}

TEST(SelectKernels, UnknownNames) {
  for (const char* name : {"AVX2", "scalar ", "avx", "x", "%s%n"})
    ExpectRefused(name, Code::kUsage, "isa: unknown tier");
  EXPECT_FALSE(CpuSupports("vax"));
}

#if !defined(__x86_64__)
TEST(SelectKernels, KnownButNotBuilt) { ExpectRefused("avx2", Code::kUnsupported, "not built into this library"); }
#endif

}  // namespace
}  // namespace intsam::internal
