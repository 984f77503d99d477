#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/local_conv/local_conv.h"

namespace intsam::internal {

void AddKeys(const LocalConv& layer, const std::string& path, SpecList& list) {
  list.ConvBn(path + ".local_conv", layer.width(), 1, 3);
}

}  // namespace intsam::internal
