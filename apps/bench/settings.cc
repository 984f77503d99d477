#include "apps/bench/settings.h"

#include <algorithm>
#include <string_view>

#include "apps/bench/xnnpack.h"
#include "runtime/exec/select_kernels.h"

namespace intsam::internal {
namespace {

// What describes a synthetic model, then what goes with a given one.
constexpr const char* kSyntheticOptions[] = {"seed", "bits", "softmax"};
constexpr const char* kModelOptions[] = {"checkpoint", "config"};
// Random weights have nothing to be tuned on: extremes as ranges, and one coding for all probabilities.
constexpr std::string_view kSoftmaxes[] = {"exact", "uniform", "agq"};

Status ReadSynthetic(const cxxopts::ParseResult& parsed, Settings& settings) {
  const auto text = [&](const char* option) { return parsed[option].as<std::string>(); };
  settings.name = text("synthetic") + " (synthetic)";
  INTSAM_ASSIGN(settings.synthetic, PresetConfig(text("synthetic").c_str()));
  INTSAM_ASSIGN(const int64_t seed, ParseInteger("--seed", text("seed"), 0, INT64_MAX));
  settings.seed = static_cast<uint64_t>(seed);
  INTSAM_ASSIGN(settings.bits, ParseBitProfile(text("bits")));
  const std::string softmax = text("softmax");
  if (std::find(std::begin(kSoftmaxes), std::end(kSoftmaxes), softmax) == std::end(kSoftmaxes))
    return Error(Code::kUsage, "--softmax: '%.32s' is not one of exact, uniform, agq", softmax.c_str());
  INTSAM_ASSIGN(settings.method, MakeMethod("minmax", {}, {}, softmax));
  return Status();
}

}  // namespace

cxxopts::Options MakeBenchOptions(const char* tool) {
  cxxopts::Options options(tool, "Times the integer model against the FP32 model on oneDNN.\n");
  options.positional_help("[MODEL]");
  options.add_options()("model", "model file (.isam), with --checkpoint", cxxopts::value<std::string>())(
      "checkpoint", "the checkpoint that MODEL came from", cxxopts::value<std::string>())(
      "config", "JSON configuration beside the checkpoint's shapes", cxxopts::value<std::string>()->default_value(""))(
      "synthetic", "random weights of this size instead (vit_b, vit_l, vit_h, tiny, micro)",
      cxxopts::value<std::string>())("seed", "seed of --synthetic", cxxopts::value<std::string>()->default_value("1"))(
      "bits", std::string("bit widths of --synthetic: ") + BitProfileHelp(),
      cxxopts::value<std::string>()->default_value("w8a8"))(
      "softmax", "coding of the probabilities of --synthetic: exact, uniform, agq",
      cxxopts::value<std::string>()->default_value("exact"))("rounds", "timed rounds, after one warm-up",
                                                             cxxopts::value<std::string>()->default_value("3"))(
      "isa", "kernel tier (default: INTSAM_ISA or the best this CPU supports)",
      cxxopts::value<std::string>()->default_value(""))("no-fp32", "time the integer model only")(
      "fp32-library", "of the FP32 encoder's linear layers: onednn, xnnpack (all else is oneDNN's either way)",
      cxxopts::value<std::string>()->default_value("onednn"))("steps", "add a table of steps")(
      "ops", "add a table of the encoder's operations (rounds of their own)");
  options.parse_positional({"model"});
  AddCommonOptions(options);
  return options;
}

Result<Settings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  Settings settings;
  const bool synthetic = parsed.count("synthetic") != 0;
  if (synthetic == (parsed.count("model") != 0)) return Error(Code::kUsage, "give either MODEL or --synthetic SIZE");
  for (const char* option : kSyntheticOptions) {
    if (!synthetic && parsed.count(option) != 0) return Error(Code::kUsage, "--%s: only with --synthetic", option);
  }
  for (const char* option : kModelOptions) {
    if (synthetic && parsed.count(option) != 0) return Error(Code::kUsage, "--%s: only with MODEL", option);
  }
  settings.fp32 = parsed.count("no-fp32") == 0;
  const std::string library = parsed["fp32-library"].as<std::string>();
  if (library != "onednn" && library != "xnnpack")
    return Error(Code::kUsage, "--fp32-library: '%.32s' is neither onednn nor xnnpack", library.c_str());
  settings.xnnpack = settings.fp32 && library == "xnnpack";
  if (settings.xnnpack) INTSAM_TRY(XnnpackLinears(1).status());
  if (!synthetic && settings.fp32 && parsed.count("checkpoint") == 0) {
    return Error(Code::kUsage, "--checkpoint: the FP32 side needs it (or --no-fp32)");
  }
  if (synthetic) {
    INTSAM_TRY(ReadSynthetic(parsed, settings));
  } else {
    settings.name = settings.model = parsed["model"].as<std::string>();
    if (parsed.count("checkpoint") != 0) settings.checkpoint = parsed["checkpoint"].as<std::string>();
    settings.config = parsed["config"].as<std::string>();
  }
  INTSAM_ASSIGN(const int64_t rounds, ParseInteger("--rounds", parsed["rounds"].as<std::string>(), 1, 1000));
  settings.rounds = static_cast<int>(rounds);
  settings.isa = parsed["isa"].as<std::string>();
  INTSAM_TRY(SelectKernels(settings.isa.c_str()).status());
  settings.threads = flags.threads;
  settings.steps = parsed.count("steps") != 0;
  settings.ops = parsed.count("ops") != 0;
  return settings;
}

}  // namespace intsam::internal
