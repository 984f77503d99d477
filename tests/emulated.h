// Programs of another target run under an emulator (CMake defines INTSAM_EMULATED), some twenty times slower. There the
// long sweeps do less of the same: one case in kSweepStride, spread over all of them.
#ifndef INTSAM_TESTS_EMULATED_H_
#define INTSAM_TESTS_EMULATED_H_

#include <cstddef>

namespace intsam::internal::test {

#ifdef INTSAM_EMULATED
constexpr size_t kSweepStride = 11;  // a prime above the lengths of inner loops, so that it meets all of their values
#else
constexpr size_t kSweepStride = 1;
#endif

// For nested loops: whether the next case is one to try.
class Sweep {
 public:
  bool Next() { return count_++ % kSweepStride == 0; }

 private:
  size_t count_ = 0;
};

}  // namespace intsam::internal::test

#endif  // INTSAM_TESTS_EMULATED_H_
