// A decoder alone: what it takes of the whole model, which embeddings it accepts, and what it cannot do.
#include "converter/pack/decoder_part.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "converter/pack/isam_writer.h"
#include "runtime/exec/session.h"
#include "tests/format/edited_model.h"

namespace intsam::internal::testing {
namespace {

constexpr ImageSize kSize = {100, 61};

std::unique_ptr<Session> SessionOf(const Model& model) {
  SessionOptions options;
  options.threads = 1;
  return Session::Create(model, std::move(options)).value();
}

// A golden model and its decoder.
class DecoderPartOf : public ::testing::TestWithParam<const char*> {
 protected:
  ModelBytes Part(const Model& model) {
    IntegerModel part = DecoderPart(model.weights(), model.identity);
    return ModelBytes(internal::ModelBytes(part, std::string(model.opened.provenance)).value());
  }

  std::vector<uint8_t> Saved(Session& session) {
    std::vector<uint8_t> rgb(3 * kSize.width * kSize.height);
    for (size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<uint8_t>(i * i >> 7);
    EXPECT_TRUE(session.SetImage(rgb.data(), kSize, 3 * kSize.width, PixelFormat::kRgb).ok());
    std::vector<uint8_t> saved(session.EmbeddingSize());
    EXPECT_TRUE(session.SaveEmbedding(saved).ok());
    return saved;
  }

  const std::unique_ptr<Model> whole_ = Model::OpenMemory(GoldenModel(GetParam())).value();
  const ModelBytes bytes_ = Part(*whole_);
  const std::unique_ptr<Model> part_ = Model::OpenMemory(bytes_).value();
};
INSTANTIATE_TEST_SUITE_P(Models, DecoderPartOf, ::testing::Values("micro", "odd", "mobile", "w6a6", "tokens", "imported"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(DecoderPartOf, AnswersOnEmbeddingsOfTheWholeModel) {
  const auto all = SessionOf(*whole_), decoder = SessionOf(*part_);
  const std::vector<uint8_t> saved = Saved(*all);
  ASSERT_TRUE(decoder->LoadEmbedding(saved).ok());
  const PointPrompt point = {50 * 64, 30 * 64, 1};
  const Prompt prompt = {.points = {&point, 1}};
  ASSERT_TRUE(all->Predict(prompt).ok());
  ASSERT_TRUE(decoder->Predict(prompt).ok());
  for (uint32_t mask = 0; mask < part_->config().num_masks(); ++mask) {
    EXPECT_EQ(decoder->IouQ15(0, mask), all->IouQ15(0, mask));
    EXPECT_TRUE(std::equal(decoder->LowRes(0, mask), decoder->LowRes(0, mask) + part_->config().low_res_values(),
                           all->LowRes(0, mask)));
  }
  std::vector<uint8_t> again(decoder->EmbeddingSize());
  ASSERT_TRUE(decoder->SaveEmbedding(again).ok());
  EXPECT_EQ(again, saved);
  EXPECT_LT(decoder->memory(), all->memory() + 1);
}

TEST_P(DecoderPartOf, RefusesImagesAndOtherEmbeddings) {
  const auto decoder = SessionOf(*part_);
  const std::vector<uint8_t> rgb(3 * kSize.width * kSize.height);
  const Status refused = decoder->SetImage(rgb.data(), kSize, 3 * kSize.width, PixelFormat::kRgb);
  EXPECT_EQ(refused.code(), Code::kUnsupported);
  EXPECT_NE(refused.message().find("no image encoder"), std::string::npos) << refused.message();
  EXPECT_FALSE(decoder->has_image());
  std::vector<uint8_t> saved = Saved(*SessionOf(*whole_));
  saved[32] ^= 1;  // the model it names
  EXPECT_FALSE(decoder->LoadEmbedding(saved).ok());
}

TEST_P(DecoderPartOf, KeepsTheDecoderAndNothingElse) {
  EXPECT_EQ(part_->identity, whole_->identity);
  EXPECT_EQ(part_->config().grid(), whole_->config().grid());
  const ModelNames whole(GoldenModel(GetParam())), part(bytes_);
  EXPECT_EQ(part.tensors.front(), "image_encoder.identity");
  EXPECT_TRUE(std::equal(part.tensors.begin() + 1, part.tensors.end(),
                         std::find(whole.tensors.begin(), whole.tensors.end(), part.tensors[1]), whole.tensors.end()));
  EXPECT_LT(bytes_.size(), GoldenModel(GetParam()).size());
  const ModelBytes again = Part(*part_);  // of a part: itself
  ASSERT_EQ(again.size(), bytes_.size());
  EXPECT_TRUE(std::equal(again.data(), again.data() + again.size(), bytes_.data()));
}

TEST_P(DecoderPartOf, BadConfigurations) {
  const ModelNames names(bytes_);
  const auto expect = [&](const char* field, int64_t value, Code code, const char* word) {
    ModelBytes bytes = bytes_;
    bytes.set_field(names.field(field), value);
    Reseal(bytes);
    ExpectRefused(bytes, code, word);
  };
  expect("config.family", 3, Code::kDamaged, "config.family: 3 is outside");
  expect("config.family", kVit, Code::kDamaged, "");
  expect("config.embedding_cell", 1, Code::kDamaged, "config.embedding_cell: 1 is outside");
  expect("config.embedding_cell", 7, Code::kUnsupported, "embedding_cell");
  expect("config.image_size", whole_->config().image_size + 1, Code::kUnsupported, "embedding_cell");
}

}  // namespace
}  // namespace intsam::internal::testing
