// Masks as prompts: results of the session itself, whatever a prediction then writes over them, masks that the caller
// drew, and masks alone.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/api_fixture.h"

namespace intsam::internal::testing {
namespace {

class MaskInputTest : public ApiTest {
 protected:
  static constexpr size_t kCount = 8;

  void SetUp() override {
    ApiTest::SetUp();
    session_ = Create(model_);
    SetImageAndPredict(session_);
    for (int32_t i = 0; i < static_cast<int32_t>(kCount); ++i) points_.push_back({64 * 9 * i, 64 * 7 * i, 1});
  }

  using Masks = std::vector<const int16_t*>;
  void PredictBatch(const Masks& masks) {
    std::vector<intsam_prompt> prompts;
    for (size_t i = 0; i < kCount; ++i) prompts.push_back({&points_[i], 1, nullptr, masks[i]});
    ASSERT_EQ(intsam_session_predict_batch(session_, prompts.data(), kCount), INTSAM_OK)
        << intsam_session_error(session_);
  }
  std::vector<std::string> Hashes() {
    std::vector<std::string> hashes;
    for (size_t i = 0; i < kCount; ++i) hashes.push_back(HashOf(session_, model_, i));
    return hashes;
  }
  // Results of a batch whose masks are results of the batch before, `of(i)` for prompt i: as copies and in place.
  template <class Of>
  void ExpectEqualToCopies(const Of& of) {
    const size_t values = 32 * 32;
    PredictBatch(Masks(kCount));
    std::vector<int16_t> copies;
    Masks there, here;
    for (size_t i = 0; i < kCount; ++i) {
      const int16_t* logits = intsam_session_low_res(session_, of(i), 1);
      copies.insert(copies.end(), logits, logits + values);
      here.push_back(logits);
    }
    for (size_t i = 0; i < kCount; ++i) there.push_back(&copies[i * values]);
    PredictBatch(there);
    const std::vector<std::string> expected = Hashes();
    PredictBatch(Masks(kCount));
    PredictBatch(here);
    EXPECT_EQ(Hashes(), expected);
  }

  intsam_session* session_ = nullptr;
  std::vector<intsam_point> points_;
};

TEST_F(MaskInputTest, EachItsOwnResult) {
  ExpectEqualToCopies([](size_t i) { return i; });
}

TEST_F(MaskInputTest, AllTheFirstResult) {
  ExpectEqualToCopies([](size_t) { return 0; });
}

TEST_F(MaskInputTest, InReverse) {
  ExpectEqualToCopies([](size_t i) { return kCount - 1 - i; });
}

// The room for results grows, and moves, between the prompts' arrival and their answers.
TEST_F(MaskInputTest, AResultThatALargerBatchMoves) {
  const int16_t* logits = intsam_session_low_res(session_, 0, 1);
  const std::vector<int16_t> copy(logits, logits + 32 * 32);
  PredictBatch(Masks(kCount, logits));
  const std::vector<std::string> found = Hashes();
  PredictBatch(Masks(kCount, copy.data()));
  EXPECT_EQ(Hashes(), found);
}

TEST_F(MaskInputTest, OfOnePredictionInPlace) {
  const int16_t* logits = intsam_session_low_res(session_, 0, 2);
  const std::vector<int16_t> copy(logits, logits + 32 * 32);
  const intsam_prompt in_place = {&point_, 1, nullptr, logits}, copied = {&point_, 1, nullptr, copy.data()};
  ASSERT_EQ(intsam_session_predict(session_, &in_place), INTSAM_OK);
  const std::string found = HashOf(session_, model_);
  ASSERT_EQ(intsam_session_predict(session_, &copied), INTSAM_OK);
  EXPECT_EQ(HashOf(session_, model_), found);
}

// ---------------------------------------------------------------- drawn masks

std::vector<uint8_t> Drawn(uint8_t inside) {
  std::vector<uint8_t> mask(103 * 61);  // rows of 100, three bytes apart
  for (size_t y = 20; y < 45; ++y) {
    for (size_t x = 30; x < 70; ++x) mask[y * 103 + x] = inside;
  }
  return mask;
}

TEST_F(MaskInputTest, DrawnMaskBecomesLogitsOfTen) {
  const intsam_model_info info = InfoOf(model_);
  std::vector<int16_t> logits(32 * 32 + 1, 77);
  ASSERT_EQ(intsam_session_mask_prompt(session_, Drawn(1).data(), 103, logits.data()), INTSAM_OK)
      << intsam_session_error(session_);
  EXPECT_EQ(logits[32 * 32], 77) << "written past the end";
  const int16_t inside = logits[10 * 32 + 15];
  const double ten =
      inside * static_cast<double>(info.logit_mantissa) / static_cast<double>(int64_t{1} << info.logit_shift);
  EXPECT_TRUE(inside == INT16_MAX || std::abs(ten - 10) < 0.01) << ten;
  // A logit is 3.125 pixels wide: 100 of the photo are the encoder's 128, of which a logit is 4.
  for (size_t y = 0; y < 32; ++y) {
    for (size_t x = 0; x < 32; ++x) {
      const double px = (4 * static_cast<double>(x) + 2) * 100 / 128, py = (4 * static_cast<double>(y) + 2) * 61 / 78;
      const bool drawn = px >= 30 && px < 70 && py >= 20 && py < 45;
      EXPECT_EQ(logits[y * 32 + x], drawn ? inside : -inside) << x << ", " << y;
    }
  }
  std::vector<int16_t> white(32 * 32);
  ASSERT_EQ(intsam_session_mask_prompt(session_, Drawn(255).data(), 103, white.data()), INTSAM_OK);
  logits.pop_back();
  EXPECT_EQ(white, logits) << "anything but 0 is inside";
}

TEST_F(MaskInputTest, DrawnMaskMisuse) {
  const std::vector<uint8_t> mask = Drawn(1);
  std::vector<int16_t> logits(32 * 32);
  const auto refuse = [&](intsam_session* session, const uint8_t* given, size_t stride, int16_t* out,
                          const char* word) {
    ExpectError(session, intsam_session_mask_prompt(session, given, stride, out), INTSAM_ERROR_ARGUMENT, word);
  };
  EXPECT_EQ(intsam_session_mask_prompt(nullptr, mask.data(), 103, logits.data()), INTSAM_ERROR_ARGUMENT);
  refuse(Create(model_), mask.data(), 103, logits.data(), "no image");
  refuse(session_, nullptr, 103, logits.data(), "mask: is NULL");
  refuse(session_, mask.data(), 103, nullptr, "logits: is NULL");
  refuse(session_, mask.data(), 99, logits.data(), "stride 99");
  EXPECT_NE(HashOf(session_, model_), "") << "the results are still there";
}

TEST_F(MaskInputTest, AMaskAloneIsAPrompt) {
  std::vector<int16_t> logits(32 * 32), other(32 * 32, 100);
  ASSERT_EQ(intsam_session_mask_prompt(session_, Drawn(1).data(), 103, logits.data()), INTSAM_OK);
  const intsam_prompt alone = {nullptr, 0, nullptr, logits.data()}, more = {&point_, 1, nullptr, logits.data()},
                      another = {nullptr, 0, nullptr, other.data()};
  const auto predict = [&](const intsam_prompt& prompt) {
    EXPECT_EQ(intsam_session_predict(session_, &prompt), INTSAM_OK) << intsam_session_error(session_);
    return HashOf(session_, model_);
  };
  const std::string hash = predict(alone);
  EXPECT_NE(hash, predict(more));
  EXPECT_NE(hash, predict(another));
  EXPECT_EQ(hash, predict(alone));
}

}  // namespace
}  // namespace intsam::internal::testing
