// AGQ's scale and granularity, the uniform step, and which coding of the probabilities an attention gets
// (PTQ4SAM, section 3.3; ptq4sam/quantization/observer.py: LogAvgMSEFastObserver).
#ifndef INTSAM_CONVERTER_QUANTIZE_SOFTMAX_SEARCH_H_
#define INTSAM_CONVERTER_QUANTIZE_SOFTMAX_SEARCH_H_

#include <span>
#include <string>
#include <vector>

#include "converter/quantize/attention_sample.h"
#include "converter/quantize/plan.h"

namespace intsam::internal {

enum class SoftmaxPolicy { kAuto, kExact, kUniform, kAgq };

struct SoftmaxChoice {
  SoftmaxCoding coding;
  // Relative L2 error of probabilities * values over the samples, V unquantized.
  double uniform_error = 0, agq_error = 0;
  SoftmaxCoding uniform, agq;  // the best of each
};

// What the probability p becomes; round half up of the code, as the runtime does.
float CodedProbability(float p, const SoftmaxCoding& coding);
std::vector<float> CodedProbabilities(std::span<const float> probabilities, const SoftmaxCoding& coding);

// Searches both codings at these bits: tau in {1, 2, 4}, at 8 bits also {8, 16}, by mean |p^ V - p V|^2.4; the uniform
// step by the same error, or (search_uniform false) from the largest probability alone, as PTQ4SAM without AGQ. Under
// kAuto the cheapest coding (uniform, AGQ, exact) is taken whose error, together with `output_error`, the relative
// error of quantizing the attention's output itself, is within 5 % of the best.
SoftmaxChoice ChooseSoftmax(const AttentionSite& site, const FloatModel& model,
                            const std::vector<AttentionSample>& samples, int bits, SoftmaxPolicy policy,
                            bool search_uniform, double output_error);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_SOFTMAX_SEARCH_H_
