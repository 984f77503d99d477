// From a float model, its calibration statistics and a plan to the integer model (docs/quantization.md).
#ifndef INTSAM_CONVERTER_QUANTIZE_QUANTIZE_H_
#define INTSAM_CONVERTER_QUANTIZE_QUANTIZE_H_

#include <memory>
#include <string>
#include <vector>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/parameters.h"
#include "converter/quantize/plan.h"
#include "converter/quantize/statistics.h"
#include "runtime/format/model.h"

namespace intsam::internal {

struct QuantizedModel {
  IntegerModel model;  // views into pool
  TensorPool pool;
  // Where the runtime could not hold the plan's codes as they are: "SITE: what was done". Only channels that are all
  // but dead: whose bias dwarfs their weights, or whose outputs are finer than any step that follows.
  std::vector<std::string> notes;
};

// Every layer, activation and softmax of QuantizedLayers and QuantizedAttentions comes from the plan; all wide sites
// (residual stream, token and key streams, logits) and the W8A16 layers from the statistics, with head room. The codes
// of a layer leave `plan` as they are packed. kInternal when the plan or the statistics lack a site.
Result<std::unique_ptr<QuantizedModel>> QuantizeModel(const FloatModel& model, const Statistics& statistics,
                                                      QuantizationPlan& plan);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_QUANTIZE_H_
