// A model of the same function whose keys are bimodal: a constant per channel, which softmax does not see, of plus or
// minus three standard deviations. The bundled model's own keys have one peak everywhere.
#ifndef INTSAM_TESTS_BENCH_BIMODAL_MODEL_H_
#define INTSAM_TESTS_BENCH_BIMODAL_MODEL_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "converter/quantize/reparametrize.h"
#include "converter/quantize/statistics.h"

namespace intsam::testing {

inline void MakeBimodal(FloatModel& model, const Statistics& statistics, uint64_t seed) {
  for (const AttentionSite& site : QuantizedAttentions(model.config)) {
    if (!site.token_to_image) continue;
    const SiteStatistics& keys = statistics.at(site.name + ".k");
    double mean = 0, square = 0;
    for (const float v : keys.sample()) mean += v, square += double{v} * v;
    const auto n = static_cast<double>(keys.sample().size());
    const auto offset = static_cast<float>(3 * std::sqrt(square / n - mean / n * mean / n));
    std::vector<float> centre;
    for (size_t c = 0; c < keys.channels(); ++c) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      centre.push_back(seed >> 63 != 0 ? offset : -offset);
    }
    CentreKeys(model, site, centre);
  }
}

}  // namespace intsam::testing

#endif  // INTSAM_TESTS_BENCH_BIMODAL_MODEL_H_
