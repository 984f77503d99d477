// Opens a checkpoint of either format and reads its tensors from the mapped file, one at a time.
#include "converter/checkpoint/checkpoint.h"

#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cinttypes>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <new>
#include <utility>

#include "converter/checkpoint/foreign_formats.h"
#include "converter/checkpoint/limits.h"
#include "converter/checkpoint/tensor_view.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/sha256.h"

namespace intsam::internal {
namespace {

bool StartsWith(ByteSpan file, ByteSpan prefix) {
  return file.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), file.begin());
}

Result<std::vector<TensorView>> ReadAnyFormat(ByteSpan file, CheckpointMetadata* metadata) {
  constexpr uint8_t kZipMagic[] = {'P', 'K', 3, 4};
  if (file.empty()) return Error(Code::kDamaged, "empty file");
  if (StartsWith(file, kZipMagic)) return ReadTorchZip(file);
  // No header is so long that its upper bytes are set, as those of a text are.
  if (file.size() > 8 && file[8] == '{' && LoadU64(file.data()) >> 40 == 0) return ReadSafetensors(file, metadata);
  return RefuseForeignFile(file);
}

class MappedCheckpoint : public Checkpoint {
 public:
  MappedCheckpoint(std::string path, MappedFile file, std::vector<TensorView> views, CheckpointMetadata metadata)
      : path_(std::move(path)), file_(std::move(file)), views_(std::move(views)), metadata_(std::move(metadata)) {
    for (const TensorView& view : views_) tensors_.push_back(view.info);
  }

  const std::vector<CheckpointTensor>& tensors() const override { return tensors_; }

  const CheckpointMetadata& metadata() const override { return metadata_; }

  Status ReadRaw(size_t index, void* out) const override {
    if (index >= views_.size()) return Error(Code::kUsage, "%s: no tensor %zu", path_.c_str(), index);
    INTSAM_TRY(CheckUnchanged());
    CopyElements(file_.bytes(), views_[index], static_cast<uint8_t*>(out));
    return Status();
  }

  Status ReadF32(size_t index, float* out) const override {
    if (index >= views_.size()) return Error(Code::kUsage, "%s: no tensor %zu", path_.c_str(), index);
    const CheckpointTensor& info = tensors_[index];
    if (info.dtype == DType::kF64) return ReadF64(index, out);
    if (info.dtype != DType::kF32 && info.dtype != DType::kF16 && info.dtype != DType::kBF16) {
      return Error(Code::kUnsupported, "%s: tensor %s: expected F32, F16, BF16 or F64, found %s", path_.c_str(),
                   info.name.c_str(), NameOf(info.dtype));
    }
    // The elements are gathered into the end of `out` and widened from its front: the reader never passes the writer.
    auto* bytes = reinterpret_cast<uint8_t*>(out);
    const uint64_t width = WidthOf(info.dtype);
    const uint8_t* raw = bytes + info.elements * (sizeof(float) - width);
    INTSAM_TRY(ReadRaw(index, bytes + info.elements * (sizeof(float) - width)));
    for (uint64_t i = 0; i < info.elements; ++i, raw += width) {
      float value = 0;
      if (info.dtype == DType::kF32) {
        const uint32_t bits = LoadU32(raw);
        std::memcpy(&value, &bits, sizeof value);
      } else {
        value = info.dtype == DType::kF16 ? HalfToFloat(LoadU16(raw)) : BfloatToFloat(LoadU16(raw));
      }
      std::memcpy(bytes + i * sizeof value, &value, sizeof value);
    }
    return Status();
  }

  // Rounds to F32. What is finite must stay finite; infinities and NaNs are the caller's to judge.
  Status ReadF64(size_t index, float* out) const {
    const CheckpointTensor& info = tensors_[index];
    std::vector<uint8_t> raw(info.elements * sizeof(double));
    INTSAM_TRY(ReadRaw(index, raw.data()));
    for (uint64_t i = 0; i < info.elements; ++i) {
      const auto value = std::bit_cast<double>(LoadU64(raw.data() + i * sizeof(double)));
      if (std::isfinite(value) && std::fabs(value) > std::numeric_limits<float>::max()) {
        return Error(Code::kUnsupported, "%s: tensor %s: %g at element %" PRIu64 " is outside the range of F32",
                     path_.c_str(), info.name.c_str(), value, i);
      }
      out[i] = static_cast<float>(value);
    }
    return Status();
  }

  Result<std::string> Sha256() const override {
    INTSAM_TRY(CheckUnchanged());
    return ToHex(Sha256Of(file_.bytes().data(), file_.bytes().size()));
  }

 private:
  // A mapped file that was cut meanwhile must give an error, not a fault at the missing pages.
  Status CheckUnchanged() const {
    struct stat info = {};
    if (stat(path_.c_str(), &info) != 0)
      return Error(Code::kIo, "%s: cannot stat: %s", path_.c_str(), std::strerror(errno));
    if (static_cast<uint64_t>(info.st_size) != file_.bytes().size())
      return Error(Code::kIo, "%s: changed while being read", path_.c_str());
    return Status();
  }

  std::string path_;
  MappedFile file_;
  std::vector<TensorView> views_;
  CheckpointMetadata metadata_;
  std::vector<CheckpointTensor> tensors_;
};

}  // namespace

Result<std::unique_ptr<Checkpoint>> Checkpoint::Open(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Error(Code::kIo, "%s: a directory, expected the file of weights in it (such as model.safetensors)",
                 path.c_str());
  }
  Result<MappedFile> file = MappedFile::Open(path, CheckpointLimits::kFileBytes);
  if (!file.ok()) return file.status().WithPrefix(path);
  try {
    CheckpointMetadata metadata;
    Result<std::vector<TensorView>> views = ReadAnyFormat(file->bytes(), &metadata);
    if (!views.ok()) return views.status().WithPrefix(path);
    return std::unique_ptr<Checkpoint>(
        std::make_unique<MappedCheckpoint>(path, std::move(*file), std::move(*views), std::move(metadata)));
  } catch (const std::bad_alloc&) {
    return Error(Code::kResource, "%s: out of memory", path.c_str());
  }
}

}  // namespace intsam::internal
