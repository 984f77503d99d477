// Many prompts on one image: what a session keeps of the image between prompts never shows in a result. Every result is
// compared with that of a session that has seen one image and one prompt.
#include <gtest/gtest.h>

#include "tests/unit/api_fixture.h"

namespace intsam::testing {
namespace {

class PromptsOnImageTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    intsam_session* session = Create(model_);
    SetImageAndPredict(session);
    logits_.assign(intsam_session_low_res(session, 1), intsam_session_low_res(session, 1) + 32 * 32);
  }

  enum Kind { kPoint, kPoints, kBox, kMasked, kKinds };
  intsam_prompt PromptOf(Kind kind) const {
    switch (kind) {
      case kPoint: return {&points_[0], 1, nullptr, nullptr};
      case kPoints: return {points_, 3, nullptr, nullptr};
      case kBox: return {nullptr, 0, &box_, nullptr};
      default: return {points_, 2, nullptr, logits_.data()};
    }
  }
  intsam_image Picture(int which) const {
    return which == 0 ? image() : intsam_image{other_pixels_.rgb.data(), 70, 90, 210, INTSAM_RGB};
  }
  std::string Predict(intsam_session* session, Kind kind) {
    const intsam_prompt prompt = PromptOf(kind);
    EXPECT_EQ(intsam_session_predict(session, &prompt), INTSAM_OK) << intsam_session_error(session);
    return HashOf(session, model_);
  }
  void Set(intsam_session* session, int which) {
    const intsam_image picture = Picture(which);
    ASSERT_EQ(intsam_session_set_image(session, &picture), INTSAM_OK) << intsam_session_error(session);
  }
  std::string Expected(int which, Kind kind) {
    std::string& hash = expected_[which][kind];
    if (hash.empty()) {
      intsam_session* fresh = Create(model_);
      Set(fresh, which);
      hash = Predict(fresh, kind);
    }
    return hash;
  }

  const GoldenImage other_pixels_ = MakeImage(70, 90, 11);
  const intsam_point points_[3] = {{50 * 64, 30 * 64, 1}, {20 * 64, 50 * 64, 0}, {60 * 64, 10 * 64, 1}};
  const intsam_box box_ = {10 * 64, 5 * 64, 60 * 64, 55 * 64};
  std::vector<int16_t> logits_;

 private:
  std::string expected_[2][kKinds];
};

TEST_F(PromptsOnImageTest, ResultsDiffer) {
  for (int a = 0; a < kKinds; ++a) {
    EXPECT_NE(Expected(0, Kind(a)), Expected(1, Kind(a)));
    for (int b = 0; b < a; ++b) EXPECT_NE(Expected(0, Kind(a)), Expected(0, Kind(b)));
  }
}

// Every kind of prompt after every other, on every tier: with a mask, nothing that was kept applies.
TEST_F(PromptsOnImageTest, InAnyOrder) {
  for (int32_t tier = 0; intsam_isa_name(tier) != nullptr; ++tier) {
    if (intsam_isa_supported(intsam_isa_name(tier)) == 0) continue;
    intsam_session_options options;
    intsam_session_options_init(&options);
    options.threads = 3, options.isa = intsam_isa_name(tier);
    for (int first = 0; first < kKinds; ++first) {
      intsam_session* session = Create(model_, &options);
      Set(session, 0);
      EXPECT_EQ(Predict(session, Kind(first)), Expected(0, Kind(first)));
      for (int second = 0; second < kKinds; ++second) {
        EXPECT_EQ(Predict(session, Kind(second)), Expected(0, Kind(second))) << first << ' ' << second;
        EXPECT_EQ(Predict(session, Kind(first)), Expected(0, Kind(first))) << first << ' ' << second;
      }
    }
  }
}

TEST_F(PromptsOnImageTest, AfterAnotherImage) {
  intsam_session* session = Create(model_);
  for (const int which : {0, 1, 1, 0}) {
    Set(session, which);
    EXPECT_EQ(Predict(session, kPoint), Expected(which, kPoint));
    EXPECT_EQ(Predict(session, kBox), Expected(which, kBox));
  }
}

TEST_F(PromptsOnImageTest, AfterALoadedEmbedding) {
  intsam_session* session = Create(model_);
  std::vector<uint8_t> embeddings[2];
  for (const int which : {0, 1}) {
    Set(session, which);
    embeddings[which].resize(intsam_session_embedding_size(session));
    ASSERT_EQ(intsam_session_save_embedding(session, embeddings[which].data(), embeddings[which].size()), INTSAM_OK);
    EXPECT_EQ(Predict(session, kPoint), Expected(which, kPoint));
  }
  for (const int which : {0, 0, 1, 0}) {
    ASSERT_EQ(intsam_session_load_embedding(session, embeddings[which].data(), embeddings[which].size()), INTSAM_OK);
    EXPECT_EQ(Predict(session, kPoint), Expected(which, kPoint));
    EXPECT_EQ(Predict(session, kMasked), Expected(which, kMasked));
    // A damaged one leaves no image, and the next image starts anew.
    embeddings[which][0] ^= 1;
    EXPECT_EQ(intsam_session_load_embedding(session, embeddings[which].data(), embeddings[which].size()),
              INTSAM_ERROR_DAMAGED);
    embeddings[which][0] ^= 1;
    const intsam_prompt refused = PromptOf(kPoint);
    ExpectError(session, intsam_session_predict(session, &refused), INTSAM_ERROR_ARGUMENT, "no image");
    Set(session, 1 - which);
    EXPECT_EQ(Predict(session, kPoint), Expected(1 - which, kPoint));
  }
}

// Cancelled before each step of the first prompt in turn; then other prompts, then another image.
TEST_F(PromptsOnImageTest, AfterCancelledRuns) {
  int32_t left = INT32_MAX;
  intsam_session_options options;
  intsam_session_options_init(&options);
  options.threads = 2;
  options.progress_user = &left;
  options.progress = [](void* user, int32_t, int32_t, const char*) -> int32_t {
    return (*static_cast<int32_t*>(user))-- == 0;
  };
  intsam_session* session = Create(model_, &options);
  for (const Kind cancelled : {kPoint, kMasked}) {
    for (int32_t step = 0;; ++step) {
      left = INT32_MAX;
      Set(session, step % 2);
      const intsam_prompt prompt = PromptOf(cancelled);
      left = step;
      const intsam_status status = intsam_session_predict(session, &prompt);
      left = INT32_MAX;
      EXPECT_EQ(Predict(session, kBox), Expected(step % 2, kBox)) << step;
      EXPECT_EQ(Predict(session, kMasked), Expected(step % 2, kMasked)) << step;
      EXPECT_EQ(Predict(session, kPoint), Expected(step % 2, kPoint)) << step;
      if (status == INTSAM_OK) {
        EXPECT_GT(step, 5);
        break;
      }
      ASSERT_EQ(status, INTSAM_CANCELLED);
    }
  }
}

}  // namespace
}  // namespace intsam::testing
