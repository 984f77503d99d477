// Every way to call the C API wrongly that it promises to answer: a status, a sentence naming the argument, and a
// session that goes on working.
#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstring>

#include "tests/unit/api_fixture.h"

namespace intsam::internal::testing {
namespace {

TEST_F(ApiTest, OpenMisuse) {
  char error[128] = "";
  intsam_model* const poison = reinterpret_cast<intsam_model*>(uintptr_t{64});
  intsam_model* model = poison;
  const ModelBytes& bytes = GoldenModel("micro");
  const auto expect = [&](intsam_status got, intsam_status expected, const char* word) {
    EXPECT_EQ(got, expected) << word;
    EXPECT_NE(std::strstr(error, word), nullptr) << "expected '" << word << "' in: " << error;
    EXPECT_EQ(model, nullptr) << word;
    model = poison;
  };
  expect(intsam_model_open(nullptr, &model, error, sizeof error), INTSAM_ERROR_ARGUMENT, "path");
  expect(intsam_model_open("/does/not/exist", &model, error, sizeof error), INTSAM_ERROR_IO,
         "/does/not/exist: cannot open");
  expect(intsam_model_open("/", &model, error, sizeof error), INTSAM_ERROR_IO, "not a regular file");
  expect(intsam_model_open(GoldenListPath().c_str(), &model, error, sizeof error), INTSAM_ERROR_DAMAGED,
         "golden.txt: magic");
  expect(intsam_model_open_memory(nullptr, 10, &model, error, sizeof error), INTSAM_ERROR_ARGUMENT, "data");
  expect(intsam_model_open_memory(bytes.data(), 0, &model, error, sizeof error), INTSAM_ERROR_DAMAGED, "header");
  expect(intsam_model_open_memory(bytes.data(), bytes.size() - 1, &model, error, sizeof error), INTSAM_ERROR_DAMAGED,
         "file_size");
  expect(intsam_model_open_memory(bytes.data() + 8, bytes.size() - 8, &model, error, sizeof error),
         INTSAM_ERROR_ARGUMENT, "multiple of 64");
  ModelBytes newer = bytes;
  newer[8] = 9;
  expect(intsam_model_open_memory(newer.data(), newer.size(), &model, error, sizeof error), INTSAM_ERROR_UNSUPPORTED,
         "version");
  EXPECT_EQ(intsam_model_open("x", nullptr, error, sizeof error), INTSAM_ERROR_ARGUMENT);
  EXPECT_NE(std::strstr(error, "result pointer"), nullptr);
  EXPECT_EQ(intsam_model_open_memory(bytes.data(), bytes.size(), nullptr, nullptr, 0), INTSAM_ERROR_ARGUMENT);
}

TEST_F(ApiTest, ErrorBufferOfAnySize) {
  intsam_model* model = nullptr;
  char whole[256] = "";
  ASSERT_EQ(intsam_model_open("/does/not/exist", &model, whole, sizeof whole), INTSAM_ERROR_IO);
  for (size_t size = 0; size < sizeof whole; ++size) {
    char error[256];
    std::memset(error, '#', sizeof error);
    ASSERT_EQ(intsam_model_open("/does/not/exist", &model, error, size), INTSAM_ERROR_IO);
    if (size > 0) {
      EXPECT_EQ(std::string(error), std::string(whole).substr(0, size - 1));
    }
    for (size_t i = size; i < sizeof error; ++i) ASSERT_EQ(error[i], '#') << "written past the buffer";
  }
  EXPECT_EQ(intsam_model_open("/does/not/exist", &model, nullptr, 100), INTSAM_ERROR_IO);
}

TEST_F(ApiTest, CreateMisuse) {
  char error[128] = "";
  intsam_session* const poison = reinterpret_cast<intsam_session*>(uintptr_t{64});
  intsam_session* session = poison;
  intsam_session_options options;
  const auto expect = [&](intsam_status expected, const char* word) {
    EXPECT_EQ(intsam_session_create(model_, &options, &session, error, sizeof error), expected) << word;
    EXPECT_NE(std::strstr(error, word), nullptr) << "expected '" << word << "' in: " << error;
    EXPECT_EQ(session, nullptr) << word;
    session = poison;
    intsam_session_options_init(&options);
  };
  intsam_session_options_init(&options);
  options.size = 0, expect(INTSAM_ERROR_ARGUMENT, "options: size 0");
  options.size = sizeof options.size - 1, expect(INTSAM_ERROR_ARGUMENT, "options: size");
  options.size = SIZE_MAX, expect(INTSAM_ERROR_ARGUMENT, "options: size");
  options.threads = -1, expect(INTSAM_ERROR_ARGUMENT, "threads: -1");
  options.threads = 257, expect(INTSAM_ERROR_ARGUMENT, "threads: 257");
  options.threads = INT_MIN, expect(INTSAM_ERROR_ARGUMENT, "threads");
  options.isa = "vax", expect(INTSAM_ERROR_ARGUMENT, "unknown tier 'vax'");
  intsam_executor executor = {nullptr, 1, nullptr};
  options.executor = &executor, expect(INTSAM_ERROR_ARGUMENT, "executor");
  executor.run = [](void*, intsam_task, void*, int32_t) {};
  for (const int32_t workers : {0, -5, 257, INT_MAX}) {
    executor.workers = workers;
    options.executor = &executor, expect(INTSAM_ERROR_ARGUMENT, "executor");
  }
  EXPECT_EQ(intsam_session_create(nullptr, nullptr, &session, error, sizeof error), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(session, nullptr);
  EXPECT_EQ(intsam_session_create(model_, nullptr, nullptr, error, sizeof error), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_session_create(model_, nullptr, nullptr, nullptr, 0), INTSAM_ERROR_ARGUMENT);
}

// Structs of callers whose header is older or newer than the library.
TEST_F(ApiTest, OptionsOfOtherSizes) {
  struct {
    intsam_session_options known;
    uint64_t unknown[4];
  } longer = {};
  char error[128] = "";
  intsam_session* session = nullptr;
  const auto create = [&](size_t size) {
    longer.known.size = size;
    return intsam_session_create(model_, &longer.known, &session, error, sizeof error);
  };
  intsam_session_options_init(&longer.known);
  longer.known.threads = 3, longer.known.isa = "scalar";
  for (size_t size = sizeof longer.known; size <= sizeof longer; ++size) {
    ASSERT_EQ(create(size), INTSAM_OK) << error;
    EXPECT_EQ(intsam_session_threads(session), 3);
    intsam_session_destroy(session);
  }
  for (size_t byte = 0; byte < sizeof longer.unknown; ++byte) {
    reinterpret_cast<uint8_t*>(longer.unknown)[byte] = 1;
    EXPECT_EQ(create(sizeof longer), INTSAM_ERROR_ARGUMENT);
    EXPECT_NE(std::strstr(error, "unknown to this library"), nullptr) << error;
    ASSERT_EQ(create(sizeof longer.known + byte), INTSAM_OK) << "what lies behind the size is not looked at";
    intsam_session_destroy(session);
    reinterpret_cast<uint8_t*>(longer.unknown)[byte] = 0;
  }

  // Fields that an older header lacks are not read: here they hold what must not be called or followed.
  intsam_session_options older;
  const auto expect = [&](size_t size, int32_t threads, const char* isa) {
    std::memset(&older, 0x5a, sizeof older);
    older.size = size, older.threads = 3;
    if (isa != nullptr) older.isa = isa;
    ASSERT_EQ(intsam_session_create(model_, &older, &session, error, sizeof error), INTSAM_OK) << error;
    if (threads != 0) {
      EXPECT_EQ(intsam_session_threads(session), threads);
    }
    if (isa != nullptr) {
      EXPECT_STREQ(intsam_session_isa(session), isa);
    }
    const intsam_image picture = image();
    EXPECT_EQ(intsam_session_set_image(session, &picture), INTSAM_OK) << "no progress is called";
    intsam_session_destroy(session);
  };
  expect(offsetof(intsam_session_options, threads), 0, nullptr);
  for (size_t size = offsetof(intsam_session_options, isa); size < offsetof(intsam_session_options, executor); ++size)
    expect(size, 3, nullptr);
  expect(offsetof(intsam_session_options, executor), 3, "scalar");
}

TEST_F(ApiTest, InfoOfOtherSizes) {
  const intsam_model_info all = InfoOf(model_);
  for (size_t size = 0; size <= sizeof all + 32; ++size) {
    unsigned char given[sizeof all + 32];
    std::memset(given, 0x5a, sizeof given);
    std::memcpy(given, &size, sizeof size);
    intsam_model_get_info(model_, reinterpret_cast<intsam_model_info*>(given));
    size_t kept;
    std::memcpy(&kept, given, sizeof kept);
    EXPECT_EQ(kept, size);
    const size_t written = std::min(size, sizeof all);
    if (written > sizeof size) {  // padding is written as well, with zeros
      EXPECT_EQ(std::memcmp(given + sizeof size, reinterpret_cast<const unsigned char*>(&all) + sizeof size,
                            written - sizeof size),
                0)
          << size;
    }
    for (size_t i = std::max(written, sizeof size); i < sizeof given; ++i) ASSERT_EQ(given[i], 0x5a) << size;
  }
}

TEST_F(ApiTest, NullHandles) {
  intsam_model_close(nullptr);
  intsam_session_destroy(nullptr);
  intsam_session_options_init(nullptr);
  intsam_model_info info = {};
  info.size = sizeof info;
  intsam_model_get_info(nullptr, &info);
  EXPECT_EQ(info.num_masks, 0);
  intsam_model_get_info(model_, nullptr);
  EXPECT_EQ(intsam_model_verify(nullptr, nullptr, 0), INTSAM_ERROR_ARGUMENT);
  EXPECT_STREQ(intsam_session_error(nullptr), "");
  EXPECT_STREQ(intsam_session_isa(nullptr), "");
  EXPECT_EQ(intsam_session_threads(nullptr), 0);
  EXPECT_EQ(intsam_session_memory(nullptr), 0u);
  EXPECT_EQ(intsam_session_embedding_size(nullptr), 0u);
  const intsam_image picture = image();
  const intsam_prompt object = prompt();
  uint8_t byte = 0;
  EXPECT_EQ(intsam_session_set_image(nullptr, &picture), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_session_predict(nullptr, &object), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_session_save_embedding(nullptr, &byte, 1), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_session_load_embedding(nullptr, &byte, 1), INTSAM_ERROR_ARGUMENT);
  const int16_t feature = 0;
  EXPECT_EQ(intsam_session_set_features(nullptr, &feature, 1, 1), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_session_mask(nullptr, 0, 0, &byte, 1), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_session_mask_bits(nullptr, 0, 0, &byte, 1), INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam_session_iou(nullptr, 0, 0), 0);
  EXPECT_EQ(intsam_session_best_mask(nullptr, 0), 0);
  EXPECT_EQ(intsam_session_low_res(nullptr, 0, 0), nullptr);
  EXPECT_EQ(intsam_session_num_results(nullptr), 0u);
  EXPECT_EQ(intsam_session_embedding(nullptr), nullptr);
  EXPECT_EQ(intsam_session_check_image(nullptr, &picture), INTSAM_ERROR_ARGUMENT);
  int32_t width = -1, height = -1;
  intsam_session_image_size(nullptr, &width, &height);
  EXPECT_EQ(width, 0);
  EXPECT_EQ(height, 0);
  intsam_session_image_size(Create(model_), nullptr, nullptr);
}

TEST_F(ApiTest, NothingBeforeItsTime) {
  intsam_session* session = Create(model_);
  const intsam_prompt object = prompt();
  std::vector<uint8_t> mask(6100);
  const auto expect_nothing_predicted = [&] {
    EXPECT_EQ(intsam_session_low_res(session, 0, 0), nullptr);
    EXPECT_EQ(intsam_session_iou(session, 0, 0), 0);
    EXPECT_EQ(intsam_session_best_mask(session, 0), 0);
    ExpectError(session, intsam_session_mask(session, 0, 0, mask.data(), 100), INTSAM_ERROR_ARGUMENT,
                "nothing has been predicted");
    ExpectError(session, intsam_session_mask_bits(session, 0, 0, mask.data(), 100), INTSAM_ERROR_ARGUMENT,
                "nothing has been predicted");
  };
  ExpectError(session, intsam_session_predict(session, &object), INTSAM_ERROR_ARGUMENT, "no image");
  ExpectError(session, intsam_session_save_embedding(session, mask.data(), mask.size()), INTSAM_ERROR_ARGUMENT,
              "no image");
  EXPECT_EQ(intsam_session_embedding_size(session), 0u);
  expect_nothing_predicted();
  const intsam_image picture = image();
  ASSERT_EQ(intsam_session_set_image(session, &picture), INTSAM_OK);
  EXPECT_STREQ(intsam_session_error(session), "");
  expect_nothing_predicted();
  SetImageAndPredict(session);
  ASSERT_EQ(intsam_session_set_image(session, &picture), INTSAM_OK);
  expect_nothing_predicted();
}

TEST_F(ApiTest, BadImages) {
  intsam_session* session = Create(model_);
  int32_t width = -1, height = -1;
  const auto expect = [&](const intsam_image* picture, intsam_status expected, const char* word) {
    SetImageAndPredict(session);
    ExpectError(session, intsam_session_set_image(session, picture), expected, word);
    intsam_session_image_size(session, &width, &height);
    EXPECT_EQ(width, 0) << "after a failure the session has no image: " << word;
    EXPECT_EQ(intsam_session_low_res(session, 0, 0), nullptr) << word;
    EXPECT_EQ(intsam_session_embedding_size(session), 0u) << word;
  };
  const auto changed = [&](auto change) {
    intsam_image picture = image();
    change(picture);
    return picture;
  };
  expect(nullptr, INTSAM_ERROR_ARGUMENT, "image: is NULL");
  intsam_image bad = changed([](intsam_image& i) { i.pixels = nullptr; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "no pixels");
  bad = changed([](intsam_image& i) { i.width = 0; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "0 x 61");
  bad = changed([](intsam_image& i) { i.height = 0; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "100 x 0");
  bad = changed([](intsam_image& i) { i.width = -100; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "negative");
  bad = changed([](intsam_image& i) { i.height = INT_MIN; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "negative");
  bad = changed([](intsam_image& i) { i.width = 32769, i.stride = 100000; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "32769 x 61");
  bad = changed([](intsam_image& i) { i.height = INT_MAX; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "outside 1..32768");
  bad = changed([](intsam_image& i) { i.width = i.height = 32768, i.stride = 32768 * 3; });
  expect(&bad, INTSAM_ERROR_RESOURCE, "over the limit");
  bad = changed([](intsam_image& i) { i.stride = 299; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "stride 299");
  bad = changed([](intsam_image& i) { i.stride = 0; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "stride 0");
  bad = changed([](intsam_image& i) { i.format = INTSAM_RGBA; });
  expect(&bad, INTSAM_ERROR_ARGUMENT, "stride 300");
  for (const int32_t format : {5, 1000, -1}) {
    bad = image();
    std::memcpy(&bad.format, &format, sizeof format);
    expect(&bad, INTSAM_ERROR_ARGUMENT, "pixel format");
  }
  SetImageAndPredict(session);
}

TEST_F(ApiTest, BadPrompts) {
  intsam_session* session = Create(model_);
  SetImageAndPredict(session);
  const std::string expected = HashOf(session, model_);
  const auto expect = [&](const intsam_prompt* object, intsam_status status, const char* word) {
    ExpectError(session, intsam_session_predict(session, object), status, word);
  };
  expect(nullptr, INTSAM_ERROR_ARGUMENT, "prompt: is NULL");
  intsam_prompt object = {};
  expect(&object, INTSAM_ERROR_ARGUMENT, "neither a point nor a box");
  object = {nullptr, 1, nullptr, nullptr};
  expect(&object, INTSAM_ERROR_ARGUMENT, "points: is NULL");
  object = {nullptr, SIZE_MAX, nullptr, nullptr};
  expect(&object, INTSAM_ERROR_ARGUMENT, "points: is NULL");
  std::vector<intsam_point> points(257, point_);
  for (const size_t count : {size_t{257}, SIZE_MAX, SIZE_MAX / sizeof(intsam_point) + 2}) {
    object = {points.data(), count, nullptr, nullptr};
    expect(&object, INTSAM_ERROR_RESOURCE, "points");
  }
  object = {points.data(), 3, nullptr, nullptr};
  for (const int32_t label : {2, 3, -1, INT_MAX, INT_MIN}) {
    points[2].label = label;
    expect(&object, INTSAM_ERROR_ARGUMENT, "points: label");
  }
  for (const int32_t x : {1 << 21, -(1 << 21), INT_MAX, INT_MIN}) {
    points[2] = {x, 0, 1};
    expect(&object, INTSAM_ERROR_ARGUMENT, "points: a coordinate");
    points[2] = {0, x, 1};
    expect(&object, INTSAM_ERROR_ARGUMENT, "points: a coordinate");
    for (int corner = 0; corner < 4; ++corner) {
      int32_t c[4] = {0, 0, 64, 64};
      c[corner] = x;
      const intsam_box box = {c[0], c[1], c[2], c[3]};
      const intsam_prompt far = {nullptr, 0, &box, nullptr};
      expect(&far, INTSAM_ERROR_ARGUMENT, "box: a coordinate");
    }
  }
  for (const intsam_box& box :
       {intsam_box{64, 0, 0, 64}, intsam_box{0, 64, 64, 0}, intsam_box{5, 5, 5, 64}, intsam_box{5, 5, 64, 5}}) {
    const intsam_prompt reversed = {nullptr, 0, &box, nullptr};
    expect(&reversed, INTSAM_ERROR_ARGUMENT, "box: x0 < x1");
  }
  EXPECT_EQ(intsam_session_low_res(session, 0, 0), nullptr) << "results are gone after a refused prompt";
  const intsam_prompt good = prompt();
  ASSERT_EQ(intsam_session_predict(session, &good), INTSAM_OK) << "the image is still there";
  EXPECT_EQ(HashOf(session, model_), expected);
  points.assign(256, point_);
  object = {points.data(), 256, nullptr, nullptr};
  EXPECT_EQ(intsam_session_predict(session, &object), INTSAM_OK) << intsam_session_error(session);
}

TEST_F(ApiTest, BadMaskCalls) {
  intsam_session* session = Create(model_);
  SetImageAndPredict(session);
  std::vector<uint8_t> mask(6100);
  for (const int32_t index : {-1, 4, INT_MAX, INT_MIN}) {
    ExpectError(session, intsam_session_mask(session, 0, index, mask.data(), 100), INTSAM_ERROR_ARGUMENT, "index");
    ExpectError(session, intsam_session_mask_bits(session, 0, index, mask.data(), 100), INTSAM_ERROR_ARGUMENT, "index");
    EXPECT_EQ(intsam_session_low_res(session, 0, index), nullptr);
    EXPECT_EQ(intsam_session_iou(session, 0, index), 0);
  }
  ExpectError(session, intsam_session_mask(session, 0, 0, mask.data(), 99), INTSAM_ERROR_ARGUMENT, "stride 99");
  ExpectError(session, intsam_session_mask_bits(session, 0, 0, mask.data(), 12), INTSAM_ERROR_ARGUMENT, "stride 12");
  ExpectError(session, intsam_session_mask(session, 0, 0, nullptr, 100), INTSAM_ERROR_ARGUMENT, "out: is NULL");
  ExpectError(session, intsam_session_mask_bits(session, 0, 0, nullptr, 100), INTSAM_ERROR_ARGUMENT, "out: is NULL");
  EXPECT_EQ(intsam_session_mask(session, 0, 0, mask.data(), 100), INTSAM_OK);
  EXPECT_STREQ(intsam_session_error(session), "");
}

}  // namespace
}  // namespace intsam::internal::testing
