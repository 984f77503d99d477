// Masks as COCO writes them: lengths of runs down the columns, and these as a string.
#ifndef INTSAM_RUNTIME_IMAGE_RUN_LENGTHS_H_
#define INTSAM_RUNTIME_IMAGE_RUN_LENGTHS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/image/mask_runs.h"

namespace intsam::internal {

// Pixels outside and inside in turn, column after column, each from the top. The first length counts pixels outside,
// and is 0 where the first pixel is inside; no other is 0. They sum up to width * height.
std::vector<uint32_t> ColumnRunLengths(const MaskRuns& mask);

// The same as "counts" of pycocotools' compressed masks: differences to the length before the last one, in groups of
// five bits, lowest first, as the characters '0' to 'o'.
std::string CocoString(std::span<const uint32_t> lengths);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_RUN_LENGTHS_H_
