#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/mb_conv/mb_conv.h"

namespace intsam::internal {

void AddKeys(const MbConv& block, const std::string& path, SpecList& list) {
  list.SeparableConv(path, block.width(), block.hidden(), block.out());
}

}  // namespace intsam::internal
