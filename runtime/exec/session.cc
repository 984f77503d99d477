#include "runtime/exec/session.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "kernels/numerics/requantize.h"
#include "runtime/base/sha256.h"
#include "runtime/exec/fused/fused_executor.h"
#include "runtime/exec/prompt_tokens.h"
#include "runtime/exec/select_kernels.h"
#include "runtime/format/isam.h"
#include "runtime/image/masks.h"

namespace intsam::internal {
namespace {

constexpr int32_t kCoordinateLimit = 1 << 21;

// A saved embedding: this header, then s16 [grid^2][prompt_embed_dim] in key units, then the SHA-256 of all before it.
struct EmbeddingHeader {
  uint8_t magic[8];
  uint32_t version;
  uint32_t original_width, original_height, resized_width, resized_height;
  uint32_t values;
  uint8_t model[32];
};
constexpr uint8_t kEmbeddingMagic[8] = {0x89, 'i', 's', 'e', 'm', 'b', '\n', 0x1a};
constexpr uint32_t kEmbeddingVersion = 1;

bool BadCoordinate(int32_t x) { return x <= -kCoordinateLimit || x >= kCoordinateLimit; }

Status CheckPrompt(const Prompt& prompt) {
  if (prompt.points.empty() && prompt.box == nullptr) return Error(Code::kUsage, "prompt: neither a point nor a box");
  if (prompt.points.size() > limits::kPointsPerPrompt) {
    return Error(Code::kResource, "points: %zu are more than %u", prompt.points.size(), limits::kPointsPerPrompt);
  }
  for (const PointPrompt& p : prompt.points) {
    if (p.label != 0 && p.label != 1) return Error(Code::kUsage, "points: label %d is neither 0 nor 1", p.label);
    if (BadCoordinate(p.x) || BadCoordinate(p.y))
      return Error(Code::kUsage, "points: a coordinate is beyond 2^21 / 64 pixels");
  }
  if (prompt.box != nullptr) {
    const BoxPrompt& b = *prompt.box;
    if (BadCoordinate(b.x0) || BadCoordinate(b.y0) || BadCoordinate(b.x1) || BadCoordinate(b.y1)) {
      return Error(Code::kUsage, "box: a coordinate is beyond 2^21 / 64 pixels");
    }
    if (b.x0 >= b.x1 || b.y0 >= b.y1) return Error(Code::kUsage, "box: x0 < x1 and y0 < y1 do not hold");
  }
  return Status();
}

Result<int> ThreadCount(int asked) {
  if (asked == 0) {
    const char* text = std::getenv("INTSAM_THREADS");
    if (text == nullptr || *text == 0)
      return std::clamp<int>(static_cast<int>(std::thread::hardware_concurrency()), 1, limits::kThreads);
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
  const Sha256Digest digest = Sha256Of(bytes.data(), sizeof(isam::Header));
  std::copy(digest.begin(), digest.end(), model->identity);
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
}

// Keeps what a larger batch has taken.
void Session::MakeRoom(size_t results) {
  const size_t masks = results * config().num_masks();
  low_res_.resize(std::max(low_res_.size(), masks * config().low_res_values() + kPadBytes));
  iou_.resize(std::max(iou_.size(), masks + kPadBytes));
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
  has_image_ = has_masks_ = false;
  if (pixels == nullptr) return Error(Code::kUsage, "image: no pixels");
  if (size.width < 1 || size.height < 1 || size.width > limits::kImageSide || size.height > limits::kImageSide) {
    return Error(Code::kUsage, "image: %u x %u pixels is outside 1..%u per side", size.width, size.height,
                 limits::kImageSide);
  }
  const uint64_t row = uint64_t{size.width} * PixelBytes(format);
  if (stride < row)
    return Error(Code::kUsage, "image: stride %zu is shorter than a row of %u pixels", stride, size.width);
  if (row * size.height > limits::kImageBytes) {
    return Error(Code::kResource, "image: %u x %u pixels is over the limit", size.width, size.height);
  }
  frame_ = {size, ResizedSize(size, config().image_size)};
  ResizeToRgb(pixels, size, stride, format, frame_.resized, resized_, resize_scratch_);
  INTSAM_TRY(executor_->EncodeImage(resized_.data(), frame_.resized, embedding_.data(), hook_));
  executor_->SetEmbedding(embedding_.data(), frame_);
  has_image_ = true;
  return Status();
}

Status Session::Predict(const Prompt& prompt) {
  has_masks_ = false;
  if (!has_image_) return Error(Code::kUsage, "predict: no image has been set");
  INTSAM_TRY(CheckPrompt(prompt));
  INTSAM_TRY(executor_->Decode(prompt, low_res_.data(), iou_.data(), hook_));
  has_masks_ = true, results_ = 1, selected_ = 0;
  return Status();
}

Status Session::PredictBatch(std::span<const Prompt> prompts) {
  if (!has_image_) return Error(Code::kUsage, "predict: no image has been set");
  if (prompts.empty()) return Error(Code::kUsage, "prompts: none given");
  if (prompts.size() > limits::kPromptsPerBatch) {
    return Error(Code::kResource, "prompts: %zu are more than %u", prompts.size(), limits::kPromptsPerBatch);
  }
  for (size_t i = 0; i < prompts.size(); ++i) {
    const Status bad = CheckPrompt(prompts[i]);
    if (!bad.ok()) return bad.WithPrefix("prompt " + std::to_string(i));
  }
  has_masks_ = false;
  MakeRoom(prompts.size());
  INTSAM_TRY(executor_->DecodeBatch(prompts, low_res_.data(), iou_.data(), hook_));
  has_masks_ = true, results_ = prompts.size(), selected_ = 0;
  return Status();
}

Status Session::Select(size_t result) {
  if (!has_masks_) return Error(Code::kUsage, "select: nothing has been predicted");
  if (result >= results_) return Error(Code::kUsage, "select: index %zu is not in 0..%zu", result, results_ - 1);
  selected_ = result;
  return Status();
}

const int16_t* Session::LowRes(uint32_t mask) const {
  if (!has_masks_ || mask >= config().num_masks()) return nullptr;
  return low_res_.data() + (selected_ * config().num_masks() + mask) * config().low_res_values();
}

int32_t Session::IouQ15(uint32_t mask) const {
  if (!has_masks_ || mask >= config().num_masks()) return 0;
  const Rq32Scalar& rq = model_.weights().mask_decoder.iou_q15;
  return static_cast<int32_t>(Requantize32(Iou()[mask], rq.mult, static_cast<int>(rq.shift)));
}

uint32_t Session::BestMask() const {
  uint32_t best = 1;
  for (uint32_t i = 2; i < config().num_masks(); ++i) {
    if (Iou()[i] > Iou()[best]) best = i;
  }
  return best;
}

Status Session::Mask(uint32_t mask, uint8_t* out, size_t stride, bool bits) const {
  const int16_t* logits = LowRes(mask);
  if (!has_masks_) return Error(Code::kUsage, "mask: nothing has been predicted");
  if (logits == nullptr) return Error(Code::kUsage, "mask: index %u is not in 0..%u", mask, config().num_masks() - 1);
  const size_t row = bits ? (frame_.original.width + 7) / 8 : frame_.original.width;
  if (out == nullptr || stride < row)
    return Error(Code::kUsage, "mask: stride %zu is shorter than a row of %zu bytes", stride, row);
  const int32_t threshold = model_.weights().mask_decoder.mask_threshold;
  (bits ? ThresholdMaskBits : ThresholdMask)(logits, config().low_res(), frame_.resized, frame_.original, threshold,
                                             out, stride);
  return Status();
}

uint64_t Session::memory() const {
  return executor_->memory() + 2 * (embedding_.size() + low_res_.size() + prepared_.image_pe.size());
}

size_t Session::EmbeddingSize() const {
  return has_image_ ? sizeof(EmbeddingHeader) + (embedding_.size() - kPadBytes) * sizeof(int16_t) + sizeof(Sha256Digest)
                    : 0;
}

Status Session::SaveEmbedding(std::span<uint8_t> out) const {
  if (!has_image_) return Error(Code::kUsage, "embedding: no image has been set");
  if (out.size() != EmbeddingSize())
    return Error(Code::kUsage, "embedding: %zu bytes given, %zu needed", out.size(), EmbeddingSize());
  EmbeddingHeader header = {};
  std::memcpy(header.magic, kEmbeddingMagic, sizeof header.magic);
  header.version = kEmbeddingVersion;
  header.original_width = frame_.original.width, header.original_height = frame_.original.height;
  header.resized_width = frame_.resized.width, header.resized_height = frame_.resized.height;
  header.values = static_cast<uint32_t>(embedding_.size() - kPadBytes);
  std::memcpy(header.model, model_.identity, sizeof header.model);
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + sizeof header, embedding_.data(), header.values * sizeof(int16_t));
  const Sha256Digest digest = Sha256Of(out.data(), out.size() - sizeof(Sha256Digest));
  std::memcpy(out.data() + out.size() - digest.size(), digest.data(), digest.size());
  return Status();
}

Status Session::LoadEmbedding(std::span<const uint8_t> in) {
  has_image_ = has_masks_ = false;
  EmbeddingHeader header;
  const size_t values = embedding_.size() - kPadBytes;
  if (in.size() < sizeof header || std::memcmp(in.data(), kEmbeddingMagic, sizeof kEmbeddingMagic) != 0) {
    return Error(Code::kDamaged, "embedding: not a saved embedding");
  }
  std::memcpy(&header, in.data(), sizeof header);
  if (header.version != kEmbeddingVersion) {
    return Error(Code::kUnsupported, "embedding: version %u, this library reads %u", header.version, kEmbeddingVersion);
  }
  if (std::memcmp(header.model, model_.identity, sizeof header.model) != 0) {
    return Error(Code::kDamaged, "embedding: was made with another model");
  }
  const size_t size = sizeof header + values * sizeof(int16_t) + sizeof(Sha256Digest);
  if (header.values != values || in.size() != size)
    return Error(Code::kDamaged, "embedding: has %zu bytes, expected %zu", in.size(), size);
  const Sha256Digest digest = Sha256Of(in.data(), in.size() - sizeof(Sha256Digest));
  if (std::memcmp(digest.data(), in.data() + in.size() - digest.size(), digest.size()) != 0) {
    return Error(Code::kDamaged, "embedding: checksum does not match");
  }
  const ImageSize original{header.original_width, header.original_height},
      resized{header.resized_width, header.resized_height};
  if (original.width < 1 || original.height < 1 || original.width > limits::kImageSide ||
      original.height > limits::kImageSide || ResizedSize(original, config().image_size) != resized) {
    return Error(Code::kDamaged, "embedding: image size %u x %u is not possible", original.width, original.height);
  }
  std::memcpy(embedding_.data(), in.data() + sizeof header, values * sizeof(int16_t));
  frame_ = {original, resized};
  executor_->SetEmbedding(embedding_.data(), frame_);
  has_image_ = true;
  return Status();
}

}  // namespace intsam::internal
