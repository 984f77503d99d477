// What the C API wraps: a model that is open, and a session that encodes images and answers prompts on it.
#ifndef INTSAM_RUNTIME_EXEC_SESSION_H_
#define INTSAM_RUNTIME_EXEC_SESSION_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/mapped_file.h"
#include "runtime/base/sha256.h"
#include "runtime/base/thread_pool.h"
#include "runtime/exec/executor.h"
#include "runtime/exec/prepare.h"
#include "runtime/format/reader.h"
#include "runtime/image/mask_runs.h"
#include "runtime/image/mask_sampling.h"

namespace intsam::internal {

// Immutable once made.
struct Model {
  MappedFile file;                 // empty for a model in memory
  std::span<const uint8_t> bytes;  // the file's or the caller's
  OpenedModel opened;
  Sha256Digest identity;  // IdentityOf

  const IntegerModel& weights() const { return opened.model; }
  const SamConfig& config() const { return opened.model.config; }
  bool has_encoder() const { return config().family != kNoEncoder; }

  static Result<std::unique_ptr<Model>> Open(const std::string& path);
  static Result<std::unique_ptr<Model>> OpenMemory(std::span<const uint8_t> bytes);
};

struct SessionOptions {
  int threads = 0;                     // 0: INTSAM_THREADS or AvailableThreads()
  const char* isa = nullptr;           // see SelectKernels
  std::unique_ptr<Parallel> parallel;  // null: a pool of `threads`
};

// What a session knows of its image.
struct EncodedImage {
  Frame frame;
  Sha256Digest pixels{};  // of the resized image; zeros where only features are known
  std::vector<int16_t> embedding;
};

class Session {
 public:
  // Checks the options. `model` must outlive the session.
  static Result<std::unique_ptr<Session>> Create(const Model& model, SessionOptions options);

  Session(const Model& model, const Kernels& kernels, std::unique_ptr<Parallel> parallel);

  void set_hook(StepHook hook) { hook_ = std::move(hook); }
  const StepHook& hook() const { return hook_; }

  void DropImage() { has_image_ = false, results_ = 0; }
  void DropResults() { results_ = 0; }
  Status SetImage(const uint8_t* pixels, ImageSize size, size_t stride, PixelFormat format);
  // kUsage unless this is the session's image: of its size, and with its pixels once resized.
  Status CompareImage(const uint8_t* pixels, ImageSize size, size_t stride, PixelFormat format);

  // Masks of prompts are copied before anything is written: they may be results of this session.
  Status Predict(const Prompt& prompt);
  // A prompt that is refused is named, and leaves the results of before.
  Status PredictBatch(std::span<const Prompt> prompts);
  // logits: [low_res_values()], for Prompt::mask, of a mask drawn at the size of the image.
  Status MaskPrompt(const uint8_t* mask, size_t stride, int16_t* logits) const;

  size_t EmbeddingSize() const;
  Status SaveEmbedding(std::span<uint8_t> out);
  Status LoadEmbedding(std::span<const uint8_t> in);
  // features: as embedding(), of an image of this size. May be embedding() itself.
  Status SetFeatures(const int16_t* features, ImageSize size);

  // Of a session that has an image: what another one takes its place for, and back.
  EncodedImage KeepImage();
  void RestoreImage(const EncodedImage& image);

  bool has_image() const { return has_image_; }
  const Frame& frame() const { return frame_; }
  // [grid^2][prompt_embed_dim]
  std::span<const int16_t> embedding() const { return {embedding_.data(), embedding_.size() - kPadBytes}; }

  size_t num_results() const { return results_; }
  // Of a result that there is and a mask below num_masks().
  const int16_t* LowRes(size_t result, uint32_t mask) const;
  int32_t IouQ15(size_t result, uint32_t mask) const;
  uint32_t BestMask(size_t result) const;
  // In units of the logits / 4096: the model's, with logits in Q16 added.
  int32_t Threshold(int64_t offset_q16) const;
  // What follows checks the indices as well.
  Status Mask(size_t result, uint32_t mask, uint8_t* out, size_t stride, bool bits) const;
  // threshold_offset: logits in Q16, added to the model's threshold. The view must be one of the image (CheckView).
  Status MaskAsRuns(size_t result, uint32_t mask, const MaskView& view, int32_t threshold_offset, MaskRuns& runs) const;
  // Pixels whose logit is above the threshold plus `offset` (Q16, >= 0), of those above it less that: Q16, 65536 = all.
  // 0 where there are none.
  Status Stability(size_t result, uint32_t mask, const MaskView& view, int32_t threshold_offset, int32_t offset,
                   int32_t& stability) const;

  const Kernels& kernels() const { return *prepared_.kernels; }
  int threads() const { return parallel_->workers(); }
  Parallel& parallel() const { return *parallel_; }
  uint64_t memory() const;
  const SamConfig& config() const { return model_.config(); }

 private:
  void MakeRoom(size_t results);
  std::span<const Prompt> WithCopiedMasks(std::span<const Prompt> prompts);
  const Sha256Digest& PixelsDigest();
  Status CheckMask(size_t result, uint32_t mask) const;
  const int16_t* Iou(size_t result) const { return iou_.data() + result * config().num_masks(); }

  const Model& model_;
  std::unique_ptr<Parallel> parallel_;
  PreparedModel prepared_;
  std::unique_ptr<Executor> executor_;
  StepHook hook_;
  std::vector<uint8_t> resized_, resize_scratch_;
  std::vector<int16_t> embedding_, low_res_, iou_;
  std::vector<int16_t> mask_inputs_;  // of the running prediction
  std::vector<Prompt> prompts_;       // likewise, with masks there
  Frame frame_;
  std::optional<Sha256Digest> pixels_digest_;  // as EncodedImage::pixels; made when it is first asked for
  bool has_image_ = false;
  size_t results_ = 0;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_SESSION_H_
