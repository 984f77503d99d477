// A mask as runs of pixels, row by row, straight from low-resolution logits (docs/numerics.md section 12). Where all
// logits around lie on one side of the threshold, so do the pixels between them, and nothing is computed: the cost is
// that of the outline, not of the area.
#ifndef INTSAM_RUNTIME_IMAGE_MASK_SCAN_H_
#define INTSAM_RUNTIME_IMAGE_MASK_SCAN_H_

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/image/mask_runs.h"
#include "runtime/image/mask_sampling.h"

namespace intsam::internal {

// The mask of one map of logits at one threshold. Immutable; refers to the logits and the sampling.
class MaskScan {
 public:
  // logits: s16 [side][side]. Inside is what is greater than `threshold`, in units of the logits / 4096.
  MaskScan(const int16_t* logits, uint32_t side, const MaskSampling& sampling, int32_t threshold);

  ImageSize size() const { return sampling_.size(); }

  // Reads rows, in any order; those that follow each other are the cheapest. One thread per reader.
  class Reader;

 private:
  void FindSides(uint32_t first_strip, uint32_t last_strip);

  const int16_t* logits_;
  uint32_t side_;
  const MaskSampling& sampling_;
  int32_t threshold_;
  int32_t floor_;  // of threshold / 4096: an interpolated logit is inside when it is greater

  // Rows (columns) 4k-2 .. 4k+1 of the x4 step lie between logits k-1 and k: strip k, 0 .. side. A cell is where a
  // strip of rows crosses one of columns; bit k of a strip's `words_` words is that of its k-th cell.
  size_t words_;
  std::vector<uint64_t> inside_;  // all four logits around the cell are
  std::vector<uint64_t> mixed_;   // neither all are nor none is
  std::vector<uint64_t> near_;    // the cell or a neighbour is mixed: values may be asked for
  std::vector<uint8_t> empty_;    // 1: no logit of the strip is inside
};

class MaskScan::Reader {
 public:
  explicit Reader(const MaskScan& scan);

  // The runs inside, from left to right with gaps between them. Valid until the next call.
  std::span<const PixelRun> Row(uint32_t y);

 private:
  // A row of the x4 step. Column x has place x + 2, so that a cell has four neighbouring ones.
  struct Line {
    uint32_t y = ~0u;
    std::vector<uint64_t> bits;   // inside
    std::vector<int16_t> values;  // of the cells that are near
  };
  const Line& LineAt(uint32_t y);
  void MixLines(const Line& a, const Line& b, int32_t weight);
  uint32_t Crossing(const Line& a, const Line& b, int32_t weight, uint32_t column) const;
  void Toggle(uint32_t x);

  const MaskScan& scan_;
  Line lines_[2];
  std::vector<uint64_t> bits_;  // of the two lines, mixed
  std::vector<PixelRun> runs_;
  size_t count_ = 0;
  bool open_ = false;  // the last run has no end yet
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_MASK_SCAN_H_
