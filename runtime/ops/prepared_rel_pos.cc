#include "runtime/ops/prepared_rel_pos.h"

#include "kernels/kernels.h"

namespace intsam::internal {

PreparedRelPos::PreparedRelPos(const RelPos& table, const Codes& queries) : rel(&table) {
  const size_t positions = 2 * size_t{table.side} - 1, depth = table.head_dim;
  pairs.resize(depth * positions + kPadBytes);
  bias.resize(positions + kPadBytes);
  const int zero = static_cast<int>(queries.zero) - 128;  // of queries as s8
  for (size_t p = 0; p < positions; ++p) {
    for (size_t c = 0; c < depth; ++c) {
      pairs[(c / 2 * positions + p) * 2 + c % 2] = table.table[p * depth + c];
      bias[p] -= zero * table.table[p * depth + c];
    }
  }
}

}  // namespace intsam::internal
