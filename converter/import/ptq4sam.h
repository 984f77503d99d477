// Models that PTQ4SAM calibrated or reconstructed, as export_ptq4sam.py writes them (contract intsam-ptq4sam-1;
// docs/quantization.md describes it). Every weight code, scale and zero point is taken as it is; nothing is calibrated
// or folded here.
#ifndef INTSAM_CONVERTER_IMPORT_PTQ4SAM_H_
#define INTSAM_CONVERTER_IMPORT_PTQ4SAM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/plan.h"

namespace intsam::internal {

struct ImportedModel {
  FloatModel model;       // every official tensor; quantized weights as (code - zero) * scale
  QuantizationPlan plan;  // of the quantized sites; nothing of the encoder where PTQ4SAM left it in floating point
  std::vector<std::string> warnings;  // one line each, naming the key: legal, but unusual

  // What the exporter says about the model, for provenance.
  std::string method;  // "calibrated" or "reconstructed"
  bool encoder_quantized = false;
  std::vector<std::string> big_sites;  // attentions whose bimodal signs are folded into the weights, sorted
  uint32_t soft_layers_hardened = 0;
  uint32_t drop_active_sites = 0;  // above 0: accuracy measured on the source object is not this model's
};

// Checks everything before it is used: metadata, the exact set of keys, dtypes, shapes, ranges of codes, scales and
// zero points, bimodal signs, accumulator bounds. Errors are one line naming file and key: kIo; kDamaged (contradicts
// itself or the contract); kUnsupported (not such a file, not a SAM that this converter knows, activations above 8
// bits, a softmax zero point other than 0); kResource.
Result<ImportedModel> ImportPtq4Sam(const std::string& path);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_IMPORT_PTQ4SAM_H_
