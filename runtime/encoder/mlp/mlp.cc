#include "runtime/encoder/mlp/mlp.h"

#include "runtime/records/proof.h"

namespace intsam::internal {

MlpBlock::MlpBlock(const MlpNames& module_names, uint32_t token_count, uint32_t width, uint32_t hidden)
    : names(&module_names), tokens(token_count), lin1(MakeLinear(width, hidden)), lin2(MakeLinear(hidden, width)) {
  norm.channels = lin2_rq.n = width;
  gelu.n = hidden;
}

void Prove(Proof& proof, MlpBlock& mlp) {
  const MlpNames& name = *mlp.names;
  proof.Narrow(name.norm, mlp.norm);
  proof.Lifted(name.lin1, proof.CodesLayer(name.lin1, mlp.lin1, mlp.norm.out), mlp.gelu.up);
  proof.CodesRange((std::string(name.gelu) + ".out").c_str(), mlp.gelu.out);
  proof.Requantized(name.lin2_rq, mlp.lin2_rq, proof.CodesLayer(name.lin2, mlp.lin2, mlp.gelu.out));
}

}  // namespace intsam::internal
