// What tools that read photos have in common on the command line.
#ifndef INTSAM_APPS_COMMON_PHOTO_OPTIONS_H_
#define INTSAM_APPS_COMMON_PHOTO_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <cxxopts.hpp>
#include <string>

#include "apps/common/photos.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// What the help says about an argument that names a photo or a folder of them: the formats and the memory they take.
std::string PhotoHelp();

// --stretch.
void AddPhotoOptions(cxxopts::Options& options);
// --stretch and --strict.
void AddFolderOptions(cxxopts::Options& options);

// --overlay-size.
void AddOverlaySizeOption(cxxopts::Options& options);

ReadOptions ReadOptionsOf(const cxxopts::ParseResult& parsed);
FolderOptions FolderOptionsOf(const cxxopts::ParseResult& parsed, size_t limit);
// Pixels of the longer side at most, 0 for those of the photo; kUsage for what is no such number.
Result<uint32_t> OverlaySizeOf(const cxxopts::ParseResult& parsed);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_OPTIONS_H_
