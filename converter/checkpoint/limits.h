// What a checkpoint may claim at most. One table; every parser of this folder checks against it before it allocates.
// A limit that is exceeded is Code::kResource, and its message names the limit.
#ifndef INTSAM_CONVERTER_CHECKPOINT_LIMITS_H_
#define INTSAM_CONVERTER_CHECKPOINT_LIMITS_H_

#include <cstdint>

namespace intsam::internal {

struct CheckpointLimits {
  static constexpr uint64_t kFileBytes = uint64_t{8} << 30;
  static constexpr uint64_t kTensors = 4096;
  static constexpr uint64_t kNameBytes = 128;
  static constexpr uint64_t kRank = 4;
  static constexpr uint64_t kDimension = 65536;
  static constexpr uint64_t kElements = uint64_t{1} << 28;  // of one tensor

  static constexpr uint64_t kZipEntries = 4096;
  static constexpr uint64_t kZipDirectoryBytes = uint64_t{4} << 20;
  static constexpr uint64_t kZipNameBytes = 512;

  static constexpr uint64_t kPickleBytes = uint64_t{16} << 20;
  static constexpr uint64_t kPickleOpcodes = 4000000;
  static constexpr uint64_t kPickleStack = 65536;
  static constexpr uint64_t kPickleMemo = 1000000;
  static constexpr uint64_t kPickleDepth = 64;
  static constexpr uint64_t kPickleStringBytes = 65536;
  static constexpr uint64_t kPickleGlobalBytes = 256;  // of one line of GLOBAL

  static constexpr uint64_t kSafetensorsHeaderBytes = uint64_t{16} << 20;
  static constexpr uint64_t kConfigBytes = uint64_t{1} << 20;  // the JSON sidecar
  static constexpr int kConfigDepth = 8;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_LIMITS_H_
