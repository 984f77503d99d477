// The converter's side of the kinds of encoder layers (runtime/encoder/kind.h): for a record X, below the module path
// `path` ("image_encoder.blocks.3"), <kind>/<kind>.h declares
//
//   AddKeys(x, path, list)                its tensors in the official state dict
//   MakeFloat(x, path, context, layout)   its float form, which shows the hook its sites
//   AddSites(x, path, sites)              its linear layers and attention, as quantization sees them
//   Quantize(encoder, path, x)            fills in the record from the plan and the statistics
//
// Who does something with every layer visits the list of runtime/encoder/layers.h with all of layers.h included.
#ifndef INTSAM_CONVERTER_ENCODER_KIND_H_
#define INTSAM_CONVERTER_ENCODER_KIND_H_

#include <memory>
#include <string>

namespace intsam::internal {

class SpecList;           // converter/checkpoint/spec_list.h
enum class WeightLayout;  // converter/fp32/float_sam.h
namespace fp32 {
class Layer;     // converter/fp32/layer.h
struct Context;  // converter/fp32/context.h
}  // namespace fp32
struct QuantizedSites;   // converter/quantize/sites.h
struct QuantizeContext;  // converter/quantize/layers.h

// What the layers of an encoder are quantized with.
struct EncoderQuantization {
  QuantizeContext& q;
  double residual_unit, key_unit;  // what one unit of x and of the embedding stands for
};

// The site of x between a ViT's layers.
inline constexpr char kVitStream[] = "image_encoder.x";

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_KIND_H_
