// intsam-bench: image encoder and mask decoder, the integer model against the FP32 model on oneDNN. Rounds alternate
// between the two in one process; peak memory is measured in a child process for each.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/bench/macs.h"
#include "apps/bench/measure.h"
#include "apps/common/options.h"
#include "apps/common/progress.h"
#include "apps/common/tool.h"
#include "converter/convert.h"
#include "runtime/exec/session.h"

namespace intsam {
namespace {

constexpr const char* kTool = "intsam-bench";
using Json = nlohmann::ordered_json;

// A file that disappears with its owner.
struct TemporaryFile {
  std::string path =
      (std::filesystem::temp_directory_path() / ("intsam-bench-" + std::to_string(getpid()) + ".isam")).string();
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

struct Settings {
  std::string name, model, checkpoint, config, isa;
  SamConfig synthetic;
  uint64_t seed = 1;
  int threads = 0, rounds = 3;
  bool fp32 = true, steps = false;
};

struct Side {
  Samples encoder, decoder;
  std::map<std::string, double> step_seconds;  // by kind of step, over all rounds
  double peak_mib = 0;
};

cxxopts::Options MakeOptions() {
  cxxopts::Options options(kTool, "Times the integer model against the FP32 model on oneDNN.\n");
  options.positional_help("[MODEL]");
  options.add_options()("model", "model file (.isam), with --checkpoint", cxxopts::value<std::string>())(
      "checkpoint", "the checkpoint that MODEL came from", cxxopts::value<std::string>())(
      "config", "JSON configuration beside the checkpoint's shapes", cxxopts::value<std::string>()->default_value(""))(
      "synthetic", "random weights of this size instead (vit_b, vit_l, vit_h, tiny, micro)",
      cxxopts::value<std::string>())("seed", "seed of --synthetic", cxxopts::value<std::string>()->default_value("1"))(
      "rounds", "timed rounds, after one warm-up", cxxopts::value<std::string>()->default_value("3"))(
      "isa", "kernel tier (default: INTSAM_ISA or the best this CPU supports)",
      cxxopts::value<std::string>()->default_value(""))("no-fp32", "time the integer model only")(
      "steps", "add a table of steps");
  options.parse_positional({"model"});
  AddCommonOptions(options);
  return options;
}

FloatModel LoadWeights(const Settings& settings, Status& status) {
  if (settings.checkpoint.empty()) return SyntheticModel(settings.synthetic, settings.seed);
  auto loaded = LoadFloatModel(settings.checkpoint, settings.config);
  status = loaded.status();
  return loaded.ok() ? std::move(loaded).value() : FloatModel{};
}

Status WriteSyntheticModel(const Settings& settings) {
  FloatModel weights = SyntheticModel(settings.synthetic, settings.seed);
  ConvertOptions options;
  options.calibration.points_per_side = 1;
  // Random weights have nothing to be tuned on: extremes, and probabilities as they are.
  INTSAM_ASSIGN(options.method, MakeMethod("minmax", {}, {}, "exact"));
  return ConvertModel(weights, {SyntheticImage(weights.config, 1)}, options, {}, settings.model).status();
}

Result<std::unique_ptr<Session>> MakeSession(const Model& model, const Settings& settings) {
  SessionOptions options;
  options.threads = settings.threads;
  options.isa = settings.isa.c_str();
  return Session::Create(model, std::move(options));
}

// The work of a round: one square image and one foreground point in its middle.
struct Work {
  CalibrationImage image;
  PointPrompt point;
  explicit Work(const SamConfig& config) : image(SyntheticImage(config, 2)) {
    image.size = {config.image_size, config.image_size};
    image.rgb.resize(size_t{config.image_size} * config.image_size * 3, 128);
    point = {static_cast<int32_t>(config.image_size * 32), static_cast<int32_t>(config.image_size * 32), 1};
  }
};

Status EncodeInteger(Session& session, const Work& work) {
  return session.SetImage(work.image.rgb.data(), work.image.size, size_t{work.image.size.width} * 3, PixelFormat::kRgb);
}

Status DecodeInteger(Session& session, const Work& work) {
  Prompt prompt;
  prompt.points = {&work.point, 1};
  return session.Predict(prompt);
}

FloatPrompt PromptOf(const Work& work) {
  FloatPrompt prompt;
  prompt.points = {static_cast<float>(work.point.x) / 64, static_cast<float>(work.point.y) / 64};
  prompt.labels = {1};
  return prompt;
}

Status RunIntegerOnce(const Settings& settings) {
  INTSAM_ASSIGN(const auto model, Model::Open(settings.model));
  INTSAM_ASSIGN(const auto session, MakeSession(*model, settings));
  const Work work(model->config());
  INTSAM_TRY(EncodeInteger(*session, work));
  return DecodeInteger(*session, work);
}

Status RunFloatOnce(const Settings& settings) {
  Status status;
  const FloatModel weights = LoadWeights(settings, status);
  INTSAM_TRY(status);
  const Work work(weights.config);
  FloatSam sam(weights, settings.threads);
  const std::vector<float> embedding =
      sam.EncodeImage(work.image.rgb.data(), work.image.size.height, work.image.size.width);
  sam.Decode(embedding, PromptOf(work));
  return Status();
}

// Block numbers and layers out of a step's name: "image_encoder.blocks.attn".
std::string KindName(const Step& step) {
  std::string name;
  for (const char c : step.name) {
    if (c >= '0' && c <= '9') continue;
    if (c == '.' && name.ends_with('.')) continue;
    name += c;
  }
  return name;
}

// Repeats of the decoder, which is short, inside one sample.
constexpr int kDecodes = 5;

Status RunRounds(const Settings& settings, const CommonFlags& flags, Session& session, FloatSam* sam, const Work& work,
                 Side& integer, Side& fp32) {
  std::chrono::steady_clock::time_point last;
  std::string current;
  const auto close_step = [&] {
    const auto now = std::chrono::steady_clock::now();
    if (!current.empty()) integer.step_seconds[current] += std::chrono::duration<double>(now - last).count();
    last = now, current.clear();
  };
  const auto open_step = [&](const Step& step, int, int) {
    close_step();
    current = KindName(step);
    return true;
  };
  Progress bar("timing", static_cast<uint64_t>(settings.rounds) + 1, flags.progress && !flags.quiet);
  std::vector<float> embedding;
  for (int round = 0; round <= settings.rounds; ++round) {
    const bool warm_up = round == 0;
    bar.Update(static_cast<uint64_t>(round));
    if (round == 1 && settings.steps) {
      session.set_hook(open_step);
      if (sam != nullptr) {
        sam->set_timer(
            [&](const Step& step, int64_t ns) { fp32.step_seconds[KindName(step)] += static_cast<double>(ns) * 1e-9; });
      }
    }
    Status status;
    const double encode = Seconds([&] { status = EncodeInteger(session, work); });
    close_step();
    INTSAM_TRY(status);
    double decode = 0;
    for (int i = 0; i < kDecodes; ++i) decode += Seconds([&] { status = DecodeInteger(session, work), close_step(); });
    INTSAM_TRY(status);
    if (!warm_up) integer.encoder.seconds.push_back(encode), integer.decoder.seconds.push_back(decode / kDecodes);
    if (sam == nullptr) continue;
    const double fp32_encode = Seconds(
        [&] { embedding = sam->EncodeImage(work.image.rgb.data(), work.image.size.height, work.image.size.width); });
    const double fp32_decode = Seconds([&] {
      for (int i = 0; i < kDecodes; ++i) sam->Decode(embedding, PromptOf(work));
    });
    if (!warm_up) fp32.encoder.seconds.push_back(fp32_encode), fp32.decoder.seconds.push_back(fp32_decode / kDecodes);
  }
  return Status();
}

Json PartJson(const Samples& integer, const Samples& fp32, double gmac) {
  Json json;
  if (!fp32.seconds.empty()) {
    json["fp32_s"] = fp32.Median();
    json["fp32_spread"] = fp32.Spread();
  }
  json["int_s"] = integer.Median();
  json["int_spread"] = integer.Spread();
  if (!fp32.seconds.empty()) json["speedup"] = fp32.Median() / integer.Median();
  json["gmac"] = gmac;
  json["int_gmac_per_s"] = gmac / integer.Median();
  return json;
}

double GMacs(const SamConfig& config, const std::vector<Step>& steps) {
  uint64_t macs = 0;
  for (const Step& step : steps) macs += StepMacs(config, step, config.num_masks() + 3);
  return static_cast<double>(macs) * 1e-9;
}

Json StepsJson(const SamConfig& config, const Settings& settings, const Side& integer, const Side& fp32) {
  std::map<std::string, double> gmacs;
  std::vector<Step> steps = ImageEncoderSteps(config);
  for (const Step& step : steps) gmacs[KindName(step)] += static_cast<double>(StepMacs(config, step, 0)) * 1e-9;
  for (const Step& step : MaskDecoderSteps(config)) {
    gmacs[KindName(step)] += static_cast<double>(StepMacs(config, step, config.num_masks() + 3)) * 1e-9 * kDecodes;
  }
  Json json = Json::array();
  for (const auto& [name, seconds] : integer.step_seconds) {
    const double per_round = seconds / settings.rounds;
    Json row = {{"step", name}, {"int_s", per_round}, {"int_gmac_per_s", gmacs[name] / per_round}};
    if (const auto found = fp32.step_seconds.find(name); found != fp32.step_seconds.end())
      row["fp32_s"] = found->second / settings.rounds;
    json.push_back(row);
  }
  return json;
}

void PrintTable(const Json& report) {
  std::printf("%s, %d threads, %s, %s against %s\n", report["model"].get<std::string>().c_str(),
              report["threads"].get<int>(), report["cpu"].get<std::string>().c_str(),
              report["isa"].get<std::string>().c_str(), report["fp32_library"].get<std::string>().c_str());
  std::printf("%-10s %12s %12s %10s %12s\n", "", "FP32 ms", "integer ms", "speedup", "GMAC/s");
  for (const char* part : {"encoder", "decoder"}) {
    const Json& row = report[part];
    const bool fp32 = row.contains("fp32_s");
    std::printf("%-10s %12.1f %12.1f %9.2fx %12.1f\n", part, fp32 ? row["fp32_s"].get<double>() * 1e3 : 0.0,
                row["int_s"].get<double>() * 1e3, fp32 ? row["speedup"].get<double>() : 0.0,
                row["int_gmac_per_s"].get<double>());
  }
  std::printf("peak memory: integer %.0f MiB (model file %.1f MiB)", report["peak_rss_mib"].get<double>(),
              report["model_mib"].get<double>());
  if (report.contains("fp32_peak_rss_mib")) std::printf(", FP32 %.0f MiB", report["fp32_peak_rss_mib"].get<double>());
  std::printf("\n");
  if (!report.contains("steps")) return;
  std::printf("\n%-60s %10s %10s %10s\n", "step (5 decodes)", "FP32 ms", "integer ms", "GMAC/s");
  for (const Json& row : report["steps"]) {
    std::printf("%-60s %10.1f %10.1f %10.1f\n", row["step"].get<std::string>().c_str(), row.value("fp32_s", 0.0) * 1e3,
                row["int_s"].get<double>() * 1e3, row["int_gmac_per_s"].get<double>());
  }
}

Result<Settings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  Settings settings;
  const bool synthetic = parsed.count("synthetic") != 0;
  if (synthetic == (parsed.count("model") != 0)) return Error(Code::kUsage, "give either MODEL or --synthetic SIZE");
  settings.fp32 = parsed.count("no-fp32") == 0;
  if (!synthetic && settings.fp32 && parsed.count("checkpoint") == 0) {
    return Error(Code::kUsage, "--checkpoint: the FP32 side needs it (or --no-fp32)");
  }
  if (synthetic) {
    settings.name = parsed["synthetic"].as<std::string>() + " (synthetic)";
    INTSAM_ASSIGN(settings.synthetic, PresetConfig(parsed["synthetic"].as<std::string>().c_str()));
    INTSAM_ASSIGN(const int64_t seed, ParseInteger("--seed", parsed["seed"].as<std::string>(), 0, INT64_MAX));
    settings.seed = static_cast<uint64_t>(seed);
  } else {
    settings.name = settings.model = parsed["model"].as<std::string>();
    if (parsed.count("checkpoint") != 0) settings.checkpoint = parsed["checkpoint"].as<std::string>();
    settings.config = parsed["config"].as<std::string>();
  }
  INTSAM_ASSIGN(const int64_t rounds, ParseInteger("--rounds", parsed["rounds"].as<std::string>(), 1, 1000));
  settings.rounds = static_cast<int>(rounds);
  settings.isa = parsed["isa"].as<std::string>();
  settings.threads = flags.threads;
  settings.steps = parsed.count("steps") != 0;
  return settings;
}

Result<Json> Measure(const Settings& settings, const CommonFlags& flags) {
  Side integer, fp32;
  INTSAM_ASSIGN(integer.peak_mib, PeakMiBOfChild([&] { return RunIntegerOnce(settings); }));
  if (settings.fp32) {
    INTSAM_ASSIGN(fp32.peak_mib, PeakMiBOfChild([&] { return RunFloatOnce(settings); }));
  }
  INTSAM_ASSIGN(const auto model, Model::Open(settings.model));
  INTSAM_ASSIGN(const auto session, MakeSession(*model, settings));
  const Work work(model->config());
  FloatModel weights;
  std::unique_ptr<FloatSam> sam;
  if (settings.fp32) {
    Status status;
    weights = LoadWeights(settings, status);
    INTSAM_TRY(status);
    if (!(weights.config == model->config()))
      return Error(Code::kUsage, "--checkpoint: has another configuration than the model");
    sam = std::make_unique<FloatSam>(weights, settings.threads);
  }
  INTSAM_TRY(RunRounds(settings, flags, *session, sam.get(), work, integer, fp32));

  Json json;
  json["model"] = settings.name;
  json["cpu"] = CpuName();
  json["isa"] = session->kernels().name;
  json["threads"] = session->threads();
  json["rounds"] = settings.rounds;
  json["profile"] = "w8a8, softmax e16";
  json["fp32_library"] = settings.fp32 ? FloatSam::MatrixLibrary() : std::string("nothing");
  json["encoder"] = PartJson(integer.encoder, fp32.encoder, GMacs(model->config(), ImageEncoderSteps(model->config())));
  json["decoder"] = PartJson(integer.decoder, fp32.decoder, GMacs(model->config(), MaskDecoderSteps(model->config())));
  json["peak_rss_mib"] = integer.peak_mib;
  if (settings.fp32) json["fp32_peak_rss_mib"] = fp32.peak_mib;
  json["model_mib"] = static_cast<double>(model->bytes.size()) / (1 << 20);
  if (settings.steps) json["steps"] = StepsJson(model->config(), settings, integer, fp32);
  return json;
}

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  INTSAM_ASSIGN(Settings settings, ReadSettings(parsed, flags));
  TemporaryFile temporary;
  if (settings.model.empty()) {
    settings.model = temporary.path;
    INTSAM_TRY(PeakMiBOfChild([&] { return WriteSyntheticModel(settings); }).status());
  }
  INTSAM_ASSIGN(const Json report, Measure(settings, flags));
  if (flags.json) {
    std::printf("%s\n", report.dump(2).c_str());
  } else {
    PrintTable(report);
  }
  return Status();
}

Status Run(int argc, char** argv) { return RunWithOptions(kTool, MakeOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam

int main(int argc, char** argv) { return intsam::RunTool("intsam-bench", argc, argv, intsam::Run); }
