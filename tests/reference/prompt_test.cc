// Which tokens a prompt becomes: padding point without a box, none with one, box corners last; nothing for a mask
// alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/reference/goldens.h"

namespace intsam::internal {
namespace {

// The initial token stream of a prompt.
std::vector<float> InitialTokens(const FloatPrompt& prompt) {
  const SamConfig& c = testing::MicroModel().config;
  FloatSam sam(testing::MicroModel(), 1);
  std::vector<float> tokens;
  sam.set_hook([&](std::string_view site, std::span<float> values, size_t) {
    if (tokens.empty() && site == "mask_decoder.tokens") tokens.assign(values.begin(), values.end());
  });
  const std::vector<float> embedding(size_t{c.grid()} * c.grid() * c.prompt_embed_dim);
  sam.Decode(embedding, prompt);
  return tokens;
}

std::vector<float> Token(const std::vector<float>& tokens, size_t index) {
  const size_t channels = testing::MicroModel().config.prompt_embed_dim;
  return {tokens.begin() + static_cast<ptrdiff_t>(index * channels),
          tokens.begin() + static_cast<ptrdiff_t>((index + 1) * channels)};
}

size_t Count(const std::vector<float>& tokens) { return tokens.size() / testing::MicroModel().config.prompt_embed_dim; }

constexpr size_t kOutputTokens = 5;  // IoU and four masks

TEST(Prompt, PointsAreFollowedByAPaddingPoint) {
  const std::vector<float> tokens = InitialTokens({.points = {10, 20, 30, 40}, .labels = {1, 0}});
  ASSERT_EQ(Count(tokens), kOutputTokens + 3);
  EXPECT_EQ(Token(tokens, 0), testing::MicroModel().at("mask_decoder.iou_token.weight"));
  EXPECT_EQ(Token(tokens, kOutputTokens + 2), testing::MicroModel().at("prompt_encoder.not_a_point_embed.weight"));
}

TEST(Prompt, BoxReplacesThePaddingPointAndComesLast) {
  const FloatPrompt box = {.has_box = true, .box = {10, 20, 30, 40}};
  const std::vector<float> alone = InitialTokens(box);
  ASSERT_EQ(Count(alone), kOutputTokens + 2);
  FloatPrompt both = box;
  both.points = {50, 60};
  both.labels = {1};
  const std::vector<float> tokens = InitialTokens(both);
  ASSERT_EQ(Count(tokens), kOutputTokens + 3);
  EXPECT_EQ(Token(tokens, kOutputTokens + 1), Token(alone, kOutputTokens));
  EXPECT_EQ(Token(tokens, kOutputTokens + 2), Token(alone, kOutputTokens + 1));
}

TEST(Prompt, LabelsDifferByTheirEmbeddingOnly) {
  const std::vector<float> positive = InitialTokens({.points = {10, 20}, .labels = {1}});
  const std::vector<float> negative = InitialTokens({.points = {10, 20}, .labels = {0}});
  const std::vector<float> p = Token(positive, kOutputTokens), n = Token(negative, kOutputTokens);
  const std::vector<float>& kind1 = testing::MicroModel().at("prompt_encoder.point_embeddings.1.weight");
  const std::vector<float>& kind0 = testing::MicroModel().at("prompt_encoder.point_embeddings.0.weight");
  for (size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i] - n[i], kind1[i] - kind0[i], 1e-5f);
}

TEST(Prompt, MaskAloneAddsNoToken) {
  const SamConfig& c = testing::MicroModel().config;
  const std::vector<float> mask(size_t{c.low_res()} * c.low_res(), 1.0f);
  FloatPrompt prompt;
  prompt.mask_input = mask.data();
  EXPECT_EQ(Count(InitialTokens(prompt)), kOutputTokens);
}

TEST(Reference, NamesItsMatrixLibrary) {
  const std::string name = FloatSam::MatrixLibrary();
  EXPECT_EQ(name.rfind("oneDNN ", 0), 0u) << name;
  EXPECT_EQ(std::count(name.begin(), name.end(), '.'), 2) << name;
}

}  // namespace
}  // namespace intsam::internal
