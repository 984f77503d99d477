#include "apps/common/prompt_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/common/file_bytes.h"
#include "apps/common/limits.h"
#include "apps/common/strict_json.h"

namespace intsam::internal {
namespace {

using nlohmann::json;

// Refuses keys besides type, data and, where it means something, label: a misspelt one would silently change the
// prompt.
Status CheckKeys(const json& entry, bool label) {
  for (const auto& [key, value] : entry.items()) {
    if (key == "type" || key == "data" || (label && key == "label")) continue;
    return Error(Code::kDamaged, "unknown key \"%.64s\" (type, data%s are known here)", key.c_str(),
                 label ? ", label" : "");
  }
  return Status();
}

Status ReadCoordinates(const json& entry, size_t count, const char* form, int32_t* out) {
  const auto data = entry.find("data");
  const bool numbers = data != entry.end() && data->is_array() && data->size() == count &&
                       std::all_of(data->begin(), data->end(), [](const json& v) { return v.is_number(); });
  if (!numbers) return Error(Code::kDamaged, "\"data\" must be %s, numbers in pixels", form);
  for (size_t i = 0; i < count; ++i) {
    const double pixels = (*data)[i].get<double>();
    if (!(std::abs(pixels) < static_cast<double>(kCoordinateLimit))) {
      return Error(Code::kUsage, "\"data\" holds a coordinate not below %lld pixels",
                   static_cast<long long>(kCoordinateLimit));
    }
    out[i] = static_cast<int32_t>(std::floor(pixels * kPixel + 0.5));
  }
  return Status();
}

Status ReadPoint(const json& entry, ImageSize image, ObjectPrompt& object) {
  INTSAM_TRY(CheckKeys(entry, true));
  int32_t xy[2];
  INTSAM_TRY(ReadCoordinates(entry, 2, "[x, y]", xy));
  intsam_point point{xy[0], xy[1], 1};
  if (const auto label = entry.find("label"); label != entry.end()) {
    if (!label->is_number()) return Error(Code::kDamaged, "\"label\" must be a number");
    if (*label != 0 && *label != 1) {
      return Error(Code::kUsage, "\"label\" of a point must be 1 (on the object) or 0 (off it)");
    }
    point.label = *label == 1;
  }
  INTSAM_TRY(CheckPoint(point, image));
  object.points.push_back(point);
  return Status();
}

Status ReadBox(const json& entry, ImageSize image, ObjectPrompt& object) {
  INTSAM_TRY(CheckKeys(entry, true));
  int32_t c[4];
  INTSAM_TRY(ReadCoordinates(entry, 4, "[x0, y0, x1, y1]", c));
  if (object.box.has_value()) return Error(Code::kUsage, "more than one box for one object");
  INTSAM_ASSIGN(object.box, ClipBox({c[0], c[1], c[2], c[3]}, image));
  return Status();
}

Status ReadMask(const json& entry, ObjectPrompt& object) {
  INTSAM_TRY(CheckKeys(entry, false));
  const auto data = entry.find("data");
  if (data == entry.end() || !data->is_string() || data->get_ref<const std::string&>().empty()) {
    return Error(Code::kDamaged, "\"data\" of a mask must be the name of a file");
  }
  const std::string& name = data->get_ref<const std::string&>();
  // What opens files would stop at it and open another one.
  if (name.find('\0') != std::string::npos) return Error(Code::kDamaged, "\"data\": a name of a file with a NUL");
  if (!object.mask_path.empty()) return Error(Code::kUsage, "more than one mask for one object");
  object.mask_path = name;
  return Status();
}

Status ReadEntry(const json& entry, ImageSize image, ObjectPrompt& object) {
  if (!entry.is_object())
    return Error(Code::kDamaged, "an object such as {\"type\": \"point\", \"data\": [x, y]} is expected");
  const auto type = entry.find("type");
  if (type == entry.end() || !type->is_string()) return Error(Code::kDamaged, "\"type\" is missing or no string");
  const std::string& name = type->get_ref<const std::string&>();
  if (name == "point") return ReadPoint(entry, image, object);
  if (name == "rectangle" || name == "box") return ReadBox(entry, image, object);
  if (name == "mask") return ReadMask(entry, object);
  return Error(Code::kUnsupported, "type \"%.64s\" is not supported (point, rectangle, box and mask are)",
               name.c_str());
}

Result<ObjectPrompt> ReadObject(const json& entries, ImageSize image) {
  if (!entries.is_array() || entries.empty())
    return Error(Code::kDamaged, "an array of prompts is expected, and not an empty one");
  if (entries.size() > kMaxPromptsPerObject) {
    return Error(Code::kResource, "%zu prompts, the limit is %zu", entries.size(), kMaxPromptsPerObject);
  }
  ObjectPrompt object;
  for (size_t i = 0; i < entries.size(); ++i) {
    INTSAM_TRY(ReadEntry(entries[i], image, object).WithPrefix("entry " + std::to_string(i)));
  }
  return object;
}

}  // namespace

Result<std::vector<ObjectPrompt>> ParsePrompts(std::string_view text, ImageSize image) {
  if (text.size() > kPromptFileBytes)
    return Error(Code::kResource, "prompt file larger than %zu bytes", kPromptFileBytes);
  INTSAM_ASSIGN(const json document, ParseStrictJson(text, kPromptFileDepth));
  return PromptsOf(document, image);
}

Result<std::vector<ObjectPrompt>> PromptsOf(const json& document, ImageSize image) {
  if (!document.is_array() || document.empty()) {
    return Error(Code::kDamaged, "an array of prompts or of arrays of prompts is expected, and not an empty one");
  }
  std::vector<ObjectPrompt> objects;
  if (!document.front().is_array()) {
    INTSAM_ASSIGN(ObjectPrompt object, ReadObject(document, image));
    objects.push_back(std::move(object));
    return objects;
  }
  if (document.size() > kMaxObjects) {
    return Error(Code::kResource, "%zu objects, the limit is %zu", document.size(), kMaxObjects);
  }
  for (size_t i = 0; i < document.size(); ++i) {
    Result<ObjectPrompt> object = ReadObject(document[i], image);
    if (!object.ok()) return object.status().WithPrefix("object " + std::to_string(i));
    objects.push_back(std::move(object).value());
  }
  return objects;
}

void ResolveMasks(const std::string& path, std::vector<ObjectPrompt>& objects) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "./" : path.substr(0, slash + 1);
  for (ObjectPrompt& object : objects) {
    if (!object.mask_path.empty() && object.mask_path.front() != '/') object.mask_path.insert(0, folder);
  }
}

Result<std::vector<ObjectPrompt>> ReadPrompts(const std::string& path, ImageSize image) {
  INTSAM_ASSIGN(const std::vector<uint8_t> bytes, ReadFileBytes(path, kPromptFileBytes));
  Result<std::vector<ObjectPrompt>> objects =
      ParsePrompts({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, image);
  if (!objects.ok()) return objects.status().WithPrefix(path);
  ResolveMasks(path, *objects);
  return objects;
}

}  // namespace intsam::internal
