#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/patch_merging/patch_merging.h"

namespace intsam::internal {

void AddKeys(const PatchMerging& merging, const std::string& path, SpecList& list) {
  list.SeparableConv(path, merging.width(), merging.hidden(), merging.out());
}

}  // namespace intsam::internal
