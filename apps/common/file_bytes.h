// Whole files into memory, with a limit.
#ifndef INTSAM_APPS_COMMON_FILE_BYTES_H_
#define INTSAM_APPS_COMMON_FILE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

// Reads files, pipes and devices alike. kIo with errno's text, kResource above `limit`; messages start with the path.
Result<std::vector<uint8_t>> ReadFileBytes(const std::string& path, size_t limit);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_FILE_BYTES_H_
