// From a list of tensors to a SAM: the configuration is deduced from shapes, then every tensor is checked against it.
#ifndef INTSAM_CONVERTER_CHECKPOINT_SAM_CHECKPOINT_H_
#define INTSAM_CONVERTER_CHECKPOINT_SAM_CHECKPOINT_H_

#include <string>
#include <unordered_map>
#include <vector>

#include "converter/checkpoint/checkpoint.h"
#include "runtime/sam/config.h"

namespace intsam::internal {

struct TensorSpec {
  std::string name;  // official SAM state-dict key
  std::vector<uint64_t> shape;
};

// Every tensor of the official state dict for this configuration, in a fixed order.
std::vector<TensorSpec> SamTensorSpecs(const SamConfig& config);

// Deduces every field from tensor names and shapes. `decoder_num_heads` leaves no trace in shapes, nor does a TinyViT's
// `image_size`: they are taken from `config_json` (the text of a sidecar such as models/sam_tiny.json; empty: 8 and
// 1024, as in every official model), whose other fields, where present, must agree with the shapes. The widths are
// those of the tensors; ValidateConfig is run on those that the model is padded to (pad_vit.h).
Result<SamConfig> DeduceConfig(const std::vector<CheckpointTensor>& tensors, const std::string& config_json);

// The weights of one SAM in F32, by official key, in plain form (plain_tensors.h): TinyViT's convolutions with
// BatchNorm are MODULE.weight and MODULE.bias, its qkv has the ViT's order of rows, and a pruned ViT is as wide as its
// config says.
struct FloatModel {
  SamConfig config;
  std::unordered_map<std::string, std::vector<float>> tensors;
  std::string source_sha256;  // of the checkpoint file; empty for synthetic weights

  const std::vector<float>& at(const std::string& name) const { return tensors.at(name); }
};

// Opens, deduces, checks (missing, extra, wrong shape, non-finite: one line naming key, expected, found) and reads.
// Reads `config_path` if not empty, else PATH with its extension replaced by .json if that file exists.
Result<FloatModel> LoadFloatModel(const std::string& path, const std::string& config_path);

// A model of the right shape from seeded random weights, for benchmarks and tests: the same seed gives the same weights
// on every machine. Weights are scaled so that activations stay in the range of a trained model.
FloatModel SyntheticModel(const SamConfig& config, uint64_t seed);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_SAM_CHECKPOINT_H_
