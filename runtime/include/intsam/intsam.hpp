// C++ over intsam.h: ownership, and errors as values with a sentence. No logic of its own; needs C++17. Units, errors
// and what is allowed when are those of the C functions.
//
//   intsam::Model model;
//   intsam::Session session;
//   std::vector<uint8_t> mask;
//   intsam::Outcome done = intsam::Model::Open("sam.isam", model);
//   if (done) done = intsam::Session::Create(model, nullptr, session);
//   if (done) done = session.SetImage({pixels, width, height, stride, INTSAM_RGB});
//   const intsam_point point = {intsam::Pixels(120), intsam::Pixels(80), 1};
//   if (done) done = session.Predict({&point, 1, nullptr, nullptr});
//   if (done) done = session.Mask(0, session.best_mask(0), mask);
//   if (!done) std::fprintf(stderr, "%s\n", done.message.c_str());
#ifndef INTSAM_HPP_
#define INTSAM_HPP_

#include <memory>
#include <string>
#include <vector>

#include "intsam/intsam.h"

namespace intsam {

// What a call gave: a status and, when it is not INTSAM_OK, its sentence.
struct [[nodiscard]] Outcome {
  intsam_status status = INTSAM_OK;
  std::string message;
  explicit operator bool() const { return status == INTSAM_OK; }
};

// Whole pixels as coordinates of points and boxes.
constexpr int32_t Pixels(int32_t whole) { return whole * 64; }

struct Size {
  int32_t width = 0, height = 0;
};

class Model {
 public:
  static Outcome Open(const std::string& path, Model& model) {
    char error[512] = "";
    intsam_model* handle = nullptr;
    const intsam_status status = intsam_model_open(path.c_str(), &handle, error, sizeof error);
    model.handle_.reset(handle);
    return {status, error};
  }
  // All 0 without a model.
  intsam_model_info info() const {
    intsam_model_info info = {};
    info.size = sizeof info;
    intsam_model_get_info(get(), &info);
    return info;
  }
  Outcome Verify() const {
    char error[512] = "";
    const intsam_status status = intsam_model_verify(get(), error, sizeof error);
    return {status, error};
  }
  const intsam_model* get() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(intsam_model* model) const { intsam_model_close(model); }
  };
  std::unique_ptr<intsam_model, Close> handle_;
};

// A mask as data, made by Session::MakeMask. Depends on nothing.
class Mask {
 public:
  Mask() = default;
  explicit Mask(intsam_mask* owned) : handle_(owned) {}

  // All 0 without a mask.
  intsam_mask_info info() const {
    intsam_mask_info info = {};
    info.size = sizeof info;
    intsam_mask_get_info(get(), &info);
    return info;
  }
  // out: [height][width], 0 or 1.
  Outcome Pixels(std::vector<uint8_t>& out) const {
    const intsam_mask_info size = info();
    out.resize(static_cast<size_t>(size.width) * static_cast<size_t>(size.height));
    return Done(intsam_mask_pixels(get(), out.data(), static_cast<size_t>(size.width)));
  }
  Outcome RunLengths(std::vector<uint32_t>& lengths) const {
    size_t count = 0;
    Outcome counted = Done(intsam_mask_run_lengths(get(), nullptr, 0, &count));
    if (!counted) return counted;
    lengths.resize(count);
    return Done(intsam_mask_run_lengths(get(), lengths.data(), count, &count));
  }
  Outcome CocoString(std::string& text) const {
    size_t length = 0;
    Outcome counted = Done(intsam_mask_coco_string(get(), nullptr, 0, &length));
    if (!counted) return counted;
    text.resize(length + 1);
    const Outcome done = Done(intsam_mask_coco_string(get(), &text[0], text.size(), &length));
    text.resize(length);
    return done;
  }
  Outcome Outlines(std::vector<intsam_corner>& corners, std::vector<intsam_ring>& rings) const {
    size_t num_corners = 0, num_rings = 0;
    Outcome counted = Done(intsam_mask_outlines(get(), nullptr, 0, &num_corners, nullptr, 0, &num_rings));
    if (!counted) return counted;
    corners.resize(num_corners + 1), rings.resize(num_rings + 1);  // never empty, so that data() is not null
    const Outcome done = Done(intsam_mask_outlines(get(), corners.data(), corners.size(), &num_corners, rings.data(),
                                                   rings.size(), &num_rings));
    corners.resize(num_corners), rings.resize(num_rings);
    return done;
  }

  const intsam_mask* get() const { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(intsam_mask* mask) const { intsam_mask_destroy(mask); }
  };
  Outcome Done(intsam_status status) const {
    if (status == INTSAM_OK) return {};
    return {status, get() == nullptr ? "mask: none has been made" : "out of memory"};
  }

  std::unique_ptr<intsam_mask, Destroy> handle_;
};

// Must not outlive its model.
class Session {
 public:
  static Outcome Create(const Model& model, const intsam_session_options* options, Session& session) {
    char error[512] = "";
    intsam_session* handle = nullptr;
    const intsam_status status = intsam_session_create(model.get(), options, &handle, error, sizeof error);
    session.handle_.reset(handle);
    session.info_ = model.info();
    return {status, error};
  }

  Outcome SetImage(const intsam_image& image) { return Done(intsam_session_set_image(get(), &image)); }
  Outcome CheckImage(const intsam_image& image) { return Done(intsam_session_check_image(get(), &image)); }
  Size image_size() const {
    Size size;
    intsam_session_image_size(get(), &size.width, &size.height);
    return size;
  }

  // [embedding_size][embedding_size][embedding_channels] of Model::info(), or null.
  const int16_t* embedding() const { return intsam_session_embedding(get()); }
  Outcome SaveEmbedding(std::vector<uint8_t>& bytes) {
    bytes.resize(intsam_session_embedding_size(get()));
    return Done(intsam_session_save_embedding(get(), bytes.data(), bytes.size()));
  }
  Outcome LoadEmbedding(const std::vector<uint8_t>& bytes) {
    return Done(intsam_session_load_embedding(get(), bytes.data(), bytes.size()));
  }
  // features: as embedding() gives them.
  Outcome SetFeatures(const int16_t* features, int32_t width, int32_t height) {
    return Done(intsam_session_set_features(get(), features, width, height));
  }

  // `mask` is drawn at the size of the image, without gaps; `logits` is for intsam_prompt::mask_input.
  Outcome MaskPrompt(const std::vector<uint8_t>& mask, std::vector<int16_t>& logits) {
    const Size size = image_size();
    if (mask.size() != static_cast<size_t>(size.width) * static_cast<size_t>(size.height))
      return {INTSAM_ERROR_ARGUMENT, "mask: is not of the size of the image"};
    logits.resize(static_cast<size_t>(info_.low_res_size) * static_cast<size_t>(info_.low_res_size));
    return Done(intsam_session_mask_prompt(get(), mask.data(), static_cast<size_t>(size.width), logits.data()));
  }
  Outcome Predict(const intsam_prompt& prompt) { return Done(intsam_session_predict(get(), &prompt)); }
  Outcome PredictBatch(const std::vector<intsam_prompt>& prompts) {
    return Done(intsam_session_predict_batch(get(), prompts.data(), prompts.size()));
  }

  size_t num_results() const { return intsam_session_num_results(get()); }
  int iou(size_t result, int mask) const { return intsam_session_iou(get(), result, mask); }  // Q15
  int best_mask(size_t result) const { return intsam_session_best_mask(get(), result); }
  // [low_res_size][low_res_size] of Model::info(), or null.
  const int16_t* low_res(size_t result, int mask) const { return intsam_session_low_res(get(), result, mask); }
  // out: [height][width] of the image, 0 or 1.
  Outcome Mask(size_t result, int mask, std::vector<uint8_t>& out) {
    const Size size = image_size();
    out.resize(static_cast<size_t>(size.width) * static_cast<size_t>(size.height));
    return Done(intsam_session_mask(get(), result, mask, out.data(), static_cast<size_t>(size.width)));
  }
  // options may be null: the defaults.
  Outcome MakeMask(size_t result, int mask, const intsam_mask_options* options, intsam::Mask& made) {
    intsam_mask* handle = nullptr;
    const intsam_status status = intsam_session_make_mask(get(), result, mask, options, &handle);
    made = intsam::Mask(handle);
    return Done(status);
  }
  // Q16; offset: logits in Q16, as in intsam_mask_options.
  Outcome Stability(size_t result, int mask, const intsam_mask_options* options, int offset, int& stability) {
    int32_t score = 0;
    const Outcome done = Done(intsam_session_stability(get(), result, mask, options, offset, &score));
    stability = score;
    return done;
  }

  // found(const intsam_found_mask&, int index, int count) returns whether to go on, and must not throw. image and
  // options may be null.
  template <class Found>
  Outcome Everything(const intsam_image* image, const intsam_everything_options* options, Found found) {
    const intsam_found call = [](void* user, const intsam_found_mask* mask, int32_t index, int32_t count) -> int32_t {
      return (*static_cast<Found*>(user))(*mask, static_cast<int>(index), static_cast<int>(count)) ? 0 : 1;
    };
    return Done(intsam_session_everything(get(), image, options, call, &found));
  }

  intsam_session* get() const { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(intsam_session* session) const { intsam_session_destroy(session); }
  };
  Outcome Done(intsam_status status) const {
    if (status == INTSAM_OK) return {};
    return {status, get() == nullptr ? "no session has been created" : intsam_session_error(get())};
  }

  std::unique_ptr<intsam_session, Destroy> handle_;
  intsam_model_info info_ = {};
};

}  // namespace intsam

#endif  // INTSAM_HPP_
