// Changes of a float model that change no function of it, in real arithmetic, but make its activations easier to code.
// All are folded into weights, biases, norms and tables, so that they cost nothing at run time (docs/quantization.md).
#ifndef INTSAM_CONVERTER_QUANTIZE_REPARAMETRIZE_H_
#define INTSAM_CONVERTER_QUANTIZE_REPARAMETRIZE_H_

#include <span>
#include <string>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/sites.h"

namespace intsam::internal {

// Rows first..first+n of a layer's weight, and of its bias, times factors.
void ScaleRows(FloatModel& model, const std::string& layer, size_t first, std::span<const float> factors);
// Columns of a layer's weight times factors; `taps` entries per channel.
void ScaleColumns(FloatModel& model, const std::string& layer, size_t taps, std::span<const float> factors);
// bias += W * change of the input.
void ShiftInput(FloatModel& model, const std::string& layer, std::span<const float> change);

// k -= centre: q.centre is the same for all keys of a row, which softmax does not see. Pad keys are the bias, so they
// move along; relative positions read q only.
void CentreKeys(FloatModel& model, const AttentionSite& site, std::span<const float> centre);
// v -= centre, and the output layer adds W * centre: the probabilities of a row sum to one.
void CentreValues(FloatModel& model, const AttentionSite& site, std::span<const float> centre);
// q *= factor, k /= factor (and the encoder's relative position tables, which all heads share: there `factors` has one
// entry per channel of a head, repeated for every head).
void ScaleQueries(FloatModel& model, const AttentionSite& site, std::span<const float> factors);
// v /= factor, and the output layer's columns *= factor.
void ScaleValues(FloatModel& model, const AttentionSite& site, std::span<const float> factors);

// The output of layer.input_norm becomes (y - shift) / factors, which the layer undoes; a shift only where may_shift.
void MigrateNorm(FloatModel& model, const LayerSite& layer, std::span<const float> factors,
                 std::span<const float> shift);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_REPARAMETRIZE_H_
