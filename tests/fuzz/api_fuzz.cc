// Calls of the C API in any order with any arguments. Oracle, beyond what api_calls.cc expects of each call: no program
// of calls leaves a session that answers otherwise than a new one.
#include "tests/fuzz/api_calls.h"
#include "tests/fuzz/smallest_model.h"

namespace intsam::internal::testing {
namespace {

constexpr size_t kMostCalls = 64;

// The bytes of a model lie as long as it is open.
const intsam_model* Smallest() {
  static const ModelBytes bytes = SmallestModel("intsam");
  static const intsam_model* model = [] {
    intsam_model* opened = nullptr;
    char error[256] = "";
    Require(intsam_model_open_memory(bytes.data(), bytes.size(), &opened, error, sizeof error) == INTSAM_OK, error);
    return opened;
  }();
  return model;
}

// All logits that a session gives for one image and one prompt.
std::vector<int16_t> Answer(intsam_session* session) {
  std::vector<uint8_t> pixels(size_t{24} * 20 * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 37 + i / 60 * 11);
  const intsam_image image = {pixels.data(), 24, 20, 24 * 3, INTSAM_RGB};
  const intsam_point point = {12 * 64, 9 * 64, 1};
  const intsam_prompt prompt = {&point, 1, nullptr, nullptr};
  Require(intsam_session_set_image(session, &image) == INTSAM_OK, "an image after all that");
  Require(intsam_session_predict(session, &prompt) == INTSAM_OK, "a prompt after all that");
  intsam_model_info info{};
  info.size = sizeof info;
  intsam_model_get_info(Smallest(), &info);
  const auto side = static_cast<size_t>(info.low_res_size);
  std::vector<int16_t> all;
  for (int32_t mask = 0; mask < info.num_masks; ++mask) {
    const int16_t* logits = intsam_session_low_res(session, 0, mask);
    all.insert(all.end(), logits, logits + side * side);
    all.push_back(static_cast<int16_t>(intsam_session_iou(session, 0, mask)));
  }
  return all;
}

const std::vector<int16_t>& AnswerOfANewSession() {
  static const std::vector<int16_t> answer = [] {
    intsam_session* session = nullptr;
    Require(intsam_session_create(Smallest(), nullptr, &session, nullptr, 0) == INTSAM_OK, "a session");
    std::vector<int16_t> all = Answer(session);
    intsam_session_destroy(session);
    return all;
  }();
  return answer;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds = {""};
  uint32_t state = 1;
  for (size_t length = 64; length <= 1024; length += 64) {
    std::string seed(length, '\0');
    for (char& byte : seed) byte = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
    // Begins as most programs do; the numbers of the calls are api_calls.cc's.
    constexpr char kBegin[] = {0 /* create */, 1 /* image */, 3 /* predict */, 6 /* mask */, 8 /* ask it */};
    seeds.push_back(std::string(kBegin, sizeof kBegin) + seed);
    seeds.push_back(std::string(kBegin, sizeof kBegin) + std::string(length, '\0'));
  }
  return seeds;
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal::testing;
  Draw draw({data, size});
  ApiMachine machine(Smallest(), draw);
  for (size_t calls = 0; !draw.empty() && calls < kMostCalls; ++calls) machine.Step();
  machine.StopCancelling();
  for (size_t i = 0; i < ApiMachine::kSessions; ++i) {
    if (machine.session(i) != nullptr) Require(Answer(machine.session(i)) == AnswerOfANewSession(), "the same answer");
  }
  return 0;
}
