#include "converter/encoder/bottleneck/bottleneck.h"
#include "converter/encoder/mb_conv/mb_conv.h"
#include "converter/quantize/layers.h"

namespace intsam::internal {

void AddSites(const MbConv& block, const std::string& path, QuantizedSites& sites) {
  AddSites(static_cast<const Bottleneck&>(block), path, sites);
}

void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, MbConv& block) {
  const double unit = encoder.NarrowUnit(place.output);  // that of its input too
  const std::vector<double> units = Quantize(encoder, place.path, unit, static_cast<Bottleneck&>(block));
  block.rq = MakeRq32(Multipliers(units, unit), encoder.q.pool);
  block.unit_bits = static_cast<uint32_t>(encoder.NarrowBits(place.output));
}

}  // namespace intsam::internal
