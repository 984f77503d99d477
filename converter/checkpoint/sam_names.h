// The names under which people publish the tensors of a SAM, as the official ones.
#ifndef INTSAM_CONVERTER_CHECKPOINT_SAM_NAMES_H_
#define INTSAM_CONVERTER_CHECKPOINT_SAM_NAMES_H_

#include <cstddef>
#include <vector>

#include "converter/checkpoint/checkpoint.h"

namespace intsam::internal {

struct NamedTensors {
  std::vector<CheckpointTensor> tensors;  // by official name, each once
  std::vector<size_t> index;              // of each in the file
  // Tensors of the file that are listed under one official name: the second of each pair is left out above, and must
  // hold what the first does.
  struct Copy {
    size_t kept, left_out;
  };
  std::vector<Copy> copies;
};

// Removes the prefix that training code puts before all names ("module.", "model.", ...), and translates those of
// Hugging Face's transformers. What is no tensor of a SAM keeps its name. kUnsupported if the file holds two SAMs.
Result<NamedTensors> OfficialNames(const std::vector<CheckpointTensor>& file);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_SAM_NAMES_H_
