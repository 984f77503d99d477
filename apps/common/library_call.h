// Between the tools' own types and those of the library's public C++ interface.
#ifndef INTSAM_APPS_COMMON_LIBRARY_CALL_H_
#define INTSAM_APPS_COMMON_LIBRARY_CALL_H_

#include <string>

#include "apps/common/photo/photo_reader.h"
#include "intsam/intsam.hpp"
#include "runtime/base/status.h"

namespace intsam::internal {

inline Status FromOutcome(const Outcome& outcome) {
  return outcome ? Status() : Status(static_cast<Code>(outcome.status), outcome.message);
}

// Of a tool's --threads and --isa; "" and 0 are the library's own choice. `isa` must outlive the call that takes them.
inline intsam_session_options SessionOptions(int threads, const std::string& isa) {
  intsam_session_options options;
  intsam_session_options_init(&options);
  options.threads = threads;
  options.isa = isa.empty() ? nullptr : isa.c_str();
  return options;
}

// The pixels stay the photo's.
inline intsam_image Described(const Image& photo) {
  return {photo.rgb.data(), static_cast<int32_t>(photo.size.width), static_cast<int32_t>(photo.size.height),
          size_t{photo.size.width} * 3, INTSAM_RGB};
}

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_LIBRARY_CALL_H_
