// x = conv2(gelu(conv1(photo))): TinyViT's first layer, two 3x3 convolutions of stride 2, to a stream of s16 in units
// of 2^-unit_bits (docs/numerics.md 18).
#ifndef INTSAM_RUNTIME_ENCODER_CONV_STEM_CONV_STEM_H_
#define INTSAM_RUNTIME_ENCODER_CONV_STEM_CONV_STEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/encoder/kind.h"
#include "runtime/ops/prepared_linear.h"
#include "runtime/records/records.h"

namespace intsam::internal {

struct ConvStem {
  // Operands of conv1: RGB bytes of 3 x 3 pixels in order (ky, kx, colour), and one that always meets a zero weight.
  static constexpr uint32_t kTaps = 28;
  // The pixel that stands for what is zero after normalisation: round(mean). The rest of the mean is in conv1's bias.
  static constexpr uint8_t kZeroPixel[3] = {124, 116, 104};

  uint32_t image;  // pixels per side of the input
  Linear conv1;
  RqGelu gelu;
  Linear conv2;  // K in order (ky, kx, channel)
  Rq32 rq;
  uint32_t unit_bits = 12;

  ConvStem(uint32_t image, uint32_t middle, uint32_t out);
  uint32_t middle_grid() const { return image / 2; }
  uint32_t grid() const { return image / 4; }
  uint32_t middle() const { return conv1.out; }
  uint32_t out() const { return conv2.out; }

  template <class V>
  void Visit(V& v) {
    v.Group("seq.0", conv1);
    v.Group("seq.0.gelu", gelu);
    v.Group("seq.2", conv2);
    v.Group("seq.2.rq", rq);
    v.Field("unit_bits", unit_bits, 9, 12);
  }
};

void Prove(Proof& proof, ConvStem& stem);
void RunReference(const ConvStem& stem, ReferenceImage& image);
FusedMemory MemoryOf(const ConvStem& stem);
std::unique_ptr<FusedLayer> MakeFused(const ConvStem& stem, const Kernels& kernels);

struct PreparedConvStem {
  PreparedLinear conv1, conv2;
  PreparedConvStem(const ConvStem& stem, uint8_t flip)
      : conv1(OverCodes(stem.conv1, kPixels, flip)), conv2(OverCodes(stem.conv2, stem.gelu.out, flip)) {}
  static constexpr Codes kPixels = {0, 0, 255};
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_CONV_STEM_CONV_STEM_H_
