// Whole files into memory, with a limit.
#ifndef INTSAM_APPS_COMMON_FILE_BYTES_H_
#define INTSAM_APPS_COMMON_FILE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

// Reads files, pipes and devices alike, for paths that the user typed; "-" is standard input. kIo with errno's text,
// also for folders, kResource above `limit`; messages start with the path.
Result<std::vector<uint8_t>> ReadFileBytes(const std::string& path, size_t limit);

// For paths that come from a file or a folder: regular files (and links to them) only, so that nothing waits for a pipe
// or reads a device; a NUL in the path, which would cut it, is refused. Otherwise as above; "-" is a name like others.
Result<std::vector<uint8_t>> ReadRegularFile(const std::string& path, size_t limit);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_FILE_BYTES_H_
