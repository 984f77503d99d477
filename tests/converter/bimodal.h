// A model whose masks are those of another one and whose keys have two peaks.
#ifndef INTSAM_TESTS_CONVERTER_BIMODAL_H_
#define INTSAM_TESTS_CONVERTER_BIMODAL_H_

#include <cmath>
#include <cstdint>
#include <random>
#include <span>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/sites.h"
#include "converter/quantize/statistics.h"

namespace intsam::internal {

// Adds three standard deviations of all keys of the site to the key bias of each token-to-image attention, with a
// random sign per channel. Softmax does not see it: q.bias is the same for all keys. `statistics` are of the model as
// it is.
inline void MakeBimodal(FloatModel& model, const Statistics& statistics, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (const AttentionSite& site : QuantizedAttentions(model.config)) {
    if (!site.token_to_image) continue;
    const std::span<const float> keys = statistics.at(site.name + ".k").sample();
    double sum = 0, squares = 0;
    for (const float k : keys) sum += k, squares += double{k} * k;
    const double n = static_cast<double>(keys.size()), mean = sum / n;
    const auto step = static_cast<float>(3 * std::sqrt(squares / n - mean * mean));
    for (float& b : model.tensors.at(site.projections[1].layer + ".bias")) b += random() % 2 == 0 ? step : -step;
  }
}

}  // namespace intsam::internal

#endif  // INTSAM_TESTS_CONVERTER_BIMODAL_H_
