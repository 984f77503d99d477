// What files given to the tools may ask for at most, besides models (runtime/format/limits.h) and checkpoints
// (converter/checkpoint/limits.h). `intsam-inspect --limits` prints all three tables.
#ifndef INTSAM_APPS_COMMON_LIMITS_H_
#define INTSAM_APPS_COMMON_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/format/limits.h"

namespace intsam::internal {

constexpr size_t kImageFileBytes = size_t{1} << 30;         // of an encoded image
constexpr uint32_t kImageFileSide = limits::kImageSide;     // pixels
constexpr uint64_t kDecodedImageBytes = uint64_t{3} << 29;  // RGB (20000 x 20000 fits) and what its decoder holds
constexpr uint64_t kJpegScanPixels = 1'500'000'000;         // pixels times scans: 108 megapixels in 13 scans
constexpr size_t kPromptFileBytes = size_t{1} << 20;
constexpr int kPromptFileDepth = 8;  // of nested JSON
constexpr size_t kMaxPromptsPerObject = limits::kPointsPerPrompt;
constexpr size_t kMaxObjects = 4096;
constexpr uint64_t kMaskPixels = uint64_t{1} << 36;  // objects times pixels of the photo: 4096 objects on 16 megapixels
constexpr uint64_t kKeptMaskBytes = uint64_t{1} << 30;  // of masks of prompts, and of masks for an overlay
constexpr size_t kCocoFileBytes = size_t{1} << 30;
constexpr int kCocoFileDepth = 16;                // of nested JSON
constexpr size_t kCocoEntries = size_t{1} << 24;  // of a list in it
constexpr size_t kBatchPhotos = size_t{1} << 22;
constexpr size_t kBatchListBytes = size_t{1} << 28;  // of a file with names
constexpr size_t kBatchPromptsBytes = size_t{1} << 30;
constexpr int kBatchJobs = 256;
constexpr int kBatchShards = 65536;
constexpr int kMaxThreads = limits::kThreads;

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_LIMITS_H_
