// What the tests of the float reference share: the micro model, and golden files with their prompts.
#ifndef INTSAM_TESTS_REFERENCE_GOLDENS_H_
#define INTSAM_TESTS_REFERENCE_GOLDENS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "converter/checkpoint/checkpoint.h"
#include "converter/fp32/float_sam.h"

namespace intsam::internal::testing {

struct Golden {
  std::map<std::string, std::vector<float>> f32;
  std::map<std::string, std::vector<int32_t>> s32;
  std::vector<uint8_t> rgb;
  uint32_t height = 0, width = 0;
};

inline Golden LoadGolden(const std::string& path) {
  Golden golden;
  auto file = Checkpoint::Open(path);
  EXPECT_TRUE(file.ok()) << file.status().message();
  if (!file.ok()) return golden;
  const std::vector<CheckpointTensor>& tensors = (*file)->tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    const CheckpointTensor& tensor = tensors[i];
    Status status;
    if (tensor.dtype == DType::kF32) {
      std::vector<float>& values = golden.f32[tensor.name];
      values.resize(tensor.elements);
      status = (*file)->ReadF32(i, values.data());
    } else if (tensor.dtype == DType::kI32) {
      std::vector<int32_t>& values = golden.s32[tensor.name];
      values.resize(tensor.elements);
      status = (*file)->ReadRaw(i, values.data());
    } else if (tensor.name == "resized") {
      golden.rgb.resize(tensor.elements);
      golden.height = static_cast<uint32_t>(tensor.shape[0]);
      golden.width = static_cast<uint32_t>(tensor.shape[1]);
      status = (*file)->ReadRaw(i, golden.rgb.data());
    }
    EXPECT_TRUE(status.ok()) << status.message();
  }
  return golden;
}

inline FloatModel LoadModel(const std::string& checkpoint, const std::string& config) {
  auto model = LoadFloatModel(checkpoint, config);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(model).value() : FloatModel();
}

inline const FloatModel& MicroModel() {
  static const FloatModel model =
      LoadModel(std::string(INTSAM_SOURCE_DIR) + "/tests/checkpoint/data/micro_f32.safetensors",
                std::string(INTSAM_SOURCE_DIR) + "/tests/checkpoint/data/micro.json");
  return model;
}

inline const FloatModel& MicroMobileModel() {
  static const FloatModel model =
      LoadModel(std::string(INTSAM_SOURCE_DIR) + "/tests/checkpoint/data/micro_mobile.safetensors",
                std::string(INTSAM_SOURCE_DIR) + "/tests/checkpoint/data/micro_mobile.json");
  return model;
}

// `photo`: also mobile_astronaut and mobile_chelsea, of MicroMobileModel.
inline Golden MicroGolden(const std::string& photo) {
  return LoadGolden(std::string(INTSAM_SOURCE_DIR) + "/tests/reference/data/micro_" + photo + ".safetensors");
}

// Prompt `name` (point, box, refine) of a golden; refine's mask prompt is point's best multi-mask output.
inline FloatPrompt GoldenPrompt(const Golden& golden, const std::string& name) {
  FloatPrompt prompt;
  const std::vector<float>& coords = golden.f32.at(name + ".coords");
  if (name == "box") {
    prompt.has_box = true;
    std::copy(coords.begin(), coords.end(), prompt.box);
  } else {
    prompt.points = coords;
    const std::vector<int32_t>& labels = golden.s32.at(name + ".labels");
    prompt.labels.assign(labels.begin(), labels.end());
  }
  if (name == "refine") {
    const std::vector<float>& iou = golden.f32.at("point.iou");
    const size_t best = static_cast<size_t>(std::max_element(iou.begin() + 1, iou.end()) - iou.begin());
    const std::vector<float>& masks = golden.f32.at("point.low_res");
    prompt.mask_input = masks.data() + best * (masks.size() / iou.size());
  }
  return prompt;
}

inline double RelativeError(const std::vector<float>& found, const std::vector<float>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  if (found.size() != expected.size()) return INFINITY;
  double error = 0, norm = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    error += std::pow(static_cast<double>(found[i]) - expected[i], 2);
    norm += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(error / norm);
}

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_REFERENCE_GOLDENS_H_
