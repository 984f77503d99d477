#include "converter/encoder/neck/neck.h"
#include "converter/quantize/layers.h"
#include "converter/quantize/sites.h"
#include "converter/sam_constants.h"

namespace intsam::internal {

void AddSites(const Neck& neck, const std::string& path, QuantizedSites& sites) {
  sites.layers.push_back({path + ".0", SiteClass::kNeck, neck.width(), neck.out(), false});
  LayerSite conv{path + ".2", SiteClass::kNeck, 9 * neck.out(), neck.out(), false};
  conv.taps = 9, conv.grid = neck.grid;
  conv.input_norm = path + ".1";
  sites.layers.push_back(conv);
}

void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, Neck& neck) {
  QuantizeContext& q = encoder.q;
  const std::string& path = place.path;
  const Scale in = q.Codes(path + ".0.in");
  neck.in = {MakeRq32Scalar(encoder.WideUnit(place.input) / in.scale), in.codes};
  const double unit1 = q.R24Unit(path + ".0.out");
  std::vector<double> units = PlannedLinear(q, path + ".0", {in.scale, 0}, neck.conv1);
  neck.conv1_rq = MakeRq32(Multipliers(units, unit1), q.pool);
  const Scale middle = q.Codes(path + ".2.in");
  neck.norm1 =
      MakeNormNarrow(q.Weight(path + ".1.weight"), q.Weight(path + ".1.bias"), kMapEpsilon, unit1, middle, q.pool);
  const double unit2 = q.R24Unit(path + ".2.out");
  units = PlannedConvolution(q, path + ".2", {middle.scale, 0}, 9, neck.conv2);
  neck.conv2_rq = MakeRq32(Multipliers(units, unit2), q.pool);
  neck.norm2 = MakeNormWide(q.Weight(path + ".3.weight"), q.Weight(path + ".3.bias"), kMapEpsilon, unit2,
                            encoder.key_unit, q.pool);
}

}  // namespace intsam::internal
