// Photos on several workers, each with a session of its own on the one model, and their outcomes in the order of the
// photos.
#ifndef INTSAM_APPS_BATCH_RUNNER_H_
#define INTSAM_APPS_BATCH_RUNNER_H_

#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "apps/batch/job.h"
#include "apps/batch/manifest.h"
#include "apps/batch/photo_output.h"
#include "apps/batch/settings.h"
#include "intsam/intsam.hpp"
#include "runtime/base/status.h"

namespace intsam::internal {

// Memory: a session and a photo for each worker, and outcomes of the photos that are done before their turn, of which
// there are at most twice as many as workers: who is farther ahead waits.
class Runner {
 public:
  // What is referred to must outlive the runner; `photos` are those to do.
  Runner(const BatchSettings& settings, const Job& job, std::span<const NamedPhoto> photos, const OutputPlace& place)
      : settings_(settings), job_(job), photos_(photos), place_(place) {}
  // Cancels what is being done; its results vanish.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Makes the sessions and starts to work, on no more workers than there are photos.
  Status Start(const Model& model);

  // Waits for the outcome of the next photo. To be called once for each.
  PhotoOutcome Next();

  int workers() const { return static_cast<int>(sessions_.size()); }
  std::string isa() const { return sessions_.empty() ? "" : intsam_session_isa(sessions_.front().get()); }

 private:
  size_t Ahead() const { return 2 * sessions_.size(); }
  void Work(Session& session);
  PhotoOutcome Process(const NamedPhoto& photo, Session& session) const;
  void Attempt(const NamedPhoto& photo, Session& session, PhotoOutput& output, PhotoOutcome& outcome) const;
  static int32_t IsStopped(void* runner, int32_t step, int32_t steps, const char* name);

  const BatchSettings& settings_;
  const Job& job_;
  std::span<const NamedPhoto> photos_;
  const OutputPlace& place_;
  std::vector<Session> sessions_;
  std::vector<std::thread> threads_;

  mutable std::mutex mutex_;
  std::condition_variable outcome_here_, room_here_;
  std::map<size_t, PhotoOutcome> outcomes_;  // that have not been taken
  size_t begun_ = 0, taken_ = 0;             // photos
  bool stopping_ = false;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_RUNNER_H_
