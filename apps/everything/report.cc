#include "apps/everything/report.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "apps/common/output.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

double Milliseconds(double ms) { return std::round(ms * 10) / 10; }

// Their numbers are text already, with the decimals of the files, which a JSON library would print in its own way.
std::string MasksText(const std::vector<FoundRecord>& masks) {
  std::string text;
  for (size_t id = 0; id < masks.size(); ++id) {
    text +=
        (id == 0 ? "\n    {\"id\": " : ",\n    {\"id\": ") + std::to_string(id) + ", " + RecordMembers(masks[id]) + "}";
  }
  return text.empty() ? "[]" : "[" + text + "\n  ]";
}

void TellJson(const EverythingSettings& settings, const EverythingReport& report) {
  Json json = Json::object();
  json["intsam"] = intsam_version();
  json["model"] = settings.model;
  json["image"] = settings.image;
  json["size"] = {report.photo.width, report.photo.height};
  json["isa"] = report.isa;
  json["threads"] = report.threads;
  json["times_ms"] = {{"open", Milliseconds(report.times.open_ms)},
                      {"read", Milliseconds(report.times.read_ms)},
                      {"search", Milliseconds(report.times.search_ms)},
                      {"write", Milliseconds(report.times.write_ms)}};
  json["masks"] = Json::array();
  if (!settings.output.empty()) json["output"] = settings.output;
  if (!settings.overlay.empty()) json["overlay"] = settings.overlay;
  if (!settings.label_map.empty()) json["label_map"] = settings.label_map;
  constexpr std::string_view kMasks = "\n  \"masks\": ", kNone = "[]";  // no string in JSON has such a newline
  std::string text = DumpJson(json);
  text.replace(text.find(kMasks) + kMasks.size(), kNone.size(), MasksText(report.masks));
  Out(text);
}

// " -> m.png", or nothing.
std::string Arrow(const std::string& file) { return file.empty() ? "" : " -> " + file; }

void TellWords(const EverythingSettings& settings, const EverythingReport& report) {
  const auto& t = report.times;
  Say(settings.flags, "%zu mask%s%s", report.masks.size(), report.masks.size() == 1 ? "" : "s",
      Arrow(settings.output).c_str());
  if (!settings.overlay.empty()) Say(settings.flags, "overlay%s", Arrow(settings.overlay).c_str());
  if (!settings.label_map.empty()) Say(settings.flags, "label map%s", Arrow(settings.label_map).c_str());
  Say(settings.flags, "open %.1f ms, read %.1f ms, search %.1f ms, write %.1f ms (%s, %d thread%s)", t.open_ms,
      t.read_ms, t.search_ms, t.write_ms, report.isa.c_str(), report.threads, report.threads == 1 ? "" : "s");
}

}  // namespace

void Tell(const EverythingSettings& settings, const EverythingReport& report) {
  if (settings.flags.json) {
    TellJson(settings, report);
  } else {
    TellWords(settings, report);
  }
}

}  // namespace intsam::internal
