#include "runtime/encoder/patch_merging/patch_merging.h"

#include "runtime/records/proof.h"

namespace intsam::internal {

void Prove(Proof& proof, PatchMerging& merging) {
  const int64_t most = merging.input == PatchMerging::Input::kS16 ? 32767 : 1 << 23;
  Prove(proof, static_cast<Bottleneck&>(merging), most);
}

}  // namespace intsam::internal
