#include <cmath>

#include "converter/encoder/mlp/mlp.h"
#include "converter/quantize/layers.h"
#include "converter/quantize/sites.h"
#include "converter/sam_constants.h"

namespace intsam::internal {
namespace {

struct Paths {
  std::string norm, lin1, lin2;
  Paths(const std::string& path, const MlpBlock& mlp)
      : norm(path + "." + mlp.names->norm), lin1(path + "." + mlp.names->lin1), lin2(path + "." + mlp.names->lin2) {}
};

}  // namespace

void AddSites(const MlpBlock& mlp, const std::string& path, QuantizedSites& sites) {
  const Paths name(path, mlp);
  LayerSite lin1{name.lin1, SiteClass::kEncoderMlp, mlp.width(), mlp.hidden(), true};
  lin1.input_norm = name.norm, lin1.may_shift = true;
  sites.layers.push_back(lin1);
  sites.layers.push_back({name.lin2, SiteClass::kEncoderMlp, mlp.hidden(), mlp.width(), true});
}

void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, MlpBlock& mlp) {
  QuantizeContext& q = encoder.q;
  const Paths name(place.path, mlp);
  const double unit = encoder.WideUnit(place.output);
  const Scale in = q.Codes(name.lin1 + ".in");
  mlp.norm =
      MakeNormNarrow(q.Weight(name.norm + ".weight"), q.Weight(name.norm + ".bias"), place.epsilon, unit, in, q.pool);
  const int unit_bits = UnitBits(1.25 * q.MaxAbs(name.lin1 + ".out"), 16383);
  const Scale hidden = q.Codes(name.lin2 + ".in");
  std::vector<double> units = PlannedLinear(q, name.lin1, {in.scale, std::ldexp(1.0, -unit_bits)}, mlp.lin1);
  mlp.gelu = MakeRqGelu(units, unit_bits, hidden, q.pool);
  units = PlannedLinear(q, name.lin2, {hidden.scale, 0}, mlp.lin2);
  mlp.lin2_rq = MakeRq32(Multipliers(units, unit), q.pool);
}

}  // namespace intsam::internal
