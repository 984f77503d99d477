// The converter's side of the kinds of encoder layers (runtime/encoder/kind.h): for a record X, at a place of the list
// or below the module path `path` ("image_encoder.blocks.3"), <kind>/<kind>.h declares
//
//   AddKeys(x, path, list)                 its tensors in the official state dict
//   MakeFloat(x, place, context, layout)   its float form, which shows the hook its sites
//   AddSites(x, path, sites)               its linear layers and attention, as quantization sees them
//   Quantize(encoder, place, x)            fills in the record from the plan and the statistics
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

// Where a layer stands.
struct LayerPlace {
  std::string path;           // what the names of its tensors and sites are below
  std::string input, output;  // the sites of the maps that it takes and leaves; "" for the photo and the embedding
  double epsilon;             // of the LayerNorms in front of attention and MLP
};

// What the layers of an encoder are quantized with.
struct EncoderQuantization {
  QuantizeContext& q;
  double key_unit;  // what one unit of the embedding stands for

  // What one unit of a map stands for: one of R24, and one of s16 in units of 2^-NarrowBits.
  double WideUnit(const std::string& map) const;
  int NarrowBits(const std::string& map) const;
  double NarrowUnit(const std::string& map) const;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_KIND_H_
