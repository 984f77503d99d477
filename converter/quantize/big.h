// Bimodal integration: keys whose channels sit around +m or -m get one sign per channel, folded into the query and key
// projections (PTQ4SAM, section 3.2; ptq4sam/quantization/fake_quant.py: judge_bimodal, quant_model.py:
// bimodal_adjust).
#ifndef INTSAM_CONVERTER_QUANTIZE_BIG_H_
#define INTSAM_CONVERTER_QUANTIZE_BIG_H_

#include <span>
#include <vector>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/sites.h"
#include "converter/quantize/statistics.h"

namespace intsam::internal {

// Peaks of the distribution of values: Gaussian kernel density with Scott's bandwidth on 128 points from the least to
// the largest value, strict local maxima of at least 1 % of the sum, at least 32 points apart, the higher one winning.
// The density is that of a histogram of 4096 bins.
int CountPeaks(std::span<const float> values);

// sign(mean of the channel), +1 for a mean of zero (the reference's sign(0) = 0 would erase the channel).
std::vector<float> KeySigns(const SiteStatistics& keys);

// Multiplies row c of the query and key projections and their biases by signs[c]. Exact: q.k does not change.
// Decoder attentions only: in the encoder q also meets the relative positions, whose table all heads share.
void FoldSigns(FloatModel& model, const AttentionSite& site, std::span<const float> signs);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_BIG_H_
