#include "converter/encoder/bottleneck/bottleneck.h"
#include "converter/encoder/patch_merging/patch_merging.h"
#include "converter/quantize/layers.h"

namespace intsam::internal {

void AddSites(const PatchMerging& merging, const std::string& path, QuantizedSites& sites) {
  AddSites(static_cast<const Bottleneck&>(merging), path, sites);
}

void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, PatchMerging& merging) {
  const bool narrow = merging.input == PatchMerging::Input::kS16;
  const double input = narrow ? encoder.NarrowUnit(place.input) : encoder.WideUnit(place.input);
  const std::vector<double> units = Quantize(encoder, place.path, input, static_cast<Bottleneck&>(merging));
  merging.rq = MakeRq32(Multipliers(units, encoder.WideUnit(place.output)), encoder.q.pool);
}

}  // namespace intsam::internal
