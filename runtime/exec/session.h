// What the C API wraps: a model that is open, and a session that encodes images and answers prompts on it.
#ifndef INTSAM_RUNTIME_EXEC_SESSION_H_
#define INTSAM_RUNTIME_EXEC_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/mapped_file.h"
#include "runtime/base/thread_pool.h"
#include "runtime/exec/executor.h"
#include "runtime/exec/prepare.h"
#include "runtime/format/reader.h"

namespace intsam::internal {

// Immutable once made.
struct Model {
  MappedFile file;                 // empty for a model in memory
  std::span<const uint8_t> bytes;  // the file's or the caller's
  OpenedModel opened;
  uint8_t identity[32];  // SHA-256 of the header, which holds the hashes of all sections

  const IntegerModel& weights() const { return opened.model; }
  const SamConfig& config() const { return opened.model.config; }

  static Result<std::unique_ptr<Model>> Open(const std::string& path);
  static Result<std::unique_ptr<Model>> OpenMemory(std::span<const uint8_t> bytes);
};

struct SessionOptions {
  int threads = 0;                     // 0: INTSAM_THREADS or one per core
  const char* isa = nullptr;           // see SelectKernels
  std::unique_ptr<Parallel> parallel;  // null: a pool of `threads`
};

class Session {
 public:
  // Checks the options. `model` must outlive the session.
  static Result<std::unique_ptr<Session>> Create(const Model& model, SessionOptions options);

  Session(const Model& model, const Kernels& kernels, std::unique_ptr<Parallel> parallel);

  void set_hook(StepHook hook) { hook_ = std::move(hook); }

  void DropImage() { has_image_ = has_masks_ = false; }
  Status SetImage(const uint8_t* pixels, ImageSize size, size_t stride, PixelFormat format);
  Status Predict(const Prompt& prompt);
  // A prompt that is refused is named, and leaves the results of before.
  Status PredictBatch(std::span<const Prompt> prompts);
  // Which result of a batch the calls below speak of.
  Status Select(size_t result);

  size_t EmbeddingSize() const;
  Status SaveEmbedding(std::span<uint8_t> out) const;
  Status LoadEmbedding(std::span<const uint8_t> in);

  bool has_image() const { return has_image_; }
  bool has_masks() const { return has_masks_; }
  const Frame& frame() const { return frame_; }
  const std::vector<int16_t>& embedding() const { return embedding_; }
  const int16_t* LowRes(uint32_t mask) const;
  int32_t IouQ15(uint32_t mask) const;
  uint32_t BestMask() const;
  Status Mask(uint32_t mask, uint8_t* out, size_t stride, bool bits) const;

  const Kernels& kernels() const { return *prepared_.kernels; }
  int threads() const { return parallel_->workers(); }
  uint64_t memory() const;
  const SamConfig& config() const { return model_.config(); }

 private:
  void MakeRoom(size_t results);
  const int16_t* Iou() const { return iou_.data() + selected_ * config().num_masks(); }

  const Model& model_;
  std::unique_ptr<Parallel> parallel_;
  PreparedModel prepared_;
  std::unique_ptr<Executor> executor_;
  StepHook hook_;
  std::vector<uint8_t> resized_, resize_scratch_;
  std::vector<int16_t> embedding_, low_res_, iou_;
  Frame frame_;
  bool has_image_ = false, has_masks_ = false;
  size_t results_ = 0, selected_ = 0;  // with masks
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_SESSION_H_
