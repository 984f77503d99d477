// Masks as pictures of text, '#' inside and '.' outside, for tests that a reader can follow.
#ifndef INTSAM_TESTS_IMAGE_PIXELS_H_
#define INTSAM_TESTS_IMAGE_PIXELS_H_

#include <random>
#include <string>
#include <vector>

#include "runtime/image/mask_runs.h"

namespace intsam::internal::testing {

using Pixels = std::vector<std::string>;  // rows of one length

inline MaskRuns RunsOf(const Pixels& pixels) {
  const auto width = static_cast<uint32_t>(pixels.at(0).size());
  MaskRuns runs({width, static_cast<uint32_t>(pixels.size())});
  for (const std::string& row : pixels) {
    std::vector<PixelRun> line;
    for (uint32_t x = 0; x < width; ++x) {
      if (row[x] != '#') continue;
      if (line.empty() || line.back().end != x) line.push_back({x, x});
      line.back().end = x + 1;
    }
    runs.Add(line);
  }
  return runs;
}

inline Pixels PixelsOf(const MaskRuns& runs) {
  Pixels pixels;
  for (uint32_t y = 0; y < runs.rows(); ++y) {
    std::string row(runs.size().width, '.');
    for (const PixelRun& run : runs.Row(y)) row.replace(run.begin, run.end - run.begin, run.end - run.begin, '#');
    pixels.push_back(row);
  }
  return pixels;
}

// One pixel in `one_in` is inside.
inline Pixels RandomPixels(size_t width, size_t height, uint32_t one_in, std::mt19937& random) {
  Pixels pixels(height, std::string(width, '.'));
  for (std::string& row : pixels) {
    for (char& pixel : row) pixel = random() % one_in == 0 ? '#' : '.';
  }
  return pixels;
}

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_IMAGE_PIXELS_H_
