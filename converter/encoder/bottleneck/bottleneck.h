// The converter's side of what MBConv and patch merging have in common (runtime/encoder/bottleneck/bottleneck.h).
#ifndef INTSAM_CONVERTER_ENCODER_BOTTLENECK_BOTTLENECK_H_
#define INTSAM_CONVERTER_ENCODER_BOTTLENECK_BOTTLENECK_H_

#include <string>
#include <vector>

#include "converter/encoder/kind.h"
#include "runtime/encoder/bottleneck/bottleneck.h"

namespace intsam::internal {

void AddSites(const Bottleneck& bottleneck, const std::string& path, QuantizedSites& sites);
// Everything but conv3.rq. input_unit: what one unit of the stream stands for. Returns the real value of one unit of
// conv3's accumulators, per channel.
std::vector<double> Quantize(const EncoderQuantization& encoder, const std::string& path, double input_unit,
                             Bottleneck& bottleneck);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_BOTTLENECK_BOTTLENECK_H_
