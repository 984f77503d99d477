// The C entry points of sessions: argument checks and conversions, one call at a time.
#include <span>

#include "runtime/api/calls.h"
#include "runtime/format/limits.h"

namespace {

using intsam::internal::BoxPrompt;
using intsam::internal::Code;
using intsam::internal::Error;
using intsam::internal::Guarded;
using intsam::internal::Idle;
using intsam::internal::IdleWith;
using intsam::internal::OnSession;
using intsam::internal::Parallel;
using intsam::internal::Prompt;
using intsam::internal::Report;
using intsam::internal::Session;
using intsam::internal::SessionOptions;
using intsam::internal::Status;
using intsam::internal::Step;
using intsam::internal::TakeStruct;
using intsam::internal::WithImage;
namespace limits = intsam::internal::limits;

// The caller's executor behind the runtime's interface.
class CallerParallel : public Parallel {
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
  SessionOptions inner;
  inner.threads = options.threads;
  inner.isa = options.isa;
  if (options.executor != nullptr) {
    if (options.executor->run == nullptr || options.executor->workers < 1 ||
        options.executor->workers > static_cast<int32_t>(limits::kThreads)) {
      return Error(Code::kUsage, "executor: needs a run function and 1..%u workers", limits::kThreads);
    }
    inner.parallel = std::make_unique<CallerParallel>(*options.executor);
  }
  INTSAM_ASSIGN(auto created, Session::Create(*model->model, std::move(inner)));
  if (options.progress != nullptr) {
    created->set_hook(
        [progress = options.progress, user = options.progress_user](const Step& step, int index, int count) {
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
      copy.box = &handle.boxes.emplace_back(BoxPrompt{prompt.box->x0, prompt.box->y0, prompt.box->x1, prompt.box->y1});
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

Status Mask(const Session& session, size_t result, int32_t mask, uint8_t* out, size_t stride, bool bits) {
  if (mask < 0) return Error(Code::kUsage, "mask: index %d is negative", mask);
  return session.Mask(result, static_cast<uint32_t>(mask), out, stride, bits);
}

}  // namespace

extern "C" {

intsam_status intsam_session_create(const intsam_model* model, const intsam_session_options* options,
                                    intsam_session** session, char* error, size_t error_size) {
  return Report(Guarded([&] { return CreateSession(model, options, session); }), error, error_size);
}

void intsam_session_destroy(intsam_session* session) { delete session; }

const char* intsam_session_error(const intsam_session* session) {
  if (session == nullptr) return "";
  if (session->refused) return intsam::internal::kBusySentence;
  return session->busy.test(std::memory_order_acquire) ? "" : session->error.c_str();
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

intsam_status intsam_session_set_features(intsam_session* session, const int16_t* features, int32_t width,
                                          int32_t height) {
  return OnSession(session, [&](Session& s) {
    s.DropImage();
    if (features == nullptr) return Error(Code::kUsage, "features: is NULL");
    if (width < 0 || height < 0) return Error(Code::kUsage, "image: a side is negative");
    return s.SetFeatures(features, {static_cast<uint32_t>(width), static_cast<uint32_t>(height)});
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
