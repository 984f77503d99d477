// Scores, coordinates and times are made of integers: numbers of few decimals, without the noise of a division.
#include "apps/segment/report.h"

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/common/output.h"
#include "apps/common/score.h"
#include "intsam/intsam.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

double Milliseconds(double ms) { return std::round(ms * 10) / 10; }

double Pixels(int32_t coordinate) { return static_cast<double>(coordinate) / kPixel; }

Json PromptJson(const ObjectPrompt& prompt) {
  Json json = Json::object();
  if (!prompt.points.empty()) {
    json["points"] = Json::array();
    for (const intsam_point& p : prompt.points) json["points"].push_back({Pixels(p.x), Pixels(p.y), p.label});
  }
  if (prompt.box) {
    json["box"] = {Pixels(prompt.box->x0), Pixels(prompt.box->y0), Pixels(prompt.box->x1), Pixels(prompt.box->y1)};
  }
  if (!prompt.mask_path.empty()) json["mask_input"] = prompt.mask_path;
  return json;
}

Json AnswerJson(size_t index, const Object& object, const Answer& answer) {
  Json json = Json::object();
  json["index"] = index;
  json["prompt"] = PromptJson(object.prompt);
  json["mask"] = answer.mask;
  json["predicted_iou"] = ScoreNumber(answer.ious_q15[static_cast<size_t>(answer.mask)]);
  json["alternatives"] = Json::array();
  for (size_t i = 0; i < answer.ious_q15.size(); ++i) {
    json["alternatives"].push_back({{"mask", i}, {"predicted_iou", ScoreNumber(answer.ious_q15[i])}});
  }
  const MaskExtent& extent = answer.extent;
  json["bbox"] = {extent.x, extent.y, extent.width, extent.height};
  json["area"] = extent.area;
  if (!answer.file.empty()) json["file"] = answer.file;
  if (!answer.logits_file.empty()) json["logits"] = answer.logits_file;
  return json;
}

void TellJson(const SegmentSettings& settings, const SegmentReport& report) {
  Json json = Json::object();
  json["intsam"] = intsam_version();
  json["model"] = settings.model;
  if (!settings.image.empty()) json["image"] = settings.image;
  if (!settings.embedding.empty()) json["embedding"] = settings.embedding;
  json["size"] = {report.photo.width, report.photo.height};
  json["isa"] = report.isa;
  json["threads"] = report.threads;
  const Times& t = report.times;
  json["times_ms"] = {{"open", Milliseconds(t.open_ms)},
                      {"read", Milliseconds(t.read_ms)},
                      {"encode", Milliseconds(t.encode_ms)},
                      {"decode", Milliseconds(t.decode_ms)},
                      {"write", Milliseconds(t.write_ms)}};
  json["objects"] = Json::array();
  for (size_t i = 0; i < report.answers.size(); ++i) {
    json["objects"].push_back(AnswerJson(i, report.objects[i], report.answers[i]));
  }
  for (const auto& [what, file] : report.pictures) json[what] = file;
  if (!settings.save_embedding.empty()) json["saved_embedding"] = settings.save_embedding;
  Out(DumpJson(json));
}

std::string Tenths(double ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", ms);
  return text;
}

// " -> m.png", or nothing.
std::string Arrow(const std::string& file) { return file.empty() ? "" : " -> " + file; }

void TellWords(const SegmentSettings& settings, const SegmentReport& report) {
  for (size_t i = 0; i < report.answers.size(); ++i) {
    const Answer& answer = report.answers[i];
    const std::string object = report.answers.size() == 1 ? "" : "object " + std::to_string(i) + ": ";
    Say(settings.flags, "%smask %d, predicted IoU %s, %" PRIu64 " pixels%s%s", object.c_str(), answer.mask,
        ScoreText(answer.ious_q15[static_cast<size_t>(answer.mask)], 3).c_str(), answer.extent.area,
        Arrow(answer.file).c_str(), Arrow(answer.logits_file).c_str());
  }
  for (const auto& [what, file] : report.pictures) {
    const char* name = what == "label_map" ? "label map" : what == "cutout" ? "cut-out" : "overlay";
    Say(settings.flags, "%s%s", name, Arrow(file).c_str());
  }
  if (!settings.save_embedding.empty()) Say(settings.flags, "embedding%s", Arrow(settings.save_embedding).c_str());
  const Times& t = report.times;
  std::string work;
  if (settings.embedding.empty()) work = ", image encoder " + Tenths(t.encode_ms) + " ms";
  if (!report.answers.empty()) {
    work += ", mask decoder " + Tenths(t.decode_ms) + " ms for " + std::to_string(report.answers.size()) +
            (report.answers.size() == 1 ? " object" : " objects");
  }
  Say(settings.flags, "open %s ms, read %s ms%s, write %s ms (%s, %d thread%s)", Tenths(t.open_ms).c_str(),
      Tenths(t.read_ms).c_str(), work.c_str(), Tenths(t.write_ms).c_str(), report.isa.c_str(), report.threads,
      report.threads == 1 ? "" : "s");
}

}  // namespace

void Tell(const SegmentSettings& settings, const SegmentReport& report) {
  if (settings.flags.json) {
    TellJson(settings, report);
  } else {
    TellWords(settings, report);
  }
}

}  // namespace intsam::internal
