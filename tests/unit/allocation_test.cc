// Memory runs out at every place where it can: operator new fails at the n-th call, for all n, while a model is opened,
// a session made, an image encoded and a prompt answered. Every outcome is a success or INTSAM_ERROR_RESOURCE, nothing
// leaks (the address sanitizer looks), and afterwards the same handles work.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

#include "tests/emulated.h"
#include "tests/unit/api_fixture.h"

namespace {

std::atomic<int64_t> allocations_left{INT64_MAX};  // the one that finds 0 fails, and every later one succeeds again
std::atomic<int64_t> failures{0};

void* Allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left.fetch_sub(1) == 0) {
    ++failures;
    throw std::bad_alloc();
  }
  void* memory = nullptr;
  alignment = std::max(alignment, sizeof(void*));
  if (posix_memalign(&memory, alignment, size == 0 ? 1 : size) != 0) throw std::bad_alloc();
  return memory;
}

// Not inline: GCC would see free() at the end of a new expression, and warn.
[[gnu::noinline]] void Free(void* memory) { std::free(memory); }

}  // namespace

void* operator new(std::size_t size) { return Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new[](std::size_t size) { return Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete[](void* memory) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t) noexcept { Free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { Free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { Free(memory); }

namespace intsam::internal::testing {
namespace {

class AllocationTest : public ApiTest {
 protected:
  // Calls `body` with the first, second, ... allocation failing until none fails any more; `check` after each call,
  // with memory. Returns how many allocations the body makes.
  static int64_t FailEach(const std::function<intsam_status()>& body, const std::function<void(intsam_status)>& check) {
    for (int64_t n = 0; n < 100000; n += intsam::internal::test::kSweepStride) {
      failures = 0;
      allocations_left = n;
      const intsam_status status = body();
      allocations_left = INT64_MAX;
      if (failures == 0) {
        EXPECT_EQ(status, INTSAM_OK);
        check(status);
        return n;
      }
      EXPECT_TRUE(status == INTSAM_OK || status == INTSAM_ERROR_RESOURCE) << "allocation " << n << ": " << status;
      check(status);
      if (::testing::Test::HasFailure()) return n;
    }
    ADD_FAILURE() << "no end of allocations";
    return -1;
  }
};

TEST_F(AllocationTest, Open) {
  const std::string path = GoldenModelPath("micro");
  intsam_model* model = nullptr;
  char error[128] = "";
  const int64_t count = FailEach([&] { return intsam_model_open(path.c_str(), &model, error, sizeof error); },
                                 [&](intsam_status status) {
                                   EXPECT_EQ(model != nullptr, status == INTSAM_OK);
                                   EXPECT_EQ(std::string(error), status == INTSAM_OK ? "" : "out of memory");
                                   intsam_model_close(model);
                                 });
  EXPECT_GT(count, 20);
}

TEST_F(AllocationTest, Create) {
  intsam_session_options options;
  intsam_session_options_init(&options);
  options.threads = 4;
  options.progress = [](void*, int32_t, int32_t, const char*) { return 0; };
  intsam_session* session = nullptr;
  const int64_t count = FailEach([&] { return intsam_session_create(model_, &options, &session, nullptr, 0); },
                                 [&](intsam_status status) {
                                   EXPECT_EQ(session != nullptr, status == INTSAM_OK);
                                   intsam_session_destroy(session);
                                 });
  EXPECT_GT(count, 50);
}

// Each time on a new session, because buffers are kept from image to image.
TEST_F(AllocationTest, SetImage) {
  intsam_session* plain = Create(model_);
  SetImageAndPredict(plain);
  const std::string expected = HashOf(plain, model_);
  const intsam_image picture = image();
  intsam_session* session = nullptr;
  const int64_t count = FailEach(
      [&] {
        const int64_t left = allocations_left.exchange(INT64_MAX);
        session = Create(model_);
        allocations_left = left;
        return intsam_session_set_image(session, &picture);
      },
      [&](intsam_status status) {
        if (status != INTSAM_OK) {
          EXPECT_STREQ(intsam_session_error(session), "out of memory");
          EXPECT_EQ(intsam_session_embedding_size(session), 0u);
        }
        SetImageAndPredict(session);
        EXPECT_EQ(HashOf(session, model_), expected);
      });
  constexpr int64_t kStride = intsam::internal::test::kSweepStride;
  EXPECT_EQ(count, (2 + kStride - 1) / kStride * kStride) << "the resized image and the resizer's tables";
}

// The promise of the arena: once a session has seen an image, a prediction and a batch of some size, the like of them
// allocate nothing, on any number of threads, with a callback and on a caller's executor too.
TEST_F(AllocationTest, NothingFromTheSecondTimeOn) {
  const intsam_image picture = image();
  const intsam_box box = {64, 64, 6000, 3000};
  std::vector<int16_t> logits(32 * 32);
  const intsam_prompt point = prompt(), boxed = {&point_, 1, &box, nullptr}, masked = {&point_, 1, &box, logits.data()};
  const std::vector<intsam_prompt> batch = {point, boxed, masked, point, boxed, masked, masked};
  const intsam_executor executor = {nullptr, 3, [](void*, intsam_task task, void* argument, int32_t count) {
                                      for (int32_t i = 0; i < count; ++i) task(argument, i, i % 3);
                                    }};
  intsam_session_options plain, four, tasks;
  intsam_session_options_init(&plain), plain.threads = 1;
  intsam_session_options_init(&four), four.threads = 4;
  intsam_session_options_init(&tasks), tasks.executor = &executor;
  four.progress = tasks.progress = [](void*, int32_t, int32_t, const char*) { return 0; };
  for (const intsam_session_options* options : {&plain, &four, &tasks}) {
    intsam_session* session = Create(model_, options);
    const auto allocations = [&](const auto& call) {
      allocations_left = INT64_MAX;
      EXPECT_EQ(call(), INTSAM_OK) << intsam_session_error(session);
      return INT64_MAX - allocations_left.load();
    };
    const auto set_image = [&] { return intsam_session_set_image(session, &picture); };
    const auto predict = [&](const intsam_prompt& object) {
      return [&] { return intsam_session_predict(session, &object); };
    };
    const auto predict_batch = [&] { return intsam_session_predict_batch(session, batch.data(), batch.size()); };
    EXPECT_GT(allocations(set_image), 0);
    EXPECT_EQ(allocations(set_image), 0);
    for (const intsam_prompt* object : {&point, &boxed, &masked}) EXPECT_EQ(allocations(predict(*object)), 0);
    EXPECT_GT(allocations(predict_batch), 0);
    EXPECT_EQ(allocations(predict_batch), 0);
    EXPECT_EQ(allocations(set_image), 0);
    EXPECT_EQ(allocations(predict(masked)), 0);
    EXPECT_EQ(allocations([&] { return intsam_session_check_image(session, &picture); }), 0);
    EXPECT_EQ(allocations([&] { return intsam_session_mask_prompt(session, picture.pixels, 100, logits.data()); }), 0);
  }
}

TEST_F(AllocationTest, PredictAndMask) {
  intsam_session* session = Create(model_);
  SetImageAndPredict(session);
  const std::string expected = HashOf(session, model_);
  std::vector<uint8_t> mask(6100);
  const intsam_prompt object = prompt();
  const int64_t count = FailEach(
      [&] {
        const intsam_status predicted = intsam_session_predict(session, &object);
        return predicted != INTSAM_OK ? predicted : intsam_session_mask(session, 0, 1, mask.data(), 100);
      },
      [&](intsam_status) {
        ASSERT_EQ(intsam_session_predict(session, &object), INTSAM_OK) << intsam_session_error(session);
        EXPECT_EQ(HashOf(session, model_), expected);
      });
  EXPECT_GT(count, 5);
}

TEST_F(AllocationTest, MasksAsData) {
  intsam_session* session = Create(model_);
  SetImageAndPredict(session);
  intsam_mask* mask = nullptr;
  int64_t count = FailEach([&] { return intsam_session_make_mask(session, 0, 1, nullptr, &mask); },
                           [&](intsam_status status) {
                             EXPECT_EQ(mask != nullptr, status == INTSAM_OK);
                             intsam_mask_destroy(mask);
                           });
  EXPECT_GT(count, 10);
  int32_t stability = 0;
  count = FailEach([&] { return intsam_session_stability(session, 0, 1, nullptr, 65536, &stability); },
                   [](intsam_status) {});
  EXPECT_GT(count, 10);

  ASSERT_EQ(intsam_session_make_mask(session, 0, 1, nullptr, &mask), INTSAM_OK);
  size_t length = 0, corners = 0;
  count = FailEach([&] { return intsam_mask_run_lengths(mask, nullptr, 0, &length); }, [](intsam_status) {});
  EXPECT_GT(count, 0);
  count = FailEach([&] { return intsam_mask_coco_string(mask, nullptr, 0, &length); }, [](intsam_status) {});
  EXPECT_GT(count, 0);
  count = FailEach([&] { return intsam_mask_outlines(mask, nullptr, 0, &corners, nullptr, 0, &length); },
                   [](intsam_status) {});
  EXPECT_GT(count, 0);
  intsam_mask_destroy(mask);
}

// Without crops, which are more of the same: each would have to be encoded for each of these failures.
TEST_F(AllocationTest, Everything) {
  intsam_everything_options options;
  intsam_everything_options_init(&options);
  options.points_per_side = 1, options.min_mask_region_area = 50;
  options.pred_iou_thresh = options.stability_score_thresh = 0;
  const intsam_image picture = image();
  intsam_session* session = Create(model_);
  int32_t found = 0;
  const intsam_found count_them = [](void* user, const intsam_found_mask*, int32_t, int32_t) -> int32_t {
    ++*static_cast<int32_t*>(user);
    return 0;
  };
  const int64_t count = FailEach(
      [&] {
        found = 0;
        return intsam_session_everything(session, &picture, &options, count_them, &found);
      },
      [&](intsam_status status) {
        if (status == INTSAM_OK) {
          EXPECT_GT(found, 0);
        } else {
          EXPECT_STREQ(intsam_session_error(session), "out of memory");
        }
        EXPECT_EQ(intsam_session_num_results(session), 0u);
      });
  EXPECT_GT(count, 20);
  SetImageAndPredict(session);
  intsam_session* fresh = Create(model_);
  SetImageAndPredict(fresh);
  EXPECT_EQ(HashOf(session, model_), HashOf(fresh, model_));
}

// Each time on a new session, whose lanes and room for results are still to be made.
TEST_F(AllocationTest, PredictBatch) {
#ifdef __EMSCRIPTEN__
  GTEST_SKIP() << "more threads at a time than there are workers";
#endif
  const intsam_image picture = image();
  const intsam_prompt objects[3] = {prompt(), prompt(), prompt()};
  intsam_session* session = nullptr;
  const int64_t count = FailEach(
      [&] {
        const int64_t left = allocations_left.exchange(INT64_MAX);
        session = Create(model_);
        EXPECT_EQ(intsam_session_set_image(session, &picture), INTSAM_OK);
        allocations_left = left;
        return intsam_session_predict_batch(session, objects, 3);
      },
      [&](intsam_status status) {
        EXPECT_EQ(intsam_session_low_res(session, 0, 0) != nullptr, status == INTSAM_OK);
        ASSERT_EQ(intsam_session_predict_batch(session, objects, 3), INTSAM_OK) << intsam_session_error(session);
        EXPECT_EQ(HashOf(session, model_, 2), HashOf(session, model_));
      });
  EXPECT_GT(count, 5);
}

// A refusal with a long sentence has no memory for the sentence either.
TEST_F(AllocationTest, ErrorsThemselves) {
  intsam_session* session = Create(model_);
  SetImageAndPredict(session);
  const intsam_point bad = {0, 0, 7};
  const intsam_prompt object = {&bad, 1, nullptr, nullptr};
  for (int64_t n = 0; n < 10; ++n) {
    allocations_left = n;
    const intsam_status status = intsam_session_predict(session, &object);
    allocations_left = INT64_MAX;
    EXPECT_TRUE(status == INTSAM_ERROR_ARGUMENT || status == INTSAM_ERROR_RESOURCE) << status;
    EXPECT_STRNE(intsam_session_error(session), "");
    allocations_left = n;
    intsam_model* model = nullptr;
    char error[128] = "";
    const intsam_status opened = intsam_model_open(nullptr, &model, error, sizeof error);
    allocations_left = INT64_MAX;
    EXPECT_TRUE(opened == INTSAM_ERROR_ARGUMENT || opened == INTSAM_ERROR_RESOURCE) << opened;
  }
}

TEST_F(AllocationTest, Embedding) {
  intsam_session* session = Create(model_);
  SetImageAndPredict(session);
  std::vector<uint8_t> bytes(intsam_session_embedding_size(session));
  FailEach([&] { return intsam_session_save_embedding(session, bytes.data(), bytes.size()); }, [](intsam_status) {});
  FailEach([&] { return intsam_session_load_embedding(session, bytes.data(), bytes.size()); },
           [&](intsam_status) { EXPECT_GT(intsam_session_embedding_size(session), 0u); });
  const int16_t* features = intsam_session_embedding(session);
  FailEach([&] { return intsam_session_set_features(session, features, 100, 61); },
           [&](intsam_status) { EXPECT_GT(intsam_session_embedding_size(session), 0u); });
}

}  // namespace
}  // namespace intsam::internal::testing
