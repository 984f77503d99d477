// Limits on what a model file may ask for, in one table. Loosened only here.
#ifndef INTSAM_RUNTIME_FORMAT_LIMITS_H_
#define INTSAM_RUNTIME_FORMAT_LIMITS_H_

#include <cstdint>

namespace intsam::internal::limits {

inline constexpr uint64_t kFileBytes = uint64_t{2} << 30;     // of an .isam file
inline constexpr uint64_t kSectionBytes = uint64_t{4} << 20;  // of each section but the data
inline constexpr uint32_t kTensors = 4096;                    // in one file
inline constexpr uint32_t kNameBytes = 119;                   // of a tensor's name
inline constexpr uint32_t kAlignment = 64;                    // of every section and tensor, exactly
inline constexpr uint32_t kImageSide = 32768;                 // pixels
inline constexpr uint64_t kImageBytes = uint64_t{3} << 29;    // of one image as RGB: 20000 x 20000 fits
inline constexpr uint32_t kPointsPerPrompt = 256;
inline constexpr uint32_t kPromptsPerBatch = 4096;          // 2 GiB of results with the official models
inline constexpr uint32_t kPointsPerSide = 1024;            // of everything mode's grid
inline constexpr uint32_t kCropLayers = 5;                  // likewise: 1 + 4 + ... + 1024 crops
inline constexpr uint32_t kGridPoints = uint32_t{1} << 22;  // likewise, of all crops
inline constexpr uint32_t kThreads = 256;
inline constexpr uint32_t kHiddenDim = 512;  // of a W8A16 MLP (ValidateConfig)

}  // namespace intsam::internal::limits

#endif  // INTSAM_RUNTIME_FORMAT_LIMITS_H_
