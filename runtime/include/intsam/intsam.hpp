// C++ over intsam.h: ownership, and errors as values with a sentence. No logic of its own; needs C++17.
#ifndef INTSAM_HPP_
#define INTSAM_HPP_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "intsam/intsam.h"

namespace intsam {

// What a call gave: a status and, when it is not INTSAM_OK, its sentence.
struct Outcome {
  intsam_status status = INTSAM_OK;
  std::string message;
  explicit operator bool() const { return status == INTSAM_OK; }
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
  intsam_model_info info() const {
    intsam_model_info info;
    intsam_model_get_info(handle_.get(), &info);
    return info;
  }
  const intsam_model* get() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(intsam_model* model) const { intsam_model_close(model); }
  };
  std::unique_ptr<intsam_model, Close> handle_;
};

// Must not outlive its model.
class Session {
 public:
  static Outcome Create(const Model& model, const intsam_session_options* options, Session& session) {
    char error[512] = "";
    intsam_session* handle = nullptr;
    const intsam_status status = intsam_session_create(model.get(), options, &handle, error, sizeof error);
    session.handle_.reset(handle);
    return {status, error};
  }
  Outcome SetImage(const intsam_image& image) { return Done(intsam_session_set_image(get(), &image)); }
  Outcome LoadEmbedding(const std::vector<uint8_t>& bytes) {
    return Done(intsam_session_load_embedding(get(), bytes.data(), bytes.size()));
  }
  Outcome SaveEmbedding(std::vector<uint8_t>& bytes) {
    bytes.resize(intsam_session_embedding_size(get()));
    return Done(intsam_session_save_embedding(get(), bytes.data(), bytes.size()));
  }
  Outcome Predict(const intsam_prompt& prompt) { return Done(intsam_session_predict(get(), &prompt)); }
  Outcome PredictBatch(const std::vector<intsam_prompt>& prompts) {
    return Done(intsam_session_predict_batch(get(), prompts.data(), prompts.size()));
  }
  // The result that the calls below speak of.
  Outcome Select(size_t result) { return Done(intsam_session_select(get(), result)); }
  // mask: [height][width] of the image, 0 or 1.
  Outcome Mask(int index, std::vector<uint8_t>& mask) {
    int32_t width = 0, height = 0;
    intsam_session_image_size(get(), &width, &height);
    mask.resize(static_cast<size_t>(width) * static_cast<size_t>(height));
    return Done(intsam_session_mask(get(), index, mask.data(), static_cast<size_t>(width)));
  }
  int best_mask() const { return intsam_session_best_mask(get()); }
  int iou_q15(int index) const { return intsam_session_iou(get(), index); }
  intsam_session* get() const { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(intsam_session* session) const { intsam_session_destroy(session); }
  };
  Outcome Done(intsam_status status) const { return {status, status == INTSAM_OK ? "" : intsam_session_error(get())}; }

  std::unique_ptr<intsam_session, Destroy> handle_;
};

}  // namespace intsam

#endif  // INTSAM_HPP_
