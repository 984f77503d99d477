#include "apps/common/coco.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "apps/common/file_bytes.h"
#include "apps/common/limits.h"
#include "apps/common/prompt_text.h"
#include "runtime/base/function_ref.h"

namespace intsam::internal {
namespace {

using nlohmann::json;

// Takes entry `index` of the list with this key; of a file that is a list itself, the key is empty.
using TakeEntry = FunctionRef<Status(const std::string& list, size_t index, const json& entry)>;

// Hands over entries as soon as they are read, and lets the parser forget them. An error ends the parsing by an
// exception, which the parser passes through.
class EntryReader {
 public:
  struct Stopped : std::exception {
    explicit Stopped(Status why) : status(std::move(why)) {}
    Status status;
  };

  EntryReader(bool is_list, TakeEntry take) : is_list_(is_list), take_(take) {}

  bool operator()(int depth, json::parse_event_t event, json& value) {
    const bool starts_object = event == json::parse_event_t::object_start;
    const bool starts = starts_object || event == json::parse_event_t::array_start;
    if (starts && depth >= kCocoFileDepth) Stop(Error(Code::kResource, "JSON nested deeper than %d", kCocoFileDepth));
    const int entries = is_list_ ? 1 : 2;
    if (depth == 0 && (starts ? starts_object == is_list_ : event == json::parse_event_t::value)) Stop(NotThisForm());
    if (event == json::parse_event_t::key && depth == 1 && !is_list_) {
      list_ = value.get<std::string>();
      index_ = 0;
    }
    if (depth != entries || !Wanted()) return true;
    if (event == json::parse_event_t::value || event == json::parse_event_t::array_start)
      Stop(Status(Code::kDamaged, Place() + "is no object"));
    if (event != json::parse_event_t::object_end) return true;
    if (index_ == kCocoEntries) Stop(Error(Code::kResource, "more than %zu entries", kCocoEntries));
    if (const Status taken = take_(list_, index_, value); !taken.ok())
      Stop(Status(taken.code(), Place() + taken.message()));
    ++index_;
    return false;
  }

 private:
  bool Wanted() const { return is_list_ || list_ == "images" || list_ == "annotations" || list_ == "categories"; }
  std::string Place() const { return (list_.empty() ? "entry " : list_ + ": entry ") + std::to_string(index_) + ": "; }
  Status NotThisForm() const {
    return Status(Code::kDamaged, is_list_ ? "not a list of results" : "not an object with images and annotations");
  }
  [[noreturn]] static void Stop(Status status) { throw Stopped(std::move(status)); }

  const bool is_list_;
  TakeEntry take_;
  std::string list_;
  size_t index_ = 0;
};

Status ReadEntries(const std::string& path, bool is_list, TakeEntry take) {
  INTSAM_ASSIGN(const std::vector<uint8_t> bytes, ReadFileBytes(path, kCocoFileBytes));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos)
    return Error(Code::kDamaged, "%s: not valid JSON at byte %zu: a NUL", path.c_str(), nul + 1);
  EntryReader reader(is_list, take);
  try {
    [[maybe_unused]] const json rest = json::parse(text, std::ref(reader));  // what nobody has taken
  } catch (const EntryReader::Stopped& stopped) {
    return stopped.status.WithPrefix(path);
  } catch (const json::parse_error& error) {
    return Error(Code::kDamaged, "%s: not valid JSON at byte %zu (NaN and Infinity are not JSON)", path.c_str(),
                 error.byte);
  } catch (const json::out_of_range&) {
    return Status(Code::kDamaged, path + ": not valid JSON: a number is out of range");
  }
  return Status();
}

Result<int64_t> Integer(const json& entry, const char* key) {
  const auto value = entry.find(key);
  const bool large = value != entry.end() && value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX;
  if (value == entry.end() || !value->is_number_integer() || large)
    return Error(Code::kDamaged, "\"%s\" is missing or no integer", key);
  return value->get<int64_t>();
}

Result<intsam_box> Box(const json& entry) {
  const auto value = entry.find("bbox");
  bool good = value != entry.end() && value->is_array() && value->size() == 4;
  double at[4] = {};
  for (size_t i = 0; good && i < 4; ++i) {
    good = (*value)[i].is_number();
    if (good) at[i] = (*value)[i].get<double>();
    if (i >= 2) at[i] += at[i - 2];  // from a width to where it ends
    good = good && std::abs(at[i]) < static_cast<double>(kCoordinateLimit);
  }
  if (!good) return Error(Code::kDamaged, "\"bbox\" is missing or not four numbers in pixels: x, y, width, height");
  const auto units = [](double pixels) { return static_cast<int32_t>(std::floor(pixels * kPixel + 0.5)); };
  return intsam_box{units(at[0]), units(at[1]), units(at[2]), units(at[3])};
}

Result<int64_t> Score(const json& entry) {
  constexpr double kMost = 1000;
  const auto value = entry.find("score");
  if (value == entry.end() || !value->is_number() || !(std::abs(value->get<double>()) <= kMost))
    return Error(Code::kDamaged, "\"score\" is missing or no number of at most %g in size", kMost);
  return std::llround(std::ldexp(value->get<double>(), 30));
}

Result<CocoBox> BoxOfEntry(const json& entry) {
  CocoBox box = {};
  INTSAM_ASSIGN(box.image_id, Integer(entry, "image_id"));
  INTSAM_ASSIGN(box.category_id, Integer(entry, "category_id"));
  INTSAM_ASSIGN(box.box, Box(entry));
  return box;
}

Result<std::string> Text(const json& entry, const char* key) {
  const auto value = entry.find(key);
  if (value == entry.end() || !value->is_string() || value->get_ref<const std::string&>().empty())
    return Error(Code::kDamaged, "\"%s\" is missing or no text", key);
  return value->get<std::string>();
}

bool IsCrowd(const json& entry) {
  const auto value = entry.find("iscrowd");
  return value != entry.end() && value->is_number() && value->get<double>() != 0;
}

bool StaysBelow(const std::filesystem::path& name) {
  return name.has_filename() && name.is_relative() && name.native().find('\0') == std::string::npos &&
         *name.begin() != ".." && *name.begin() != ".";  // of a normal path
}

}  // namespace

Result<std::vector<CocoPhoto>> PhotosOfCoco(const std::string& path, const CocoAnnotations& annotations,
                                            const std::string& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    return Status(Code::kUsage, folder + ": is not a folder, in which " + path + " names photos");
  std::vector<CocoPhoto> photos;
  std::set<std::string> names;
  for (const CocoImage& image : annotations.images) {
    const std::filesystem::path name = std::filesystem::path(image.file_name).lexically_normal();
    const char* problem = !StaysBelow(name)                     ? "leads out of the folder"
                          : !names.insert(name.string()).second ? "is there twice"
                                                                : nullptr;
    if (problem != nullptr)
      return Status(Code::kDamaged, path + ": the file_name '" + image.file_name + "' " + problem);
    photos.push_back({image.id, name.string(), folder + "/" + name.string()});
  }
  return photos;
}

Result<CocoAnnotations> ReadCocoAnnotations(const std::string& path, bool boxes) {
  CocoAnnotations annotations;
  std::set<int64_t> ids;
  std::set<std::string> names;
  const auto take = [&](const std::string& list, size_t, const json& entry) -> Status {
    if (list == "images") {
      CocoImage image;
      INTSAM_ASSIGN(image.id, Integer(entry, "id"));
      INTSAM_ASSIGN(image.file_name, Text(entry, "file_name"));
      if (!ids.insert(image.id).second) return Error(Code::kDamaged, "the id %lld is there twice", (long long)image.id);
      if (!names.insert(image.file_name).second)
        return Status(Code::kDamaged, "the file_name '" + image.file_name + "' is there twice");
      annotations.images.push_back(std::move(image));
    } else if (list == "categories") {
      INTSAM_ASSIGN(const int64_t id, Integer(entry, "id"));
      INTSAM_ASSIGN(std::string name, Text(entry, "name"));
      if (!annotations.categories.emplace(id, std::move(name)).second)
        return Error(Code::kDamaged, "the id %lld is there twice", (long long)id);
    } else if (boxes && !IsCrowd(entry)) {
      INTSAM_ASSIGN(CocoBox box, BoxOfEntry(entry));
      box.score = int64_t{1} << 30;
      annotations.boxes.push_back(box);
    }
    return Status();
  };
  INTSAM_TRY(ReadEntries(path, false, take));
  if (annotations.images.empty()) return Status(Code::kDamaged, path + ": there are no images in it");
  return annotations;
}

Result<std::vector<CocoBox>> ReadCocoDetections(const std::string& path) {
  std::vector<CocoBox> detections;
  const auto take = [&](const std::string&, size_t, const json& entry) -> Status {
    INTSAM_ASSIGN(CocoBox box, BoxOfEntry(entry));
    INTSAM_ASSIGN(box.score, Score(entry));
    detections.push_back(box);
    return Status();
  };
  INTSAM_TRY(ReadEntries(path, true, take));
  return detections;
}

std::string CocoScoreText(int64_t score_q30, int32_t factor_q15) {
  // Below 1000 * 2^30 * 2^17: the predicted IoU has little more than 1.
  const int64_t product = score_q30 * factor_q15, magnitude = std::abs(product);
  constexpr int kBits = 45, kKept = 36;  // with more, a fraction times 10^8 would not fit
  constexpr int64_t kScale = 100'000'000;
  const int64_t rounded = (magnitude + (int64_t{1} << (kBits - kKept - 1))) >> (kBits - kKept);
  const int64_t fraction = rounded & ((int64_t{1} << kKept) - 1);
  int64_t decimals = (fraction * kScale + (int64_t{1} << (kKept - 1))) >> kKept;
  int64_t whole = rounded >> kKept;
  if (decimals == kScale) decimals = 0, ++whole;
  return (product < 0 && (whole != 0 || decimals != 0) ? "-" : "") + std::to_string(whole) + "." +
         std::to_string(kScale + decimals).substr(1);
}

}  // namespace intsam::internal
