#include "apps/common/prompt_objects.h"

#include <algorithm>

#include "apps/common/file_bytes.h"
#include "apps/common/library_call.h"
#include "apps/common/limits.h"
#include "apps/common/logits_npy.h"
#include "apps/common/options.h"
#include "apps/common/photo/photo_reader.h"

namespace intsam::internal {
namespace {

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

Result<std::vector<Object>> MakeObjects(std::vector<ObjectPrompt> prompts, const std::string& select,
                                        const std::string& place, const intsam_model_info& model, ImageSize photo) {
  INTSAM_TRY(CheckMaskPixels(prompts.size(), photo));
  INTSAM_TRY(CheckMaskMemory(prompts, model, photo));
  std::vector<Object> objects;
  for (size_t i = 0; i < prompts.size(); ++i) {
    Object object;
    object.prompt = std::move(prompts[i]);
    INTSAM_ASSIGN(object.choice, Choice(select, object.prompt, model.num_masks));
    if (!object.prompt.mask_path.empty())
      INTSAM_TRY(ReadMaskPrompt(model, photo, object).WithPrefix(place + ": object " + std::to_string(i)));
    objects.push_back(std::move(object));
  }
  return objects;
}

Status CheckSelect(const std::string& select) { return Choice(select, {}, INT32_MAX).status(); }

Status PredictObjects(std::vector<Object>& objects, size_t first, size_t count, Session& session) {
  std::vector<intsam_prompt> prompts;
  std::vector<uint8_t> drawn;
  for (size_t i = first; i < first + count; ++i) {
    Object& object = objects[i];
    if (!object.drawn.bits.empty()) {
      UnpackMask(object.drawn, drawn);
      INTSAM_TRY(FromOutcome(session.MaskPrompt(drawn, object.logits)));
      object.drawn = {};
    }
    prompts.push_back({object.prompt.points.data(), object.prompt.points.size(),
                       object.prompt.box ? &*object.prompt.box : nullptr,
                       object.logits.empty() ? nullptr : object.logits.data()});
  }
  INTSAM_TRY(FromOutcome(session.PredictBatch(prompts)));
  for (size_t i = first; i < first + count; ++i) objects[i].logits = {};
  return Status();
}

}  // namespace intsam::internal
