// The fused form of bottlenecks: strips of output rows. A strip keeps the three rows of hidden codes that the depthwise
// convolution looks at; the rows at its edges are computed by its neighbours too, so strips are independent.
#ifndef INTSAM_RUNTIME_ENCODER_BOTTLENECK_FUSED_BOTTLENECK_H_
#define INTSAM_RUNTIME_ENCODER_BOTTLENECK_FUSED_BOTTLENECK_H_

#include <cstddef>
#include <cstdint>

#include "runtime/encoder/bottleneck/bottleneck.h"
#include "runtime/encoder/fused.h"

namespace intsam::internal {

class FusedBottleneck : public FusedLayer {
 public:
  void Run(FusedImage& image) const override;

  // Of values of so many bytes in its input and its result, which goes to the spare buffer.
  static FusedMemory Memory(const Bottleneck& record, size_t input_bytes, size_t result_bytes);

 protected:
  FusedBottleneck(const Bottleneck& record, const Kernels& kernels)
      : record_(record), kernels_(kernels), prepared_(record, kernels.flip) {}

  // Operands of conv1 for `cells` cells of the input from `first` on.
  virtual void ReadInput(const FusedImage& image, size_t first, int cells, uint8_t* codes) const = 0;
  // What becomes of conv3's accumulators for cells of the result.
  virtual void Finish(const FusedImage& image, size_t first, int cells, ops::Rows<const int32_t> acc) const = 0;

  const Bottleneck& record_;
  const Kernels& kernels_;

 private:
  struct Scratch;
  void HiddenRow(const FusedImage& image, int y, const Scratch& s) const;
  void ResultRow(const FusedImage& image, uint32_t y, const Scratch& s) const;

  const PreparedBottleneck prepared_;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_BOTTLENECK_FUSED_BOTTLENECK_H_
