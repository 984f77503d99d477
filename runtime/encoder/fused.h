// What the layers' fused forms share. Each layer runs over independent tasks (blocks of tokens, or windows and heads),
// so the result does not depend on how tasks are spread over threads.
#ifndef INTSAM_RUNTIME_ENCODER_FUSED_H_
#define INTSAM_RUNTIME_ENCODER_FUSED_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "runtime/base/arena.h"
#include "runtime/base/thread_pool.h"
#include "runtime/encoder/kind.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

inline constexpr int kRowBlock = 64;  // tokens per block: operands and hidden codes of a block stay in L2
inline constexpr int kColumns = 256;  // output channels per accumulator strip

// Bytes from one row of `width` codes to the next: an odd number of cache lines, so that the beginnings of rows are
// spread over the sets of a cache, and products that read a column of many rows keep it.
constexpr size_t RowStride(size_t width) { return ((width + 63) / 64 | 1) * 64; }

// Rows of a strip, where layers divide `rows` rows into strips that look at rows of their neighbours: enough that
// little is computed twice, few enough for several threads.
inline int StripRows(uint32_t rows) { return std::clamp(static_cast<int>(rows) / 8, 1, 32); }

// An image on its way through the layers.
struct FusedImage {
  const uint8_t* rgb;  // [size.height][size.width][3], the longest side filling the input
  ImageSize size;
  int16_t* embedding;                 // [tokens][prompt_embed_dim], key units
  uint8_t *stream, *spare;            // 64-byte aligned, as large as FusedMemory of the layers asks
  std::span<uint8_t* const> workers;  // scratch, likewise
  Parallel& parallel;

  int32_t* x() const { return reinterpret_cast<int32_t*>(stream); }       // between a ViT's layers: R24 [tokens][width]
  int16_t* narrow() const { return reinterpret_cast<int16_t*>(stream); }  // where the stream is s16
  void Swap() { std::swap(stream, spare); }

  // Lays a kind's Scratch(record, arena) over the memory of a worker: a few additions.
  template <class Scratch, class Record>
  Scratch ScratchOf(const Record& record, int worker) const {
    Arena arena(workers[static_cast<size_t>(worker)]);
    return Scratch(record, arena);
  }

  // Runs body(first_token, rows, worker) over blocks of `tokens`: of kRowBlock rows, or up to `most` where that leaves
  // two blocks for each worker.
  template <class Body>
  void ForRows(size_t tokens, int most, const Body& body) const {
    const int count = static_cast<int>(tokens);
    most = std::clamp(count / (2 * parallel.workers()) / kRowBlock * kRowBlock, kRowBlock, most);
    parallel.For((count + most - 1) / most, [&](int block, int worker) {
      const int first = block * most;
      body(static_cast<size_t>(first), std::min(most, count - first), worker);
    });
  }
};

template <class Scratch, class Record>
size_t ScratchBytes(const Record& record) {
  Arena counting(nullptr);
  const Scratch scratch(record, counting);
  return counting.used();
}

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_FUSED_H_
