#include <algorithm>
#include <cmath>
#include <span>

#include "converter/encoder/window_attention/window_attention.h"
#include "converter/quantize/layers.h"
#include "converter/quantize/sites.h"
#include "converter/sam_constants.h"

namespace intsam::internal {

void AddSites(const WindowAttention& attention, const std::string& path, QuantizedSites& sites) {
  const Windows& windows = attention.windows;
  const uint32_t width = windows.width();
  const std::string name = path + ".attn", qkv = name + ".qkv", proj = name + ".proj";
  LayerSite in{qkv, SiteClass::kEncoderAttention, width, 3 * width, true};
  in.input_norm = path + ".norm1", in.may_shift = !windows.padded();
  sites.layers.push_back(in);
  sites.layers.push_back({proj, SiteClass::kEncoderAttention, width, width, true});
  AttentionSite site{name,          SiteClass::kEncoderAttention,
                     windows.heads, windows.head_dim,
                     proj,          {{qkv, 0}, {qkv, width}, {qkv, 2 * width}}};
  site.grid = windows.grid, site.side = windows.side;
  sites.attentions.push_back(site);
}

void Quantize(const EncoderQuantization& encoder, const std::string& path, WindowAttention& attention) {
  QuantizeContext& q = encoder.q;
  const uint32_t dim = attention.windows.width(), head_dim = attention.windows.head_dim;
  const Scale norm1 = q.Codes(path + ".attn.qkv.in");
  attention.norm = MakeNormNarrow(q.Weight(path + ".norm1.weight"), q.Weight(path + ".norm1.bias"), kVitEpsilon,
                                  encoder.residual_unit, norm1, q.pool);

  const Scale query = q.Signed(path + ".attn.q"), key = q.Signed(path + ".attn.k"), value = q.Signed(path + ".attn.v");
  const double coarsest = std::max({query.scale, key.scale, value.scale});
  std::vector<double> units = PlannedLinear(q, path + ".attn.qkv", {norm1.scale, coarsest}, attention.qkv);
  const std::span<const double> all(units);
  attention.q_rq = MakeRq16(Multipliers(all.subspan(0, dim), query.scale), query.codes, q.pool);
  attention.k_rq = MakeRq16(Multipliers(all.subspan(dim, dim), key.scale), key.codes, q.pool);
  attention.v_rq = MakeRq16(Multipliers(all.subspan(2 * dim, dim), value.scale), value.codes, q.pool);

  const Scale attended = q.Signed(path + ".attn.proj.in");
  attention.rel_pos_h =
      MakeRelPos(q.Weight(path + ".attn.rel_pos_h"), attention.windows.side, head_dim, key.scale, q.pool);
  attention.rel_pos_w =
      MakeRelPos(q.Weight(path + ".attn.rel_pos_w"), attention.windows.side, head_dim, key.scale, q.pool);
  attention.softmax =
      MakeSoftmax(q.Coding(path + ".attn"), query.scale * key.scale / std::sqrt(static_cast<double>(head_dim)),
                  value.scale, attended, attention.windows.keys());
  units = PlannedLinear(q, path + ".attn.proj", {attended.scale, 0}, attention.proj);
  attention.proj_rq = MakeRq32(Multipliers(units, encoder.residual_unit), q.pool);
}

}  // namespace intsam::internal
