// What a fuzz target is: the function that libFuzzer calls, and the valid inputs from which the replay main mutates.
// A target checks its oracle with Require, which ends the process as a finding.
#ifndef INTSAM_TESTS_FUZZ_FUZZ_TARGET_H_
#define INTSAM_TESTS_FUZZ_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace intsam::internal::testing {

std::vector<std::string> FuzzSeeds();

inline void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz oracle: %s\n", what);
  std::abort();
}

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_FUZZ_FUZZ_TARGET_H_
