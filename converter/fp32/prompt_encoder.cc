// As in the original: the half pixel is added here, and a padding point marks the end of points unless a box follows.
#include "converter/fp32/prompt_encoder.h"

#include <cmath>
#include <numbers>

#include "converter/fp32/matmul.h"
#include "converter/fp32/ops.h"
#include "converter/sam_constants.h"

namespace intsam::internal::fp32 {
namespace {

constexpr int kPaddingLabel = -1;
constexpr int kFirstCornerLabel = 2;
constexpr int kSecondCornerLabel = 3;

void Append(const std::vector<float>& rows, std::vector<float>& tokens) {
  tokens.insert(tokens.end(), rows.begin(), rows.end());
}

}  // namespace

PromptEncoder::PromptEncoder(const Context& context) : context_(context), channels_(context.config.prompt_embed_dim) {
  const size_t mask_channels = context.config.mask_in_chans;
  mask0_weight_ = context.model.at("prompt_encoder.mask_downscaling.0.weight");  // one input channel: both orders agree
  mask3_weight_ =
      ChannelLast(context.model.at("prompt_encoder.mask_downscaling.3.weight"), mask_channels, mask_channels / 4, 2);
  const size_t grid = context.config.grid();
  image_pe_.resize(grid * grid * channels_);
  for (size_t i = 0; i < grid * grid; ++i) {
    const float scale = static_cast<float>(grid);
    const size_t row = i / grid, column = i % grid;
    Encode((static_cast<float>(column) + 0.5f) / scale, (static_cast<float>(row) + 0.5f) / scale,
           image_pe_.data() + i * channels_);
  }
}

void PromptEncoder::Encode(float x, float y, float* out) const {
  const float* gaussian = context_.Tensor("prompt_encoder.pe_layer.positional_encoding_gaussian_matrix");
  const size_t features = channels_ / 2;
  for (size_t i = 0; i < features; ++i) {
    const float turns = (2 * x - 1) * gaussian[i] + (2 * y - 1) * gaussian[features + i];
    const float angle = 2 * std::numbers::pi_v<float> * turns;
    out[i] = std::sin(angle);
    out[features + i] = std::cos(angle);
  }
}

void PromptEncoder::AppendPoint(float x, float y, int label, std::vector<float>& tokens) const {
  if (label == kPaddingLabel) return Append(context_.model.at("prompt_encoder.not_a_point_embed.weight"), tokens);
  const float size = static_cast<float>(context_.config.image_size);
  std::vector<float> token(channels_);
  Encode((x + 0.5f) / size, (y + 0.5f) / size, token.data());
  const float* kind = context_.Tensor("prompt_encoder.point_embeddings." + std::to_string(label) + ".weight");
  for (size_t i = 0; i < channels_; ++i) token[i] += kind[i];
  Append(token, tokens);
}

std::vector<float> PromptEncoder::Tokens(const FloatPrompt& prompt) const {
  std::vector<float> tokens;
  Append(context_.model.at("mask_decoder.iou_token.weight"), tokens);
  Append(context_.model.at("mask_decoder.mask_tokens.weight"), tokens);
  for (size_t i = 0; i < prompt.labels.size(); ++i) {
    AppendPoint(prompt.points[2 * i], prompt.points[2 * i + 1], prompt.labels[i], tokens);
  }
  if (prompt.has_box) {
    AppendPoint(prompt.box[0], prompt.box[1], kFirstCornerLabel, tokens);
    AppendPoint(prompt.box[2], prompt.box[3], kSecondCornerLabel, tokens);
  } else if (!prompt.labels.empty()) {
    AppendPoint(0, 0, kPaddingLabel, tokens);
  }
  return tokens;
}

std::vector<float> PromptEncoder::Keys(const std::vector<float>& embedding, const FloatPrompt& prompt,
                                       const std::string& name) const {
  Parallel& pool = context_.pool;
  const size_t grid = context_.config.grid();
  const size_t tokens = grid * grid;
  std::vector<float> keys = embedding;
  if (prompt.mask_input == nullptr) {
    AddBias(pool, keys.data(), tokens, channels_, context_.Tensor("prompt_encoder.no_mask_embed.weight"));
    return keys;
  }
  const auto run = [&](const float* weight, const std::vector<float>& x, size_t rows, size_t in, size_t out,
                       size_t index) {
    const std::string layer = std::to_string(index);
    std::vector<float> y(rows * out);
    Product(pool, Transpose::kYes, rows, out, in, x.data(), in, weight, in, y.data(), out);
    AddBias(pool, y.data(), rows, out, context_.Tensor(name + "." + layer + ".bias"));
    context_.Site(name, ("." + layer + ".out").c_str(), y.data(), rows, out);
    return y;
  };
  const auto norm_and_gelu = [&](std::vector<float>& y, size_t channels, size_t index) {
    const std::string layer = name + "." + std::to_string(index);
    const size_t rows = y.size() / channels;
    LayerNorm(pool, y.data(), rows, channels, context_.Tensor(layer + ".weight"), context_.Tensor(layer + ".bias"),
              kMapEpsilon, y.data());
    context_.Site(layer, ".out", y.data(), rows, channels);
    BiasGelu(pool, y.data(), rows, channels, nullptr);
  };
  const size_t inner = context_.config.mask_in_chans;
  std::vector<float> patches(16 * tokens);
  Patches2x2(prompt.mask_input, 4 * grid, 1, patches.data());
  std::vector<float> y = run(mask0_weight_.data(), patches, 4 * tokens, 4, inner / 4, 0);
  norm_and_gelu(y, inner / 4, 1);
  patches.resize(tokens * inner);
  Patches2x2(y.data(), 2 * grid, inner / 4, patches.data());
  y = run(mask3_weight_.data(), patches, tokens, inner, inner, 3);
  norm_and_gelu(y, inner, 4);
  y = run(context_.Tensor(name + ".6.weight"), y, tokens, inner, channels_, 6);
  Add(pool, keys.data(), y.data(), keys.size(), keys.data());
  return keys;
}

}  // namespace intsam::internal::fp32
