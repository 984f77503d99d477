#include <algorithm>
#include <cmath>

#include "converter/encoder/conv_stem/conv_stem.h"
#include "converter/quantize/layers.h"
#include "converter/quantize/sites.h"
#include "converter/sam_constants.h"

namespace intsam::internal {
namespace {

// conv1 over pixels as they are: weights over the deviation in order (ky, kx, colour), then a zero, and the bias of the
// subtracted mean. The weights are multiples of what one code of their channel will stand for, so that the mean is
// subtracted from what is really added up.
void FoldNormalization(std::span<const float> weight, std::vector<float>& folded, std::vector<float>& bias) {
  constexpr size_t kTaps = ConvStem::kTaps;
  folded.assign(bias.size() * kTaps, 0.0f);
  for (size_t n = 0; n < bias.size(); ++n) {
    double scaled[27], most = 1e-12, shift = 0;
    for (size_t i = 0; i < 27; ++i) {
      scaled[i] = weight[n * 27 + i] / kPixelDeviation[i / 9];
      most = std::max(most, std::fabs(scaled[i]));
    }
    for (size_t i = 0; i < 27; ++i) {
      const double coded = std::floor(scaled[i] / most * 127 + 0.5) * most / 127;
      folded[n * kTaps + i % 9 * 3 + i / 9] = static_cast<float>(coded);
      shift += coded * kPixelMean[i / 9];
    }
    bias[n] -= static_cast<float>(shift);
  }
}

}  // namespace

// Its weights have 8 bits in every profile, as its input, the photo, has. Those of the first convolution are no site:
// what they multiply are bytes as they come.
void AddSites(const ConvStem& stem, const std::string& path, QuantizedSites& sites) {
  LayerSite conv2{path + ".seq.2", SiteClass::kEncoderConv, 9 * stem.middle(), stem.out(), true};
  conv2.taps = 9, conv2.grid = stem.image / 2;
  conv2.bytes = true;
  sites.layers.push_back(conv2);
}

void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, ConvStem& stem) {
  QuantizeContext& q = encoder.q;
  const std::string conv1 = place.path + ".seq.0", conv2 = place.path + ".seq.2";
  std::vector<float> weight, bias = q.Weight(conv1 + ".bias");
  FoldNormalization(q.Weight(conv1 + ".weight"), weight, bias);
  const int bits = UnitBits(1.25 * q.MaxAbs(conv1 + ".out"), 16383);
  const Scale middle = q.Codes(conv2 + ".in");
  std::vector<double> units = WideLinear(q, weight, bias, 1, stem.conv1);
  stem.gelu = MakeRqGelu(units, bits, middle, q.pool);

  units = PlannedConvolution(q, conv2, {middle.scale, 0}, 9, stem.conv2);
  stem.rq = MakeRq32(Multipliers(units, encoder.NarrowUnit(place.output)), q.pool);
  stem.unit_bits = static_cast<uint32_t>(encoder.NarrowBits(place.output));
}

}  // namespace intsam::internal
