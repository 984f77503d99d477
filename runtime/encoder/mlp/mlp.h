// x += lin2(gelu(lin1(norm(x)))), token by token (docs/numerics.md 14).
#ifndef INTSAM_RUNTIME_ENCODER_MLP_MLP_H_
#define INTSAM_RUNTIME_ENCODER_MLP_MLP_H_

#include <cstdint>
#include <memory>

#include "runtime/encoder/kind.h"
#include "runtime/records/records.h"

namespace intsam::internal {

// What a family calls the modules of its MLPs, below the layer's group.
struct MlpNames {
  const char *norm, *lin1, *gelu, *lin2, *lin2_rq;
};
inline constexpr MlpNames kVitMlpNames = {"norm2", "mlp.lin1", "mlp.gelu", "mlp.lin2", "mlp.lin2.rq"};
inline constexpr MlpNames kTinyVitMlpNames = {"norm", "fc1", "gelu", "fc2", "fc2.rq"};

struct MlpBlock {
  const MlpNames* names;
  uint32_t tokens;
  NormNarrow norm;
  Linear lin1;
  RqGelu gelu;
  Linear lin2;
  Rq32 lin2_rq;

  MlpBlock(const MlpNames& names, uint32_t tokens, uint32_t width, uint32_t hidden);
  uint32_t width() const { return lin2.out; }
  uint32_t hidden() const { return lin1.out; }

  template <class V>
  void Visit(V& v) {
    v.Group(names->norm, norm);
    v.Group(names->lin1, lin1);
    v.Group(names->gelu, gelu);
    v.Group(names->lin2, lin2);
    v.Group(names->lin2_rq, lin2_rq);
  }
};

void Prove(Proof& proof, MlpBlock& mlp);
void RunReference(const MlpBlock& mlp, ReferenceImage& image);
FusedMemory MemoryOf(const MlpBlock& mlp);
std::unique_ptr<FusedLayer> MakeFused(const MlpBlock& mlp, const Kernels& kernels);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_MLP_MLP_H_
