// Tables of marks and names. A mark is only looked for where nothing else could be meant, so a good checkpoint cannot
// be refused here.
#include "converter/checkpoint/foreign_formats.h"

#include <algorithm>
#include <string_view>

namespace intsam::internal {
namespace {

constexpr const char* kResave = "re-save the weights with torch.save(model.state_dict(), path)";

struct Mark {
  std::string_view bytes;  // with which the file begins
  const char* reason;
};

using namespace std::string_view_literals;

constexpr Mark kMarks[] = {
    {"version https://git-lfs"sv, "a Git LFS pointer, not the file it stands for: fetch it with 'git lfs pull'"},
    {"GGUF"sv, "a GGUF model: convert from the original checkpoint"},
    {"lmgg"sv, "a ggml model: convert from the original checkpoint"},
    {"\x89HDF"sv, "an HDF5 file: convert from the original checkpoint"},
    {"\x93NUMPY"sv, "a NumPy array: convert from the original checkpoint"},
    {"\x1f\x8b"sv, "compressed with gzip: unpack it first"},
    {"BZh"sv, "compressed with bzip2: unpack it first"},
    {"\xfd"
     "7zXZ"sv,
     "compressed with xz: unpack it first"},
    {"7z\xbc\xaf"sv, "a 7z archive: unpack it first"},
    {"\x28\xb5\x2f\xfd"sv, "compressed with Zstandard: unpack it first"},
    {"\x89isam"sv, "an integer model of intsam already"},
};

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// ONNX is a protobuf message without a magic number: field 1 (IR version, below 32), then the producer's name or
// another of its first fields as a string.
bool IsOnnx(std::string_view head) {
  return head.size() > 4 && head[0] == 0x08 && head[1] > 0 && head[1] < 32 && (head[2] == 0x12 || head[2] == 0x1a);
}

// The pickles of torch.save before its zip form and of other programs: PROTO with a version.
bool IsPickle(std::string_view head) { return head.size() > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5; }

struct Relative {
  std::string_view part;  // of a tensor's name
  const char* model;
};

constexpr Relative kRelatives[] = {
    {"lora_", "a SAM with LoRA layers (merge them into its weights first)"},
    {".w_a_0", "a SAM with LoRA layers (merge them into its weights first)"},
    {"linear_a_q.", "a SAM with LoRA layers (merge them into its weights first)"},
    {"mask_decoder.hf_token", "SAM-HQ"},
    {"mask_decoder.hq_token", "SAM-HQ"},
    {"sam_mask_decoder.", "SAM 2"},
    {"image_encoder.trunk.", "SAM 2"},
    {"vision_encoder.backbone.", "SAM 2"},
    {"memory_attention.", "SAM 2"},
    {"image_encoder.fuse_stage2.", "EdgeSAM"},
    {"image_encoder.features.", "RepViT-SAM"},
    {"mask_decoder.final_output_upscaling_layers.", "EfficientSAM"},
    {"image_encoder.backbone.input_stem.", "EfficientViT-SAM"},
    {".Adapter.", "a SAM with adapter layers"},
};

}  // namespace

Status RefuseForeignFile(ByteSpan file) {
  const std::string_view text = TextOf(file.first(std::min<size_t>(file.size(), size_t{1} << 16)));
  for (const Mark& mark : kMarks) {
    if (text.starts_with(mark.bytes)) return Error(Code::kUnsupported, "not a checkpoint: %s", mark.reason);
  }
  if (IsPickle(text)) {
    return Error(Code::kUnsupported, "legacy torch.save format (before PyTorch 1.6) or a bare pickle: %s", kResave);
  }
  if (IsOnnx(text)) {
    return Error(Code::kUnsupported, "not a checkpoint: an ONNX model: convert from the original checkpoint");
  }
  const size_t start = text.find_first_not_of(" \t\r\n");
  const std::string_view first = start == std::string_view::npos ? "" : text.substr(start);
  if (first.starts_with('<')) {
    return Error(Code::kUnsupported,
                 "not a checkpoint: a web page (HTML or XML), probably an error message of a server");
  }
  if (first.starts_with('{') && Contains(first, "\"weight_map\"")) {
    return Error(Code::kUnsupported,
                 "not a checkpoint: the index of weights in several safetensors files: save them as one file");
  }
  return Error(Code::kDamaged, "not a checkpoint: neither safetensors nor a zip file of torch.save");
}

Status RefuseForeignZip(const std::vector<std::string>& members, const Status& refused) {
  const auto any = [&](std::string_view end) {
    for (const std::string& name : members) {
      if (name.ends_with(end)) return &name;
    }
    return static_cast<const std::string*>(nullptr);
  };
  if (any("/constants.pkl") != nullptr) return Error(Code::kUnsupported, "TorchScript archive: %s", kResave);
  if (any("data.pkl") != nullptr) return refused;
  for (const std::string_view end : {".safetensors", ".pth", ".pt", ".bin", ".onnx"}) {
    if (const std::string* name = any(end))
      return Error(Code::kUnsupported, "zip: an archive that holds %s: unpack it first", Quote(*name).c_str());
  }
  if (any(".npy") != nullptr)
    return Error(Code::kUnsupported, "zip: NumPy arrays (.npz): convert from the original checkpoint");
  return refused;
}

Status RefuseForeignModel(const std::vector<CheckpointTensor>& tensors) {
  for (const Relative& relative : kRelatives) {
    for (const CheckpointTensor& tensor : tensors) {
      if (Contains(tensor.name, relative.part)) {
        return Error(Code::kUnsupported, "not a SAM that intsam knows: by tensor %s it is %s", tensor.name.c_str(),
                     relative.model);
      }
    }
  }
  return Status();
}

}  // namespace intsam::internal
