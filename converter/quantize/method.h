// Which of the known methods a conversion uses: a preset, with single features added or taken away.
#ifndef INTSAM_CONVERTER_QUANTIZE_METHOD_H_
#define INTSAM_CONVERTER_QUANTIZE_METHOD_H_

#include <string>
#include <vector>

#include "converter/quantize/observers.h"
#include "converter/quantize/softmax_search.h"
#include "runtime/base/status.h"

namespace intsam::internal {

struct QuantizeMethod {
  std::string name = "intsam";
  Observer observer = Observer::kMse;
  SoftmaxPolicy softmax = SoftmaxPolicy::kAuto;
  bool big = true;           // fold the signs of bimodal keys (PTQ4SAM 3.2)
  bool key_centring = true;  // and value centring: subtract a constant per channel that softmax does not see
  bool value_centring = true;
  bool channel_scaling = true;  // of q against k, v against proj, and the hidden ReLU channels of the decoder
  bool migration = true;        // channel scales move from a LayerNorm into the layer behind it
  bool weight_search = true;    // each channel's range by least error
  bool error_feedback = true;   // GPTQ
  // Decoder attentions project tokens instead of image rows where that is less work (docs/numerics.md 11.1). Takes
  // exact probabilities: not with SoftmaxPolicy::kUniform or kAgq.
  bool token_projections = true;
  bool exact_softmax() const { return softmax == SoftmaxPolicy::kAuto || softmax == SoftmaxPolicy::kExact; }
  // What decoder layers read of the tokens' and the image's streams are the streams' 16-bit values instead of codes, and
  // queries, values and results of the tokens' self-attention have 16 bits. The latter takes exact probabilities.
  bool stream_values = true;
  // The mean error of each output goes into the bias, and error feedback need not look after it. Off: measured, it
  // brings embeddings closer and masks not (docs/accuracy.md).
  bool bias_correction = false;
};

// The names of the features that --enable and --ablate take: big, agq, key-centring, ...
std::string FeatureNames();

// preset: minmax, percentile, ptq4sam or intsam; softmax: "" (the preset's), auto, exact, uniform or agq. kUsage names
// what is unknown.
Result<QuantizeMethod> MakeMethod(const std::string& preset, const std::vector<std::string>& enable,
                                  const std::vector<std::string>& ablate, const std::string& softmax);

// The features that are on, for reports.
std::vector<std::string> EnabledFeatures(const QuantizeMethod& method);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_METHOD_H_
