// The C entry points: argument checks, handles, error strings. No exception leaves this file.
#include "intsam/intsam.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "runtime/base/cpu.h"
#include "runtime/exec/session.h"
#include "runtime/format/limits.h"

struct intsam_model {
  std::unique_ptr<intsam::internal::Model> model;
};

struct intsam_session {
  std::unique_ptr<intsam::internal::Session> session;
  std::string error;                 // of the last call that ran
  std::atomic<bool> busy{false};     // a call runs
  std::atomic<bool> refused{false};  // another was refused meanwhile; the one that ran has no sentence of its own

  // Of the call that runs, kept from one to the next so that nothing is allocated.
  std::vector<intsam::internal::PointPrompt> points;
  std::vector<intsam::internal::BoxPrompt> boxes;
  std::vector<intsam::internal::Prompt> prompts;
};

namespace {

using intsam::internal::Code;
using intsam::internal::Error;
using intsam::internal::Prompt;
using intsam::internal::Result;
using intsam::internal::Session;
using intsam::internal::Status;
namespace limits = intsam::internal::limits;

constexpr const char* kBusySentence = "session: in use; called from its own callback, or by a second thread";

intsam_status Report(const Status& status, char* error, size_t error_size) {
  if (error != nullptr && error_size > 0) {
    const size_t length = std::min(error_size - 1, status.message().size());
    std::memcpy(error, status.message().data(), length);
    error[length] = 0;
  }
  return static_cast<intsam_status>(status.code());
}

// Runs `body` (returning a Status) and turns what allocation or threads may throw into statuses.
template <class Body>
Status Guarded(const Body& body) {
  // Sentences short enough for the string's own buffer: they must not need memory.
  try {
    return body();
  } catch (const std::system_error&) {
    return Status(Code::kResource, "no more threads");
  } catch (const std::exception&) {
    return Status(Code::kResource, "out of memory");
  }
}

// Runs `body` unless another call on the session runs, which is left alone.
template <class Body>
intsam_status OnSession(intsam_session* session, const Body& body) {
  if (session == nullptr) return INTSAM_ERROR_ARGUMENT;
  if (session->busy.exchange(true, std::memory_order_acquire)) {
    session->refused = true;
    return INTSAM_ERROR_ARGUMENT;
  }
  session->error.clear();
  session->refused = false;
  const Status status = Guarded([&]() -> Status {
    Status result = body(*session->session);
    session->error = result.message();
    return result;
  });
  if (!status.ok() && session->error.empty()) session->error = status.message();  // one of Guarded's own
  if (!status.ok()) session->refused = false;
  session->busy.store(false, std::memory_order_release);
  return static_cast<intsam_status>(status.code());
}

// For what only reads: null where there is nothing to read, or while a call runs and may write it.
const Session* Idle(const intsam_session* session) {
  return session == nullptr || session->busy.load(std::memory_order_acquire) ? nullptr : session->session.get();
}

// The same for a mask of a result that there is.
const Session* IdleWith(const intsam_session* session, size_t result, int32_t mask) {
  const Session* idle = Idle(session);
  if (idle == nullptr || result >= idle->num_results() || mask < 0) return nullptr;
  return static_cast<uint32_t>(mask) < idle->config().num_masks() ? idle : nullptr;
}

// A struct of the caller's that begins with its size, as it is here. No field is wider than a pointer, so one that the
// caller's header lacks has no bytes of its own there.
template <class Struct>
Status TakeStruct(const char* name, const Struct& given, Struct& taken) {
  constexpr size_t kLongest = 4096;  // a size that nobody has set must not make us read all memory
  const size_t size = given.size;
  if (size < sizeof given.size || size > kLongest)
    return Error(Code::kUsage, "%s: size %zu, expected %zu", name, size, sizeof given);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&given);
  for (size_t i = sizeof given; i < size; ++i) {
    if (bytes[i] != 0) return Error(Code::kUsage, "%s: size %zu holds options unknown to this library", name, size);
  }
  std::memcpy(&taken, bytes, std::min(size / sizeof(void*) * sizeof(void*), sizeof taken));
  return Status();
}

// `name` is what the caller's argument `source` is called.
intsam_status OpenModel(const char* name, const void* source, const auto& open, intsam_model** model, char* error,
                        size_t error_size) {
  return Report(Guarded([&]() -> Status {
                  if (model == nullptr) return Error(Code::kUsage, "model: the result pointer is NULL");
                  *model = nullptr;
                  if (source == nullptr) return Error(Code::kUsage, "%s: is NULL", name);
                  INTSAM_ASSIGN(auto opened, open());
                  *model = new intsam_model{std::move(opened)};
                  return Status();
                }),
                error, error_size);
}

// The caller's executor behind the runtime's interface.
class CallerParallel : public intsam::internal::Parallel {
 public:
  explicit CallerParallel(const intsam_executor& executor) : executor_(executor) {}
  int workers() const override { return executor_.workers; }
  void For(int count, Task task) override {
    executor_.run(
        executor_.user,
        [](void* argument, int32_t index, int32_t worker) { (*static_cast<const Task*>(argument))(index, worker); },
        &task, count);
  }

 private:
  intsam_executor executor_;
};

Status CreateSession(const intsam_model* model, const intsam_session_options* given, intsam_session** session) {
  if (session == nullptr) return Error(Code::kUsage, "session: the result pointer is NULL");
  *session = nullptr;
  if (model == nullptr) return Error(Code::kUsage, "model: is NULL");
  intsam_session_options options;
  intsam_session_options_init(&options);
  if (given != nullptr) INTSAM_TRY(TakeStruct("options", *given, options));
  intsam::internal::SessionOptions inner;
  inner.threads = options.threads;
  inner.isa = options.isa;
  if (options.executor != nullptr) {
    if (options.executor->run == nullptr || options.executor->workers < 1 ||
        options.executor->workers > static_cast<int32_t>(limits::kThreads)) {
      return Error(Code::kUsage, "executor: needs a run function and 1..%u workers", limits::kThreads);
    }
    inner.parallel = std::make_unique<CallerParallel>(*options.executor);
  }
  INTSAM_ASSIGN(auto created, intsam::internal::Session::Create(*model->model, std::move(inner)));
  if (options.progress != nullptr) {
    created->set_hook([progress = options.progress, user = options.progress_user](const intsam::internal::Step& step,
                                                                                  int index, int count) {
      return progress(user, index, count, step.name.c_str()) == 0;
    });
  }
  auto handle = std::make_unique<intsam_session>();
  handle->session = std::move(created);
  handle->points.reserve(limits::kPointsPerPrompt);
  handle->boxes.reserve(1);
  handle->prompts.reserve(1);
  *session = handle.release();
  return Status();
}

Status CheckCounts(const intsam_prompt& prompt) {
  if (prompt.points == nullptr && prompt.num_points > 0) return Error(Code::kUsage, "points: is NULL");
  if (prompt.num_points > limits::kPointsPerPrompt)
    return Error(Code::kResource, "points: %zu are more than %u", prompt.num_points, limits::kPointsPerPrompt);
  return Status();
}

// The caller's prompts as the runtime's, which refer to copies in `handle`. CheckCounts holds for each.
std::span<const Prompt> CopyPrompts(intsam_session& handle, std::span<const intsam_prompt> given) {
  size_t points = 0;
  for (const intsam_prompt& prompt : given) points += prompt.num_points;
  handle.points.clear(), handle.points.reserve(points);  // so that no copy moves
  handle.boxes.clear(), handle.boxes.reserve(given.size());
  handle.prompts.clear(), handle.prompts.reserve(given.size());
  for (const intsam_prompt& prompt : given) {
    const size_t first = handle.points.size();
    for (size_t i = 0; i < prompt.num_points; ++i)
      handle.points.push_back({prompt.points[i].x, prompt.points[i].y, prompt.points[i].label});
    Prompt copy{{handle.points.data() + first, prompt.num_points}, nullptr, prompt.mask_input};
    if (prompt.box != nullptr)
      copy.box = &handle.boxes.emplace_back(
          intsam::internal::BoxPrompt{prompt.box->x0, prompt.box->y0, prompt.box->x1, prompt.box->y1});
    handle.prompts.push_back(copy);
  }
  return handle.prompts;
}

Status Predict(intsam_session& handle, const intsam_prompt* prompt) {
  Session& session = *handle.session;
  session.DropResults();
  if (prompt == nullptr) return Error(Code::kUsage, "prompt: is NULL");
  INTSAM_TRY(CheckCounts(*prompt));
  return session.Predict(CopyPrompts(handle, {prompt, 1})[0]);
}

Status PredictBatch(intsam_session& handle, const intsam_prompt* prompts, size_t count) {
  if (prompts == nullptr) return Error(Code::kUsage, "prompts: is NULL");
  if (count > limits::kPromptsPerBatch)
    return Error(Code::kResource, "prompts: %zu are more than %u", count, limits::kPromptsPerBatch);
  for (size_t i = 0; i < count; ++i) {
    const Status bad = CheckCounts(prompts[i]);
    if (!bad.ok()) return bad.WithPrefix("prompt " + std::to_string(i));
  }
  return handle.session->PredictBatch(CopyPrompts(handle, {prompts, count}));
}

// body(pixels, size, stride, format) with a caller's image whose fields can be converted.
template <class Body>
Status WithImage(const intsam_image* image, const Body& body) {
  if (image == nullptr) return Error(Code::kUsage, "image: is NULL");
  if (image->width < 0 || image->height < 0) return Error(Code::kUsage, "image: a side is negative");
  int32_t format;  // read as a number: C code can put any there
  static_assert(sizeof format == sizeof image->format);
  std::memcpy(&format, &image->format, sizeof format);
  if (format < INTSAM_RGB || format > INTSAM_GRAY) return Error(Code::kUsage, "image: unknown pixel format %d", format);
  using intsam::internal::PixelFormat;
  constexpr PixelFormat kFormats[] = {PixelFormat::kRgb, PixelFormat::kBgr, PixelFormat::kRgba, PixelFormat::kBgra,
                                      PixelFormat::kGray};
  const intsam::internal::ImageSize size = {static_cast<uint32_t>(image->width), static_cast<uint32_t>(image->height)};
  return body(image->pixels, size, image->stride, kFormats[format]);
}

Status Mask(const Session& session, size_t result, int32_t mask, uint8_t* out, size_t stride, bool bits) {
  if (mask < 0) return Error(Code::kUsage, "mask: index %d is negative", mask);
  return session.Mask(result, static_cast<uint32_t>(mask), out, stride, bits);
}

}  // namespace

#define INTSAM_STRING_(x) #x
#define INTSAM_STRING(x) INTSAM_STRING_(x)

extern "C" {

const char* intsam_version(void) {
  return INTSAM_STRING(INTSAM_VERSION_MAJOR) "." INTSAM_STRING(INTSAM_VERSION_MINOR) "." INTSAM_STRING(
      INTSAM_VERSION_PATCH);
}

const char* intsam_isa_name(int32_t index) {
  const auto built = intsam::internal::BuiltKernels();
  return index < 0 || static_cast<size_t>(index) >= built.size() ? nullptr : built[static_cast<size_t>(index)]->name;
}

int32_t intsam_isa_supported(const char* name) {
  return name != nullptr && intsam::internal::CpuSupports(name) ? 1 : 0;
}

intsam_status intsam_model_open(const char* path, intsam_model** model, char* error, size_t error_size) {
  return OpenModel("path", path, [&] { return intsam::internal::Model::Open(path); }, model, error, error_size);
}

intsam_status intsam_model_open_memory(const void* data, size_t size, intsam_model** model, char* error,
                                       size_t error_size) {
  return OpenModel(
      "data", data, [&] { return intsam::internal::Model::OpenMemory({static_cast<const uint8_t*>(data), size}); },
      model, error, error_size);
}

void intsam_model_close(intsam_model* model) { delete model; }

intsam_status intsam_model_verify(const intsam_model* model, char* error, size_t error_size) {
  return Report(Guarded([&] {
                  return model == nullptr ? Error(Code::kUsage, "model: is NULL")
                                          : intsam::internal::VerifyChecksum(model->model->bytes);
                }),
                error, error_size);
}

void intsam_model_get_info(const intsam_model* model, intsam_model_info* info) {
  if (model == nullptr || info == nullptr) return;
  const intsam::internal::SamConfig& c = model->model->config();
  const intsam::internal::Unit& logit = model->model->weights().mask_decoder.logit_unit;
  const intsam::internal::Unit& feature = model->model->weights().mask_decoder.key_unit;
  const intsam_model_info all = {info->size,
                                 static_cast<int32_t>(c.image_size),
                                 static_cast<int32_t>(c.num_masks()),
                                 static_cast<int32_t>(c.low_res()),
                                 logit.mantissa,
                                 logit.shift,
                                 model->model->bytes.size(),
                                 model->model->opened.provenance.data(),
                                 model->model->opened.provenance.size(),
                                 static_cast<int32_t>(c.grid()),
                                 static_cast<int32_t>(c.prompt_embed_dim),
                                 feature.mantissa,
                                 feature.shift};
  std::memcpy(info, &all, std::min(info->size, sizeof all));
}

intsam_status intsam_session_create(const intsam_model* model, const intsam_session_options* options,
                                    intsam_session** session, char* error, size_t error_size) {
  return Report(Guarded([&] { return CreateSession(model, options, session); }), error, error_size);
}

void intsam_session_destroy(intsam_session* session) { delete session; }

const char* intsam_session_error(const intsam_session* session) {
  if (session == nullptr) return "";
  if (session->refused) return kBusySentence;
  return session->busy.load(std::memory_order_acquire) ? "" : session->error.c_str();
}

const char* intsam_session_isa(const intsam_session* session) {
  return session == nullptr ? "" : session->session->kernels().name;
}

int32_t intsam_session_threads(const intsam_session* session) {
  return session == nullptr ? 0 : session->session->threads();
}

uint64_t intsam_session_memory(const intsam_session* session) {
  const Session* s = Idle(session);
  return s == nullptr ? 0 : s->memory();
}

intsam_status intsam_session_set_image(intsam_session* session, const intsam_image* image) {
  return OnSession(session, [&](Session& s) {
    s.DropImage();
    return WithImage(image, [&](auto... picture) { return s.SetImage(picture...); });
  });
}

void intsam_session_image_size(const intsam_session* session, int32_t* width, int32_t* height) {
  const Session* s = Idle(session);
  const bool known = s != nullptr && s->has_image();
  if (width != nullptr) *width = known ? static_cast<int32_t>(s->frame().original.width) : 0;
  if (height != nullptr) *height = known ? static_cast<int32_t>(s->frame().original.height) : 0;
}

intsam_status intsam_session_check_image(intsam_session* session, const intsam_image* image) {
  return OnSession(session, [&](Session& s) {
    return WithImage(image, [&](auto... picture) { return s.CompareImage(picture...); });
  });
}

const int16_t* intsam_session_embedding(const intsam_session* session) {
  const Session* s = Idle(session);
  return s == nullptr || !s->has_image() ? nullptr : s->embedding().data();
}

size_t intsam_session_embedding_size(const intsam_session* session) {
  const Session* s = Idle(session);
  return s == nullptr ? 0 : s->EmbeddingSize();
}

intsam_status intsam_session_save_embedding(intsam_session* session, void* data, size_t size) {
  return OnSession(session, [&](Session& s) {
    return data == nullptr ? Error(Code::kUsage, "data: is NULL")
                           : s.SaveEmbedding({static_cast<uint8_t*>(data), size});
  });
}

intsam_status intsam_session_load_embedding(intsam_session* session, const void* data, size_t size) {
  return OnSession(session, [&](Session& s) {
    s.DropImage();
    return data == nullptr ? Error(Code::kUsage, "data: is NULL")
                           : s.LoadEmbedding({static_cast<const uint8_t*>(data), size});
  });
}

intsam_status intsam_session_mask_prompt(intsam_session* session, const uint8_t* mask, size_t stride, int16_t* logits) {
  return OnSession(session, [&](const Session& s) { return s.MaskPrompt(mask, stride, logits); });
}

intsam_status intsam_session_predict(intsam_session* session, const intsam_prompt* prompt) {
  return OnSession(session, [&](Session&) { return Predict(*session, prompt); });
}

intsam_status intsam_session_predict_batch(intsam_session* session, const intsam_prompt* prompts, size_t count) {
  return OnSession(session, [&](Session&) { return PredictBatch(*session, prompts, count); });
}

size_t intsam_session_num_results(const intsam_session* session) {
  const Session* s = Idle(session);
  return s == nullptr ? 0 : s->num_results();
}

int32_t intsam_session_iou(const intsam_session* session, size_t result, int32_t mask) {
  const Session* s = IdleWith(session, result, mask);
  return s == nullptr ? 0 : s->IouQ15(result, static_cast<uint32_t>(mask));
}

int32_t intsam_session_best_mask(const intsam_session* session, size_t result) {
  const Session* s = IdleWith(session, result, 0);
  return s == nullptr ? 0 : static_cast<int32_t>(s->BestMask(result));
}

const int16_t* intsam_session_low_res(const intsam_session* session, size_t result, int32_t mask) {
  const Session* s = IdleWith(session, result, mask);
  return s == nullptr ? nullptr : s->LowRes(result, static_cast<uint32_t>(mask));
}

intsam_status intsam_session_mask(intsam_session* session, size_t result, int32_t mask, uint8_t* out, size_t stride) {
  return OnSession(session, [&](const Session& s) { return Mask(s, result, mask, out, stride, false); });
}

intsam_status intsam_session_mask_bits(intsam_session* session, size_t result, int32_t mask, uint8_t* out,
                                       size_t stride) {
  return OnSession(session, [&](const Session& s) { return Mask(s, result, mask, out, stride, true); });
}

}  // extern "C"
