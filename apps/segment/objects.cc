// Prompts from the command line and from files, with the masks that they name.
#include "apps/segment/objects.h"

#include <algorithm>

#include "apps/common/file_bytes.h"
#include "apps/common/limits.h"
#include "apps/common/logits_npy.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/prompt_json.h"

namespace intsam::internal {
namespace {

Result<std::vector<ObjectPrompt>> TypedPrompts(const SegmentSettings& settings, ImageSize photo) {
  if (settings.points.size() > kMaxPromptsPerObject)
    return Error(Code::kResource, "--point: %zu points, the limit is %zu", settings.points.size(),
                 kMaxPromptsPerObject);
  if (settings.boxes.size() > kMaxObjects)
    return Error(Code::kResource, "--box: %zu objects, the limit is %zu", settings.boxes.size(), kMaxObjects);
  std::vector<ObjectPrompt> objects(std::max<size_t>(1, settings.boxes.size()));
  for (const std::string& text : settings.points) {
    INTSAM_ASSIGN(const intsam_point point, ParsePoint("--point", text));
    INTSAM_TRY(CheckPoint(point, photo).WithPrefix("--point " + text));
    objects.front().points.push_back(point);
  }
  for (size_t i = 0; i < settings.boxes.size(); ++i) {
    INTSAM_ASSIGN(const intsam_box box, ParseBox("--box", settings.boxes[i]));
    Result<intsam_box> clipped = ClipBox(box, photo);
    if (!clipped.ok()) return clipped.status().WithPrefix("--box " + settings.boxes[i]);
    objects[i].box = clipped.value();
  }
  objects.front().mask_path = settings.mask_input;
  return objects;
}

Result<int> Choice(const std::string& select, const ObjectPrompt& prompt, int num_masks) {
  if (select == "best") return kBestMask;
  if (select == "auto") {
    // One point may mean a part or the whole: the case that the alternatives are for.
    const bool single_point = prompt.points.size() == 1 && !prompt.box.has_value() && prompt.mask_path.empty();
    return single_point ? kBestMask : 0;
  }
  Result<int64_t> index = ParseInteger("--select", select, 0, num_masks - 1);
  if (!index.ok()) return Status(Code::kUsage, index.status().message() + " (or auto, or best)");
  return static_cast<int>(index.value());
}

Status ReadMaskPrompt(const intsam_model_info& model, ImageSize photo, Object& object) {
  const std::string& path = object.prompt.mask_path;
  INTSAM_ASSIGN(const std::vector<uint8_t> file, ReadRegularFile(path, kImageFileBytes));
  if (IsNpy(file)) {
    Result<std::vector<int16_t>> logits =
        DecodeLogits(file, {model.low_res_size, model.logit_mantissa, model.logit_shift});
    if (!logits.ok()) return logits.status().WithPrefix(path);
    object.logits = std::move(logits).value();
    return Status();
  }
  Result<Mask> mask = DecodeMask(file);
  if (!mask.ok()) return mask.status().WithPrefix(path);
  if (mask->size != photo) {
    return Error(Code::kUsage, "%s: a mask of %u x %u pixels, and the photo has %u x %u", path.c_str(),
                 mask->size.width, mask->size.height, photo.width, photo.height);
  }
  object.drawn = PackMask(mask->inside.data(), photo, photo);
  return Status();
}

// A mask takes time in proportion to its pixels, and a line of a prompt file asks for one.
Status CheckMaskPixels(size_t objects, ImageSize photo) {
  const uint64_t pixels = objects * uint64_t{photo.width} * photo.height;
  if (pixels <= kMaskPixels) return Status();
  return Error(Code::kResource, "%zu objects on a photo of %u x %u pixels: masks of %llu pixels, the limit is %llu",
               objects, photo.width, photo.height, static_cast<unsigned long long>(pixels),
               static_cast<unsigned long long>(kMaskPixels));
}

// Masks of prompts are kept until their object's turn comes.
Status CheckMaskMemory(const std::vector<ObjectPrompt>& prompts, const intsam_model_info& model, ImageSize photo) {
  const auto masks = static_cast<uint64_t>(
      std::count_if(prompts.begin(), prompts.end(), [](const ObjectPrompt& p) { return !p.mask_path.empty(); }));
  const uint64_t logits =
      uint64_t{2} * static_cast<uint64_t>(model.low_res_size) * static_cast<uint64_t>(model.low_res_size);
  const uint64_t bytes = masks * std::max(logits, BitMask::Bytes(photo));
  if (bytes <= kKeptMaskBytes) return Status();
  return Error(Code::kResource,
               "%llu prompts with masks for a photo of %u x %u pixels need %llu bytes, the limit is %llu",
               static_cast<unsigned long long>(masks), photo.width, photo.height,
               static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(kKeptMaskBytes));
}

}  // namespace

Result<std::vector<Object>> GatherObjects(const SegmentSettings& settings, const intsam_model_info& model,
                                          ImageSize photo) {
  std::vector<Object> objects;
  if (!settings.has_prompt()) return objects;
  INTSAM_ASSIGN(std::vector<ObjectPrompt> prompts,
                settings.prompts.empty() ? TypedPrompts(settings, photo) : ReadPrompts(settings.prompts, photo));
  INTSAM_TRY(CheckMaskPixels(prompts.size(), photo));
  INTSAM_TRY(CheckMaskMemory(prompts, model, photo));
  for (size_t i = 0; i < prompts.size(); ++i) {
    Object object;
    object.prompt = std::move(prompts[i]);
    INTSAM_ASSIGN(object.choice, Choice(settings.select, object.prompt, model.num_masks));
    if (!object.prompt.mask_path.empty()) {
      const std::string place =
          settings.prompts.empty() ? "--mask-input" : settings.prompts + ": object " + std::to_string(i);
      INTSAM_TRY(ReadMaskPrompt(model, photo, object).WithPrefix(place));
    }
    objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace intsam::internal
