// The C API as it is meant to be used: whole flow, formats, callbacks, executors of the caller, several threads, and
// the C++ wrapper.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "intsam/intsam.hpp"
#include "runtime/base/cpu.h"
#include "tests/unit/api_fixture.h"

namespace intsam::internal::testing {
namespace {

TEST_F(ApiTest, Library) {
  EXPECT_EQ(intsam_version(), std::to_string(INTSAM_VERSION_MAJOR) + "." + std::to_string(INTSAM_VERSION_MINOR) + "." +
                                  std::to_string(INTSAM_VERSION_PATCH));
  int32_t count = 0;
  std::string last;
  for (; intsam_isa_name(count) != nullptr; ++count) last = intsam_isa_name(count);
  EXPECT_GE(count, 1);
  EXPECT_EQ(last, "scalar");
  EXPECT_EQ(intsam_isa_name(-1), nullptr);
  EXPECT_EQ(intsam_isa_supported("scalar"), 1);
  EXPECT_EQ(intsam_isa_supported("vax"), 0);
  EXPECT_EQ(intsam_isa_supported(nullptr), 0);
}

TEST_F(ApiTest, ModelInfo) {
  const intsam_model_info info = InfoOf(model_);
  EXPECT_EQ(info.image_size, 128);
  EXPECT_EQ(info.num_masks, 4);
  EXPECT_EQ(info.low_res_size, 32);
  EXPECT_GE(info.logit_mantissa, 1 << 30);
  EXPECT_EQ(info.embedding_size, 8);
  EXPECT_EQ(info.embedding_channels, 32);
  EXPECT_GE(info.embedding_mantissa, 1 << 30);
  EXPECT_EQ(info.file_bytes, GoldenModel("micro").size());
  EXPECT_NE(std::string(info.provenance, info.provenance_size).find("converter"), std::string::npos);
  EXPECT_EQ(intsam_model_verify(model_, nullptr, 0), INTSAM_OK);
}

TEST_F(ApiTest, MemoryAndFileGiveTheSameModel) {
  const ModelBytes& bytes = GoldenModel("micro");
  intsam_model* memory = OpenMemory(bytes);
  intsam_session* a = Create(model_);
  intsam_session* b = Create(memory);
  SetImageAndPredict(a), SetImageAndPredict(b);
  EXPECT_EQ(HashOf(a, model_), HashOf(b, memory));
  EXPECT_NE(HashOf(a, model_), "");
  std::vector<uint8_t> embedding(intsam_session_embedding_size(a));
  EXPECT_EQ(intsam_session_save_embedding(a, embedding.data(), embedding.size()), INTSAM_OK);
  EXPECT_EQ(intsam_session_load_embedding(b, embedding.data(), embedding.size()), INTSAM_OK);
}

TEST_F(ApiTest, OptionsAreTaken) {
  intsam_session_options options;
  intsam_session_options_init(&options);
  EXPECT_EQ(options.size, sizeof options);
  options.threads = 3, options.isa = "scalar";
  intsam_session* session = Create(model_, &options);
  EXPECT_EQ(intsam_session_threads(session), 3);
  EXPECT_STREQ(intsam_session_isa(session), "scalar");
  EXPECT_GT(intsam_session_memory(session), 10000u);
  EXPECT_STREQ(intsam_session_error(session), "");
}

TEST_F(ApiTest, ThreadsVariable) {
  ASSERT_EQ(setenv("INTSAM_THREADS", "3", 1), 0);
  intsam_session_options options;
  intsam_session_options_init(&options);
  EXPECT_EQ(intsam_session_threads(Create(model_, &options)), 3);
  for (const char* bad : {"0", "-1", "257", "two", "2x", "99999999999999999999"}) {
    setenv("INTSAM_THREADS", bad, 1);
    intsam_session* session = nullptr;
    char error[128] = "";
    EXPECT_EQ(intsam_session_create(model_, &options, &session, error, sizeof error), INTSAM_ERROR_ARGUMENT) << bad;
    EXPECT_NE(std::strstr(error, "INTSAM_THREADS"), nullptr) << error;
    EXPECT_EQ(session, nullptr);
  }
  unsetenv("INTSAM_THREADS");
}

// The same picture in every pixel format, with a stride and with what must be ignored filled in.
TEST_F(ApiTest, PixelFormatsAgree) {
  const size_t stride = 100 * 4 + 13;
  const auto hash = [&](intsam_pixel_format format) {
    const size_t bytes = format == INTSAM_GRAY ? 1 : format == INTSAM_RGB || format == INTSAM_BGR ? 3 : 4;
    const bool swap = format == INTSAM_BGR || format == INTSAM_BGRA;
    std::vector<uint8_t> pixels(stride * 61, 0xee);
    for (size_t i = 0; i < size_t{100} * 61; ++i) {
      uint8_t* out = &pixels[i / 100 * stride + i % 100 * bytes];
      const uint8_t* rgb = &pixels_.rgb[3 * i];
      if (format == INTSAM_GRAY) {
        out[0] = rgb[1];
        continue;
      }
      out[0] = rgb[swap ? 2 : 0], out[1] = rgb[1], out[2] = rgb[swap ? 0 : 2];
    }
    const intsam_image picture = {pixels.data(), 100, 61, stride, format};
    const intsam_prompt object = prompt();
    intsam_session* session = Create(model_);
    EXPECT_EQ(intsam_session_set_image(session, &picture), INTSAM_OK) << intsam_session_error(session);
    EXPECT_EQ(intsam_session_predict(session, &object), INTSAM_OK);
    return HashOf(session, model_);
  };
  const std::string rgb = hash(INTSAM_RGB);
  EXPECT_EQ(hash(INTSAM_BGR), rgb);
  EXPECT_EQ(hash(INTSAM_RGBA), rgb);
  EXPECT_EQ(hash(INTSAM_BGRA), rgb);
  EXPECT_NE(hash(INTSAM_GRAY), rgb);
}

TEST_F(ApiTest, BestMaskIsTheBestAlternative) {
  intsam_session* session = Create(model_);
  SetImageAndPredict(session);
  const int32_t best = intsam_session_best_mask(session, 0);
  ASSERT_TRUE(best >= 1 && best < 4);
  for (int32_t i = 1; i < 4; ++i) EXPECT_LE(intsam_session_iou(session, 0, i), intsam_session_iou(session, 0, best));
}

TEST_F(ApiTest, MaskBitsAreTheMask) {
  intsam_session* session = Create(model_);
  SetImageAndPredict(session);
  for (int32_t i = 0; i < 4; ++i) {
    std::vector<uint8_t> bytes(100 * 61), bits(15 * 61, 0xff);
    ASSERT_EQ(intsam_session_mask(session, 0, i, bytes.data(), 100), INTSAM_OK);
    ASSERT_EQ(intsam_session_mask_bits(session, 0, i, bits.data(), 15), INTSAM_OK);
    for (size_t y = 0; y < 61; ++y) {
      for (size_t x = 0; x < 104; ++x) {
        const int expected = x < 100 ? bytes[y * 100 + x] : 0;
        ASSERT_EQ(bits[y * 15 + x / 8] >> x % 8 & 1, expected) << x << ", " << y;
      }
      for (size_t x = 13; x < 15; ++x) ASSERT_EQ(bits[y * 15 + x], 0xff) << "written past the row";
    }
  }
}

struct CallerPool {
  std::atomic<int> rounds{0}, tasks{0};
  // Runs backwards, on two threads of its own.
  static void Run(void* user, intsam_task task, void* argument, int32_t count) {
    auto& pool = *static_cast<CallerPool*>(user);
    ++pool.rounds, pool.tasks += count;
    std::atomic<int32_t> next{count};
    const auto work = [&](int32_t worker) {
      for (int32_t i = --next; i >= 0; i = --next) task(argument, i, worker);
    };
    std::thread other(work, 1);
    work(0);
    other.join();
  }
};

TEST_F(ApiTest, ExecutorOfTheCaller) {
  intsam_session* own = Create(model_);
  SetImageAndPredict(own);
  CallerPool pool;
  intsam_session_options options;
  intsam_session_options_init(&options);
  intsam_executor executor = {&pool, 2, CallerPool::Run};
  options.executor = &executor;
  intsam_session* session = Create(model_, &options);
  executor = {nullptr, 0, nullptr};  // the session has its own copy
  EXPECT_EQ(intsam_session_threads(session), 2);
  SetImageAndPredict(session);
  EXPECT_GT(pool.rounds, 5);
  EXPECT_GT(pool.tasks, pool.rounds);
  EXPECT_EQ(HashOf(session, model_), HashOf(own, model_));
}

struct Progress {
  int32_t stop_at = -1, calls = 0, steps = 0;
  std::vector<std::string> names;
  static int32_t Call(void* user, int32_t step, int32_t steps, const char* name) {
    auto& progress = *static_cast<Progress*>(user);
    EXPECT_EQ(step, progress.calls++);
    progress.steps = steps;
    progress.names.emplace_back(name);
    return step == progress.stop_at;
  }
  void Restart(int32_t at) { stop_at = at, calls = 0, names.clear(); }
};

TEST_F(ApiTest, ProgressSeesEveryStepAndCancelsAtAny) {
  intsam_session* plain = Create(model_);
  SetImageAndPredict(plain);
  Progress progress;
  intsam_session_options options;
  intsam_session_options_init(&options);
  options.threads = 2, options.progress = Progress::Call, options.progress_user = &progress;
  intsam_session* session = Create(model_, &options);
  const intsam_image picture = image();
  const intsam_prompt object = prompt();

  ASSERT_EQ(intsam_session_set_image(session, &picture), INTSAM_OK);
  EXPECT_EQ(progress.calls, progress.steps);
  EXPECT_EQ(progress.names.front(), "image_encoder.patch_embed");
  const int32_t encoder_steps = progress.steps;
  progress.Restart(-1);
  ASSERT_EQ(intsam_session_predict(session, &object), INTSAM_OK);
  EXPECT_EQ(progress.names.back(), "mask_decoder.iou_prediction_head");
  const int32_t decoder_steps = progress.steps;

  for (int32_t stop = 0; stop < decoder_steps; ++stop) {
    progress.Restart(stop);
    ExpectError(session, intsam_session_predict(session, &object), INTSAM_CANCELLED, "cancelled");
    EXPECT_EQ(progress.calls, stop + 1);
    EXPECT_EQ(intsam_session_low_res(session, 0, 0), nullptr) << "half a prediction";
  }
  progress.Restart(-1);
  ASSERT_EQ(intsam_session_predict(session, &object), INTSAM_OK) << "the image is still there";
  EXPECT_EQ(HashOf(session, model_), HashOf(plain, model_));

  for (int32_t stop = 0; stop < encoder_steps; ++stop) {
    progress.Restart(stop);
    ExpectError(session, intsam_session_set_image(session, &picture), INTSAM_CANCELLED, "cancelled");
    EXPECT_EQ(intsam_session_embedding_size(session), 0u) << "half an image";
  }
  progress.Restart(-1);
  ASSERT_EQ(intsam_session_set_image(session, &picture), INTSAM_OK);
  progress.Restart(-1);
  ASSERT_EQ(intsam_session_predict(session, &object), INTSAM_OK);
  EXPECT_EQ(HashOf(session, model_), HashOf(plain, model_));
}

TEST_F(ApiTest, SessionsOnOneModelInThreads) {
  intsam_session* single = Create(model_);
  SetImageAndPredict(single);
  const std::string expected = HashOf(single, model_);
  std::vector<std::thread> threads;
  std::vector<std::string> hashes(4);
  for (size_t i = 0; i < hashes.size(); ++i) {
    intsam_session_options options;
    intsam_session_options_init(&options);
    options.threads = static_cast<int32_t>(1 + i % 2);
    intsam_session* session = Create(model_, &options);
    threads.emplace_back([this, session, &hash = hashes[i]] {
      for (int round = 0; round < 3; ++round) SetImageAndPredict(session);
      hash = HashOf(session, model_);
    });
  }
  // Opening, and closing, of other models goes on meanwhile.
  for (int i = 0; i < 5; ++i) {
    intsam_model* other = nullptr;
    EXPECT_EQ(intsam_model_open(GoldenModelPath("odd").c_str(), &other, nullptr, 0), INTSAM_OK);
    intsam_model_close(other);
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& hash : hashes) EXPECT_EQ(hash, expected);
}

// Refining: the logits of one prediction, copied, as the mask of the next.
TEST_F(ApiTest, MaskInput) {
  intsam_session* session = Create(model_);
  SetImageAndPredict(session);
  const std::vector<int16_t> logits(intsam_session_low_res(session, 0, 1),
                                    intsam_session_low_res(session, 0, 1) + 32 * 32);
  const std::string first = HashOf(session, model_);
  intsam_prompt object = prompt();
  object.mask_input = logits.data();
  ASSERT_EQ(intsam_session_predict(session, &object), INTSAM_OK);
  const std::string refined = HashOf(session, model_);
  EXPECT_NE(refined, first);
  object.mask_input = nullptr;
  ASSERT_EQ(intsam_session_predict(session, &object), INTSAM_OK);
  EXPECT_EQ(HashOf(session, model_), first) << "a prediction leaves nothing behind";
}

TEST_F(ApiTest, CppWrapper) {
  intsam_session* plain = Create(model_);
  SetImageAndPredict(plain);

  intsam::Model missing, model;
  const intsam::Outcome refused = intsam::Model::Open("/does/not/exist.isam", missing);
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.status, INTSAM_ERROR_IO);
  EXPECT_NE(refused.message.find("exist.isam"), std::string::npos);
  ASSERT_TRUE(intsam::Model::Open(GoldenModelPath("micro"), model));
  EXPECT_EQ(model.info().num_masks, 4);
  intsam::Session session;
  ASSERT_TRUE(intsam::Session::Create(model, nullptr, session));
  const intsam::Outcome early = session.Predict(prompt());
  EXPECT_EQ(early.status, INTSAM_ERROR_ARGUMENT);
  EXPECT_NE(early.message.find("no image"), std::string::npos);
  ASSERT_TRUE(session.SetImage(image()));
  ASSERT_TRUE(session.Predict(prompt()));
  EXPECT_EQ(HashOf(session.get(), model.get()), HashOf(plain, model_));
  EXPECT_EQ(session.num_results(), 1u);
  EXPECT_EQ(session.image_size().width, 100);
  EXPECT_EQ(session.image_size().height, 61);
  EXPECT_EQ(session.low_res(0, 1), intsam_session_low_res(session.get(), 0, 1));
  EXPECT_NE(session.embedding(), nullptr);
  EXPECT_TRUE(session.CheckImage(image()));
  EXPECT_TRUE(model.Verify());
  static_assert(intsam::Pixels(50) == 50 * 64);
  std::vector<int16_t> logits;
  EXPECT_TRUE(session.MaskPrompt(std::vector<uint8_t>(6100, 1), logits));
  EXPECT_EQ(logits.size(), 32u * 32);
  EXPECT_EQ(session.MaskPrompt(std::vector<uint8_t>(6099), logits).status, INTSAM_ERROR_ARGUMENT);
  EXPECT_EQ(intsam::Session().Predict(prompt()).status, INTSAM_ERROR_ARGUMENT) << "no session";
  EXPECT_EQ(intsam::Model().info().num_masks, 0);
  std::vector<uint8_t> mask, embedding;
  ASSERT_TRUE(session.Mask(0, session.best_mask(0), mask));
  EXPECT_EQ(mask.size(), 6100u);
  EXPECT_EQ(session.iou(0, 0), intsam_session_iou(plain, 0, 0));
  EXPECT_FALSE(session.Mask(0, 4, mask));
  ASSERT_TRUE(session.SaveEmbedding(embedding));
  ASSERT_TRUE(session.LoadEmbedding(embedding));
  intsam::Session moved = std::move(session);
  EXPECT_TRUE(moved.Predict(prompt()));
  embedding.pop_back();
  EXPECT_EQ(moved.LoadEmbedding(embedding).status, INTSAM_ERROR_DAMAGED);
}

}  // namespace
}  // namespace intsam::internal::testing
