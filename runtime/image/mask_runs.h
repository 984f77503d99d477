// A mask as data: its runs, row by row. What it takes is in proportion to its outline.
#ifndef INTSAM_RUNTIME_IMAGE_MASK_RUNS_H_
#define INTSAM_RUNTIME_IMAGE_MASK_RUNS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/image/resize.h"

namespace intsam::internal {

// Pixels begin <= x < end of a row.
struct PixelRun {
  uint32_t begin, end;
  bool operator==(const PixelRun&) const = default;
};

// First and last pixel of both axes, both inside.
struct PixelBox {
  uint32_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool operator==(const PixelBox&) const = default;
};

// Runs of a row are in rising order, not empty, and apart.
class MaskRuns {
 public:
  MaskRuns() = default;
  explicit MaskRuns(ImageSize size) : size_(size) { ends_.reserve(size.height); }

  ImageSize size() const { return size_; }
  uint32_t rows() const { return static_cast<uint32_t>(ends_.size()); }  // size().height once all have been added
  std::span<const PixelRun> runs() const { return runs_; }
  // Index of a row's first run, and of what follows its last.
  size_t first(uint32_t y) const { return y == 0 ? 0 : ends_[y - 1]; }
  size_t end(uint32_t y) const { return ends_[y]; }
  std::span<const PixelRun> Row(uint32_t y) const { return runs().subspan(first(y), end(y) - first(y)); }

  // The next row.
  void Add(std::span<const PixelRun> row) {
    runs_.insert(runs_.end(), row.begin(), row.end());
    ends_.push_back(static_cast<uint32_t>(runs_.size()));
  }

  uint64_t Area() const;
  PixelBox Box() const;  // zeros for an empty mask, as in the original package

  // One byte per pixel, 0 or 1, or one bit: the first pixel in the lowest one, rows padded with zeros to whole bytes.
  // `stride` bytes lie between the beginnings of two rows.
  void ToBytes(uint8_t* out, size_t stride) const;
  void ToBits(uint8_t* out, size_t stride) const;

  MaskRuns Inverse() const;
  // Rows first <= y < end alone.
  MaskRuns Rows(uint32_t first, uint32_t end) const;
  // The mask in the middle of a larger one, with (x, y) at its left top.
  MaskRuns Placed(uint32_t x, uint32_t y, ImageSize within) const;

  size_t memory() const { return runs_.capacity() * sizeof(PixelRun) + ends_.capacity() * sizeof(uint32_t); }

 private:
  ImageSize size_;
  std::vector<PixelRun> runs_;
  std::vector<uint32_t> ends_;
};

// One row, of `width` pixels.
void DrawBytes(std::span<const PixelRun> row, uint32_t width, uint8_t* out);
void DrawBits(std::span<const PixelRun> row, uint32_t width, uint8_t* out);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_MASK_RUNS_H_
