#include <cmath>

#include "converter/encoder/bottleneck/bottleneck.h"
#include "converter/quantize/layers.h"
#include "converter/quantize/sites.h"

namespace intsam::internal {

void AddSites(const Bottleneck& b, const std::string& path, QuantizedSites& sites) {
  sites.layers.push_back({path + ".conv1", SiteClass::kEncoderConv, b.width(), b.hidden(), true});
  sites.layers.push_back({path + ".conv3", SiteClass::kEncoderConv, b.hidden(), b.out(), true});
  LayerSite conv2{path + ".conv2", SiteClass::kEncoderConv, 9, b.hidden(), true};
  conv2.taps = 9, conv2.grid = b.grid;
  conv2.depthwise = conv2.bytes = true;
  sites.layers.push_back(conv2);
}

std::vector<double> Quantize(const EncoderQuantization& encoder, const std::string& path, double input_unit,
                             Bottleneck& b) {
  QuantizeContext& q = encoder.q;
  const Scale in = q.Codes(path + ".conv1.in"), spatial = q.Codes(path + ".conv2.in"),
              out = q.Codes(path + ".conv3.in");
  const auto unit_bits = [&](const char* site) { return UnitBits(1.25 * q.MaxAbs(path + site), 16383); };
  b.in = {MakeRq32Scalar(input_unit / in.scale), in.codes};

  const int bits1 = unit_bits(".conv1.out");
  std::vector<double> units = PlannedLinear(q, path + ".conv1", {in.scale, std::ldexp(1.0, -bits1)}, b.conv1);
  b.gelu1 = MakeRqGelu(units, bits1, spatial, q.pool);

  const int bits2 = unit_bits(".conv2.out");
  units = PlannedDepthwise(q, path + ".conv2", {spatial.scale, std::ldexp(1.0, -bits2)}, b.conv2);
  b.gelu2 = MakeRqGelu(units, bits2, out, q.pool);
  return PlannedLinear(q, path + ".conv3", {out.scale, 0}, b.conv3);
}

}  // namespace intsam::internal
