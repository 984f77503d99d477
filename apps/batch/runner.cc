#include "apps/batch/runner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <system_error>

#include "apps/common/library_call.h"
#include "apps/common/stopwatch.h"

namespace intsam::internal {
namespace {

constexpr std::chrono::milliseconds kBetweenPolls{50};

Status WithPhoto(const Status& status, const NamedPhoto& photo) {
  return status.message().starts_with(photo.path) ? status : status.WithPrefix(photo.path);
}

}  // namespace

Runner::~Runner() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_here_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Status Runner::Start(const Model& model) {
  intsam_session_options options = SessionOptions(settings_.threads, settings_.isa);
  options.progress = IsStopped;
  options.progress_user = this;
  sessions_.resize(std::min(static_cast<size_t>(settings_.jobs), photos_.size()));
  for (Session& session : sessions_) INTSAM_TRY(FromOutcome(Session::Create(model, &options, session)));
  try {
    for (Session& session : sessions_) threads_.emplace_back([this, &session] { Work(session); });
  } catch (const std::system_error&) {
    return Error(Code::kResource, "--jobs: the system has no more threads");
  }
  return Status();
}

int32_t Runner::IsStopped(void* runner, int32_t, int32_t, const char*) {
  const auto* self = static_cast<const Runner*>(runner);
  const std::lock_guard lock(self->mutex_);
  return self->stopping_ ? 1 : 0;
}

PhotoOutcome Runner::Next() {
  std::unique_lock lock(mutex_);
  while (!outcomes_.contains(taken_)) {
    lock.unlock();
    place_.permits->Poll();
    lock.lock();
    outcome_here_.wait_for(lock, kBetweenPolls, [this] { return outcomes_.contains(taken_); });
  }
  PhotoOutcome outcome = std::move(outcomes_.extract(taken_).mapped());
  ++taken_;
  lock.unlock();
  room_here_.notify_all();
  place_.permits->Poll();
  return outcome;
}

void Runner::Work(Session& session) {
  std::unique_lock lock(mutex_);
  while (true) {
    room_here_.wait(lock, [this] { return stopping_ || begun_ == photos_.size() || begun_ < taken_ + Ahead(); });
    if (stopping_ || begun_ == photos_.size()) return;
    const size_t index = begun_++;
    lock.unlock();
    PhotoOutcome outcome = Process(photos_[index], session);
    lock.lock();
    outcomes_.emplace(index, std::move(outcome));
    outcome_here_.notify_all();
  }
}

PhotoOutcome Runner::Process(const NamedPhoto& photo, Session& session) const {
  PhotoOutcome outcome;
  try {
    const std::unique_ptr<PhotoOutput> output = MakePhotoOutput(place_, photo);
    Attempt(photo, session, *output, outcome);
    outcome.fatal = output->failed() || outcome.status.code() == Code::kInternal;
  } catch (const std::bad_alloc&) {
    outcome.status = Status(Code::kResource, "out of memory");
  } catch (const std::exception& error) {
    outcome.status = Status(Code::kInternal, std::string("internal error, please report: ") + error.what());
    outcome.fatal = true;
  }
  if (!outcome.status.ok() && !outcome.fatal) outcome.status = WithPhoto(outcome.status, photo);
  return outcome;
}

void Runner::Attempt(const NamedPhoto& photo, Session& session, PhotoOutput& output, PhotoOutcome& outcome) const {
  Stopwatch watch;
  Result<Image> image = ReadImage(photo.path, {.stretch = settings_.stretch, .regular_file = true});
  outcome.times.read_ms = watch.LapMs();
  outcome.status = image.status();
  if (!image.ok()) return;
  outcome.size = image->size;
  outcome.notes = std::move(image->notes);
  outcome.status = output.Prepare(*image);
  if (!outcome.status.ok()) return;
  watch.LapMs();
  outcome.status = job_.Run(photo, *image, session, output, outcome.left_out);
  outcome.times.segment_ms = std::max(0.0, watch.LapMs() - output.write_ms());
  if (outcome.status.ok()) outcome.status = output.Finish(session);
  outcome.times.write_ms = output.write_ms();
  if (!outcome.status.ok()) return;
  outcome.masks = output.masks();
  outcome.results = output.TakeText();
}

}  // namespace intsam::internal
