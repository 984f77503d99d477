#include <algorithm>
#include <cmath>
#include <span>

#include "converter/encoder/windows/self_attention.h"

namespace intsam::internal {

AttentionSite AddSites(const SelfAttention& attention, const std::string& path, const std::string& norm, bool may_shift,
                       QuantizedSites& sites) {
  const Windows& windows = attention.windows;
  const uint32_t width = windows.width();
  const std::string name = path + ".attn", qkv = name + ".qkv", proj = name + ".proj";
  LayerSite in{qkv, SiteClass::kEncoderAttention, width, 3 * width, true};
  in.input_norm = norm, in.may_shift = may_shift;
  sites.layers.push_back(in);
  sites.layers.push_back({proj, SiteClass::kEncoderAttention, width, width, true});
  AttentionSite site{name,          SiteClass::kEncoderAttention,
                     windows.heads, windows.head_dim,
                     proj,          {{qkv, 0}, {qkv, width}, {qkv, 2 * width}}};
  site.grid = windows.grid, site.side = windows.side;
  return site;
}

double LogitUnit(const LogitScales& scales, uint32_t head_dim) {
  return scales.query.scale * scales.key.scale / std::sqrt(static_cast<double>(head_dim));
}

LogitScales Quantize(const EncoderQuantization& encoder, const LayerPlace& place, const std::string& norm,
                     SelfAttention& attention) {
  QuantizeContext& q = encoder.q;
  const std::string name = place.path + ".attn";
  const uint32_t dim = attention.windows.width();
  const double unit = encoder.WideUnit(place.output);
  const Scale in = q.Codes(name + ".qkv.in");
  attention.norm =
      MakeNormNarrow(q.Weight(norm + ".weight"), q.Weight(norm + ".bias"), place.epsilon, unit, in, q.pool);

  const LogitScales scales{q.Attended(name + ".q"), q.Attended(name + ".k")};
  const Scale value = q.Attended(name + ".v");
  const double coarsest = std::max({scales.query.scale, scales.key.scale, value.scale});
  std::vector<double> units = PlannedLinear(q, name + ".qkv", {in.scale, coarsest}, attention.qkv);
  const std::span<const double> all(units);
  attention.q_rq = MakeRq16(Multipliers(all.subspan(0, dim), scales.query.scale), scales.query.codes, q.pool);
  attention.k_rq = MakeRq16(Multipliers(all.subspan(dim, dim), scales.key.scale), scales.key.codes, q.pool);
  attention.v_rq = MakeRq16(Multipliers(all.subspan(2 * dim, dim), value.scale), value.codes, q.pool);

  const Scale attended = q.Attended(name + ".proj.in");
  attention.softmax = MakeSoftmax(q.Coding(name), LogitUnit(scales, attention.windows.head_dim), value, attended,
                                  attention.windows.keys());
  units = PlannedLinear(q, name + ".proj", {attended.scale, 0}, attention.proj);
  attention.proj_rq = MakeRq32(Multipliers(units, unit), q.pool);
  return scales;
}

}  // namespace intsam::internal
