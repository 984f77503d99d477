// What the tests of the C API share: an open model, an image, prompts, and one hash of everything that a run gives.
#ifndef INTSAM_TESTS_UNIT_API_FIXTURE_H_
#define INTSAM_TESTS_UNIT_API_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "intsam/intsam.h"
#include "runtime/base/sha256.h"
#include "tests/format/model_bytes.h"
#include "tests/golden/golden_cases.h"

namespace intsam::internal::testing {

class ApiTest : public ::testing::Test {
 protected:
  void SetUp() override { model_ = OpenGolden("micro"); }
  void TearDown() override {
    for (intsam_session* session : sessions_) intsam_session_destroy(session);
    for (intsam_model* model : models_) intsam_model_close(model);
  }

  intsam_model* OpenGolden(const char* name) {
    intsam_model* model = nullptr;
    char error[256] = "";
    EXPECT_EQ(intsam_model_open(GoldenModelPath(name).c_str(), &model, error, sizeof error), INTSAM_OK) << error;
    models_.push_back(model);
    return model;
  }

  intsam_model* OpenMemory(const ModelBytes& bytes) {
    intsam_model* model = nullptr;
    char error[256] = "";
    EXPECT_EQ(intsam_model_open_memory(bytes.data(), bytes.size(), &model, error, sizeof error), INTSAM_OK) << error;
    models_.push_back(model);
    return model;
  }

  // Destroyed at the end of the test. threads: 2 unless options say otherwise.
  intsam_session* Create(const intsam_model* model, const intsam_session_options* options = nullptr) {
    intsam_session_options two;
    intsam_session_options_init(&two);
    two.threads = 2;
    intsam_session* session = nullptr;
    char error[256] = "";
    EXPECT_EQ(intsam_session_create(model, options == nullptr ? &two : options, &session, error, sizeof error),
              INTSAM_OK)
        << error;
    sessions_.push_back(session);
    return session;
  }

  intsam_image image() const { return {pixels_.rgb.data(), 100, 61, 300, INTSAM_RGB}; }
  intsam_prompt prompt() const { return {&point_, 1, nullptr, nullptr}; }
  void SetImageAndPredict(intsam_session* session) const {
    const intsam_image picture = image();
    const intsam_prompt object = prompt();
    ASSERT_EQ(intsam_session_set_image(session, &picture), INTSAM_OK) << intsam_session_error(session);
    ASSERT_EQ(intsam_session_predict(session, &object), INTSAM_OK) << intsam_session_error(session);
  }

  static intsam_model_info InfoOf(const intsam_model* model) {
    intsam_model_info info;
    info.size = sizeof info;
    intsam_model_get_info(model, &info);
    return info;
  }

  // Low-resolution logits, scores and masks of a result; "" without it.
  static std::string HashOf(intsam_session* session, const intsam_model* model, size_t result = 0) {
    const intsam_model_info info = InfoOf(model);
    int32_t width = 0, height = 0;
    intsam_session_image_size(session, &width, &height);
    Sha256 hash;
    std::vector<uint8_t> mask(static_cast<size_t>(width) * static_cast<size_t>(height));
    for (int32_t i = 0; i < info.num_masks; ++i) {
      const int16_t* low_res = intsam_session_low_res(session, result, i);
      if (low_res == nullptr ||
          intsam_session_mask(session, result, i, mask.data(), static_cast<size_t>(width)) != INTSAM_OK)
        return "";
      const int32_t iou = intsam_session_iou(session, result, i);
      hash.Update(low_res,
                  sizeof(int16_t) * static_cast<size_t>(info.low_res_size) * static_cast<size_t>(info.low_res_size));
      hash.Update(&iou, sizeof iou);
      hash.Update(mask.data(), mask.size());
    }
    return ToHex(hash.Finish());
  }

  // The status, and that the session says why, naming `word`.
  static void ExpectError(intsam_session* session, intsam_status got, intsam_status expected, const char* word) {
    EXPECT_EQ(got, expected);
    EXPECT_NE(std::string(intsam_session_error(session)).find(word), std::string::npos)
        << intsam_session_error(session);
  }

  const GoldenImage pixels_ = MakeImage(100, 61, 7);
  const intsam_point point_ = {50 * 64, 30 * 64, 1};
  intsam_model* model_ = nullptr;

 private:
  std::vector<intsam_model*> models_;
  std::vector<intsam_session*> sessions_;
};

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_UNIT_API_FIXTURE_H_
