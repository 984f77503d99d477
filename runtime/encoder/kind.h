// A kind of encoder layer: a folder with a record and all that is done with it. For a record X it declares, in
// <kind>/<kind>.h, one function per pass over the encoder:
//
//   X::Visit(v)                     the record in the file (see runtime/format/model.h)
//   Prove(proof, x)                 at load: no accumulator overflows, and codes are what the kernels rely on
//   RunReference(x, encoding)       the normative form: whole tensors, scalar kernels
//   MemoryOf(x)                     what the fused form needs
//   MakeFused(x, kernels)           the fused form: row-blocked and threaded, on one tier's kernels, the same integers
//
// Who does something with every layer visits the variant of layers.h, so a kind that lacks a pass does not compile.
// A record holds every dimension that its passes need; none of them looks at a SamConfig.
#ifndef INTSAM_RUNTIME_ENCODER_KIND_H_
#define INTSAM_RUNTIME_ENCODER_KIND_H_

#include <cstddef>
#include <memory>

#include "kernels/kernels.h"

namespace intsam::internal {

class Proof;            // runtime/records/proof.h
struct ReferenceImage;  // runtime/encoder/reference.h
struct FusedImage;      // runtime/encoder/fused.h

// Bytes that the fused form of a layer works in.
struct FusedMemory {
  size_t stream = 0;   // the values that it takes from the layer before, or leaves to the next one, in their place
  size_t spare = 0;    // as large a buffer beside them as it needs
  size_t worker = 0;   // scratch of each worker
  bool swaps = false;  // leaves its values in the spare buffer, which is the stream from then on
};

// A layer's fused form. It refers to the record that it was made from.
class FusedLayer {
 public:
  virtual ~FusedLayer() = default;
  virtual void Run(FusedImage& image) const = 0;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_KIND_H_
