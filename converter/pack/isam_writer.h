// An integer model to the bytes of an .isam file (docs/format.md), through the visitor that also reads it.
#ifndef INTSAM_CONVERTER_PACK_ISAM_WRITER_H_
#define INTSAM_CONVERTER_PACK_ISAM_WRITER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/format/model.h"

namespace intsam::internal {

// Gives the file's bytes in order, in pieces. The first failing `sink` call ends the writing with its status.
using ByteSink = std::function<Status(const void* data, size_t size)>;

// `provenance`: JSON text. kUnsupported names a field outside its range: no integers express what was quantized.
Status WriteModel(IntegerModel& model, const std::string& provenance, const ByteSink& sink);

// Writes atomically: a temporary file is written, reopened, validated and checksummed, then renamed to `path`. The size
// of the file. kUnsupported also where validating, the proof above all, refuses the model. What is about the file, and
// not about the model, begins with `path`.
Result<uint64_t> WriteModelFile(IntegerModel& model, const std::string& provenance, const std::string& path);

// The same bytes in memory, validated.
Result<std::vector<uint8_t>> ModelBytes(IntegerModel& model, const std::string& provenance);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_PACK_ISAM_WRITER_H_
