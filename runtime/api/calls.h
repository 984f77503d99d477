// What the C entry points that work on a session share: one call at a time, reading while none runs, and what the
// caller gives in structs.
#ifndef INTSAM_RUNTIME_API_CALLS_H_
#define INTSAM_RUNTIME_API_CALLS_H_

#include <algorithm>
#include <cstring>

#include "runtime/api/handles.h"

namespace intsam::internal {

inline constexpr const char* kBusySentence = "session: in use; called from its own callback, or by a second thread";

// Runs `body` unless another call on the session runs, which is left alone.
template <class Body>
intsam_status OnSession(intsam_session* session, const Body& body) {
  if (session == nullptr) return INTSAM_ERROR_ARGUMENT;
  if (session->busy.test_and_set(std::memory_order_acquire)) {
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
  session->busy.clear(std::memory_order_release);
  return static_cast<intsam_status>(status.code());
}

// For what only reads: null where there is nothing to read, or while a call runs and may write it.
inline const Session* Idle(const intsam_session* session) {
  return session == nullptr || session->busy.test(std::memory_order_acquire) ? nullptr : session->session.get();
}

// The same for a mask of a result that there is.
inline const Session* IdleWith(const intsam_session* session, size_t result, int32_t mask) {
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

// The other way: the first given->size bytes of what fill(all) sets. Padding is handed out, too, so it is zeros.
template <class Struct, class Fill>
void GiveStruct(Struct* given, const Fill& fill) {
  Struct all;
  std::memset(&all, 0, sizeof all);
  all.size = given->size;
  fill(all);
  std::memcpy(given, &all, std::min(given->size, sizeof all));
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
  constexpr PixelFormat kFormats[] = {PixelFormat::kRgb, PixelFormat::kBgr, PixelFormat::kRgba, PixelFormat::kBgra,
                                      PixelFormat::kGray};
  const ImageSize size = {static_cast<uint32_t>(image->width), static_cast<uint32_t>(image->height)};
  return body(image->pixels, size, image->stride, kFormats[format]);
}

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_API_CALLS_H_
