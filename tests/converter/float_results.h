// What the float reference makes of a model: the embedding of one picture and masks of a few prompts.
#ifndef INTSAM_TESTS_CONVERTER_FLOAT_RESULTS_H_
#define INTSAM_TESTS_CONVERTER_FLOAT_RESULTS_H_

#include <algorithm>
#include <cmath>
#include <vector>

#include "converter/fp32/float_sam.h"
#include "converter/quantize/calibrate.h"

namespace intsam::internal {

struct FloatResults {
  std::vector<float> embedding, masks, iou;
};

inline SamConfig MicroConfig() { return PresetConfig("micro").value(); }

// One point, and a box with that point's best logits as mask prompt.
inline FloatResults Results(const FloatModel& model) {
  FloatSam sam(model, 1);
  const CalibrationImage image = SyntheticImage(model.config, 7);
  FloatResults results;
  results.embedding = sam.EncodeImage(image.rgb.data(), image.size.height, image.size.width);
  FloatPrompt point;
  point.points = {40, 50}, point.labels = {1};
  const FloatMasks first = sam.Decode(results.embedding, point);
  FloatPrompt box;
  box.has_box = true;
  box.box[0] = 20, box.box[1] = 30, box.box[2] = 90, box.box[3] = 80;
  box.mask_input = first.low_res.data();
  const FloatMasks second = sam.Decode(results.embedding, box);
  for (const FloatMasks* masks : {&first, &second}) {
    results.masks.insert(results.masks.end(), masks->low_res.begin(), masks->low_res.end());
    results.iou.insert(results.iou.end(), masks->iou.begin(), masks->iou.end());
  }
  return results;
}

inline double RelativeError(const std::vector<float>& a, const std::vector<float>& b) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) error += std::pow(double{a[i]} - b[i], 2), norm += std::pow(double{a[i]}, 2);
  return a.size() == b.size() ? std::sqrt(error / norm) : 1;
}

// The largest of the three relative L2 errors.
inline double Distance(const FloatResults& a, const FloatResults& b) {
  return std::max(
      {RelativeError(a.embedding, b.embedding), RelativeError(a.masks, b.masks), RelativeError(a.iou, b.iou)});
}

inline Observations Seen(const FloatModel& model, const CalibrationOptions& options = {}) {
  FloatSam sam(model, 1);
  const CalibrationImage image = SyntheticImage(model.config, 1);
  return Calibrate(sam, model.config, {&image, 1}, options, {}, {});
}

}  // namespace intsam::internal

#endif  // INTSAM_TESTS_CONVERTER_FLOAT_RESULTS_H_
