#include "runtime/exec/session.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "runtime/base/checked.h"
#include "runtime/base/cpu.h"
#include "runtime/exec/check_input.h"
#include "runtime/exec/embedding_file.h"
#include "runtime/exec/fused/fused_executor.h"
#include "runtime/exec/select_kernels.h"

namespace intsam::internal {
namespace {

Result<int> ThreadCount(int asked) {
  if (asked == 0) {
    const char* text = std::getenv("INTSAM_THREADS");
    if (text == nullptr || *text == 0) return std::min<int>(AvailableThreads(), limits::kThreads);
    char* end = nullptr;
    const long value = std::strtol(text, &end, 10);
    if (*end != 0 || value < 1 || value > static_cast<long>(limits::kThreads)) {
      return Error(Code::kUsage, "INTSAM_THREADS: '%.32s' is not a number in 1..%u", text, limits::kThreads);
    }
    return static_cast<int>(value);
  }
  if (asked < 0 || asked > static_cast<int>(limits::kThreads)) {
    return Error(Code::kUsage, "threads: %d is not in 0..%u", asked, limits::kThreads);
  }
  return asked;
}

}  // namespace

Result<std::unique_ptr<Model>> Model::OpenMemory(std::span<const uint8_t> bytes) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % limits::kAlignment != 0) {
    return Error(Code::kUsage, "model: the bytes do not start at a multiple of %u", limits::kAlignment);
  }
  auto model = std::make_unique<Model>();
  INTSAM_ASSIGN(model->opened, ReadModel(bytes));
  model->bytes = bytes;
  model->identity = IdentityOf(bytes, model->opened.model);
  return model;
}

Result<std::unique_ptr<Model>> Model::Open(const std::string& path) {
  auto mapped = MappedFile::Open(path, limits::kFileBytes);
  if (!mapped.ok()) return mapped.status().WithPrefix(path);
  MappedFile file = std::move(mapped).value();
  auto model = OpenMemory(file.bytes());
  if (!model.ok()) return model.status().WithPrefix(path);
  (*model)->file = std::move(file);
  return model;
}

Session::Session(const Model& model, const Kernels& kernels, std::unique_ptr<Parallel> parallel)
    : model_(model), parallel_(std::move(parallel)), prepared_(model.weights(), kernels) {
  const SamConfig& c = model.config();
  executor_ = MakeFusedExecutor(prepared_, *parallel_);
  embedding_.resize(size_t{c.grid()} * c.grid() * c.prompt_embed_dim + kPadBytes);
  MakeRoom(1);
  mask_inputs_.resize(config().low_res_values());
  prompts_.reserve(1);
}

// Keeps what a larger batch has taken.
void Session::MakeRoom(size_t results) {
  const size_t outputs = results * config().num_masks();
  low_res_.resize(std::max(low_res_.size(), outputs * config().low_res_values() + kPadBytes));
  iou_.resize(std::max(iou_.size(), outputs + kPadBytes));
}

// Before MakeRoom, which moves results that masks may point to.
std::span<const Prompt> Session::WithCopiedMasks(std::span<const Prompt> prompts) {
  const size_t values = config().low_res_values();
  prompts_.assign(prompts.begin(), prompts.end());
  const auto masked = [](const Prompt& prompt) { return prompt.mask != nullptr; };
  const size_t masks = static_cast<size_t>(std::count_if(prompts_.begin(), prompts_.end(), masked));
  mask_inputs_.resize(std::max(mask_inputs_.size(), masks * values));
  int16_t* copy = mask_inputs_.data();
  for (Prompt& prompt : prompts_) {
    if (prompt.mask == nullptr) continue;
    std::copy_n(prompt.mask, values, copy);
    prompt.mask = copy;
    copy += values;
  }
  return prompts_;
}

Result<std::unique_ptr<Session>> Session::Create(const Model& model, SessionOptions options) {
  INTSAM_ASSIGN(const Kernels* kernels, SelectKernels(options.isa));
  if (options.parallel == nullptr) {
    INTSAM_ASSIGN(const int threads, ThreadCount(options.threads));
    options.parallel = std::make_unique<ThreadPool>(threads);
  }
  return std::make_unique<Session>(model, *kernels, std::move(options.parallel));
}

Status Session::SetImage(const uint8_t* pixels, ImageSize size, size_t stride, PixelFormat format) {
  DropImage();
  if (!model_.has_encoder())
    return Error(Code::kUnsupported,
                 "image: this model has no image encoder; it takes embeddings that the whole model saved");
  INTSAM_TRY(CheckImage(pixels, size, stride, format));
  frame_ = {size, ResizedSize(size, config().image_size)};
  pixels_digest_.reset();
  ResizeToRgb(pixels, size, stride, format, frame_.resized, resized_, resize_scratch_);
  INTSAM_TRY(executor_->EncodeImage(resized_.data(), frame_.resized, embedding_.data(), hook_));
  executor_->SetEmbedding(embedding_.data(), frame_);
  has_image_ = true;
  return Status();
}

const Sha256Digest& Session::PixelsDigest() {
  if (!pixels_digest_) pixels_digest_ = Sha256Of(resized_.data(), resized_.size());
  return *pixels_digest_;
}

Status Session::CompareImage(const uint8_t* pixels, ImageSize size, size_t stride, PixelFormat format) {
  if (!has_image_) return Error(Code::kUsage, "image: none has been set");
  INTSAM_TRY(CheckImage(pixels, size, stride, format));
  if (size != frame_.original) {
    return Error(Code::kUsage, "image: has %u x %u pixels, the session's has %u x %u", size.width, size.height,
                 frame_.original.width, frame_.original.height);
  }
  const Sha256Digest expected = PixelsDigest();  // from here on nobody needs resized_
  if (expected == Sha256Digest{})
    return Error(Code::kUsage, "image: cannot be compared with the session's, of which only features are known");
  ResizeToRgb(pixels, size, stride, format, frame_.resized, resized_, resize_scratch_);
  if (Sha256Of(resized_.data(), resized_.size()) == expected) return Status();
  return Error(Code::kUsage, "image: its pixels are not those of the session's image");
}

Status Session::Predict(const Prompt& prompt) {
  results_ = 0;
  if (!has_image_) return Error(Code::kUsage, "predict: no image has been set");
  INTSAM_TRY(CheckPrompt(prompt));
  INTSAM_TRY(executor_->Decode(WithCopiedMasks({&prompt, 1})[0], low_res_.data(), iou_.data(), hook_));
  results_ = 1;
  return Status();
}

Status Session::PredictBatch(std::span<const Prompt> prompts) {
  if (!has_image_) return Error(Code::kUsage, "predict: no image has been set");
  if (prompts.empty()) return Error(Code::kUsage, "prompts: none given");
  if (prompts.size() > limits::kPromptsPerBatch)
    return Error(Code::kResource, "prompts: %zu are more than %u", prompts.size(), limits::kPromptsPerBatch);
  uint64_t values;
  if (!CheckedMul(prompts.size() * config().num_masks(), config().low_res_values(), &values) ||
      values > PTRDIFF_MAX / sizeof(int16_t) - kPadBytes) {
    return Error(Code::kResource, "prompts: the results of %zu are more than memory can hold", prompts.size());
  }
  for (size_t i = 0; i < prompts.size(); ++i) {
    const Status bad = CheckPrompt(prompts[i]);
    if (!bad.ok()) return bad.WithPrefix("prompt " + std::to_string(i));
  }
  results_ = 0;
  const std::span<const Prompt> copied = WithCopiedMasks(prompts);
  MakeRoom(prompts.size());
  INTSAM_TRY(executor_->DecodeBatch(copied, low_res_.data(), iou_.data(), hook_));
  results_ = prompts.size();
  return Status();
}

EncodedImage Session::KeepImage() { return {frame_, PixelsDigest(), {embedding().begin(), embedding().end()}}; }

void Session::RestoreImage(const EncodedImage& image) {
  results_ = 0;
  std::copy(image.embedding.begin(), image.embedding.end(), embedding_.begin());
  frame_ = image.frame;
  pixels_digest_ = image.pixels;
  executor_->SetEmbedding(embedding_.data(), frame_);
  has_image_ = true;
}

uint64_t Session::memory() const {
  const size_t values = embedding_.size() + low_res_.size() + mask_inputs_.size() + prepared_.image_pe.size();
  return executor_->memory() + sizeof(int16_t) * values;
}

size_t Session::EmbeddingSize() const { return has_image_ ? EmbeddingFileSize(embedding().size()) : 0; }

Status Session::SaveEmbedding(std::span<uint8_t> out) {
  if (!has_image_) return Error(Code::kUsage, "embedding: no image has been set");
  if (out.size() != EmbeddingSize())
    return Error(Code::kUsage, "embedding: %zu bytes given, %zu needed", out.size(), EmbeddingSize());
  WriteEmbedding({model_.identity, frame_, PixelsDigest()}, embedding(), out);
  return Status();
}

Status Session::LoadEmbedding(std::span<const uint8_t> in) {
  DropImage();
  INTSAM_ASSIGN(const SavedEmbedding saved,
                ReadEmbedding(in, model_.identity, config().image_size, {embedding_.data(), embedding().size()}));
  frame_ = saved.frame;
  pixels_digest_ = saved.pixels;
  executor_->SetEmbedding(embedding_.data(), frame_);
  has_image_ = true;
  return Status();
}

Status Session::SetFeatures(const int16_t* features, ImageSize size) {
  DropImage();
  INTSAM_TRY(CheckImageSize("image", size));
  std::memmove(embedding_.data(), features, embedding().size_bytes());
  frame_ = {size, ResizedSize(size, config().image_size)};
  pixels_digest_ = Sha256Digest{};
  executor_->SetEmbedding(embedding_.data(), frame_);
  has_image_ = true;
  return Status();
}

}  // namespace intsam::internal
