// The C API as a machine that bytes drive: each input is a program of calls with right and wrong arguments, in any
// order, on two sessions of one model and four masks.
#ifndef INTSAM_TESTS_FUZZ_API_CALLS_H_
#define INTSAM_TESTS_FUZZ_API_CALLS_H_

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "intsam/intsam.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {

// What is drawn from the input: calls from its front, their arguments from its back, so that a call with other
// arguments leaves the calls behind it as they are. Zeros where the two have met.
class Draw {
 public:
  explicit Draw(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  uint8_t Call() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_.back();
    bytes_ = bytes_.first(bytes_.size() - 1);
    return byte;
  }
  bool OneIn(int n) { return Byte() % n == n - 1; }
  int32_t Word() {
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word = word << 8 | Byte();
    return static_cast<int32_t>(word);
  }
  // Mostly lo..hi; else a neighbour of the range, an extreme, or anything.
  int32_t Number(int32_t lo, int32_t hi) {
    switch (const uint8_t kind = Byte(); kind) {
      case 250: return lo == INT_MIN ? lo : lo - 1;
      case 251: return hi == INT_MAX ? hi : hi + 1;
      case 252: return INT_MIN;
      case 253: return INT_MAX;
      case 254: return -1;
      case 255: return Word();
      default: {
        const int64_t count = int64_t{hi} - lo + 1, wide = count > 250 ? kind << 8 | Byte() : kind;
        return static_cast<int32_t>(lo + wide % count);
      }
    }
  }
  std::vector<uint8_t> Bytes(size_t count) {
    std::vector<uint8_t> bytes(count, Byte());
    for (size_t i = 0; i < std::min<size_t>(count, 16); ++i) bytes[i * 7919 % count] = Byte();
    return bytes;
  }

 private:
  std::span<const uint8_t> bytes_;
};

class ApiMachine {
 public:
  // Both outlive the machine.
  ApiMachine(const intsam_model* model, Draw& draw);
  ~ApiMachine();
  ApiMachine(const ApiMachine&) = delete;

  // Makes the next call.
  void Step();
  // A session of the machine, null where it has none now.
  static constexpr size_t kSessions = 2;
  intsam_session* session(size_t i) const { return slots_.at(i).session.get(); }
  // No callback of a session says stop from now on.
  void StopCancelling() {
    for (Slot& slot : slots_) slot.cancel_at = -1;
  }

 private:
  struct Destroy {
    void operator()(intsam_session* session) const { intsam_session_destroy(session); }
    void operator()(intsam_mask* mask) const { intsam_mask_destroy(mask); }
  };
  struct Slot {
    std::unique_ptr<intsam_session, Destroy> session;
    ApiMachine* machine = nullptr;  // for callbacks
    int32_t cancel_at = -1;         // the step at which progress says stop
    bool calls_back = false;        // progress calls its own session
  };

  void Create();
  void Model();
  void Image();
  void Embedding();
  void Features();
  void Predict();
  void PredictBatch();
  void Read();
  void SessionMask();
  void MakeMask();
  void Stability();
  void MaskPrompt();
  void Everything();
  void AskMask();
  void NoHandle();

  // Mostly one with a session, a result that there is, a mask that has been made.
  Slot& AnySlot();
  size_t AnyResult(const intsam_session* session);
  const intsam_mask* AnyMask();
  intsam_image AnyImage();
  // A prompt whose arrays are in `points_`, `box_` and `logits_`.
  intsam_prompt AnyPrompt(intsam_session* session, size_t index);
  intsam_mask_options AnyMaskOptions();
  // Every status is one that the header names, with a sentence unless it is OK, and never a bug.
  intsam_status Checked(intsam_session* session, intsam_status status);
  static int32_t Progress(void* user, int32_t step, int32_t steps, const char* name);
  static int32_t Found(void* user, const intsam_found_mask* found, int32_t index, int32_t count);

  const intsam_model* model_;
  bool refused_ = false;  // a call from a callback, whose sentence is there behind the call that it came from
  Draw& draw_;
  intsam_model_info info_;
  std::array<Slot, kSessions> slots_;
  std::array<std::unique_ptr<intsam_mask, Destroy>, 4> masks_;
  std::vector<uint8_t> pixels_, saved_;
  std::array<std::vector<intsam_point>, 3> points_;
  std::array<intsam_box, 3> boxes_{};
  std::array<std::vector<int16_t>, 3> logits_;
};

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_FUZZ_API_CALLS_H_
