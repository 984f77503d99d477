#include "apps/batch/manifest.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/common/file_bytes.h"
#include "apps/common/output.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

std::string Line(const Json& json) { return DumpJson(json, -1); }

double Tenths(double ms) { return std::round(ms * 10) / 10; }

Json LineOf(const NamedPhoto& photo, const PhotoOutcome& outcome, uint64_t results_bytes) {
  Json json = Json::object();
  json["image"] = photo.name;
  json["status"] = outcome.status.ok() ? "done" : "failed";
  if (outcome.status.ok()) {
    json["size"] = {outcome.size.width, outcome.size.height};
    json["masks"] = outcome.masks;
    if (outcome.left_out > 0) json["left_out"] = outcome.left_out;
  } else {
    json["code"] = static_cast<int>(outcome.status.code());
    json["error"] = outcome.status.message();
  }
  if (!outcome.notes.empty()) json["notes"] = outcome.notes;
  json["times_ms"] = {{"read", Tenths(outcome.times.read_ms)},
                      {"segment", Tenths(outcome.times.segment_ms)},
                      {"write", Tenths(outcome.times.write_ms)}};
  json["results_bytes"] = results_bytes;
  return json;
}

size_t Count(const nlohmann::json& json, const char* key) {
  const auto value = json.find(key);
  return value != json.end() && value->is_number_unsigned() ? value->get<size_t>() : 0;
}

std::string Text(const nlohmann::json& json, const char* key) {
  const auto value = json.find(key);
  return value != json.end() && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace

Result<Manifest> Manifest::Open(const std::string& path, const std::string& about,
                                const std::vector<NamedPhoto>& photos, bool resume) {
  INTSAM_ASSIGN(AppendFile file, AppendFile::Open(path));
  Manifest manifest(std::move(file));
  if (manifest.file_.size() > 0 && !resume) {
    return Status(Code::kUsage, path + ": a run has been here already; --resume goes on with it");
  }
  INTSAM_TRY(manifest.Read(about, photos));
  if (!manifest.resumed_) INTSAM_TRY(manifest.file_.Append(about));
  return manifest;
}

Status Manifest::Read(const std::string& about, const std::vector<NamedPhoto>& photos) {
  uint64_t end = 0;
  size_t number = 0;
  INTSAM_TRY(ForEachLine(file_.path(), [&](std::string_view line) -> Status {
    const std::string place = file_.path() + ": line " + std::to_string(++number);
    end += line.size() + 1;
    if (number == 1) {
      if (std::string(line) + "\n" != about) {
        return Status(Code::kUsage, place +
                                        ": the run was begun with other options, another model or another version; "
                                        "without --resume and with another --out a new one begins");
      }
      resumed_ = true;
      return Status();
    }
    return TakeLine(line, photos).WithPrefix(place);
  }));
  if (totals_.complete && totals_.photos != photos.size()) {
    return Status(Code::kUsage, file_.path() + ": the photos have changed since: the run is complete with " +
                                    std::to_string(totals_.photos) + " of them, and now there are " +
                                    std::to_string(photos.size()));
  }
  return file_.Truncate(end);
}

Status Manifest::TakeLine(std::string_view line, const std::vector<NamedPhoto>& photos) {
  // Not in the order of its keys, which takes the square of their number.
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  const std::string status = json.is_object() ? Text(json, "status") : "";
  if (totals_.complete || (status != "done" && status != "failed" && status != "complete"))
    return Status(Code::kDamaged, "not a line of a manifest");
  if (status == "complete") {
    totals_.complete = true;
    return Status();
  }
  // As both look in JSON: names need not be UTF-8.
  const bool known = totals_.photos < photos.size();
  const std::string name = Text(json, "image");
  if (!known || Line(name) != Line(photos[totals_.photos].name)) {
    return Status(Code::kUsage, "the photos have changed since: '" + name + "' was here, and now " +
                                    (known ? "'" + photos[totals_.photos].name + "' is" : "there are fewer"));
  }
  ++totals_.photos;
  totals_.failed += status == "failed";
  totals_.masks += Count(json, "masks");
  totals_.left_out += Count(json, "left_out");
  totals_.results_bytes = Count(json, "results_bytes");
  return Status();
}

Status Manifest::Append(const NamedPhoto& photo, const PhotoOutcome& outcome, uint64_t results_bytes) {
  INTSAM_TRY(file_.Append(Line(LineOf(photo, outcome, results_bytes))));
  ++totals_.photos;
  totals_.failed += !outcome.status.ok();
  totals_.masks += outcome.masks;
  totals_.left_out += outcome.left_out;
  totals_.results_bytes = results_bytes;
  return Status();
}

Status Manifest::AppendEnd() {
  INTSAM_TRY(file_.Append(Line(
      {{"status", "complete"}, {"photos", totals_.photos}, {"failed", totals_.failed}, {"masks", totals_.masks}})));
  totals_.complete = true;
  return Status();
}

}  // namespace intsam::internal
