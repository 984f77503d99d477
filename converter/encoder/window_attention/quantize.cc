#include "converter/encoder/window_attention/window_attention.h"
#include "converter/encoder/windows/self_attention.h"

namespace intsam::internal {

void AddSites(const WindowAttention& attention, const std::string& path, QuantizedSites& sites) {
  // A padding token is zero after the norm: with a shift it would not be.
  sites.attentions.push_back(AddSites(attention, path, path + ".norm1", !attention.windows.padded(), sites));
}

void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, WindowAttention& attention) {
  QuantizeContext& q = encoder.q;
  const uint32_t side = attention.windows.side, head_dim = attention.windows.head_dim;
  const LogitScales scales = Quantize(encoder, place, place.path + ".norm1", attention);
  const auto table = [&](const char* axis) {
    return MakeRelPos(q.Weight(place.path + axis), side, head_dim, scales.key.scale, q.pool);
  };
  attention.rel_pos_h = table(".attn.rel_pos_h");
  attention.rel_pos_w = table(".attn.rel_pos_w");
}

}  // namespace intsam::internal
