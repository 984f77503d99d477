// Deduces a SamConfig from the names and shapes of a checkpoint's tensors; what leaves no trace there comes from a JSON
// sidecar.
// Nothing here trusts the tensors: whatever is not as a SAM would have it becomes one sentence naming the tensor or
// field.
#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "converter/checkpoint/limits.h"
#include "converter/checkpoint/pad_vit.h"
#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/checkpoint/sidecar.h"
#include "converter/checkpoint/tensor_view.h"

namespace intsam::internal {
namespace {

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

// Cuts nothing that could be in range: every limit of SamConfig is far below 2^32.
uint32_t Narrow(uint64_t value) { return static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX)); }

void DeduceVit(ShapeReader* shapes, SamConfig* config) {
  const std::string encoder = "image_encoder.";
  VitConfig& c = config->vit;
  const uint64_t grid = shapes->Dimension(encoder + "pos_embed", 4, 1);
  const uint64_t patch = shapes->Dimension(encoder + "patch_embed.proj.weight", 4, 3);
  const uint64_t head_dim = shapes->Dimension(encoder + "blocks.0.attn.rel_pos_h", 2, 1);
  c.patch_size = Narrow(patch);
  config->image_size = Narrow(grid * patch);
  c.embed_dim = Narrow(shapes->Dimension(encoder + "patch_embed.proj.weight", 4, 0));
  c.depth = Narrow(shapes->CountOf(encoder + "blocks."));
  c.num_heads = Narrow(c.embed_dim / head_dim);
  c.mlp_dim = Narrow(shapes->Dimension(encoder + "blocks.0.mlp.lin1.weight", 2, 0));
}

Status DeduceTinyVit(ShapeReader* shapes, const Sidecar& sidecar, SamConfig* config) {
  const std::string encoder = "image_encoder.";
  TinyVitConfig& c = config->tiny_vit;
  // Nothing in TinyViT depends on the size of its input.
  config->image_size = Narrow(sidecar.Number("image_size", 1024));
  c.embed_dims[0] = Narrow(shapes->Dimension(encoder + "patch_embed.seq.2.c.weight", 4, 0));
  c.expand_ratio = Narrow(shapes->Dimension(encoder + "layers.0.blocks.0.conv1.c.weight", 4, 0) / c.embed_dims[0]);
  // Stage 0 has no attention: what is said about it has no effect.
  c.num_heads[0] = Narrow(sidecar.Number("num_heads", 0, std::max(1u, c.embed_dims[0] / 32)));
  c.window_sizes[0] = Narrow(sidecar.Number("window_sizes", 0, 7));
  for (uint32_t i = 0; i < TinyVitConfig::kStages; ++i) {
    const std::string stage = encoder + "layers." + std::to_string(i) + ".";
    c.depths[i] = Narrow(shapes->CountOf(stage + "blocks."));
    if (i == 0) continue;
    const std::string biases = stage + "blocks.0.attn.attention_biases";
    c.embed_dims[i] = Narrow(shapes->Dimension(stage + "blocks.0.attn.qkv.weight", 2, 1));
    c.num_heads[i] = Narrow(shapes->Dimension(biases, 2, 0));
    const uint64_t cells = shapes->Dimension(biases, 2, 1);
    const auto side = static_cast<uint64_t>(std::sqrt(static_cast<double>(cells)));  // exact: cells is at most 65536
    INTSAM_TRY(shapes->status());
    if (side * side != cells) {
      return Error(Code::kUnsupported, "tensor %s: %" PRIu64 " biases are those of no square window", biases.c_str(),
                   cells);
    }
    c.window_sizes[i] = Narrow(side);
  }
  c.mlp_ratio = Narrow(shapes->Dimension(encoder + "layers.1.blocks.0.mlp.fc1.weight", 2, 0) / c.embed_dims[1]);
  return shapes->status();
}

void DeduceDecoder(ShapeReader* shapes, const Sidecar& sidecar, SamConfig* config) {
  const std::string decoder = "mask_decoder.";
  const std::string cross = decoder + "transformer.layers.0.cross_attn_token_to_image.q_proj.weight";
  config->prompt_embed_dim = Narrow(shapes->Dimension("image_encoder.neck.0.weight", 4, 0));
  config->decoder_depth = Narrow(shapes->CountOf(decoder + "transformer.layers."));
  config->decoder_mlp_dim = Narrow(shapes->Dimension(decoder + "transformer.layers.0.mlp.lin1.weight", 2, 0));
  config->decoder_num_heads = Narrow(sidecar.Number("decoder_num_heads", 8));
  config->attention_downsample = Narrow(config->prompt_embed_dim / shapes->Dimension(cross, 2, 0));
  config->num_multimask_outputs = Narrow(shapes->Dimension(decoder + "mask_tokens.weight", 2, 0) - 1);
  config->iou_head_depth = Narrow(shapes->CountOf(decoder + "iou_prediction_head.layers."));
  config->iou_head_hidden_dim = Narrow(shapes->Dimension(decoder + "iou_prediction_head.layers.0.weight", 2, 0));
  config->mask_in_chans = Narrow(shapes->Dimension("prompt_encoder.mask_downscaling.3.weight", 4, 0));
}

// Sets window_size and global_attn_mask from the number of relative positions of each block.
Status DeduceAttention(ShapeReader* shapes, const Sidecar& sidecar, SamConfig* config) {
  const uint64_t grid = config->grid();
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
  INTSAM_ASSIGN(const Sidecar sidecar, Sidecar::Parse(config_json));
  ShapeReader shapes(tensors);
  SamConfig config;
  config.family = shapes.CountOf("image_encoder.layers.") > 0 ? kTinyVit : kVit;  // a ViT has blocks, no layers
  if (config.family == kVit) {
    DeduceVit(&shapes, &config);
  } else {
    INTSAM_TRY(DeduceTinyVit(&shapes, sidecar, &config));
  }
  DeduceDecoder(&shapes, sidecar, &config);
  INTSAM_TRY(shapes.status());

  // Before the loop over the ViT's blocks, which trusts depth; window_size still has its default, which is in range.
  RangeChecker ranges;
  config.Visit(ranges);
  INTSAM_TRY(ranges.status);
  if (config.family == kVit) INTSAM_TRY(DeduceAttention(&shapes, sidecar, &config));
  INTSAM_TRY(ValidateConfig(PaddedConfig(config)));
  INTSAM_TRY(sidecar.Compare(config));
  return config;
}

}  // namespace intsam::internal
