// The two opponents and what both are asked to do: one square image, then points on it.
#ifndef INTSAM_APPS_BENCH_SIDES_H_
#define INTSAM_APPS_BENCH_SIDES_H_

#include <memory>
#include <vector>

#include "apps/bench/settings.h"
#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/fp32/float_sam.h"
#include "converter/quantize/calibrate.h"
#include "runtime/exec/session.h"

namespace intsam::internal {

// Prompts of a round: the first on the image, then further ones, which may reuse what depends on the image alone.
constexpr int kPrompts = 5;

struct Work {
  CalibrationImage image;
  explicit Work(const SamConfig& config);
  // One foreground point, another for each prompt, in pixels.
  int32_t PointOf(int prompt) const { return static_cast<int32_t>(image.size.width) / 2 + prompt; }
};

Status WriteSyntheticModel(const Settings& settings);
Result<FloatModel> LoadWeights(const Settings& settings);
Result<std::unique_ptr<Session>> MakeSession(const Model& model, const Settings& settings);

// `weights` must outlive the result.
Result<std::unique_ptr<FloatSam>> MakeFloatSam(const FloatModel& weights, const Settings& settings);
// "oneDNN 2.6.3", or what else computes the FP32 side.
std::string Fp32LibraryName(const Settings& settings);

Status Encode(Session& session, const Work& work);
Status Decode(Session& session, const Work& work, int prompt);
std::vector<float> Encode(FloatSam& sam, const Work& work);
void Decode(FloatSam& sam, const std::vector<float>& embedding, const Work& work, int prompt);

// Everything that a process needs for one image and one prompt, for its peak memory.
Status RunIntegerOnce(const Settings& settings);
Status RunFloatOnce(const Settings& settings);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_SIDES_H_
