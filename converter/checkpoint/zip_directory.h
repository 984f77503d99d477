// The directory of a zip archive as torch.save writes it: stored members only, zip64 included. Sizes come from the
// central directory, data offsets from the local headers. A pure function over the bytes of the file; nothing is
// decompressed.
#ifndef INTSAM_CONVERTER_CHECKPOINT_ZIP_DIRECTORY_H_
#define INTSAM_CONVERTER_CHECKPOINT_ZIP_DIRECTORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "converter/checkpoint/bytes.h"
#include "runtime/base/status.h"

namespace intsam::internal {

struct ZipMember {
  std::string name;
  uint64_t offset;  // of the data in the file
  uint64_t size;
};

// In the order of the central directory. The ranges are disjoint and inside the file, the names unique.
// Refuses compression, encryption, several disks, comments after the end record, and local headers that disagree.
Result<std::vector<ZipMember>> ReadZipDirectory(ByteSpan file);

// The names of the members as far as the central directory can be read, for the error about an archive that
// ReadZipDirectory refuses; nothing else about it is checked.
std::vector<std::string> ZipMemberNames(ByteSpan file);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_ZIP_DIRECTORY_H_
