#include "converter/checkpoint/plain_tensors.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "converter/checkpoint/pad_vit.h"

namespace intsam::internal {
namespace {

constexpr double kBatchNormEpsilon = 1e-5;  // PyTorch's default, which TinyViT does not change

std::vector<float> Take(FloatModel* model, const std::string& name) {
  return std::move(model->tensors.extract(name).mapped());
}

// y = (c * x - mean) / sqrt(var + epsilon) * gain + bias = (c * factor) * x + (bias - mean * factor)
Status FoldBatchNorm(const std::string& module, FloatModel* model) {
  std::vector<float> weight = Take(model, module + ".c.weight");
  std::vector<float> bias = Take(model, module + ".bn.bias");
  const std::vector<float> gain = Take(model, module + ".bn.weight");
  const std::vector<float> mean = Take(model, module + ".bn.running_mean");
  const std::vector<float> variance = Take(model, module + ".bn.running_var");
  const size_t taps = weight.size() / bias.size();
  for (size_t i = 0; i < bias.size(); ++i) {
    if (variance[i] < 0) {
      return Error(Code::kDamaged, "tensor %s.bn.running_var: expected variances of 0 or more, found %g at element %zu",
                   module.c_str(), static_cast<double>(variance[i]), i);
    }
    const double factor = gain[i] / std::sqrt(variance[i] + kBatchNormEpsilon);
    bool finite = true;
    const auto round = [&](double value) {
      const auto rounded = static_cast<float>(value);
      finite = finite && std::isfinite(rounded);
      return rounded;
    };
    for (size_t t = i * taps; t < (i + 1) * taps; ++t) weight[t] = round(weight[t] * factor);
    bias[i] = round(bias[i] - mean[i] * factor);
    if (!finite) {
      return Error(Code::kDamaged, "tensor %s.c.weight: times its BatchNorm it is not finite in channel %zu",
                   module.c_str(), i);
    }
  }
  model->tensors[module + ".weight"] = std::move(weight);
  model->tensors[module + ".bias"] = std::move(bias);
  return Status();
}

// Rows of `row` floats in the order [head][q, k, v][head_dim] to [q, k, v][head][head_dim].
void SortQkv(size_t heads, size_t head_dim, size_t row, std::vector<float>* values) {
  const std::vector<float> interleaved = *values;
  const size_t block = head_dim * row;
  for (size_t h = 0; h < heads; ++h) {
    for (size_t part = 0; part < 3; ++part)
      std::copy_n(interleaved.data() + (3 * h + part) * block, block, values->data() + (part * heads + h) * block);
  }
}

}  // namespace

Status MakePlain(FloatModel* model) {
  if (model->config.family == kVit) {
    PadVit(model);
    return Status();
  }
  const TinyVitConfig& c = model->config.tiny_vit;
  constexpr std::string_view kConvolution = ".c.weight";
  for (const TensorSpec& spec : SamTensorSpecs(model->config)) {
    if (spec.name.ends_with(kConvolution))
      INTSAM_TRY(FoldBatchNorm(spec.name.substr(0, spec.name.size() - kConvolution.size()), model));
  }
  for (uint32_t i = 1; i < TinyVitConfig::kStages; ++i) {
    for (uint32_t j = 0; j < c.depths[i]; ++j) {
      const std::string qkv =
          "image_encoder.layers." + std::to_string(i) + ".blocks." + std::to_string(j) + ".attn.qkv";
      SortQkv(c.num_heads[i], c.head_dim(i), c.embed_dims[i], &model->tensors.at(qkv + ".weight"));
      SortQkv(c.num_heads[i], c.head_dim(i), 1, &model->tensors.at(qkv + ".bias"));
    }
  }
  return Status();
}

}  // namespace intsam::internal
