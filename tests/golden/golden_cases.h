// The runs behind the golden list: synthetic images and prompts, and the SHA-256 of everything that a run gives, by the
// reference executor or by a session on some tier and number of threads.
#ifndef INTSAM_TESTS_GOLDEN_GOLDEN_CASES_H_
#define INTSAM_TESTS_GOLDEN_GOLDEN_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/exec/session.h"

namespace intsam::internal::testing {

struct GoldenImage {
  ImageSize size;
  std::vector<uint8_t> rgb;
};

// Blocks of colour with noise, from a seed: integers only.
GoldenImage MakeImage(uint32_t width, uint32_t height, uint64_t seed);

// Larger and smaller than the input, partial and empty patches on either axis, and a single row.
std::vector<GoldenImage> GoldenImages();

// One line "WIDTHxHEIGHT PROMPT OUTPUT SHA256" per output of every image and prompt.
using Hashes = std::vector<std::string>;
Hashes RunReference(const IntegerModel& model, const std::vector<GoldenImage>& images);
Hashes RunSession(const Model& model, const Kernels& kernels, int threads, const std::vector<GoldenImage>& images);

// tests/golden/data/golden.txt: the lines of every committed model, after its name.
std::string GoldenListPath();

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_GOLDEN_GOLDEN_CASES_H_
