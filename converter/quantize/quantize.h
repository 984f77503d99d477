// From a float model and its calibration statistics to the integer model (docs/quantization.md).
#ifndef INTSAM_CONVERTER_QUANTIZE_QUANTIZE_H_
#define INTSAM_CONVERTER_QUANTIZE_QUANTIZE_H_

#include <memory>
#include <string>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/parameters.h"
#include "converter/quantize/statistics.h"
#include "runtime/format/model.h"

namespace intsam {

struct QuantizeOptions {
  // Share of the sampled activations that code ranges must hold at each end; 1: min-max. Applies to 8-bit codes only:
  // wide sites (residual stream, s16 streams) always hold the extremes, with head room.
  double percentile = 1.0;
};

struct QuantizedModel {
  IntegerModel model;  // views into pool
  TensorPool pool;
};

// W8A8 with the R24, s16 and E16-softmax sites of docs/numerics.md. kInternal when a site was never observed.
Result<std::unique_ptr<QuantizedModel>> QuantizeModel(const FloatModel& model, const Statistics& statistics,
                                                      const QuantizeOptions& options);

}  // namespace intsam

#endif  // INTSAM_CONVERTER_QUANTIZE_QUANTIZE_H_
