// The loop over whole vectors and a rest, the sizes of blocks. Internal linkage: every tier compiles its own with its
// own flags.
#ifndef INTSAM_KERNELS_ISA_LOOPS_H_
#define INTSAM_KERNELS_ISA_LOOPS_H_

#include "kernels/kernels.h"

namespace intsam::internal {

// step(i, how many of the kLanes elements from i exist) over n elements. The last, incomplete step is apart, so that in
// the loop the count is a constant and the partial stores vanish.
template <int kLanes, typename Index, typename Step>
static inline void ForEachVector(Index n, Step step) {
  Index i = 0;
  for (; n - i >= Index{kLanes}; i += kLanes) step(i, Index{kLanes});
  if (i < n) step(i, n - i);
}

// Splits `total` into equal blocks of at most `limit`, both multiples of `unit`.
static inline int BlockSize(int total, int limit, int unit) {
  const int blocks = (total + limit - 1) / limit;
  return RoundUp((total + blocks - 1) / blocks, unit);
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_ISA_LOOPS_H_
