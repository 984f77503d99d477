// intsam-convert: a SAM checkpoint and calibration photos to an .isam model.
#include <chrono>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/common/calibration_photos.h"
#include "apps/common/coco.h"
#include "apps/common/everything_options.h"
#include "apps/common/options.h"
#include "apps/common/output.h"
#include "apps/common/output_files.h"
#include "apps/common/photo_options.h"
#include "apps/common/progress.h"
#include "apps/common/tool.h"
#include "converter/convert.h"
#include "converter/import/ptq4sam.h"
#include "converter/pack/decoder_part.h"
#include "converter/pack/isam_writer.h"
#include "runtime/exec/select_kernels.h"
#include "runtime/exec/session.h"

namespace intsam::internal {
namespace {

constexpr ToolHelp kHelp = {
    "intsam-convert", "Converts a SAM checkpoint (.pth, .safetensors) into an integer model (.isam).", "CHECKPOINT",
    "intsam-convert sam_vit_b_01ec64.pth --calib photos -o vit_b.isam\n"
    "intsam-convert sam_vit_b_01ec64.pth --calib photos --bits w6a6 -o vit_b_6.isam\n"
    "intsam-convert vit_b.isam --part decoder -o vit_b_decoder.isam\n"
    "intsam-convert --synthetic micro -o random.isam"};

cxxopts::Options MakeOptions() {
  const auto text = [] { return cxxopts::value<std::string>(); };
  const auto list = [] { return cxxopts::value<std::vector<std::string>>(); };
  cxxopts::Options options(kHelp.tool);
  auto add = options.add_options();
  add("checkpoint", "checkpoint file; with --part decoder also a model (.isam)", text());
  add("o,output", "model to write; - for standard output", text(), "FILE");
  add("part", "all, or decoder: a small model that answers prompts on embeddings which the whole one has saved",
      text()->default_value("all"), "PART");
  add("calib", "folder of calibration photos: " + PhotoHelp(), text(), "DIR");
  add("calib-limit", "use at most this many photos, in order of their names, or of --calib-coco",
      text()->default_value("32"), "N");
  add("calib-coco", "instead of --calib: the first photos of COCO's annotations, in the folder --calib-images", text(),
      "FILE");
  add("calib-images", "folder of the photos of --calib-coco", text(), "DIR");
  add("config", "JSON configuration beside the checkpoint's shapes; without, CHECKPOINT with .json if that is there",
      text(), "FILE");
  add("bits", std::string("bit widths: ") + BitProfileHelp(), text()->default_value("w8a8"), "WIDTHS");
  add("max-mib",
      "most MiB of the file: layers get fewer bits of weights than --bits says, those that lose least by it first",
      text(), "N");
  add("max-ms",
      "most ms that the image encoder takes here on one thread: its steps get fewer bits than --bits says, those that "
      "lose least by it first",
      text(), "N");
  add("tier", "kernel tier that --max-ms is about; without, INTSAM_ISA or the best that this CPU has", text(), "NAME");
  add("method", "intsam, ptq4sam (as the paper without reconstruction), percentile or minmax",
      text()->default_value("intsam"), "NAME");
  add("softmax", "coding of the probabilities: auto (by measured error), exact, uniform, agq; without, the method's",
      text(), "CODING");
  add("enable", "features to add to the method: " + FeatureNames(), list(), "A,B");
  add("ablate", "features to take away from the method", list(), "A,B");
  add("from-ptq4sam",
      "instead of a checkpoint: a model calibrated by PTQ4SAM (converter/export_ptq4sam/export_ptq4sam.py)", text(),
      "FILE");
  add("synthetic", std::string("instead of a checkpoint: random weights of this size (") + kPresetNames + ")", text(),
      "SIZE");
  add("seed", "seed of --synthetic", text()->default_value("1"), "N");
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
    INTSAM_ASSIGN(source.model, LoadFloatModel(parsed["checkpoint"].as<std::string>(), TextOption(parsed, "config")));
  }
  return source;
}

bool DecoderAlone(const cxxopts::ParseResult& parsed) { return TextOption(parsed, "part") == "decoder"; }

// Whether the decoder is taken out of a model, and nothing is converted.
bool FromModel(const cxxopts::ParseResult& parsed) {
  return DecoderAlone(parsed) && parsed.count("checkpoint") != 0 &&
         std::filesystem::path(TextOption(parsed, "checkpoint")).extension() == ".isam";
}

Status CheckArguments(const cxxopts::ParseResult& parsed) {
  if (parsed.count("checkpoint") + parsed.count("synthetic") + parsed.count("from-ptq4sam") != 1) {
    return UsageError(kHelp, "one of CHECKPOINT, --from-ptq4sam FILE and --synthetic SIZE is needed");
  }
  if (parsed.count("output") == 0) return Error(Code::kUsage, "--output: which file to write is missing");
  if (const std::string part = TextOption(parsed, "part"); part != "all" && part != "decoder")
    return Error(Code::kUsage, "--part: '%s' is not all or decoder", part.c_str());
  if (FromModel(parsed)) {
    for (const char* option : {"config", "calib", "calib-coco", "calib-images", "calib-limit", "bits", "max-mib",
                               "max-ms", "tier", "method", "softmax", "enable", "ablate", "seed", "stretch", "strict"}) {
      if (parsed.count(option) != 0)
        return Error(Code::kUsage, "--%s: means nothing for a model, which is converted already", option);
    }
    return Status();
  }
  if (parsed.count("calib") + parsed.count("calib-coco") == 0 && parsed.count("synthetic") == 0) {
    return Error(Code::kUsage, "--calib: a folder of calibration photos is missing");
  }
  if (parsed.count("calib") != 0 && parsed.count("calib-coco") != 0)
    return Error(Code::kUsage, "--calib-coco: does not go with --calib");
  if (parsed.count("calib-coco") != parsed.count("calib-images"))
    return Error(Code::kUsage, "--calib-coco: the annotations, and --calib-images: their photos, go together");
  return Status();
}

// What the widths have to stay within.
Status ReadBudget(const cxxopts::ParseResult& parsed, ConvertOptions& options) {
  for (const char* option : {"max-mib", "max-ms"}) {
    if (parsed.count(option) != 0 && parsed.count("from-ptq4sam") != 0)
      return Error(Code::kUsage, "--%s: does not go with --from-ptq4sam, whose widths are decided", option);
  }
  if (parsed.count("max-mib") + parsed.count("max-ms") == 2)
    return Error(Code::kUsage, "--max-ms: does not go with --max-mib");
  if (parsed.count("tier") != 0 && parsed.count("max-ms") == 0)
    return Error(Code::kUsage, "--tier: means nothing without --max-ms");
  if (parsed.count("max-mib") != 0) {
    // In 1024ths of a MiB: exact, and finer than any choice of widths.
    INTSAM_ASSIGN(const int32_t most, ParseDecimal("--max-mib", TextOption(parsed, "max-mib"), 10, Rounding::kDown));
    if (most <= 0) return Error(Code::kUsage, "--max-mib: must be more than 0");
    options.most_bytes = static_cast<uint64_t>(most) << 10;
  }
  if (parsed.count("max-ms") != 0) {
    INTSAM_ASSIGN(const int32_t most, ParseDecimal("--max-ms", TextOption(parsed, "max-ms"), 10, Rounding::kDown));
    if (most <= 0) return Error(Code::kUsage, "--max-ms: must be more than 0");
    options.most_seconds = static_cast<double>(most) / 1024 / 1000;
    INTSAM_ASSIGN(const Kernels* kernels, SelectKernels(TextOption(parsed, "tier").c_str()));
    options.tier = kernels->name;
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
  INTSAM_TRY(ReadBudget(parsed, options));
  return options;
}

// The file that the weights come from; empty for synthetic ones.
std::string SourcePath(const cxxopts::ParseResult& parsed) {
  return TextOption(parsed, parsed.count("checkpoint") != 0 ? "checkpoint" : "from-ptq4sam");
}

// Numbers that cannot be quantized are the checkpoint's; other errors name their file themselves.
Status AboutSource(const cxxopts::ParseResult& parsed, const Status& status) {
  const std::string path = SourcePath(parsed);
  return status.code() == Code::kUnsupported && !path.empty() ? status.WithPrefix(path) : status;
}

// The calibration photos; none where there is no option for them.
Result<std::vector<std::string>> CalibrationPaths(const cxxopts::ParseResult& parsed) {
  if (parsed.count("calib") != 0)
    return ListPhotos("--calib", TextOption(parsed, "calib"), std::numeric_limits<size_t>::max());
  std::vector<std::string> paths;
  if (parsed.count("calib-coco") == 0) return paths;
  const std::string path = TextOption(parsed, "calib-coco");
  INTSAM_ASSIGN(const CocoAnnotations annotations, ReadCocoAnnotations(path, /*boxes=*/false));
  INTSAM_ASSIGN(const std::vector<CocoPhoto> photos,
                PhotosOfCoco(path, annotations, TextOption(parsed, "calib-images")));
  for (const CocoPhoto& photo : photos) paths.push_back(photo.path);
  return paths;
}

// Everything that is read, so that nothing of it is written over.
Result<std::vector<NamedFile>> Inputs(const cxxopts::ParseResult& parsed, const std::vector<std::string>& photos) {
  std::vector<NamedFile> inputs;
  for (const auto& [option, name] :
       {std::pair{"checkpoint", "CHECKPOINT"}, {"from-ptq4sam", "--from-ptq4sam"}, {"config", "--config"}}) {
    if (parsed.count(option) != 0) inputs.push_back({name, TextOption(parsed, option)});
  }
  if (parsed.count("checkpoint") != 0 && parsed.count("config") == 0) {
    const std::filesystem::path config = std::filesystem::path(SourcePath(parsed)).replace_extension(".json");
    std::error_code ignored;
    if (std::filesystem::exists(config, ignored)) inputs.push_back({"CHECKPOINT's configuration", config.string()});
  }
  if (parsed.count("calib-coco") != 0) inputs.push_back({"--calib-coco", TextOption(parsed, "calib-coco")});
  const char* what = parsed.count("calib") != 0 ? "a photo of --calib" : "a photo of --calib-images";
  for (const std::string& photo : photos) inputs.push_back({what, photo});
  return inputs;
}

Result<CalibrationPhotos> ReadImages(const cxxopts::ParseResult& parsed, std::vector<std::string> paths,
                                     const SamConfig& config, size_t limit, Progress& bar) {
  if (paths.empty()) return CalibrationPhotos{{SyntheticImage(config, 1)}, {}};
  bar.Restart("reading photos");
  const char* option = parsed.count("calib") != 0 ? "--calib" : "--calib-images";
  return ReadCalibrationPhotos(
      option, PhotoFolder::Of(option, std::move(paths), FolderOptionsOf(parsed, limit)), config.image_size,
      [&](uint64_t done, uint64_t total, const std::string& what) { bar.Update(done, total, what); });
}

struct Written {
  uint64_t bytes = 0;
  double seconds = 0;
};

Result<Written> Write(IntegerModel& model, const std::string& provenance, const std::string& output) {
  const auto start = std::chrono::steady_clock::now();
  Written written;
  if (IsStream(output)) {
    INTSAM_ASSIGN(const std::vector<uint8_t> bytes, ModelBytes(model, provenance));
    INTSAM_ASSIGN(OutputFile file, OutputFile::Create(output));
    INTSAM_TRY(file.Write(bytes.data(), bytes.size()));
    INTSAM_TRY(file.Commit());
    written.bytes = bytes.size();
  } else {
    INTSAM_ASSIGN(written.bytes, WriteModelFile(model, provenance, output));
  }
  written.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return written;
}

// A part is named after the whole model, whose bytes therefore have to be made.
Result<Written> WriteDecoder(IntegerModel& whole, const std::string& provenance, const std::string& output) {
  INTSAM_ASSIGN(const std::vector<uint8_t> bytes, ModelBytes(whole, provenance));
  const Sha256Digest identity = IdentityOf(bytes, whole);
  IntegerModel part = DecoderPart(whole, identity);
  return Write(part, provenance, output);
}

void Note(const CommonFlags& flags, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) Say(flags, "%s: note: %s", kHelp.tool, line.c_str());
}

void PrintSummary(const CommonFlags& flags, const std::string& output, const ConvertedModel& converted,
                  const Written& written) {
  const double calibrate_s = static_cast<double>(converted.calibrate_ns) * 1e-9;
  const double quantize_s = static_cast<double>(converted.quantize_ns) * 1e-9;
  if (flags.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    json["model"] = output;
    json["model_bytes"] = written.bytes;
    json["calibrate_s"] = calibrate_s;
    json["quantize_s"] = quantize_s;
    json["write_s"] = written.seconds;
    json["provenance"] = nlohmann::ordered_json::parse(converted.provenance);
    Out(DumpJson(json));
  } else {
    Say(flags, "%s: %.1f MiB, calibrated in %.1f s, quantized in %.2f s, written and verified in %.2f s",
        output.c_str(), static_cast<double>(written.bytes) / (1 << 20), calibrate_s, quantize_s, written.seconds);
  }
}

// The decoder of a model that is there.
Status TakeDecoder(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  const std::string path = SourcePath(parsed), output = TextOption(parsed, "output");
  INTSAM_TRY(CheckOutputs(flags, {{"MODEL", path}}, {{"--output", output}}));
  INTSAM_ASSIGN(const std::unique_ptr<Model> whole, Model::Open(path));
  if (const Status sound = VerifyChecksum(whole->bytes); !sound.ok()) return sound.WithPrefix(path);
  IntegerModel part = DecoderPart(whole->weights(), whole->identity);
  INTSAM_ASSIGN(const Written written, Write(part, std::string(whole->opened.provenance), output));
  if (flags.json) {
    Out(DumpJson({{"model", output}, {"model_bytes", written.bytes}, {"write_s", written.seconds}}));
  } else {
    Say(flags, "%s: %.1f MiB, the decoder of %s", output.c_str(), static_cast<double>(written.bytes) / (1 << 20),
        path.c_str());
  }
  return Status();
}

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  INTSAM_TRY(CheckArguments(parsed));
  if (FromModel(parsed)) return TakeDecoder(parsed, flags);
  INTSAM_ASSIGN(ConvertOptions convert, ReadConvertOptions(parsed));
  INTSAM_ASSIGN(const int64_t limit, ParseInteger("--calib-limit", TextOption(parsed, "calib-limit"), 1, 100000));
  INTSAM_ASSIGN(std::vector<std::string> paths, CalibrationPaths(parsed));
  INTSAM_ASSIGN(const std::vector<NamedFile> inputs, Inputs(parsed, paths));
  const std::string output = TextOption(parsed, "output");
  INTSAM_TRY(CheckOutputs(flags, inputs, {{"--output", output}}));

  Progress bar("reading", flags.progress);
  bar.Update(0, 0, SourcePath(parsed));
  INTSAM_ASSIGN(Source source, LoadSource(parsed));
  Note(flags, source.warnings);
  INTSAM_ASSIGN(const CalibrationPhotos photos,
                ReadImages(parsed, std::move(paths), source.model.config, static_cast<size_t>(limit), bar));
  Note(flags, photos.notes);

  convert.threads = flags.threads;
  convert.source_name = std::filesystem::path(SourcePath(parsed)).filename().string();
  std::string stage;
  convert.progress = [&](const char* name, uint64_t done, uint64_t total, const std::string& what) {
    if (name != stage) bar.Restart(stage = name);
    bar.Update(done, total, what);
  };
  Result<ConvertedModel> quantized = Convert(source.model, photos.images, convert, std::move(source.plan));
  if (!quantized.ok()) return AboutSource(parsed, quantized.status());
  const ConvertedModel converted = std::move(quantized).value();
  bar.Restart("writing and verifying");
  IntegerModel& model = converted.quantized->model;
  Result<Written> written = DecoderAlone(parsed) ? WriteDecoder(model, converted.provenance, output)
                                                 : Write(model, converted.provenance, output);
  if (!written.ok()) return AboutSource(parsed, written.status());
  bar.Clear();
  Note(flags, converted.quantized->notes);
  PrintSummary(flags, output, converted, *written);
  return Status();
}

Status Run(int argc, char** argv) { return RunWithOptions(kHelp, MakeOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) {
  return intsam::internal::RunTool("intsam-convert", argc, argv, intsam::internal::Run);
}
