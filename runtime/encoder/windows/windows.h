// How the heads of an attention divide a square grid of tokens into square windows, and windows into tasks.
#ifndef INTSAM_RUNTIME_ENCODER_WINDOWS_WINDOWS_H_
#define INTSAM_RUNTIME_ENCODER_WINDOWS_WINDOWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace intsam::internal {

struct Windows {
  uint32_t grid;  // tokens per side
  uint32_t side;  // keys per side of a window; those of the last row and column may lie outside the grid
  uint32_t heads, head_dim;

  uint32_t width() const { return heads * head_dim; }
  size_t tokens() const { return size_t{grid} * grid; }
  uint32_t keys() const { return side * side; }
  uint32_t per_side() const { return (grid + side - 1) / side; }
  bool padded() const { return grid % side != 0; }

  // Query rows first_row..last_row of one head in the window whose first token is (y, x) and of which the upper left
  // height by width tokens lie in the grid. Only those are queries.
  struct Task {
    uint32_t head, y, x, height, width, first_row, last_row;
  };
  // Tasks are (window, head) where windows are small, (head, band of query rows) where one window is the whole grid.
  uint32_t bands() const { return per_side() == 1 ? std::min(grid, 4u) : 1; }
  uint32_t tasks() const { return per_side() * per_side() * heads * bands(); }
  Task TaskAt(uint32_t index) const {
    const uint32_t band = index % bands(), head = index / bands() % heads, window = index / bands() / heads;
    const uint32_t y = window / per_side() * side, x = window % per_side() * side;
    const uint32_t height = std::min(side, grid - y), width = std::min(side, grid - x);
    return {head, y, x, height, width, height * band / bands(), height * (band + 1) / bands()};
  }
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_WINDOWS_WINDOWS_H_
