// What a conversion decided and measured, site by site; ends up in the model's provenance, where intsam-inspect reads
// it.
#ifndef INTSAM_CONVERTER_QUANTIZE_REPORT_H_
#define INTSAM_CONVERTER_QUANTIZE_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "converter/quantize/profile.h"
#include "converter/quantize/softmax_search.h"

namespace intsam::internal {

// Distribution of a site's values over its sample.
struct Histogram {
  double lo = 0, hi = 0;
  std::vector<uint32_t> counts;
};

struct AttentionReport {
  int key_peaks = 0, key_peaks_after = 0;  // of the paper's test, before and after all changes
  size_t flipped_channels = 0;             // by folded signs
  std::string key_centre = "none", value_centre = "none";
  bool queries_scaled = false, values_scaled = false;
  double key_step = 0;     // between two codes of the keys
  double score_error = 0;  // relative L2 error of probabilities * V with q and k quantized
  SoftmaxChoice softmax;
  Histogram keys_before, keys_after;
};

struct LayerReport {
  BitWidths widths;
  double migration = 0;  // exponent of the scales that moved from the norm into this layer; 0: none did
  bool shifted = false;  // the norm's channel middles moved too
  // Relative L2 error of the layer's output over the sample of its inputs; nothing where no such output is computed, of
  // projections that moved to the other side (docs/numerics.md 11.1).
  std::optional<double> output_error;
  double loss = 0;  // of masks, with this layer's weights alone in 4 bits (bit_budget.h); 0: not measured
};

// Of a step of the image encoder whose widths were chosen by their time (time_budget.h).
struct StepReport {
  BitWidths widths;
  double milliseconds = 0;  // measured where it was converted
  double loss = 0;          // of masks, with these widths
};

struct QuantizeReport {
  std::map<std::string, AttentionReport> attentions;
  std::map<std::string, LayerReport> layers;
  std::map<std::string, StepReport> steps;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_REPORT_H_
