#include "runtime/encoder/mb_conv/mb_conv.h"

#include "runtime/records/proof.h"

namespace intsam::internal {

void Prove(Proof& proof, MbConv& block) { Prove(proof, static_cast<Bottleneck&>(block), 32767); }

}  // namespace intsam::internal
