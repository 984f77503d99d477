// intsam-convert: a SAM checkpoint and calibration photos to an .isam model.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/common/calibration_photos.h"
#include "apps/common/file_bytes.h"
#include "apps/common/options.h"
#include "apps/common/photo_options.h"
#include "apps/common/progress.h"
#include "apps/common/tool.h"
#include "converter/convert.h"
#include "converter/import/ptq4sam.h"

namespace intsam::internal {
namespace {

constexpr const char* kTool = "intsam-convert";

cxxopts::Options MakeOptions() {
  cxxopts::Options options(kTool, "Converts a SAM checkpoint (.safetensors, .pth) into an integer model (.isam).\n");
  options.positional_help("CHECKPOINT");
  options.add_options()("checkpoint", "checkpoint file", cxxopts::value<std::string>())(
      "o,output", "model file to write", cxxopts::value<std::string>())(
      "calib", "folder of calibration photos (" + PhotoHelp() + ")", cxxopts::value<std::string>())(
      "calib-limit", "use at most this many photos, in order of their names",
      cxxopts::value<std::string>()->default_value("32"))(
      "config", "JSON configuration beside the checkpoint's shapes (default: CHECKPOINT with .json, if there)",
      cxxopts::value<std::string>()->default_value(""))("bits", std::string("bit widths: ") + BitProfileHelp(),
                                                        cxxopts::value<std::string>()->default_value("w8a8"))(
      "method", "intsam, ptq4sam (as the paper without reconstruction), percentile or minmax",
      cxxopts::value<std::string>()->default_value("intsam"))(
      "softmax", "coding of the probabilities: auto (by measured error), exact, uniform, agq; default: the method's",
      cxxopts::value<std::string>()->default_value(""))("enable", "features to add to the method: " + FeatureNames(),
                                                        cxxopts::value<std::vector<std::string>>())(
      "ablate", "features to take away from the method", cxxopts::value<std::vector<std::string>>())(
      "from-ptq4sam", "instead of a checkpoint: a model calibrated by PTQ4SAM (converter/import/export_ptq4sam.py)",
      cxxopts::value<std::string>())(
      "synthetic", "instead of a checkpoint: random weights of this size (vit_b, vit_l, vit_h, tiny, micro)",
      cxxopts::value<std::string>())("seed", "seed of --synthetic", cxxopts::value<std::string>()->default_value("1"));
  options.parse_positional({"checkpoint"});
  AddFolderOptions(options);
  AddCommonOptions(options);
  return options;
}

// A float model, and for imported ones what is decided already.
struct Source {
  FloatModel model;
  QuantizationPlan plan;
  std::vector<std::string> warnings;
};

Result<Source> LoadSource(const cxxopts::ParseResult& parsed) {
  Source source;
  if (parsed.count("synthetic") != 0) {
    INTSAM_ASSIGN(const SamConfig config, PresetConfig(parsed["synthetic"].as<std::string>().c_str()));
    INTSAM_ASSIGN(const int64_t seed, ParseInteger("--seed", parsed["seed"].as<std::string>(), 0, INT64_MAX));
    source.model = SyntheticModel(config, static_cast<uint64_t>(seed));
  } else if (parsed.count("from-ptq4sam") != 0) {
    INTSAM_ASSIGN(ImportedModel imported, ImportPtq4Sam(parsed["from-ptq4sam"].as<std::string>()));
    source = {std::move(imported.model), std::move(imported.plan), std::move(imported.warnings)};
  } else {
    INTSAM_ASSIGN(source.model,
                  LoadFloatModel(parsed["checkpoint"].as<std::string>(), parsed["config"].as<std::string>()));
  }
  return source;
}

Status CheckArguments(const cxxopts::ParseResult& parsed) {
  if (parsed.count("checkpoint") + parsed.count("synthetic") + parsed.count("from-ptq4sam") != 1) {
    return Error(Code::kUsage, "give one of CHECKPOINT, --from-ptq4sam FILE and --synthetic SIZE");
  }
  if (parsed.count("output") == 0) return Error(Code::kUsage, "--output: which file to write is missing");
  if (parsed.count("calib") == 0 && parsed.count("synthetic") == 0) {
    return Error(Code::kUsage, "--calib: a folder of calibration photos is missing");
  }
  return Status();
}

// What decides about numbers: checked before anything is read.
Result<ConvertOptions> ReadConvertOptions(const cxxopts::ParseResult& parsed) {
  const auto list = [&](const char* name) {
    return parsed.count(name) != 0 ? parsed[name].as<std::vector<std::string>>() : std::vector<std::string>();
  };
  ConvertOptions options;
  INTSAM_ASSIGN(options.bits, ParseBitProfile(parsed["bits"].as<std::string>()));
  INTSAM_ASSIGN(options.method, MakeMethod(parsed["method"].as<std::string>(), list("enable"), list("ablate"),
                                           parsed["softmax"].as<std::string>()));
  return options;
}

void Warn(const char* tool, const CommonFlags& flags, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    if (!flags.quiet) std::fprintf(stderr, "%s: note: %s\n", tool, EscapeControls(line).c_str());
  }
}

void Print(const CommonFlags& flags, const std::string& output, const ConvertReport& report) {
  const auto seconds = [](int64_t ns) { return static_cast<double>(ns) * 1e-9; };
  if (flags.json) {
    nlohmann::ordered_json json;
    json["model"] = output;
    json["model_bytes"] = report.file_bytes;
    json["calibrate_s"] = seconds(report.calibrate_ns);
    json["quantize_s"] = seconds(report.quantize_ns);
    json["write_s"] = seconds(report.write_ns);
    json["provenance"] = nlohmann::ordered_json::parse(report.provenance);
    std::printf("%s\n", json.dump(2).c_str());
  } else if (!flags.quiet) {
    std::printf("%s: %.1f MiB, calibrated in %.1f s, quantized in %.2f s, written and verified in %.2f s\n",
                output.c_str(), static_cast<double>(report.file_bytes) / (1 << 20), seconds(report.calibrate_ns),
                seconds(report.quantize_ns), seconds(report.write_ns));
  }
}

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  INTSAM_TRY(CheckArguments(parsed));
  INTSAM_ASSIGN(ConvertOptions convert, ReadConvertOptions(parsed));
  const std::string output = parsed["output"].as<std::string>();
  INTSAM_TRY(CheckWritable(output));
  INTSAM_ASSIGN(Source source, LoadSource(parsed));
  FloatModel& model = source.model;
  Warn(kTool, flags, source.warnings);
  std::vector<CalibrationImage> images;
  if (parsed.count("calib") != 0) {
    INTSAM_ASSIGN(const int64_t limit,
                  ParseInteger("--calib-limit", parsed["calib-limit"].as<std::string>(), 1, 100000));
    INTSAM_ASSIGN(CalibrationPhotos photos,
                  ReadCalibrationPhotos("--calib", parsed["calib"].as<std::string>(), model.config.image_size,
                                        FolderOptionsOf(parsed, static_cast<size_t>(limit))));
    Warn(kTool, flags, photos.notes);
    images = std::move(photos.images);
  } else {
    images.push_back(SyntheticImage(model.config, 1));
  }

  convert.threads = flags.threads;
  std::unique_ptr<Progress> bar;
  std::string stage;
  convert.progress = [&](const char* name, int done, int total) {
    if (name != stage || bar == nullptr) {
      bar.reset();  // erases its line
      bar = std::make_unique<Progress>(stage = name, static_cast<uint64_t>(total), flags.progress && !flags.quiet);
    }
    bar->Update(static_cast<uint64_t>(done));
  };
  INTSAM_ASSIGN(const ConvertReport report, ConvertModel(model, images, convert, std::move(source.plan), output));
  bar.reset();
  Warn(kTool, flags, report.notes);
  Print(flags, output, report);
  return Status();
}

Status Run(int argc, char** argv) { return RunWithOptions(kTool, MakeOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) { return intsam::internal::RunTool("intsam-convert", argc, argv, intsam::internal::Run); }
