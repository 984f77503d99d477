// A call on a session while another runs on it, from its own callback or from a second thread: refused with a sentence,
// and the one that runs gives what it would have given.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "tests/unit/api_fixture.h"

namespace intsam::internal::testing {
namespace {

class BusyTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    intsam_session* plain = Create(model_);
    SetImageAndPredict(plain);
    expected_ = HashOf(plain, model_);
    embedding_.resize(intsam_session_embedding_size(plain));
    ASSERT_EQ(intsam_session_save_embedding(plain, embedding_.data(), embedding_.size()), INTSAM_OK);

    intsam_session_options options;
    intsam_session_options_init(&options);
    options.threads = 2;
    options.progress_user = this;
    options.progress = [](void* user, int32_t step, int32_t, const char*) -> int32_t {
      auto& test = *static_cast<BusyTest*>(user);
      return test.during_ && step == test.at_ ? test.during_() : 0;
    };
    session_ = Create(model_, &options);
  }

  void Refused(intsam_status status) {
    EXPECT_EQ(status, INTSAM_ERROR_ARGUMENT);
    EXPECT_NE(std::string(intsam_session_error(session_)).find("from its own callback, or by a second thread"),
              std::string::npos)
        << intsam_session_error(session_);
  }

  // Calls everything that there is.
  void CallAll() {
    EXPECT_STREQ(intsam_session_error(session_), "") << "nothing has failed yet";
    const intsam_image picture = image();
    const intsam_prompt object = prompt();
    const intsam_prompt batch[3] = {object, object, object};
    std::vector<uint8_t> mask(100 * 61), bytes(embedding_.size());
    std::vector<int16_t> logits(32 * 32);
    Refused(intsam_session_set_image(session_, &picture));
    Refused(intsam_session_set_image(session_, nullptr));
    Refused(intsam_session_check_image(session_, &picture));
    Refused(intsam_session_predict(session_, &object));
    Refused(intsam_session_predict_batch(session_, batch, 3));
    Refused(intsam_session_save_embedding(session_, bytes.data(), bytes.size()));
    Refused(intsam_session_load_embedding(session_, embedding_.data(), embedding_.size()));
    Refused(intsam_session_set_features(session_, logits.data(), 100, 61));
    Refused(intsam_session_mask_prompt(session_, mask.data(), 100, logits.data()));
    Refused(intsam_session_mask(session_, 0, 0, mask.data(), 100));
    Refused(intsam_session_mask_bits(session_, 0, 0, mask.data(), 100));
    EXPECT_EQ(intsam_session_num_results(session_), 0u);
    EXPECT_EQ(intsam_session_iou(session_, 0, 0), 0);
    EXPECT_EQ(intsam_session_best_mask(session_, 0), 0);
    EXPECT_EQ(intsam_session_low_res(session_, 0, 0), nullptr);
    EXPECT_EQ(intsam_session_embedding(session_), nullptr);
    EXPECT_EQ(intsam_session_embedding_size(session_), 0u);
    EXPECT_EQ(intsam_session_memory(session_), 0u);
    int32_t width = -1, height = -1;
    intsam_session_image_size(session_, &width, &height);
    EXPECT_EQ(width, 0);
    EXPECT_EQ(height, 0);
    EXPECT_EQ(intsam_session_threads(session_), 2);
    EXPECT_STRNE(intsam_session_isa(session_), "");
    ++calls_;
  }

  int32_t at_ = 0;
  std::function<int32_t()> during_;
  int calls_ = 0;
  std::string expected_;
  std::vector<uint8_t> embedding_;
  intsam_session* session_ = nullptr;
};

TEST_F(BusyTest, FromItsOwnCallback) {
  const intsam_image picture = image();
  const intsam_prompt object = prompt(), batch[3] = {object, object, object};
  during_ = [&] { return CallAll(), 0; };
  for (at_ = 0; at_ < 3; ++at_) {
    calls_ = 0;
    ASSERT_EQ(intsam_session_set_image(session_, &picture), INTSAM_OK);
    ASSERT_EQ(intsam_session_predict(session_, &object), INTSAM_OK);
    EXPECT_EQ(calls_, 2);
    EXPECT_EQ(HashOf(session_, model_), expected_);
    ASSERT_EQ(intsam_session_predict_batch(session_, batch, 3), INTSAM_OK);
    EXPECT_EQ(calls_, at_ == 1 ? 2 : 3);  // two prompts side by side, then one
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(HashOf(session_, model_, i), expected_);
    EXPECT_STREQ(intsam_session_error(session_), "") << "refusals are forgotten by the next call";
  }
}

TEST_F(BusyTest, TheSentenceOfTheCallThatRanWins) {
  const intsam_image picture = image();
  at_ = 1;
  during_ = [&] { return CallAll(), 1; };
  ExpectError(session_, intsam_session_set_image(session_, &picture), INTSAM_CANCELLED, "cancelled");
  EXPECT_EQ(calls_, 1);
}

TEST_F(BusyTest, FromASecondThread) {
  const intsam_image picture = image();
  const intsam_prompt object = prompt();
  at_ = 2;
  during_ = [&] {
    std::thread second([&] { CallAll(); });
    second.join();
    return 0;
  };
  ASSERT_EQ(intsam_session_set_image(session_, &picture), INTSAM_OK);
  // The second thread may ask for its sentence when the first is done.
  Refused(INTSAM_ERROR_ARGUMENT);
  ASSERT_EQ(intsam_session_predict(session_, &object), INTSAM_OK);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(HashOf(session_, model_), expected_);
}

// Without any order between them: each call is answered or refused, and none disturbs another. (The thread sanitizer
// looks as well.)
TEST_F(BusyTest, ManyThreadsAtOnce) {
  const intsam_image picture = image();
  const intsam_prompt object = prompt();
  ASSERT_EQ(intsam_session_set_image(session_, &picture), INTSAM_OK);
  std::atomic<int> answered{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        const intsam_status status = intsam_session_predict(session_, &object);
        EXPECT_TRUE(status == INTSAM_OK || status == INTSAM_ERROR_ARGUMENT) << status;
        ++(status == INTSAM_OK ? answered : refused);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered + refused, 80);
  EXPECT_GE(answered, 1);
  ASSERT_EQ(intsam_session_predict(session_, &object), INTSAM_OK);
  EXPECT_EQ(HashOf(session_, model_), expected_);
}

}  // namespace
}  // namespace intsam::internal::testing
