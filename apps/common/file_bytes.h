// Files into memory: whole, with a limit, or a piece at a time.
#ifndef INTSAM_APPS_COMMON_FILE_BYTES_H_
#define INTSAM_APPS_COMMON_FILE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/function_ref.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// Reads files, pipes and devices alike, for paths that the user typed; "-" is standard input. kIo with errno's text,
// also for folders, kResource above `limit`; messages start with the path.
Result<std::vector<uint8_t>> ReadFileBytes(const std::string& path, size_t limit);

// For paths that come from a file or a folder: regular files (and links to them) only, so that nothing waits for a pipe
// or reads a device; a NUL in the path, which would cut it, is refused. Otherwise as above; "-" is a name like others.
Result<std::vector<uint8_t>> ReadRegularFile(const std::string& path, size_t limit);

// Files of any size. take(piece) for one piece after the other; returns its first error. kIo as for ReadFileBytes.
Status ReadPieces(const std::string& path, FunctionRef<Status(std::span<const uint8_t>)> take);
// take(line) for each line, without its newline; what is behind the last newline is no line.
Status ForEachLine(const std::string& path, FunctionRef<Status(std::string_view)> take);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_FILE_BYTES_H_
