// What people pass for a checkpoint and is none: named, with what to do about it.
#ifndef INTSAM_CONVERTER_CHECKPOINT_FOREIGN_FORMATS_H_
#define INTSAM_CONVERTER_CHECKPOINT_FOREIGN_FORMATS_H_

#include <string>
#include <vector>

#include "converter/checkpoint/bytes.h"
#include "converter/checkpoint/checkpoint.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// The error for a file that is neither safetensors nor a zip file. Never ok.
Status RefuseForeignFile(ByteSpan file);

// The error for a zip file with these members that the reader of torch.save refuses: `refused`, unless they tell more.
Status RefuseForeignZip(const std::vector<std::string>& members, const Status& refused);

// The error for tensors that are a relative of SAM or a part of one, by their names; ok if they do not look like one.
Status RefuseForeignModel(const std::vector<CheckpointTensor>& tensors);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_FOREIGN_FORMATS_H_
