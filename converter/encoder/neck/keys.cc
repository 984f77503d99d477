#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/neck/neck.h"

namespace intsam::internal {

void AddKeys(const Neck& neck, const std::string& path, SpecList& list) {
  list.Tensor(path + ".0.weight", {neck.out(), neck.width(), 1, 1});
  list.Norm(path + ".1", neck.out());
  list.Tensor(path + ".2.weight", {neck.out(), neck.out(), 3, 3});
  list.Norm(path + ".3", neck.out());
}

}  // namespace intsam::internal
