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
// Random weights have nothing to be tuned on: extremes as ranges, and one coding for all probabilities. The decoder's
// form, which decides about its time, is the default one where that coding allows it.
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
  INTSAM_ASSIGN(settings.method, MakeMethod("minmax", {"token-projections", "stream-values"}, {}, softmax));
  return Status();
}

}  // namespace

const ToolHelp kBenchHelp = {"intsam-bench",
                             "Times the integer model against the FP32 model on oneDNN, in alternating rounds.",
                             "MODEL --checkpoint CHECKPOINT",
                             "intsam-bench vit_b.isam --checkpoint sam_vit_b_01ec64.pth -t 4\n"
                             "intsam-bench vit_b.isam --no-fp32\n"
                             "intsam-bench --synthetic vit_b --json"};

cxxopts::Options MakeBenchOptions() {
  const auto text = [] { return cxxopts::value<std::string>(); };
  cxxopts::Options options(kBenchHelp.tool);
  auto add = options.add_options();
  add("model", "model file (.isam), with --checkpoint", text());
  add("checkpoint", "the checkpoint that MODEL came from", text(), "FILE");
  add("config", "JSON configuration beside the checkpoint's shapes; without, CHECKPOINT with .json if that is there",
      text(), "FILE");
  add("synthetic", std::string("random weights of this size instead (") + kPresetNames + ")", text(), "SIZE");
  add("seed", "seed of --synthetic", text()->default_value("1"), "N");
  add("bits", std::string("bit widths of --synthetic: ") + BitProfileHelp(), text()->default_value("w8a8"), "WIDTHS");
  add("softmax", "coding of the probabilities of --synthetic: exact, uniform, agq", text()->default_value("exact"),
      "CODING");
  add("rounds", "timed rounds, after one warm-up", text()->default_value("3"), "N");
  AddTierOption(options);
  add("no-fp32", "time the integer model only");
  add("fp32-library", "of the FP32 encoder's linear layers: onednn, xnnpack (all else is oneDNN's either way)",
      text()->default_value("onednn"), "NAME");
  add("steps", "add a table of steps");
  add("ops", "add a table of the encoder's operations (rounds of their own)");
  options.parse_positional({"model"});
  AddCommonOptions(options);
  return options;
}

Result<Settings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  Settings settings;
  const bool synthetic = parsed.count("synthetic") != 0;
  if (synthetic == (parsed.count("model") != 0))
    return UsageError(kBenchHelp, "one of MODEL and --synthetic SIZE is needed");
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
    settings.config = TextOption(parsed, "config");
  }
  INTSAM_ASSIGN(const int64_t rounds, ParseInteger("--rounds", parsed["rounds"].as<std::string>(), 1, 1000));
  settings.rounds = static_cast<int>(rounds);
  settings.isa = TextOption(parsed, "isa");
  INTSAM_TRY(SelectKernels(settings.isa.c_str()).status());
  settings.threads = flags.threads;
  settings.steps = parsed.count("steps") != 0;
  settings.ops = parsed.count("ops") != 0;
  return settings;
}

}  // namespace intsam::internal
