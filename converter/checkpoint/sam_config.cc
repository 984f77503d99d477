// Deduces a SamConfig from the names and shapes of a checkpoint's tensors, and compares it with a JSON sidecar.
// Nothing here trusts the tensors: whatever is not as a SAM would have it becomes one sentence naming the tensor or
// field.
#include <algorithm>
#include <cinttypes>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "converter/checkpoint/limits.h"
#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/checkpoint/tensor_view.h"

namespace intsam::internal {
namespace {

using nlohmann::json;

// SamConfig::Visit with each value as 64 bits, so that nothing is cut before its range is checked.
struct RangeChecker {
  Status status;

  void Field(const char* name, uint64_t value, uint64_t low, uint64_t high) {
    if (status.ok() && (value < low || value > high)) {
      status =
          Error(Code::kUnsupported, "config: %s: %" PRIu64 " is outside %" PRIu64 "..%" PRIu64, name, value, low, high);
    }
  }
  void Field(const char*, uint64_t) {}
};

class ShapeReader {
 public:
  explicit ShapeReader(const std::vector<CheckpointTensor>& tensors) {
    for (const CheckpointTensor& tensor : tensors) shapes_.emplace(tensor.name, &tensor.shape);
  }

  // Dimension `axis` of a tensor that must have `rank` dimensions. The first failure stays in status(); the result is 1
  // then.
  uint64_t Dimension(const std::string& name, size_t rank, size_t axis) {
    if (!status_.ok()) return 1;
    const auto found = shapes_.find(name);
    if (found == shapes_.end()) {
      status_ = Error(Code::kUnsupported, "not a SAM checkpoint: tensor %s: missing", name.c_str());
      return 1;
    }
    const std::vector<uint64_t>& shape = *found->second;
    if (shape.size() != rank || shape[axis] == 0) {
      status_ = Error(Code::kUnsupported, "tensor %s: expected %zu dimensions above 0, found %s", name.c_str(), rank,
                      ShapeText(shape).c_str());
      return 1;
    }
    return shape[axis];
  }

  // One more than the largest i of a tensor called `prefix`i.`anything`; 0 if there is none. At most 10000.
  uint64_t CountOf(std::string_view prefix) const {
    uint64_t count = 0;
    for (const auto& [name, shape] : shapes_) {
      if (!std::string_view(name).starts_with(prefix)) continue;
      uint64_t index = 0;
      size_t at = prefix.size();
      while (at < name.size() && at < prefix.size() + 4 && name[at] >= '0' && name[at] <= '9')
        index = 10 * index + (name[at++] - '0');
      if (at > prefix.size() && at < name.size() && name[at] == '.') count = std::max(count, index + 1);
    }
    return count;
  }

  // The first failure of all calls so far: the caller reads several dimensions and asks once.
  const Status& status() const { return status_; }

 private:
  std::unordered_map<std::string, const std::vector<uint64_t>*> shapes_;
  Status status_;
};

struct Sidecar {
  json fields = json::object();
  // The field as a whole number, or `otherwise` if it is absent (or not one: CompareSidecar reports that).
  uint64_t Number(const char* name, uint64_t otherwise) const {
    const auto found = fields.find(name);
    return found != fields.end() && found->is_number_unsigned() ? found->get<uint64_t>() : otherwise;
  }
};

Result<Sidecar> ParseSidecar(const std::string& text) {
  Sidecar sidecar;
  if (text.empty()) return sidecar;
  if (text.size() > CheckpointLimits::kConfigBytes) {
    return Error(Code::kResource, "config: JSON of %zu bytes, above the limit of %" PRIu64, text.size(),
                 CheckpointLimits::kConfigBytes);
  }
  bool too_deep = false;
  std::string duplicate;
  std::set<std::string> keys;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    too_deep = too_deep || depth > CheckpointLimits::kConfigDepth;
    if (event == json::parse_event_t::key && depth == 1 && !keys.insert(value.get<std::string>()).second)
      duplicate = value.get<std::string>();
    return !too_deep;
  };
  sidecar.fields = json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep) return Error(Code::kResource, "config: JSON is nested deeper than %d", CheckpointLimits::kConfigDepth);
  if (!sidecar.fields.is_object()) return Error(Code::kDamaged, "config: not a JSON object");
  if (!duplicate.empty()) return Error(Code::kDamaged, "config: duplicate field %s", Quote(duplicate).c_str());
  return sidecar;
}

Status Disagree(const char* field, const std::string& stated, uint64_t found) {
  return Error(Code::kUnsupported, "config: %s: the config says %s, the tensors say %" PRIu64, field, stated.c_str(),
               found);
}

// Visits the fields that a sidecar states under their own name.
struct SidecarComparer {
  json fields;  // what is left to compare
  Status status;

  void Field(const char* name, uint64_t value, uint64_t, uint64_t) {
    const auto stated = fields.find(name);
    if (stated == fields.end()) return;
    if (status.ok() && *stated != value) status = Disagree(name, stated->dump().substr(0, 64), value);
    fields.erase(stated);
  }
  void Field(const char*, uint64_t) {}  // global_attn_mask is stated as a list of indexes
};

Status CompareSidecar(const Sidecar& sidecar, SamConfig config) {
  SidecarComparer comparer{sidecar.fields, Status()};
  config.Visit(comparer);
  INTSAM_TRY(comparer.status);
  json& rest = comparer.fields;
  if (const auto ratio = rest.find("mlp_ratio"); ratio != rest.end()) {
    if (!ratio->is_number() || ratio->get<double>() * config.vit.embed_dim != config.vit.mlp_dim) {
      return Disagree("mlp_ratio", ratio->dump().substr(0, 64), config.vit.mlp_dim / config.vit.embed_dim);
    }
    rest.erase(ratio);
  }
  if (const auto indexes = rest.find("global_attn_indexes"); indexes != rest.end()) {
    uint64_t mask = 0;
    bool well_formed = indexes->is_array();
    for (size_t i = 0; well_formed && i < indexes->size(); ++i) {
      const json& index = (*indexes)[i];
      well_formed = index.is_number_unsigned() && index.get<uint64_t>() < config.vit.depth;
      if (well_formed) mask |= uint64_t{1} << index.get<uint64_t>();
    }
    // Windows as large as the grid are global attention by another name.
    if (!well_formed || (mask != config.vit.global_attn_mask && config.vit.window_size != config.grid())) {
      return Error(Code::kUnsupported,
                   "config: global_attn_indexes: the config says %s, the tensors say mask 0x%" PRIx64,
                   indexes->dump().substr(0, 64).c_str(), config.vit.global_attn_mask);
    }
    rest.erase(indexes);
  }
  if (!rest.empty()) return Error(Code::kUnsupported, "config: unknown field %s", Quote(rest.begin().key()).c_str());
  return Status();
}

// Sets window_size and global_attn_mask from the number of relative positions of each block.
Status DeduceAttention(ShapeReader* shapes, const Sidecar& sidecar, uint64_t grid, SamConfig* config) {
  uint64_t window = 0;
  config->vit.global_attn_mask = 0;
  for (uint32_t i = 0; i < config->vit.depth; ++i) {
    const std::string name = "image_encoder.blocks." + std::to_string(i) + ".attn.rel_pos_h";
    const uint64_t distances = shapes->Dimension(name, 2, 0);
    INTSAM_TRY(shapes->status());
    if (distances == 2 * grid - 1) {
      config->vit.global_attn_mask |= uint64_t{1} << i;
    } else if (distances % 2 == 0 || distances > 2 * grid || (window != 0 && distances != 2 * window - 1)) {
      return Error(Code::kUnsupported,
                   "tensor %s: %" PRIu64 " relative positions fit neither the grid (%" PRIu64 ") nor the other windows",
                   name.c_str(), distances, 2 * grid - 1);
    } else {
      window = (distances + 1) / 2;
    }
  }
  // Without a windowed block the size leaves no trace and has no effect.
  if (window == 0) window = std::min(sidecar.Number("window_size", grid), grid);
  config->vit.window_size = static_cast<uint32_t>(window);
  return Status();
}

}  // namespace

Result<SamConfig> DeduceConfig(const std::vector<CheckpointTensor>& tensors, const std::string& config_json) {
  INTSAM_ASSIGN(const Sidecar sidecar, ParseSidecar(config_json));
  ShapeReader shapes(tensors);
  SamConfig config;
  const std::string encoder = "image_encoder.", prompt = "prompt_encoder.", decoder = "mask_decoder.";
  const std::string cross = decoder + "transformer.layers.0.cross_attn_token_to_image.q_proj.weight";

  const uint64_t grid = shapes.Dimension(encoder + "pos_embed", 4, 1);
  const uint64_t patch = shapes.Dimension(encoder + "patch_embed.proj.weight", 4, 3);
  const uint64_t head_dim = shapes.Dimension(encoder + "blocks.0.attn.rel_pos_h", 2, 1);
  const uint64_t cross_dim = shapes.Dimension(cross, 2, 0);
  const uint64_t masks = shapes.Dimension(decoder + "mask_tokens.weight", 2, 0);
  // Every dimension is at most 65536 (limits.h), so the fields fit 32 bits; image_size is bounded before it is stored.
  config.vit.patch_size = static_cast<uint32_t>(patch);
  config.image_size = static_cast<uint32_t>(std::min<uint64_t>(grid * patch, UINT32_MAX));
  config.vit.embed_dim = static_cast<uint32_t>(shapes.Dimension(encoder + "patch_embed.proj.weight", 4, 0));
  config.vit.depth = static_cast<uint32_t>(shapes.CountOf(encoder + "blocks."));
  config.vit.num_heads = static_cast<uint32_t>(config.vit.embed_dim / head_dim);
  config.vit.mlp_dim = static_cast<uint32_t>(shapes.Dimension(encoder + "blocks.0.mlp.lin1.weight", 2, 0));
  config.prompt_embed_dim = static_cast<uint32_t>(shapes.Dimension(encoder + "neck.0.weight", 4, 0));
  config.decoder_depth = static_cast<uint32_t>(shapes.CountOf(decoder + "transformer.layers."));
  config.decoder_mlp_dim =
      static_cast<uint32_t>(shapes.Dimension(decoder + "transformer.layers.0.mlp.lin1.weight", 2, 0));
  config.decoder_num_heads =
      static_cast<uint32_t>(std::min<uint64_t>(sidecar.Number("decoder_num_heads", 8), UINT32_MAX));
  config.attention_downsample = static_cast<uint32_t>(config.prompt_embed_dim / cross_dim);
  config.num_multimask_outputs = static_cast<uint32_t>(masks - 1);
  config.iou_head_depth = static_cast<uint32_t>(shapes.CountOf(decoder + "iou_prediction_head.layers."));
  config.iou_head_hidden_dim =
      static_cast<uint32_t>(shapes.Dimension(decoder + "iou_prediction_head.layers.0.weight", 2, 0));
  config.mask_in_chans = static_cast<uint32_t>(shapes.Dimension(prompt + "mask_downscaling.3.weight", 4, 0));
  INTSAM_TRY(shapes.status());

  // Before the loop over the blocks, which trusts depth; window_size still has its default, which is in range.
  RangeChecker ranges;
  config.Visit(ranges);
  INTSAM_TRY(ranges.status);
  INTSAM_TRY(DeduceAttention(&shapes, sidecar, grid, &config));
  INTSAM_TRY(ValidateConfig(config));
  INTSAM_TRY(CompareSidecar(sidecar, config));
  return config;
}

}  // namespace intsam::internal
