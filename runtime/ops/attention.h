// Fused attention over one head: the scores of a strip of queries against all keys stay in cache, and the softmax uses
// the final row maximum (docs/numerics.md 6.5: no running-maximum rescale). Shared by image encoder and mask decoder.
#ifndef INTSAM_RUNTIME_OPS_ATTENTION_H_
#define INTSAM_RUNTIME_OPS_ATTENTION_H_

#include "runtime/base/arena.h"
#include "runtime/ops/ops.h"

namespace intsam::internal {

// Keys and values of one head in the kernels' layouts, and the strip's intermediates. One per worker.
struct HeadScratch {
  static constexpr int kStrip = 16;  // queries at a time, where there are many keys

  // The two halves, and both.
  void LayoutPacked(Arena& arena, int max_keys, int max_head_dim);
  void LayoutStrip(Arena& arena, int max_keys, int max_head_dim, int max_rows);
  void Layout(Arena& arena, int max_keys, int max_head_dim);
  // Uses what another has packed.
  void Share(const HeadScratch& packed);

  // From one row of logits to the next: rows of a power of two keys would all begin in the same sets of a cache.
  static constexpr size_t LogitsStride(size_t padded_keys) { return padded_keys + kPanel; }

  int count = 0, d = 0;  // of the packed head
  int q_shift = 127;     // makes operands of queries
  int q_zero = 127;      // the zero point of these
  int q_max = 254;       // the largest
  int k_max = 127;       // no key is larger in magnitude
  int v_zero = 0;        // of values
  int mix_columns = 0;   // values are packed that many columns at a time, a divisor of d
  int8_t* panels;
  int32_t* bias;
  int16_t* values;
  uint8_t* q;
  int32_t* logits;
  uint16_t* prob;
  int64_t* mixed;
  int32_t* sums;  // of the probabilities of each row
};

// No code less 128 is larger in magnitude.
constexpr int LargestValue(const Codes& values) {
  const int below = 128 - static_cast<int>(values.lo), above = static_cast<int>(values.hi) - 128;
  return below > above ? below : above;
}

// How queries, keys and values of an attention were requantized. As s8 they are codes less 128, whatever their zero
// points.
struct QkvCodes {
  const Codes &q, &k, &v;
};

// Fills in all but the packed head itself.
void DescribeHead(const QkvCodes& codes, int count, int d, int mix_columns, HeadScratch& head);
void PackHead(const Kernels& k, const QkvCodes& codes, ops::Rows<const int8_t> keys, ops::Rows<const int8_t> values,
              int count, int d, HeadScratch& head);

// out[i] = codes (zero point OperandZero, in the tier's form) of attention for q[i], rows <= max_rows. positions: of
// each row, or null where keys have none.
void AttendStrip(const Kernels& k, const Softmax& softmax, ops::Rows<const int8_t> q, int rows,
                 const ops::RowRelPos* positions, HeadScratch& head, ops::Rows<uint8_t> out);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_OPS_ATTENTION_H_
