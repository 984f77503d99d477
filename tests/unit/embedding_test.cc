// Saved embeddings: the same masks from a loaded one on any session of the model, and a refusal for any other bytes.
// Features that are set: the same masks, and no claim about pixels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/unit/api_fixture.h"

namespace intsam::internal::testing {
namespace {

class EmbeddingTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    session_ = Create(model_);
    SetImageAndPredict(session_);
    expected_ = HashOf(session_, model_);
    bytes_.resize(intsam_session_embedding_size(session_));
    ASSERT_EQ(intsam_session_save_embedding(session_, bytes_.data(), bytes_.size()), INTSAM_OK);
  }
  intsam_status Load(const std::vector<uint8_t>& bytes) {
    return intsam_session_load_embedding(session_, bytes.data(), bytes.size());
  }
  // Makes the checksum at the end right.
  static void Seal(std::vector<uint8_t>& bytes) {
    const Sha256Digest digest = Sha256Of(bytes.data(), bytes.size() - 32);
    std::copy(digest.begin(), digest.end(), bytes.end() - 32);
  }

  intsam_session* session_ = nullptr;
  std::string expected_;
  std::vector<uint8_t> bytes_;
};

TEST_F(EmbeddingTest, GivesTheSameMasks) {
  for (const char* isa : {"scalar", static_cast<const char*>(nullptr)}) {
    intsam_session_options options;
    intsam_session_options_init(&options);
    options.threads = 1, options.isa = isa;
    intsam_session* other = Create(model_, &options);
    ASSERT_EQ(intsam_session_load_embedding(other, bytes_.data(), bytes_.size()), INTSAM_OK)
        << intsam_session_error(other);
    int32_t width = 0, height = 0;
    intsam_session_image_size(other, &width, &height);
    EXPECT_EQ(width, 100);
    EXPECT_EQ(height, 61);
    EXPECT_EQ(intsam_session_low_res(other, 0, 0), nullptr);
    const intsam_prompt object = prompt();
    ASSERT_EQ(intsam_session_predict(other, &object), INTSAM_OK);
    EXPECT_EQ(HashOf(other, model_), expected_);
    std::vector<uint8_t> again(intsam_session_embedding_size(other));
    ASSERT_EQ(intsam_session_save_embedding(other, again.data(), again.size()), INTSAM_OK);
    EXPECT_EQ(again, bytes_);
  }
}

TEST_F(EmbeddingTest, WrongSizesAndPointers) {
  std::vector<uint8_t> out(bytes_.size() + 1);
  for (const size_t size : {size_t{0}, bytes_.size() - 1, bytes_.size() + 1}) {
    ExpectError(session_, intsam_session_save_embedding(session_, out.data(), size), INTSAM_ERROR_ARGUMENT, "needed");
  }
  ExpectError(session_, intsam_session_save_embedding(session_, nullptr, bytes_.size()), INTSAM_ERROR_ARGUMENT,
              "data: is NULL");
  ExpectError(session_, intsam_session_load_embedding(session_, nullptr, bytes_.size()), INTSAM_ERROR_ARGUMENT,
              "data: is NULL");
}

TEST_F(EmbeddingTest, EveryTruncationIsRefused) {
  for (size_t size = 1; size < bytes_.size(); size += size < 200 || size + 80 > bytes_.size() ? 1 : 97) {
    std::vector<uint8_t> cut(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_EQ(Load(cut), INTSAM_ERROR_DAMAGED) << size;
    ASSERT_EQ(intsam_session_embedding_size(session_), 0u) << size;
    if (size < 32) continue;
    Seal(cut);
    ASSERT_EQ(Load(cut), INTSAM_ERROR_DAMAGED) << size;
  }
  EXPECT_EQ(intsam_session_load_embedding(session_, bytes_.data(), 0), INTSAM_ERROR_DAMAGED);
  std::vector<uint8_t> longer = bytes_;
  longer.push_back(0);
  EXPECT_EQ(Load(longer), INTSAM_ERROR_DAMAGED);
  ASSERT_EQ(Load(bytes_), INTSAM_OK);
}

TEST_F(EmbeddingTest, EveryBitFlipIsRefused) {
  for (size_t i = 0; i < bytes_.size(); i += i < 80 || i + 32 >= bytes_.size() ? 1 : 53) {
    for (int bit = i < 80 ? 0 : static_cast<int>(i % 8); bit < 8; bit += i < 80 ? 1 : 8) {
      bytes_[i] ^= static_cast<uint8_t>(1 << bit);
      const intsam_status status = Load(bytes_);
      ASSERT_TRUE(status == INTSAM_ERROR_DAMAGED || status == INTSAM_ERROR_UNSUPPORTED) << i;
      bytes_[i] ^= static_cast<uint8_t>(1 << bit);
    }
  }
  const intsam_prompt object = prompt();
  ExpectError(session_, intsam_session_predict(session_, &object), INTSAM_ERROR_ARGUMENT, "no image");
  ASSERT_EQ(Load(bytes_), INTSAM_OK);
  ASSERT_EQ(intsam_session_predict(session_, &object), INTSAM_OK);
  EXPECT_EQ(HashOf(session_, model_), expected_);
}

// With the checksum right: the header's fields are checked for themselves.
TEST_F(EmbeddingTest, HeaderFieldsSealed) {
  const auto expect = [&](size_t at, uint32_t value, intsam_status status, const char* word) {
    std::vector<uint8_t> changed = bytes_;
    std::memcpy(&changed[at], &value, sizeof value);
    Seal(changed);
    ExpectError(session_, Load(changed), status, word);
  };
  expect(0, 0, INTSAM_ERROR_DAMAGED, "not a saved embedding");
  for (const uint32_t version : {0u, 1u, 3u}) {
    expect(8, version, INTSAM_ERROR_UNSUPPORTED, ("version " + std::to_string(version)).c_str());
  }
  for (const size_t side : {12, 16, 20, 24}) {
    for (const uint32_t value : {0u, 32769u, UINT32_MAX, 99u}) expect(side, value, INTSAM_ERROR_DAMAGED, "image");
  }
  for (const uint32_t value : {0u, 1u, UINT32_MAX}) expect(28, value, INTSAM_ERROR_DAMAGED, "bytes");
  expect(32, 7, INTSAM_ERROR_DAMAGED, "another model");
}

// With the file itself, so that a mask of a loaded embedding never needs more than set_image would have allowed.
TEST_F(EmbeddingTest, OfAnImageThatSetImageRefuses) {
  std::vector<uint8_t> changed = bytes_;
  const uint32_t sizes[4] = {32768, 32768, 128, 128};
  std::memcpy(&changed[12], sizes, sizeof sizes);
  Seal(changed);
  ExpectError(session_, Load(changed), INTSAM_ERROR_DAMAGED, "32768 x 32768 pixels is over the limit");
}

TEST_F(EmbeddingTest, FeaturesAreThoseOfTheFile) {
  const int16_t* features = intsam_session_embedding(session_);
  ASSERT_NE(features, nullptr);
  const intsam_model_info info = InfoOf(model_);
  const size_t bytes =
      sizeof(int16_t) * static_cast<size_t>(info.embedding_size * info.embedding_size * info.embedding_channels);
  ASSERT_EQ(bytes_.size(), 96 + bytes + 32);
  EXPECT_EQ(std::memcmp(features, &bytes_[96], bytes), 0);
  EXPECT_EQ(Load({}), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_session_embedding(session_), nullptr);
}

class FeaturesTest : public EmbeddingTest {
 protected:
  void SetUp() override {
    EmbeddingTest::SetUp();
    const intsam_model_info info = InfoOf(model_);
    const int16_t* features = intsam_session_embedding(session_);
    features_.assign(features, features + info.embedding_size * info.embedding_size * info.embedding_channels);
  }
  void ExpectSameMasks(intsam_session* session) {
    const intsam_prompt object = prompt();
    ASSERT_EQ(intsam_session_predict(session, &object), INTSAM_OK) << intsam_session_error(session);
    EXPECT_EQ(HashOf(session, model_), expected_);
  }

  std::vector<int16_t> features_;
};

TEST_F(FeaturesTest, GiveTheSameMasks) {
  intsam_session* other = Create(model_);
  ASSERT_EQ(intsam_session_set_features(other, features_.data(), 100, 61), INTSAM_OK) << intsam_session_error(other);
  int32_t width = 0, height = 0;
  intsam_session_image_size(other, &width, &height);
  EXPECT_EQ(width, 100);
  EXPECT_EQ(height, 61);
  ExpectSameMasks(other);
  // They are copied, and the session's own may be set again.
  const std::vector<int16_t> kept = features_;
  std::fill(features_.begin(), features_.end(), int16_t{-32768});
  ExpectSameMasks(other);
  const int16_t* own = intsam_session_embedding(other);
  EXPECT_TRUE(std::equal(kept.begin(), kept.end(), own));
  ASSERT_EQ(intsam_session_set_features(other, own, 100, 61), INTSAM_OK);
  EXPECT_EQ(intsam_session_num_results(other), 0u);
  ExpectSameMasks(other);
}

// The sums of the decoder are proved for all of them.
TEST_F(FeaturesTest, OutermostValuesAreNoDanger) {
  const intsam_prompt object = prompt();
  for (const int16_t value : {int16_t{-32768}, int16_t{32767}}) {
    std::string scalar;
    for (const char* isa : {"scalar", static_cast<const char*>(nullptr)}) {
      intsam_session_options options;
      intsam_session_options_init(&options);
      options.threads = 1, options.isa = isa;
      intsam_session* session = Create(model_, &options);
      std::fill(features_.begin(), features_.end(), value);
      ASSERT_EQ(intsam_session_set_features(session, features_.data(), 100, 61), INTSAM_OK);
      ASSERT_EQ(intsam_session_predict(session, &object), INTSAM_OK);
      if (isa != nullptr) scalar = HashOf(session, model_);
      EXPECT_EQ(HashOf(session, model_), scalar);
    }
  }
}

TEST_F(FeaturesTest, SayNothingOfPixels) {
  const intsam_image picture = image();
  ASSERT_EQ(intsam_session_set_features(session_, features_.data(), 100, 61), INTSAM_OK);
  ExpectError(session_, intsam_session_check_image(session_, &picture), INTSAM_ERROR_ARGUMENT,
              "only features are known");
  // Saved and loaded, they still do not.
  std::vector<uint8_t> saved(intsam_session_embedding_size(session_));
  ASSERT_EQ(intsam_session_save_embedding(session_, saved.data(), saved.size()), INTSAM_OK);
  EXPECT_NE(saved, bytes_);
  intsam_session* other = Create(model_);
  ASSERT_EQ(intsam_session_load_embedding(other, saved.data(), saved.size()), INTSAM_OK);
  ExpectError(other, intsam_session_check_image(other, &picture), INTSAM_ERROR_ARGUMENT, "only features are known");
  ExpectSameMasks(other);
  // An image that is set afterwards is known again.
  ASSERT_EQ(intsam_session_set_image(session_, &picture), INTSAM_OK);
  EXPECT_EQ(intsam_session_check_image(session_, &picture), INTSAM_OK);
}

TEST_F(FeaturesTest, BadArgumentsLeaveNoImage) {
  const auto expect = [&](const int16_t* features, int32_t width, int32_t height, intsam_status status,
                          const char* word) {
    ASSERT_EQ(Load(bytes_), INTSAM_OK);
    ExpectError(session_, intsam_session_set_features(session_, features, width, height), status, word);
    EXPECT_EQ(intsam_session_embedding(session_), nullptr);
  };
  expect(nullptr, 100, 61, INTSAM_ERROR_ARGUMENT, "features: is NULL");
  for (const int32_t side : {0, -1, INT32_MIN, 32769, INT32_MAX}) {
    expect(features_.data(), side, 61, INTSAM_ERROR_ARGUMENT, "image: ");
    expect(features_.data(), 100, side, INTSAM_ERROR_ARGUMENT, "image: ");
  }
  expect(features_.data(), 32768, 32768, INTSAM_ERROR_RESOURCE, "over the limit");
}

TEST_F(EmbeddingTest, KnowsItsImage) {
  const auto check = [](intsam_session* session, const intsam_image& picture) {
    return intsam_session_check_image(session, &picture);
  };
  intsam_session* loaded = Create(model_);
  ExpectError(loaded, check(loaded, image()), INTSAM_ERROR_ARGUMENT, "none has been set");
  ASSERT_EQ(intsam_session_load_embedding(loaded, bytes_.data(), bytes_.size()), INTSAM_OK);
  intsam_session* fresh = Create(model_);  // never asked for its hash before
  SetImageAndPredict(fresh);

  GoldenImage mirrored = pixels_, one_pixel = pixels_;
  for (size_t i = 0; i < size_t{100} * 61; ++i)
    std::copy_n(&pixels_.rgb[3 * (i / 100 * 100 + 99 - i % 100)], 3, &mirrored.rgb[3 * i]);
  one_pixel.rgb[3 * 3000 + 1] ^= 128;
  std::vector<uint8_t> rgba;
  for (size_t i = 0; i < size_t{100} * 61; ++i)
    rgba.insert(rgba.end(), {pixels_.rgb[3 * i], pixels_.rgb[3 * i + 1], pixels_.rgb[3 * i + 2], uint8_t(i)});
  for (intsam_session* session : {session_, loaded, fresh}) {
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(check(session, image()), INTSAM_OK) << intsam_session_error(session);
      EXPECT_EQ(check(session, {rgba.data(), 100, 61, 400, INTSAM_RGBA}), INTSAM_OK) << "the same pixels";
      ExpectError(session, check(session, {mirrored.rgb.data(), 100, 61, 300, INTSAM_RGB}), INTSAM_ERROR_ARGUMENT,
                  "not those of the session");
      ExpectError(session, check(session, {one_pixel.rgb.data(), 100, 61, 300, INTSAM_RGB}), INTSAM_ERROR_ARGUMENT,
                  "not those of the session");
      ExpectError(session, check(session, {pixels_.rgb.data(), 61, 100, 183, INTSAM_RGB}), INTSAM_ERROR_ARGUMENT,
                  "61 x 100 pixels, the session's has 100 x 61");
      ExpectError(session, intsam_session_check_image(session, nullptr), INTSAM_ERROR_ARGUMENT, "image: is NULL");
      ExpectError(session, check(session, {nullptr, 100, 61, 300, INTSAM_RGB}), INTSAM_ERROR_ARGUMENT, "no pixels");
    }
    // Nothing was lost by asking.
    std::vector<uint8_t> again(intsam_session_embedding_size(session));
    ASSERT_EQ(intsam_session_save_embedding(session, again.data(), again.size()), INTSAM_OK);
    EXPECT_EQ(again, bytes_);
    EXPECT_EQ(HashOf(session, model_), session == loaded ? "" : expected_);
  }
}

TEST_F(EmbeddingTest, OfAnotherModel) {
  intsam_model* odd = OpenGolden("odd");
  intsam_session* other = Create(odd);
  ExpectError(other, intsam_session_load_embedding(other, bytes_.data(), bytes_.size()), INTSAM_ERROR_DAMAGED,
              "another model");

  // The same shape with one weight changed: another model too.
  static ModelBytes bytes = GoldenModel("micro");  // outlives the model
  bytes.data()[bytes.header().sections[isam::kData].offset] ^= 1;
  Reseal(bytes, {isam::kData});
  intsam_session* near = Create(OpenMemory(bytes));
  ExpectError(near, intsam_session_load_embedding(near, bytes_.data(), bytes_.size()), INTSAM_ERROR_DAMAGED,
              "another model");
}

}  // namespace
}  // namespace intsam::internal::testing
