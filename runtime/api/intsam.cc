// The C entry points: argument checks, handles, error strings. No exception leaves this file.
#include "intsam/intsam.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <system_error>

#include "runtime/base/cpu.h"
#include "runtime/exec/session.h"
#include "runtime/format/limits.h"

struct intsam_model {
  std::unique_ptr<intsam::internal::Model> model;
};

struct intsam_session {
  std::unique_ptr<intsam::internal::Session> session;
  std::string error;
};

namespace {

using intsam::internal::Code;
using intsam::internal::Error;
using intsam::internal::Status;

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

template <class Body>
intsam_status OnSession(intsam_session* session, const Body& body) {
  if (session == nullptr) return INTSAM_ERROR_ARGUMENT;
  session->error.clear();
  const Status status = Guarded([&]() -> Status {
    Status result = body(*session->session);
    session->error = result.message();
    return result;
  });
  if (!status.ok() && session->error.empty()) session->error = status.message();  // one of Guarded's own
  return static_cast<intsam_status>(status.code());
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
  void For(int count, const Task& task) override {
    executor_.run(
        executor_.user,
        [](void* argument, int32_t index, int32_t worker) { (*static_cast<const Task*>(argument))(index, worker); },
        const_cast<Task*>(&task), count);
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
  if (given != nullptr) {
    if (given->size != sizeof options)
      return Error(Code::kUsage, "options: size %zu, expected %zu", given->size, sizeof options);
    options = *given;
  }
  intsam::internal::SessionOptions inner;
  inner.threads = options.threads;
  inner.isa = options.isa;
  if (options.executor != nullptr) {
    if (options.executor->run == nullptr || options.executor->workers < 1 ||
        options.executor->workers > static_cast<int32_t>(intsam::internal::limits::kThreads)) {
      return Error(Code::kUsage, "executor: needs a run function and 1..%u workers", intsam::internal::limits::kThreads);
    }
    inner.parallel = std::make_unique<CallerParallel>(*options.executor);
  }
  INTSAM_ASSIGN(auto created, intsam::internal::Session::Create(*model->model, std::move(inner)));
  if (options.progress != nullptr) {
    created->set_hook(
        [progress = options.progress, user = options.progress_user](const intsam::internal::Step& step, int index, int count) {
          return progress(user, index, count, step.name.c_str()) == 0;
        });
  }
  *session = new intsam_session{std::move(created), {}};
  return Status();
}

// A caller's prompt, copied: Prompt refers to it.
struct PromptCopy {
  std::vector<intsam::internal::PointPrompt> points;
  intsam::internal::BoxPrompt box = {};
  bool has_box = false;
  const int16_t* mask = nullptr;
  intsam::internal::Prompt Refer() const { return {points, has_box ? &box : nullptr, mask}; }
};

Status CopyPrompt(const intsam_prompt* prompt, PromptCopy& copy) {
  if (prompt == nullptr) return Error(Code::kUsage, "prompt: is NULL");
  if (prompt->points == nullptr && prompt->num_points > 0) return Error(Code::kUsage, "points: is NULL");
  if (prompt->num_points > intsam::internal::limits::kPointsPerPrompt) {
    return Error(Code::kResource, "points: %zu are more than %u", prompt->num_points, intsam::internal::limits::kPointsPerPrompt);
  }
  for (size_t i = 0; i < prompt->num_points; ++i)
    copy.points.push_back({prompt->points[i].x, prompt->points[i].y, prompt->points[i].label});
  copy.has_box = prompt->box != nullptr;
  if (copy.has_box) copy.box = {prompt->box->x0, prompt->box->y0, prompt->box->x1, prompt->box->y1};
  copy.mask = prompt->mask_input;
  return Status();
}

Status Predict(intsam::internal::Session& session, const intsam_prompt* prompt) {
  PromptCopy copy;
  INTSAM_TRY(CopyPrompt(prompt, copy));
  return session.Predict(copy.Refer());
}

Status PredictBatch(intsam::internal::Session& session, const intsam_prompt* prompts, size_t count) {
  if (prompts == nullptr) return Error(Code::kUsage, "prompts: is NULL");
  if (count > intsam::internal::limits::kPromptsPerBatch) {
    return Error(Code::kResource, "prompts: %zu are more than %u", count, intsam::internal::limits::kPromptsPerBatch);
  }
  std::vector<PromptCopy> copies(count);
  std::vector<intsam::internal::Prompt> referring;
  for (size_t i = 0; i < count; ++i) {
    const Status bad = CopyPrompt(&prompts[i], copies[i]);
    if (!bad.ok()) return bad.WithPrefix("prompt " + std::to_string(i));
    referring.push_back(copies[i].Refer());
  }
  return session.PredictBatch(referring);
}

Status SetImage(intsam::internal::Session& session, const intsam_image* image) {
  session.DropImage();
  if (image == nullptr) return Error(Code::kUsage, "image: is NULL");
  if (image->width < 0 || image->height < 0) return Error(Code::kUsage, "image: a side is negative");
  int32_t format;  // read as a number: C code can put any there
  static_assert(sizeof format == sizeof image->format);
  std::memcpy(&format, &image->format, sizeof format);
  if (format < INTSAM_RGB || format > INTSAM_GRAY) return Error(Code::kUsage, "image: unknown pixel format %d", format);
  constexpr intsam::internal::PixelFormat kFormats[] = {intsam::internal::PixelFormat::kRgb, intsam::internal::PixelFormat::kBgr,
                                              intsam::internal::PixelFormat::kRgba, intsam::internal::PixelFormat::kBgra,
                                              intsam::internal::PixelFormat::kGray};
  return session.SetImage(image->pixels, {static_cast<uint32_t>(image->width), static_cast<uint32_t>(image->height)},
                          image->stride, kFormats[format]);
}

Status CheckIndex(int32_t index) {
  return index < 0 ? Error(Code::kUsage, "mask: index %d is negative", index) : Status();
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

int32_t intsam_isa_supported(const char* name) { return name != nullptr && intsam::internal::CpuSupports(name) ? 1 : 0; }

intsam_status intsam_model_open(const char* path, intsam_model** model, char* error, size_t error_size) {
  return OpenModel(
      "path", path, [&] { return intsam::internal::Model::Open(path); }, model, error, error_size);
}

intsam_status intsam_model_open_memory(const void* data, size_t size, intsam_model** model, char* error,
                                       size_t error_size) {
  return OpenModel(
      "data", data,
      [&] {
        return intsam::internal::Model::OpenMemory({static_cast<const uint8_t*>(data), size});
      },
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
  const intsam::internal::Unit& unit = model->model->weights().mask_decoder.logit_unit;
  *info = {static_cast<int32_t>(c.image_size),
           static_cast<int32_t>(c.num_masks()),
           static_cast<int32_t>(c.low_res()),
           unit.mantissa,
           unit.shift,
           model->model->bytes.size(),
           model->model->opened.provenance.data(),
           model->model->opened.provenance.size()};
}

void intsam_session_options_init(intsam_session_options* options) {
  if (options == nullptr) return;
  *options = {sizeof *options, 0, nullptr, nullptr, nullptr, nullptr};
}

intsam_status intsam_session_create(const intsam_model* model, const intsam_session_options* options,
                                    intsam_session** session, char* error, size_t error_size) {
  return Report(Guarded([&] { return CreateSession(model, options, session); }), error, error_size);
}

void intsam_session_destroy(intsam_session* session) { delete session; }
const char* intsam_session_error(const intsam_session* session) {
  return session == nullptr ? "" : session->error.c_str();
}
const char* intsam_session_isa(const intsam_session* session) {
  return session == nullptr ? "" : session->session->kernels().name;
}
int32_t intsam_session_threads(const intsam_session* session) {
  return session == nullptr ? 0 : session->session->threads();
}
uint64_t intsam_session_memory(const intsam_session* session) {
  return session == nullptr ? 0 : session->session->memory();
}

intsam_status intsam_session_set_image(intsam_session* session, const intsam_image* image) {
  return OnSession(session, [&](intsam::internal::Session& s) { return SetImage(s, image); });
}

void intsam_session_image_size(const intsam_session* session, int32_t* width, int32_t* height) {
  const bool known = session != nullptr && session->session->has_image();
  if (width != nullptr) *width = known ? static_cast<int32_t>(session->session->frame().original.width) : 0;
  if (height != nullptr) *height = known ? static_cast<int32_t>(session->session->frame().original.height) : 0;
}

size_t intsam_session_embedding_size(const intsam_session* session) {
  return session == nullptr ? 0 : session->session->EmbeddingSize();
}

intsam_status intsam_session_save_embedding(intsam_session* session, void* data, size_t size) {
  return OnSession(session, [&](intsam::internal::Session& s) {
    return data == nullptr ? Error(Code::kUsage, "data: is NULL")
                           : s.SaveEmbedding({static_cast<uint8_t*>(data), size});
  });
}

intsam_status intsam_session_load_embedding(intsam_session* session, const void* data, size_t size) {
  return OnSession(session, [&](intsam::internal::Session& s) {
    return data == nullptr ? Error(Code::kUsage, "data: is NULL")
                           : s.LoadEmbedding({static_cast<const uint8_t*>(data), size});
  });
}

intsam_status intsam_session_predict(intsam_session* session, const intsam_prompt* prompt) {
  return OnSession(session, [&](intsam::internal::Session& s) { return Predict(s, prompt); });
}

intsam_status intsam_session_predict_batch(intsam_session* session, const intsam_prompt* prompts, size_t count) {
  return OnSession(session, [&](intsam::internal::Session& s) { return PredictBatch(s, prompts, count); });
}

intsam_status intsam_session_select(intsam_session* session, size_t result) {
  return OnSession(session, [&](intsam::internal::Session& s) { return s.Select(result); });
}

int32_t intsam_session_iou(const intsam_session* session, int32_t index) {
  return session == nullptr || index < 0 ? 0 : session->session->IouQ15(static_cast<uint32_t>(index));
}

int32_t intsam_session_best_mask(const intsam_session* session) {
  return session == nullptr || !session->session->has_masks() ? 0 : static_cast<int32_t>(session->session->BestMask());
}

const int16_t* intsam_session_low_res(const intsam_session* session, int32_t index) {
  return session == nullptr || index < 0 ? nullptr : session->session->LowRes(static_cast<uint32_t>(index));
}

intsam_status intsam_session_mask(intsam_session* session, int32_t index, uint8_t* mask, size_t stride) {
  return OnSession(session, [&](intsam::internal::Session& s) {
    const Status bad = CheckIndex(index);
    return bad.ok() ? s.Mask(static_cast<uint32_t>(index), mask, stride, false) : bad;
  });
}

intsam_status intsam_session_mask_bits(intsam_session* session, int32_t index, uint8_t* mask, size_t stride) {
  return OnSession(session, [&](intsam::internal::Session& s) {
    const Status bad = CheckIndex(index);
    return bad.ok() ? s.Mask(static_cast<uint32_t>(index), mask, stride, true) : bad;
  });
}

}  // extern "C"
