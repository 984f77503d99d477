#include "apps/batch/report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/common/output.h"
#include "intsam/intsam.h"

namespace intsam::internal {
namespace {

double Rounded(double value, double scale) { return std::round(value * scale) / scale; }

double PhotosPerSecond(const BatchReport& report) {
  const double done = static_cast<double>(report.totals.photos - report.resumed);
  return report.seconds > 0 ? done / report.seconds : 0;
}

void TellJson(const BatchSettings& settings, const BatchReport& report) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  json["intsam"] = intsam_version();
  json["model"] = settings.model;
  json["out"] = settings.out;
  json["manifest"] = report.manifest;
  if (!report.results.empty()) json["results"] = report.results;
  json["photos"] = report.photos;
  json["resumed"] = report.resumed;
  json["failed"] = report.totals.failed;
  json["masks"] = report.totals.masks;
  json["left_out"] = report.totals.left_out;
  json["isa"] = report.isa;
  json["jobs"] = report.workers;
  json["threads"] = settings.threads;
  json["seconds"] = Rounded(report.seconds, 1000);
  json["photos_per_second"] = Rounded(PhotosPerSecond(report), 1000);
  Out(DumpJson(json));
}

std::string Plural(size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

void Tell(const BatchSettings& settings, const BatchReport& report) {
  if (settings.flags.json) return TellJson(settings, report);
  const std::string where = report.results.empty() ? settings.out : report.results;
  const std::string earlier = report.resumed > 0 ? ", " + std::to_string(report.resumed) + " of them before" : "";
  Say(settings.flags, "%s%s, %s -> %s", Plural(report.photos, "photo").c_str(), earlier.c_str(),
      Plural(report.totals.masks, "mask").c_str(), where.c_str());
  if (report.totals.left_out > 0)
    Say(settings.flags, "%s outside of their photo or without an inside left out",
        Plural(report.totals.left_out, "box").c_str());
  if (report.workers > 0) {
    Say(settings.flags, "%.1f s, %.2f photos per second (%s, %s of %s)", report.seconds, PhotosPerSecond(report),
        report.isa.c_str(), Plural(static_cast<size_t>(report.workers), "job").c_str(),
        Plural(static_cast<size_t>(settings.threads), "thread").c_str());
  }
}

}  // namespace intsam::internal
