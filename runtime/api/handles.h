// The handles of the C API, and what its functions share: error buffers, and the wall that exceptions do not pass.
#ifndef INTSAM_RUNTIME_API_HANDLES_H_
#define INTSAM_RUNTIME_API_HANDLES_H_

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "intsam/intsam.h"
#include "runtime/exec/session.h"
#include "runtime/image/mask_runs.h"

struct intsam_model {
  std::unique_ptr<intsam::internal::Model> model;
};

struct intsam_mask {
  intsam::internal::MaskRuns runs;
};

struct intsam_session {
  std::unique_ptr<intsam::internal::Session> session;
  std::string error;                 // of the last call that ran
  std::atomic_flag busy;             // a call runs; the one type that every CPU swaps without a library
  std::atomic<bool> refused{false};  // another was refused meanwhile; the one that ran has no sentence of its own

  // Of the call that runs, kept from one to the next so that nothing is allocated.
  std::vector<intsam::internal::PointPrompt> points;
  std::vector<intsam::internal::BoxPrompt> boxes;
  std::vector<intsam::internal::Prompt> prompts;
};

namespace intsam::internal {

inline intsam_status Report(const Status& status, char* error, size_t error_size) {
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

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_API_HANDLES_H_
