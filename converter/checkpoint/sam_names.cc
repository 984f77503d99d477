// Source of the second set of names: huggingface/transformers, models/sam/convert_sam_to_hf.py and modeling_sam.py.
#include "converter/checkpoint/sam_names.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <unordered_map>

namespace intsam::internal {
namespace {

// A name that every SAM has, official or not, and no other model.
constexpr std::string_view kAnchor = "mask_decoder.iou_token.weight";

// What stands before all names of the SAM in the file.
Result<std::string> PrefixOf(const std::vector<CheckpointTensor>& file) {
  const CheckpointTensor* anchor = nullptr;
  for (const CheckpointTensor& tensor : file) {
    const std::string_view name = tensor.name;
    // At the start, or behind a dot.
    if (!name.ends_with(kAnchor)) continue;
    if (name.size() > kAnchor.size() && name[name.size() - kAnchor.size() - 1] != '.') continue;
    if (anchor != nullptr) {
      return Error(Code::kUnsupported, "two SAMs: tensors %s and %s: save the one that you mean", anchor->name.c_str(),
                   tensor.name.c_str());
    }
    anchor = &tensor;
  }
  return anchor == nullptr ? std::string() : anchor->name.substr(0, anchor->name.size() - kAnchor.size());
}

// One rule: a name of transformers and the official one. '#' stands for a number, which is kept; '+' in the official
// name for that number plus one; '~' for the rest of the name.
struct Rule {
  std::string_view theirs, official;
};

constexpr Rule kTransformers[] = {
    {"vision_encoder.pos_embed", "image_encoder.pos_embed"},
    {"vision_encoder.patch_embed.projection.~", "image_encoder.patch_embed.proj.~"},
    {"vision_encoder.layers.#.layer_norm1.~", "image_encoder.blocks.#.norm1.~"},
    {"vision_encoder.layers.#.layer_norm2.~", "image_encoder.blocks.#.norm2.~"},
    {"vision_encoder.layers.#.~", "image_encoder.blocks.#.~"},
    {"vision_encoder.neck.conv1.~", "image_encoder.neck.0.~"},
    {"vision_encoder.neck.layer_norm1.~", "image_encoder.neck.1.~"},
    {"vision_encoder.neck.conv2.~", "image_encoder.neck.2.~"},
    {"vision_encoder.neck.layer_norm2.~", "image_encoder.neck.3.~"},
    {"shared_image_embedding.positional_embedding", "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"},
    {"prompt_encoder.shared_embedding.positional_embedding",
     "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"},
    {"prompt_encoder.point_embed.~", "prompt_encoder.point_embeddings.~"},
    {"prompt_encoder.mask_embed.conv1.~", "prompt_encoder.mask_downscaling.0.~"},
    {"prompt_encoder.mask_embed.layer_norm1.~", "prompt_encoder.mask_downscaling.1.~"},
    {"prompt_encoder.mask_embed.conv2.~", "prompt_encoder.mask_downscaling.3.~"},
    {"prompt_encoder.mask_embed.layer_norm2.~", "prompt_encoder.mask_downscaling.4.~"},
    {"prompt_encoder.mask_embed.conv3.~", "prompt_encoder.mask_downscaling.6.~"},
    {"mask_decoder.transformer.layer_norm_final_attn.~", "mask_decoder.transformer.norm_final_attn.~"},
    {"mask_decoder.transformer.layers.#.layer_norm1.~", "mask_decoder.transformer.layers.#.norm1.~"},
    {"mask_decoder.transformer.layers.#.layer_norm2.~", "mask_decoder.transformer.layers.#.norm2.~"},
    {"mask_decoder.transformer.layers.#.layer_norm3.~", "mask_decoder.transformer.layers.#.norm3.~"},
    {"mask_decoder.transformer.layers.#.layer_norm4.~", "mask_decoder.transformer.layers.#.norm4.~"},
    {"mask_decoder.upscale_conv1.~", "mask_decoder.output_upscaling.0.~"},
    {"mask_decoder.upscale_layer_norm.~", "mask_decoder.output_upscaling.1.~"},
    {"mask_decoder.upscale_conv2.~", "mask_decoder.output_upscaling.3.~"},
    {"mask_decoder.output_hypernetworks_mlps.#.proj_in.~", "mask_decoder.output_hypernetworks_mlps.#.layers.0.~"},
    {"mask_decoder.output_hypernetworks_mlps.#.layers.0.~", "mask_decoder.output_hypernetworks_mlps.#.layers.1.~"},
    {"mask_decoder.output_hypernetworks_mlps.#.proj_out.~", "mask_decoder.output_hypernetworks_mlps.#.layers.2.~"},
    {"mask_decoder.iou_prediction_head.proj_in.~", "mask_decoder.iou_prediction_head.layers.0.~"},
    {"mask_decoder.iou_prediction_head.layers.#.~", "mask_decoder.iou_prediction_head.layers.+.~"},
};
constexpr std::string_view kTransformersMark = "vision_encoder.patch_embed.projection.weight";
// The last layer of the IoU head, whose number is that of the layers before it.
constexpr std::string_view kIouOut = "mask_decoder.iou_prediction_head.proj_out.";
constexpr std::string_view kIouLayers = "mask_decoder.iou_prediction_head.layers.";

// Applies one rule; false if it does not fit the name.
bool Apply(const Rule& rule, std::string_view name, std::string* official) {
  uint32_t number = 0;
  std::string_view digits, rest;
  size_t at = 0;
  for (const char c : rule.theirs) {
    if (c == '~') {
      rest = name.substr(at);
      at = name.size();
    } else if (c == '#') {
      const auto [end, error] = std::from_chars(name.data() + at, name.data() + name.size(), number);
      digits = name.substr(at, static_cast<size_t>(end - name.data()) - at);
      // Neither a sign nor a leading zero: two names may not become one.
      if (error != std::errc() || digits.size() > 4 || (digits.size() > 1 && digits[0] == '0')) return false;
      at += digits.size();
    } else {
      if (at == name.size() || name[at] != c) return false;
      ++at;
    }
  }
  if (at != name.size()) return false;
  official->clear();
  for (const char c : rule.official) {
    if (c == '~') {
      *official += rest;
    } else if (c == '#') {
      *official += digits;
    } else if (c == '+') {
      *official += std::to_string(number + 1);
    } else {
      *official += c;
    }
  }
  return true;
}

std::string FromTransformers(std::string_view name, size_t iou_layers) {
  std::string official;
  if (name.starts_with(kIouOut)) {
    return std::string(kIouLayers) + std::to_string(iou_layers + 1) + "." + std::string(name.substr(kIouOut.size()));
  }
  for (const Rule& rule : kTransformers) {
    if (Apply(rule, name, &official)) return official;
  }
  return std::string(name);  // the same in both
}

}  // namespace

Result<NamedTensors> OfficialNames(const std::vector<CheckpointTensor>& file) {
  INTSAM_ASSIGN(const std::string prefix, PrefixOf(file));
  const auto bare = [&](const CheckpointTensor& tensor) {
    std::string_view name = tensor.name;
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    return name;
  };
  bool transformers = false;
  size_t iou_layers = 0;  // between the first and the last
  for (const CheckpointTensor& tensor : file) {
    const std::string_view name = bare(tensor);
    transformers = transformers || name == kTransformersMark;
    iou_layers += name.starts_with(kIouLayers) && name.ends_with(".weight");
  }
  NamedTensors named;
  std::unordered_map<std::string, size_t> seen;  // position in named.tensors
  for (size_t i = 0; i < file.size(); ++i) {
    CheckpointTensor tensor = file[i];
    tensor.name = transformers ? FromTransformers(bare(tensor), iou_layers) : std::string(bare(tensor));
    const auto [entry, is_new] = seen.emplace(tensor.name, named.tensors.size());
    if (is_new) {
      named.tensors.push_back(std::move(tensor));
      named.index.push_back(i);
    } else {
      named.copies.push_back({named.index[entry->second], i});
    }
  }
  return named;
}

}  // namespace intsam::internal
