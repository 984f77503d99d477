// The accuracy table of docs/accuracy.md: every profile with every method, all against one run of the float reference.
//   accuracy CHECKPOINT CALIBRATION_PHOTOS PHOTOS_WITH_LABELS [--bits A,B,...] [--features] [--bimodal] [--only TEXT]
//            [--calib-limit N] [--limit N] [--max-mib A,B,...] [--output FILE]
// --bimodal: the same function with bimodal keys (docs/accuracy.md). --features: instead of the methods, plain
// calibration with one feature of intsam's method at a time, and that method without one at a time. --max-mib: also
// intsam's method under each of these sizes, with the first of --bits.
#include <cstdio>
#include <cxxopts.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/common/calibration_photos.h"
#include "apps/common/everything_options.h"
#include "apps/common/options.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/photos.h"
#include "apps/common/tool.h"
#include "converter/convert.h"
#include "converter/quantize/big.h"
#include "converter/quantize/calibrated_plan.h"
#include "converter/verify/evaluate.h"
#include "tests/bench/opened_model.h"
#include "tests/converter/bimodal.h"

namespace intsam::internal {
namespace {

constexpr ToolHelp kHelp = {"accuracy", "measures every profile and method.",
                            "CHECKPOINT CALIBRATION_PHOTOS PHOTOS_WITH_LABELS",
                            "accuracy models/sam_tiny.safetensors DATA/calib DATA/val --bits w8a8"};

struct Row {
  std::string bits, name;
  QuantizeMethod method;
  uint64_t most_bytes = 0;
};

struct Candidate {
  Row row;
  QuantizeReport report;
  testing::OpenedModel opened;
};

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    parts.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return parts;
}

QuantizeMethod Method(const char* preset, const std::vector<std::string>& enable,
                      const std::vector<std::string>& ablate = {}) {
  return MakeMethod(preset, enable, ablate, "").value();
}

std::vector<Row> MethodRows(const std::string& bits) {
  return {{bits, "min-max", Method("minmax", {})},    {bits, "+ BIG", Method("minmax", {"big"})},
          {bits, "+ AGQ", Method("minmax", {"agq"})}, {bits, "+ BIG + AGQ", Method("minmax", {"big", "agq"})},
          {bits, "PTQ4SAM-S", Method("ptq4sam", {})}, {bits, "intsam", Method("intsam", {})}};
}

// intsam's method under a size, in MiB.
Result<Row> SizeRow(const std::string& bits, const std::string& mib) {
  INTSAM_ASSIGN(const int32_t most, ParseDecimal("--max-mib", mib, 10, Rounding::kDown));
  return Row{bits, "at most " + mib + " MiB", Method("intsam", {}), static_cast<uint64_t>(most) << 10};
}

std::vector<Row> FeatureRows(const std::string& bits) {
  std::vector<Row> rows = {{bits, "min-max, exact softmax", MakeMethod("minmax", {}, {}, "exact").value()}};
  const char* const features[] = {"mse-observer",  "migration",    "error-feedback", "bias-correction",
                                  "weight-search", "key-centring", "value-centring", "channel-scaling"};
  for (const char* feature : features) {
    QuantizeMethod method = MakeMethod("minmax", {feature}, {}, "exact").value();
    if (std::string_view(feature) == "error-feedback") method.weight_search = true;
    rows.push_back({bits, std::string("min-max + ") + feature, method});
  }
  rows.push_back({bits, "intsam", Method("intsam", {})});
  for (const char* feature : features) {
    const bool off = std::string_view(feature) == "bias-correction";
    rows.push_back({bits, std::string(off ? "intsam + " : "intsam - ") + feature,
                    off ? Method("intsam", {feature}) : Method("intsam", {}, {feature})});
  }
  return rows;
}

nlohmann::ordered_json RowJson(const Candidate& c, const Evaluation& e) {
  size_t exact = 0, uniform = 0, agq = 0, folded = 0;
  double uniform_error = 0, agq_error = 0, token_to_image_error = 0, token_to_image_step = 0, token_to_image_sites = 0;
  for (const auto& [name, r] : c.report.attentions) {
    exact += r.softmax.coding.kind == SoftmaxCoding::kExact,
        uniform += r.softmax.coding.kind == SoftmaxCoding::kUniform;
    agq += r.softmax.coding.kind == SoftmaxCoding::kAgq, folded += r.flipped_channels != 0;
    const auto n = static_cast<double>(c.report.attentions.size());
    uniform_error += r.softmax.uniform_error / n, agq_error += r.softmax.agq_error / n;
    if (name.find("token_to_image") == std::string::npos) continue;
    token_to_image_error += r.score_error, token_to_image_step += r.key_step, ++token_to_image_sites;
  }
  return {{"bits", c.row.bits},
          {"method", c.row.name},
          {"point", e.point.mean.iou_int},
          {"oracle", e.point.mean.oracle_int},
          {"box", e.box.mean.iou_int},
          {"agreement_point", e.point.mean.agreement},
          {"agreement_box", e.box.mean.agreement},
          {"embedding_error", e.embedding_error},
          {"logit_error", e.logit_error},
          {"model_bytes", c.opened.bytes.size()},
          {"softmax_exact", exact},
          {"softmax_uniform", uniform},
          {"softmax_agq", agq},
          {"av_error_uniform", uniform_error},
          {"av_error_agq", agq_error},
          {"big_folded", folded},
          {"token_to_image_key_step", token_to_image_step / token_to_image_sites},
          {"token_to_image_error_qk", token_to_image_error / token_to_image_sites}};
}

void Print(const std::vector<Candidate>& candidates, const Evaluator& evaluator, const std::string& json_path) {
  const Evaluation& first = evaluator.result(0);
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  json["photos"] = first.images;
  json["regions"] = first.point.prompts;
  json["fp32"] = {
      {"point", first.point.mean.iou_fp32}, {"oracle", first.point.mean.oracle_fp32}, {"box", first.box.mean.iou_fp32}};
  std::printf("%d photos, %d regions; mIoU with human masks, agreement with FP32 masks\n\n", first.images,
              first.point.prompts);
  std::printf(
      "| bits | method | point | best of 3 | box | agreement point / box | embedding error | softmax E16/U8/AGQ "
      "| A.V error uniform / AGQ | KiB |\n");
  std::printf("|---|---|---|---|---|---|---|---|---|---|\n| FP32 | | %.4f | %.4f | %.4f | | | | | |\n",
              first.point.mean.iou_fp32, first.point.mean.oracle_fp32, first.box.mean.iou_fp32);
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Evaluation& e = evaluator.result(i);
    const nlohmann::ordered_json row = RowJson(candidates[i], e);
    std::printf("| %s | %s | %.4f | %.4f | %.4f | %.3f / %.3f | %.4f | %d/%d/%d | %.4f / %.4f | %zu |\n",
                candidates[i].row.bits.c_str(), candidates[i].row.name.c_str(), e.point.mean.iou_int,
                e.point.mean.oracle_int, e.box.mean.iou_int, e.point.mean.agreement, e.box.mean.agreement,
                e.embedding_error, row["softmax_exact"].get<int>(), row["softmax_uniform"].get<int>(),
                row["softmax_agq"].get<int>(), row["av_error_uniform"].get<double>(), row["av_error_agq"].get<double>(),
                candidates[i].opened.bytes.size() >> 10);
    json["rows"].push_back(row);
  }
  std::printf(
      "\nWhere BIG looks, in the attentions from tokens to the image: how many were folded, the mean step between two\n"
      "codes of the keys, and the error of probabilities times values when only queries and keys are coded.\n\n"
      "| bits | method | folded | key step | error |\n|---|---|---|---|---|\n");
  for (const auto& row : json["rows"]) {
    std::printf("| %s | %s | %d | %.4f | %.4f |\n", row["bits"].get<std::string>().c_str(),
                row["method"].get<std::string>().c_str(), row["big_folded"].get<int>(),
                row["token_to_image_key_step"].get<double>(), row["token_to_image_error_qk"].get<double>());
  }
  if (!json_path.empty()) std::ofstream(json_path) << json.dump(2) << "\n";
}

// Methods that change nothing in the float model share one calibration of it.
class Converter {
 public:
  Converter(const FloatModel& model, const std::vector<CalibrationImage>& images) : model_(model), images_(images) {}

  Result<ConvertedModel> Run(const Row& row) {
    ConvertOptions options;
    INTSAM_ASSIGN(options.bits, ParseBitProfile(row.bits));
    options.method = row.method;
    options.most_bytes = row.most_bytes;
    const QuantizeMethod& m = row.method;
    if (m.key_centring || m.value_centring || m.channel_scaling || m.migration || m.error_feedback) {
      FloatModel copy = model_;
      return Convert(copy, images_, options, {});
    }
    INTSAM_TRY(Prepare(m.big));
    Shared& shared = shared_[m.big];
    ConvertedModel converted;
    converted.report = shared.report;
    QuantizationPlan plan;
    INTSAM_TRY(CompletePlan(shared.model, shared.seen, options.bits, options.method, 0, {}, plan, converted.report));
    INTSAM_ASSIGN(converted.quantized, QuantizeModel(shared.model, shared.seen.statistics, plan));
    converted.provenance = "{}";
    return converted;
  }

 private:
  struct Shared {
    FloatModel model;
    Observations seen;
    QuantizeReport report;
    bool ready = false;
  };
  // The model as it is, or with the signs of bimodal keys folded.
  Status Prepare(bool big) {
    Shared& shared = shared_[big];
    if (shared.ready) return Status();
    shared.model = model_;
    if (big) {
      INTSAM_TRY(Prepare(false));
      shared.report = shared_[0].report;
      bool folded = false;
      for (const AttentionSite& site : QuantizedAttentions(model_.config)) {
        AttentionReport& r = shared.report.attentions[site.name];
        if (!site.token_to_image || r.key_peaks != 2) continue;
        const std::vector<float> signs = KeySigns(shared_[0].seen.statistics.at(site.name + ".k"));
        FoldSigns(shared.model, site, signs);
        r.flipped_channels = static_cast<size_t>(std::count(signs.begin(), signs.end(), -1.0f));
        folded = true;
      }
      if (!folded) shared.seen = shared_[0].seen;
      shared.ready = !folded;
    }
    if (!shared.ready) {
      FloatSam sam(shared.model, 0);
      shared.seen = Calibrate(sam, shared.model.config, images_, {}, {}, {});
      if (!big) ReportKeys(shared.model.config, shared.seen, false, shared.report);
      shared.ready = true;
    }
    return Status();
  }

  const FloatModel& model_;
  const std::vector<CalibrationImage>& images_;
  Shared shared_[2];
};

cxxopts::Options MakeOptions() {
  cxxopts::Options options(kHelp.tool);
  options.add_options()("checkpoint", "", cxxopts::value<std::string>())("calib", "", cxxopts::value<std::string>())(
      "photos", "", cxxopts::value<std::string>())("calib-limit", "photos to calibrate on",
                                                   cxxopts::value<std::string>()->default_value("32"))(
      "limit", "photos to measure on", cxxopts::value<std::string>()->default_value("100000"))(
      "bimodal", "make the keys of the token-to-image attentions bimodal first")("features", "ablate single features")(
      "bits", "profiles", cxxopts::value<std::string>()->default_value("w8a8,w7a8,w6a8,w6a6,w4a8,w4a4"))(
      "only", "only the methods whose names contain this", cxxopts::value<std::string>()->default_value(""))(
      "max-mib", "of these sizes, the first of --bits under each", cxxopts::value<std::string>()->default_value(""))(
      "output", "also write the figures as JSON", cxxopts::value<std::string>()->default_value(""));
  options.parse_positional({"checkpoint", "calib", "photos"});
  AddCommonOptions(options);
  return options;
}

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags&) {
  for (const char* needed : {"checkpoint", "calib", "photos"}) {
    if (parsed.count(needed) == 0) return Error(Code::kUsage, "three arguments are needed");
  }
  INTSAM_ASSIGN(const int64_t calib_limit,
                ParseInteger("--calib-limit", parsed["calib-limit"].as<std::string>(), 1, 100000));
  INTSAM_ASSIGN(const int64_t limit, ParseInteger("--limit", parsed["limit"].as<std::string>(), 1, 100000));
  INTSAM_ASSIGN(FloatModel model, LoadFloatModel(parsed["checkpoint"].as<std::string>(), ""));
  INTSAM_ASSIGN(PhotoFolder calibration_folder,
                PhotoFolder::Open("CALIBRATION_PHOTOS", parsed["calib"].as<std::string>(),
                                  {.limit = static_cast<size_t>(calib_limit), .strict = true}));
  INTSAM_ASSIGN(
      const CalibrationPhotos calibration,
      ReadCalibrationPhotos("CALIBRATION_PHOTOS", std::move(calibration_folder), model.config.image_size, {}));
  const std::vector<CalibrationImage>& images = calibration.images;
  if (parsed.count("bimodal") != 0) {
    FloatSam sam(model, 0);
    const Observations seen = Calibrate(sam, model.config, {images.data(), 1}, {}, {}, {});
    MakeBimodal(model, seen.statistics, 1);
  }
  Converter converter(model, images);
  std::vector<Candidate> candidates;
  std::vector<std::string> sizes;
  if (!parsed["max-mib"].as<std::string>().empty()) sizes = Split(parsed["max-mib"].as<std::string>());
  for (const std::string& bits : Split(parsed["bits"].as<std::string>())) {
    std::vector<Row> wanted = parsed.count("features") != 0 ? FeatureRows(bits) : MethodRows(bits);
    std::erase_if(wanted,
                  [&](const Row& row) { return row.name.find(parsed["only"].as<std::string>()) == std::string::npos; });
    for (const std::string& mib : candidates.empty() ? sizes : std::vector<std::string>()) {
      INTSAM_ASSIGN(Row row, SizeRow(bits, mib));
      wanted.push_back(std::move(row));
    }
    for (Row& row : wanted) {
      std::fprintf(stderr, "converting %s, %s\n", row.bits.c_str(), row.name.c_str());
      Candidate candidate;
      candidate.row = row;
      INTSAM_ASSIGN(ConvertedModel converted, converter.Run(row));
      candidate.report = std::move(converted.report);
      INTSAM_TRY(candidate.opened.Open(converted.quantized->model, converted.provenance));
      candidates.push_back(std::move(candidate));
    }
  }
  if (candidates.empty()) return Error(Code::kUsage, "--only: no method's name contains it");
  std::vector<Contestant> contestants;
  for (const Candidate& c : candidates) contestants.push_back({c.opened.session.get(), c.opened.model.get()});
  FloatSam reference(model, 0);
  Evaluator evaluator(reference, contestants);
  const std::string labelled = parsed["photos"].as<std::string>();
  INTSAM_ASSIGN(const std::vector<std::string> photos,
                ListPhotos("PHOTOS_WITH_LABELS", labelled, static_cast<size_t>(limit)));
  for (const std::string& path : photos) {
    std::fprintf(stderr, "measuring on %s\n", path.c_str());
    INTSAM_ASSIGN(const Image photo, ReadImage(path));
    INTSAM_ASSIGN(const LabelMap map, ReadLabels(LabelPath(labelled, path)));
    if (map.size != photo.size) return Error(Code::kDamaged, "%s: labels of another size", path.c_str());
    INTSAM_TRY(evaluator.Add(photo.rgb.data(), photo.size, &map.labels));
  }
  Print(candidates, evaluator, parsed["output"].as<std::string>());
  return Status();
}

Status Run(int argc, char** argv) { return RunWithOptions(kHelp, MakeOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) { return intsam::internal::RunTool("accuracy", argc, argv, intsam::internal::Run); }
