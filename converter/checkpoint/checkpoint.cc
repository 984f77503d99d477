// Opens a checkpoint of either format and reads its tensors from the mapped file, one at a time.
#include "converter/checkpoint/checkpoint.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "converter/checkpoint/limits.h"
#include "converter/checkpoint/tensor_view.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/sha256.h"

namespace intsam::internal {
namespace {

// The magic number with which torch.save began before its zip form (PyTorch 1.6): PROTO 2, LONG1 of ten bytes.
constexpr uint8_t kLegacyMagic[] = {0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

bool StartsWith(ByteSpan file, ByteSpan prefix) {
  return file.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), file.begin());
}

Result<std::vector<TensorView>> ReadAnyFormat(ByteSpan file, CheckpointMetadata* metadata) {
  constexpr uint8_t kZipMagic[] = {'P', 'K', 3, 4};
  if (file.empty()) return Error(Code::kDamaged, "empty file");
  if (StartsWith(file, kZipMagic)) return ReadTorchZip(file);
  if (StartsWith(file, kLegacyMagic)) {
    return Error(
        Code::kUnsupported,
        "legacy torch.save format (before PyTorch 1.6): re-save the file with torch.save(model.state_dict(), path)");
  }
  if (file.size() > 8 && file[8] == '{') return ReadSafetensors(file, metadata);
  return Error(Code::kDamaged, "not a checkpoint: neither safetensors nor a zip file of torch.save");
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
    if (info.dtype != DType::kF32 && info.dtype != DType::kF16 && info.dtype != DType::kBF16) {
      return Error(Code::kUnsupported, "%s: tensor %s: expected F32, F16 or BF16, found %s", path_.c_str(),
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
