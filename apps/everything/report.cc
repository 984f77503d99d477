#include "apps/everything/report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/common/output.h"
#include "apps/common/prompt_text.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

double Milliseconds(double ms) { return std::round(ms * 10) / 10; }

double Pixels(int32_t coordinate) { return static_cast<double>(coordinate) / kPixel; }

Json RectJson(const PixelRect& rect) { return {rect.x, rect.y, rect.width, rect.height}; }

Json MaskJson(size_t id, const FoundRecord& record) {
  Json json;
  json["id"] = id;
  json["area"] = record.area;
  json["bbox"] = RectJson(record.box);
  json["predicted_iou"] = std::stod(PredictedIouText(record));
  json["point_coords"] = Json::array();
  json["point_coords"].push_back({Pixels(record.point_x), Pixels(record.point_y)});
  json["stability_score"] = std::stod(StabilityText(record));
  json["crop_box"] = RectJson(record.crop);
  return json;
}

void TellJson(const EverythingSettings& settings, const EverythingReport& report) {
  Json json;
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
  for (size_t i = 0; i < report.masks.size(); ++i) json["masks"].push_back(MaskJson(i, report.masks[i]));
  if (!settings.output.empty()) json["output"] = settings.output;
  if (!settings.overlay.empty()) json["overlay"] = settings.overlay;
  if (!settings.label_map.empty()) json["label_map"] = settings.label_map;
  Out(DumpJson(json));
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
