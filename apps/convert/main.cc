// intsam-convert: a SAM checkpoint and calibration photos to an .isam model.
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/common/calibration_photos.h"
#include "apps/common/options.h"
#include "apps/common/output.h"
#include "apps/common/output_files.h"
#include "apps/common/progress.h"
#include "apps/common/tool.h"
#include "converter/convert.h"
#include "converter/import/ptq4sam.h"

namespace intsam::internal {
namespace {

constexpr ToolHelp kHelp = {
    "intsam-convert", "Converts a SAM checkpoint (.pth, .safetensors) into an integer model (.isam).", "CHECKPOINT",
    "intsam-convert sam_vit_b_01ec64.pth --calib photos -o vit_b.isam\n"
    "intsam-convert sam_vit_b_01ec64.pth --calib photos --bits w6a6 -o vit_b_6.isam\n"
    "intsam-convert --synthetic micro -o random.isam"};

cxxopts::Options MakeOptions() {
  const auto text = [] { return cxxopts::value<std::string>(); };
  const auto list = [] { return cxxopts::value<std::vector<std::string>>(); };
  cxxopts::Options options(kHelp.tool);
  auto add = options.add_options();
  add("checkpoint", "checkpoint file", text());
  add("o,output", "model to write; - for standard output", text(), "FILE");
  add("calib", "folder of calibration photos", text(), "DIR");
  add("calib-limit", "use at most this many photos, in order of their names", text()->default_value("32"), "N");
  add("config", "JSON configuration beside the checkpoint's shapes; without, CHECKPOINT with .json if that is there",
      text(), "FILE");
  add("bits", std::string("bit widths: ") + BitProfileHelp(), text()->default_value("w8a8"), "WIDTHS");
  add("method", "intsam, ptq4sam (as the paper without reconstruction), percentile or minmax",
      text()->default_value("intsam"), "NAME");
  add("softmax", "coding of the probabilities: auto (by measured error), exact, uniform, agq; without, the method's",
      text(), "CODING");
  add("enable", "features to add to the method: " + FeatureNames(), list(), "A,B");
  add("ablate", "features to take away from the method", list(), "A,B");
  add("from-ptq4sam", "instead of a checkpoint: a model calibrated by PTQ4SAM (converter/import/export_ptq4sam.py)",
      text(), "FILE");
  add("synthetic", "instead of a checkpoint: random weights of this size (vit_b, vit_l, vit_h, tiny, micro)", text(),
      "SIZE");
  add("seed", "seed of --synthetic", text()->default_value("1"), "N");
  options.parse_positional({"checkpoint"});
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
    INTSAM_ASSIGN(source.model, LoadFloatModel(parsed["checkpoint"].as<std::string>(), TextOption(parsed, "config")));
  }
  return source;
}

Status CheckArguments(const cxxopts::ParseResult& parsed) {
  if (parsed.count("checkpoint") + parsed.count("synthetic") + parsed.count("from-ptq4sam") != 1) {
    return UsageError(kHelp, "one of CHECKPOINT, --from-ptq4sam FILE and --synthetic SIZE is needed");
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
                                           TextOption(parsed, "softmax")));
  return options;
}

void Note(const CommonFlags& flags, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) Say(flags, "%s: note: %s", kHelp.tool, line.c_str());
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
    Out(DumpJson(json));
  } else {
    Say(flags, "%s: %.1f MiB, calibrated in %.1f s, quantized in %.2f s, written and verified in %.2f s",
        output.c_str(), static_cast<double>(report.file_bytes) / (1 << 20), seconds(report.calibrate_ns),
        seconds(report.quantize_ns), seconds(report.write_ns));
  }
}

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  INTSAM_TRY(CheckArguments(parsed));
  INTSAM_ASSIGN(ConvertOptions convert, ReadConvertOptions(parsed));
  const std::string output = parsed["output"].as<std::string>();
  INTSAM_TRY(CheckOutputs(flags, {{"CHECKPOINT", TextOption(parsed, "checkpoint")}}, {{"--output", output}}));
  INTSAM_ASSIGN(Source source, LoadSource(parsed));
  FloatModel& model = source.model;
  Note(flags, source.warnings);
  std::vector<CalibrationImage> images;
  if (parsed.count("calib") != 0) {
    INTSAM_ASSIGN(const int64_t limit,
                  ParseInteger("--calib-limit", parsed["calib-limit"].as<std::string>(), 1, 100000));
    INTSAM_ASSIGN(images, ReadCalibrationPhotos("--calib", parsed["calib"].as<std::string>(), model.config.image_size,
                                                static_cast<size_t>(limit)));
  } else {
    images.push_back(SyntheticImage(model.config, 1));
  }

  convert.threads = flags.threads;
  std::unique_ptr<Progress> bar;
  std::string stage;
  convert.progress = [&](const char* name, int done, int total) {
    if (name != stage || bar == nullptr) {
      bar.reset();  // erases its line
      bar = std::make_unique<Progress>(stage = name, flags.progress);
    }
    bar->Update(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
  };
  INTSAM_ASSIGN(const ConvertReport report, ConvertModel(model, images, convert, std::move(source.plan), output));
  bar.reset();
  Note(flags, report.notes);
  Print(flags, output, report);
  return Status();
}

Status Run(int argc, char** argv) { return RunWithOptions(kHelp, MakeOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) {
  return intsam::internal::RunTool("intsam-convert", argc, argv, intsam::internal::Run);
}
