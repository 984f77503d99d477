// The loop over whole vectors and a rest. Internal linkage: every tier compiles its own with its own flags.
#ifndef INTSAM_KERNELS_NN_FOR_EACH_VECTOR_H_
#define INTSAM_KERNELS_NN_FOR_EACH_VECTOR_H_

namespace intsam::internal {

// step(i, how many of the kLanes elements from i exist) over n elements. The last, incomplete step is apart, so that in
// the loop the count is a constant and the partial stores vanish.
template <int kLanes, typename Index, typename Step>
static inline void ForEachVector(Index n, Step step) {
  Index i = 0;
  for (; n - i >= Index{kLanes}; i += kLanes) step(i, Index{kLanes});
  if (i < n) step(i, n - i);
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NN_FOR_EACH_VECTOR_H_
