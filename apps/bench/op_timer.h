// A kernel table that times every call of another one, for the table of operations. Nothing in the runtime knows it: a
// session takes any table. Two readings of the clock per call are the price (see ClockSeconds), on every thread its
// own counters, so that threads do not slow each other down.
#ifndef INTSAM_APPS_BENCH_OP_TIMER_H_
#define INTSAM_APPS_BENCH_OP_TIMER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/exec/session.h"

namespace intsam::internal {

struct OpTotal {
  std::string op;        // "gemm attn.qkv", "softmax", ...
  int operand_bits = 0;  // of its products, 0 for an operation without any
  uint64_t calls = 0;
  uint64_t macs = 0;      // products as asked for, padding not counted
  uint64_t elements = 0;  // results, of operations without products
  double seconds = 0;     // over all threads
};

// The table. Kernels are plain functions without a place for a context, so this is for one call per process. A GEMM is
// told from another by whose weights it reads; one that reads no weights of `model` is the product of queries and keys.
const Kernels& TimedKernels(const Model& model, const Kernels& kernels);

// Since the last reset, longest first; only between calls of the session.
std::vector<OpTotal> OpTotals();
void ResetOpTotals();

// What timing adds to one call: the cost of two clock readings.
double ClockSeconds();

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_OP_TIMER_H_
