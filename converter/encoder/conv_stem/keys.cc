#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/conv_stem/conv_stem.h"

namespace intsam::internal {

void AddKeys(const ConvStem& stem, const std::string& path, SpecList& list) {
  list.ConvBn(path + ".seq.0", stem.middle(), 3, 3);
  list.ConvBn(path + ".seq.2", stem.out(), stem.middle(), 3);
}

}  // namespace intsam::internal
