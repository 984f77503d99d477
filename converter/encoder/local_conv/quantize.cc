#include "converter/encoder/local_conv/local_conv.h"
#include "converter/quantize/layers.h"

namespace intsam::internal {

// Its weights have 12 bits and its input 16 in every profile: there is little to gain and the stream to lose.
void AddSites(const LocalConv&, const std::string&, QuantizedSites&) {}

void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, LocalConv& layer) {
  QuantizeContext& q = encoder.q;
  const std::string name = place.path + ".local_conv";
  // One unit of the s16 values is 256 of the stream's.
  const std::vector<double> units = QuantizeDepthwise12(q, q.Weight(name + ".weight"), q.Weight(name + ".bias"),
                                                        256 * encoder.WideUnit(place.input), layer.conv);
  layer.rq = MakeRq32(Multipliers(units, encoder.WideUnit(place.output)), q.pool);
}

}  // namespace intsam::internal
