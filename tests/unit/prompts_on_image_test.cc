// Many prompts on one image: what a session keeps of the image between prompts never shows in a result. Every result is
// compared with that of a session that has seen one image and one prompt.
#include <gtest/gtest.h>

#include "intsam/intsam.hpp"
#include "tests/unit/api_fixture.h"

namespace intsam::internal::testing {
namespace {

class PromptsOnImageTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    intsam_session* session = Create(model_);
    SetImageAndPredict(session);
    logits_.assign(intsam_session_low_res(session, 0, 1), intsam_session_low_res(session, 0, 1) + 32 * 32);
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
      intsam_session_options one_thread;
      intsam_session_options_init(&one_thread);
      one_thread.threads = 1;
      intsam_session* fresh = Create(model_, &one_thread);
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
#ifdef __EMSCRIPTEN__
  const int32_t threads = 2;  // the workers of sessions do not come back: sixteen must do for all of them
#else
  const int32_t threads = 3;
#endif
  for (int32_t tier = 0; intsam_isa_name(tier) != nullptr; ++tier) {
    if (intsam_isa_supported(intsam_isa_name(tier)) == 0) continue;
    intsam_session_options options;
    intsam_session_options_init(&options);
    options.threads = threads, options.isa = intsam_isa_name(tier);
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

// ---------------------------------------------------------------- batches

class BatchTest : public PromptsOnImageTest {
 protected:
  // Prompts of every kind in turn.
  std::vector<intsam_prompt> Prompts(size_t count) const {
    std::vector<intsam_prompt> prompts;
    for (size_t i = 0; i < count; ++i) prompts.push_back(PromptOf(Kind(i % kKinds)));
    return prompts;
  }
  void ExpectNoResult(intsam_session* session, size_t result, const char* word) {
    std::vector<uint8_t> mask(100 * 90);
    ExpectError(session, intsam_session_mask(session, result, 0, mask.data(), 100), INTSAM_ERROR_ARGUMENT, word);
    ExpectError(session, intsam_session_mask_bits(session, result, 0, mask.data(), 100), INTSAM_ERROR_ARGUMENT, word);
    EXPECT_EQ(intsam_session_low_res(session, result, 0), nullptr);
    EXPECT_EQ(intsam_session_iou(session, result, 0), 0);
    EXPECT_EQ(intsam_session_best_mask(session, result), 0);
  }
  void ExpectResults(intsam_session* session, size_t count, int which) {
    for (size_t i = count; i-- > 0;) {
      EXPECT_EQ(HashOf(session, model_, i), Expected(which, Kind(i % kKinds))) << i << " of " << count;
    }
    EXPECT_EQ(intsam_session_num_results(session), count);
    ExpectNoResult(session, count, "not in 0..");
  }
};

TEST_F(BatchTest, EqualsOneByOne) {
#ifdef __EMSCRIPTEN__
  GTEST_SKIP() << "more threads at a time than there are workers";
#endif
  for (int32_t tier = 0; intsam_isa_name(tier) != nullptr; ++tier) {
    if (intsam_isa_supported(intsam_isa_name(tier)) == 0) continue;
    for (const int32_t threads : {1, 2, 3, 11}) {
      intsam_session_options options;
      intsam_session_options_init(&options);
      options.threads = threads, options.isa = intsam_isa_name(tier);
      intsam_session* session = Create(model_, &options);
      for (const size_t count : {size_t{5}, size_t{1}, size_t{2}, size_t{23}, size_t{70}}) {
        const int which = static_cast<int>(count % 2);
        Set(session, which);
        const std::vector<intsam_prompt> prompts = Prompts(count);
        ASSERT_EQ(intsam_session_predict_batch(session, prompts.data(), count), INTSAM_OK)
            << intsam_session_error(session);
        ExpectResults(session, count, which);
        EXPECT_EQ(Predict(session, kBox), Expected(which, kBox));
        ExpectNoResult(session, 1, "not in 0..0");
      }
    }
  }
}

TEST_F(BatchTest, BestMaskAndScoresAreThoseOfTheResult) {
  intsam_session *batch = Create(model_), *single = Create(model_);
  Set(batch, 0), Set(single, 0);
  const std::vector<intsam_prompt> prompts = Prompts(4);
  ASSERT_EQ(intsam_session_predict_batch(batch, prompts.data(), 4), INTSAM_OK);
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(intsam_session_predict(single, &prompts[i]), INTSAM_OK);
    EXPECT_EQ(intsam_session_best_mask(batch, i), intsam_session_best_mask(single, 0));
    EXPECT_EQ(intsam_session_iou(batch, i, 2), intsam_session_iou(single, 0, 2));
  }
}

// On a caller's executor that runs tasks backwards, on whichever worker it likes.
TEST_F(BatchTest, ExecutorOfTheCaller) {
  const intsam_executor executor = {nullptr, 3, [](void*, intsam_task task, void* argument, int32_t count) {
                                      for (int32_t i = count; i-- > 0;) task(argument, i, i == 1 ? 2 : 1);
                                    }};
  intsam_session_options options;
  intsam_session_options_init(&options);
  options.executor = &executor;
  intsam_session* session = Create(model_, &options);
  Set(session, 0);
  const std::vector<intsam_prompt> prompts = Prompts(7);
  ASSERT_EQ(intsam_session_predict_batch(session, prompts.data(), 7), INTSAM_OK);
  ExpectResults(session, 7, 0);
}

TEST_F(BatchTest, ARefusedPromptIsNamedAndChangesNothing) {
  intsam_session* session = Create(model_);
  std::vector<intsam_prompt> prompts = Prompts(5);
  const auto refuse = [&](const intsam_prompt* given, size_t count, intsam_status status, const char* word) {
    ExpectError(session, intsam_session_predict_batch(session, given, count), status, word);
  };
  EXPECT_EQ(intsam_session_predict_batch(nullptr, prompts.data(), 5), INTSAM_ERROR_ARGUMENT);
  refuse(prompts.data(), 5, INTSAM_ERROR_ARGUMENT, "no image");
  Set(session, 0);
  ExpectNoResult(session, 0, "nothing has been predicted");
  ASSERT_EQ(intsam_session_predict_batch(session, prompts.data(), 5), INTSAM_OK);

  refuse(nullptr, 1, INTSAM_ERROR_ARGUMENT, "prompts: is NULL");
  refuse(prompts.data(), 0, INTSAM_ERROR_ARGUMENT, "none given");
  refuse(prompts.data(), 4097, INTSAM_ERROR_RESOURCE, "4097 are more than 4096");
  refuse(prompts.data(), SIZE_MAX, INTSAM_ERROR_RESOURCE, "are more than 4096");
  const intsam_point bad_label = {0, 0, 2};
  prompts[3] = {&bad_label, 1, nullptr, nullptr};
  refuse(prompts.data(), 5, INTSAM_ERROR_ARGUMENT, "prompt 3: points: label 2");
  prompts[1] = {nullptr, 1, nullptr, nullptr};
  refuse(prompts.data(), 5, INTSAM_ERROR_ARGUMENT, "prompt 1: points: is NULL");
  prompts[1] = {nullptr, 0, nullptr, nullptr};
  refuse(prompts.data(), 2, INTSAM_ERROR_ARGUMENT, "prompt 1: prompt: neither");
  ExpectResults(session, 5, 0);

  Set(session, 1);
  ExpectNoResult(session, 0, "nothing has been predicted");
}

TEST_F(BatchTest, Cancelled) {
  int32_t left = INT32_MAX;
  intsam_session_options options;
  intsam_session_options_init(&options);
  options.threads = 2;
  options.progress_user = &left;
  options.progress = [](void* user, int32_t step, int32_t steps, const char*) -> int32_t {
    EXPECT_LT(step, steps);
    return (*static_cast<int32_t*>(user))-- == 0;
  };
  intsam_session* session = Create(model_, &options);
  Set(session, 0);
  const std::vector<intsam_prompt> prompts = Prompts(5);
  for (const int32_t round : {0, 1, 2}) {  // of two, two and one prompts
    ASSERT_EQ(intsam_session_predict_batch(session, prompts.data(), 5), INTSAM_OK);
    left = round;
    EXPECT_EQ(intsam_session_predict_batch(session, prompts.data(), 5), INTSAM_CANCELLED);
    left = INT32_MAX;
    ExpectNoResult(session, 0, "nothing has been predicted");
  }
  ASSERT_EQ(intsam_session_predict_batch(session, prompts.data(), 5), INTSAM_OK);
  ExpectResults(session, 5, 0);
}

// Lanes are made once and are bounded by the threads, results by the largest batch.
TEST_F(BatchTest, MemoryIsBoundedAndCounted) {
  intsam_session* session = Create(model_);
  Set(session, 0);
  const uint64_t before = intsam_session_memory(session);
  const std::vector<intsam_prompt> prompts = Prompts(64);
  ASSERT_EQ(intsam_session_predict_batch(session, prompts.data(), 1), INTSAM_OK);
  EXPECT_EQ(intsam_session_memory(session), before);
  ASSERT_EQ(intsam_session_predict_batch(session, prompts.data(), 2), INTSAM_OK);
  const uint64_t two = intsam_session_memory(session), result = 4 * 32 * 32 * 2;
  EXPECT_GT(two, before + result);
  ASSERT_EQ(intsam_session_predict_batch(session, prompts.data(), 64), INTSAM_OK);
  const uint64_t all = two + 62 * result + 15 * result / 4;  // 16 prompts have a mask, room for one is always there
  EXPECT_EQ(intsam_session_memory(session), all);
  ASSERT_EQ(intsam_session_predict_batch(session, prompts.data(), 3), INTSAM_OK);
  EXPECT_EQ(intsam_session_memory(session), all);
}

TEST_F(BatchTest, CppWrapper) {
  intsam::Model model;
  intsam::Session session;
  ASSERT_TRUE(intsam::Model::Open(GoldenModelPath("micro"), model));
  ASSERT_TRUE(intsam::Session::Create(model, nullptr, session));
  ASSERT_TRUE(session.SetImage(Picture(0)));
  ASSERT_TRUE(session.PredictBatch(Prompts(3)));
  EXPECT_EQ(session.num_results(), 3u);
  EXPECT_EQ(HashOf(session.get(), model.get(), 2), Expected(0, kBox));
  std::vector<uint8_t> mask;
  EXPECT_EQ(session.Mask(3, 0, mask).status, INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(session.low_res(3, 0), nullptr);
  EXPECT_EQ(session.PredictBatch({}).status, INTSAM_ERROR_ARGUMENT);
}

}  // namespace
}  // namespace intsam::internal::testing
