#include "runtime/encoder/reference.h"

#include "runtime/encoder/patch_merging/patch_merging.h"

namespace intsam::internal {

using namespace reference;

void RunReference(const PatchMerging& merging, ReferenceImage& image) {
  const Tensor<uint8_t> codes = merging.input == PatchMerging::Input::kS16 ? Quantize(merging.in, image.narrow, nullptr)
                                                                           : Quantize(merging.in, image.x);
  image.x = ToR24(merging.rq, RunReference(static_cast<const Bottleneck&>(merging), codes));
}

}  // namespace intsam::internal
