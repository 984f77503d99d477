// Loads the weights of one SAM: opens the file, translates its names, deduces the configuration, checks every tensor
// against the official list, and only then allocates and reads.
#include "converter/checkpoint/sam_checkpoint.h"

#include <cinttypes>
#include <cmath>
#include <filesystem>
#include <new>
#include <unordered_set>
#include <utility>

#include "converter/checkpoint/foreign_formats.h"
#include "converter/checkpoint/limits.h"
#include "converter/checkpoint/plain_tensors.h"
#include "converter/checkpoint/sam_names.h"
#include "converter/checkpoint/tensor_view.h"
#include "runtime/base/mapped_file.h"

namespace intsam::internal {
namespace {

// Tensors that official files carry and nothing computes with.
bool IsKnownUnused(const std::string& name, const SamConfig& config) {
  // Normalisation of pixels has fixed constants here.
  if (name == "pixel_mean" || name == "pixel_std") return true;
  // TinyViT's classifier, and the counters of its training.
  return config.family == kTinyVit &&
         (name.starts_with("image_encoder.norm_head.") || name.starts_with("image_encoder.head.") ||
          name.ends_with(".bn.num_batches_tracked"));
}

Result<std::string> ReadConfigText(const std::string& path, const std::string& config_path) {
  std::string sidecar = config_path;
  if (sidecar.empty()) {
    sidecar = std::filesystem::path(path).replace_extension(".json").string();
    std::error_code ignored;
    if (!std::filesystem::exists(sidecar, ignored)) return std::string();
  }
  Result<MappedFile> file = MappedFile::Open(sidecar, CheckpointLimits::kConfigBytes);
  if (!file.ok()) return file.status().WithPrefix(sidecar);
  if (file->bytes().empty()) return Error(Code::kDamaged, "%s: empty file", sidecar.c_str());
  return std::string(TextOf(file->bytes()));
}

// The index in the file of each tensor of `specs`.
Result<std::vector<size_t>> MatchTensors(const std::vector<CheckpointTensor>& tensors, const SamConfig& config,
                                         const std::vector<TensorSpec>& specs) {
  std::unordered_map<std::string_view, size_t> index_of;
  for (size_t i = 0; i < tensors.size(); ++i) index_of.emplace(tensors[i].name, i);
  std::vector<size_t> indexes;
  for (const TensorSpec& spec : specs) {
    const auto found = index_of.find(spec.name);
    if (found == index_of.end()) {
      return Error(Code::kUnsupported, "tensor %s: expected shape %s, found no such tensor", spec.name.c_str(),
                   ShapeText(spec.shape).c_str());
    }
    const CheckpointTensor& tensor = tensors[found->second];
    if (tensor.shape != spec.shape) {
      return Error(Code::kUnsupported, "tensor %s: expected shape %s, found %s", spec.name.c_str(),
                   ShapeText(spec.shape).c_str(), ShapeText(tensor.shape).c_str());
    }
    indexes.push_back(found->second);
    index_of.erase(found);
  }
  for (const CheckpointTensor& tensor : tensors) {
    if (index_of.contains(tensor.name) && !IsKnownUnused(tensor.name, config)) {
      return Error(Code::kUnsupported, "tensor %s: expected no such tensor in this SAM, found shape %s",
                   tensor.name.c_str(), ShapeText(tensor.shape).c_str());
    }
  }
  return indexes;
}

// Two tensors of the file under one official name.
Status CheckCopy(const Checkpoint& checkpoint, size_t kept, size_t left_out) {
  const CheckpointTensor& a = checkpoint.tensors()[kept];
  const CheckpointTensor& b = checkpoint.tensors()[left_out];
  std::vector<uint8_t> a_bytes(a.elements * WidthOf(a.dtype)), b_bytes(b.elements * WidthOf(b.dtype));
  INTSAM_TRY(checkpoint.ReadRaw(kept, a_bytes.data()));
  INTSAM_TRY(checkpoint.ReadRaw(left_out, b_bytes.data()));
  if (a.shape != b.shape || a.dtype != b.dtype || a_bytes != b_bytes) {
    return Error(Code::kUnsupported, "tensor %s: expected a copy of %s, found other values", b.name.c_str(),
                 a.name.c_str());
  }
  return Status();
}

// The configuration, the official tensors, and where each lies in the file.
struct Contents {
  SamConfig config;
  std::vector<TensorSpec> specs;
  std::vector<size_t> index;  // of each spec
};

Result<Contents> FindTensors(const Checkpoint& checkpoint, const std::string& config_text) {
  INTSAM_ASSIGN(const NamedTensors named, OfficialNames(checkpoint.tensors()));
  Contents contents;
  INTSAM_ASSIGN(contents.config, DeduceConfig(named.tensors, config_text));
  contents.specs = SamTensorSpecs(contents.config);
  INTSAM_ASSIGN(contents.index, MatchTensors(named.tensors, contents.config, contents.specs));
  for (size_t& index : contents.index) index = named.index[index];
  for (const NamedTensors::Copy& copy : named.copies) INTSAM_TRY(CheckCopy(checkpoint, copy.kept, copy.left_out));
  return contents;
}

Result<FloatModel> Load(const std::string& path, const std::string& config_path) {
  INTSAM_ASSIGN(const std::unique_ptr<Checkpoint> checkpoint, Checkpoint::Open(path));
  INTSAM_ASSIGN(const std::string config_text, ReadConfigText(path, config_path));
  Result<Contents> contents = FindTensors(*checkpoint, config_text);
  if (!contents.ok()) {
    // Tensors that are not those of a SAM may be those of a relative.
    const Status relative = RefuseForeignModel(checkpoint->tensors());
    return (relative.ok() ? contents.status() : relative).WithPrefix(path);
  }
  FloatModel model;
  model.config = contents->config;
  for (size_t i = 0; i < contents->specs.size(); ++i) {
    const size_t index = contents->index[i];
    std::vector<float> values(checkpoint->tensors()[index].elements);
    INTSAM_TRY(checkpoint->ReadF32(index, values.data()));
    for (size_t k = 0; k < values.size(); ++k) {
      if (!std::isfinite(values[k])) {
        return Error(Code::kDamaged, "%s: tensor %s: expected finite numbers, found %s at element %zu", path.c_str(),
                     checkpoint->tensors()[index].name.c_str(), std::isnan(values[k]) ? "NaN" : "infinity", k);
      }
    }
    model.tensors.emplace(contents->specs[i].name, std::move(values));
  }
  if (Status status = MakePlain(&model); !status.ok()) return status.WithPrefix(path);
  INTSAM_ASSIGN(model.source_sha256, checkpoint->Sha256());
  return model;
}

}  // namespace

Result<FloatModel> LoadFloatModel(const std::string& path, const std::string& config_path) {
  try {
    return Load(path, config_path);
  } catch (const std::bad_alloc&) {
    return Error(Code::kResource, "%s: out of memory", path.c_str());
  }
}

}  // namespace intsam::internal
