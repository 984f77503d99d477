// intsam-inspect: what an .isam model holds, whether it is intact, and what this machine would do with it.
#include <nlohmann/json.hpp>

#include "apps/common/options.h"
#include "apps/common/output.h"
#include "apps/common/tool.h"
#include "apps/inspect/machine_report.h"
#include "apps/inspect/model_report.h"
#include "apps/inspect/quantization_report.h"
#include "apps/inspect/self_test.h"
#include "apps/inspect/text_report.h"

namespace intsam::internal {
namespace {

constexpr ToolHelp kHelp = {
    "intsam-inspect",
    "Shows what a model (.isam) holds. Without an option: what it is, configuration, provenance, sizes.", "[MODEL]",
    "intsam-inspect vit_b.isam\n"
    "intsam-inspect vit_b.isam --quantization --site image_encoder.neck\n"
    "intsam-inspect --kernels"};
constexpr const char* kLists[] = {"quantization", "tensors", "fields", "proof"};
constexpr const char* kModelOptions[] = {"quantization", "histogram", "tensors", "fields",   "proof",
                                         "verify",       "memory",    "hashes",  "self-test"};
constexpr const char* kMachineOptions[] = {"kernels", "limits"};

cxxopts::Options MakeOptions() {
  cxxopts::Options options(kHelp.tool);
  auto add = options.add_options();
  add("model", "model file (.isam); --kernels and --limits do without", cxxopts::value<std::string>());
  add("quantization", "list the layers and attentions: bits, softmax coding, what was changed, measured errors");
  add("histogram", "draw the keys of the attention --site before and after the changes to its weights");
  add("tensors", "list every tensor");
  add("fields", "list every scalar with its range");
  add("proof", "list the headroom of each layer's accumulators, in bits");
  add("site", "of these lists only what lies under a path or a part of one: image_encoder.neck, neck, blocks.0.attn",
      cxxopts::value<std::string>(), "PATH");
  add("verify", "check the tensors against their checksum (exit code 4 when damaged)");
  add("memory", "working memory for several numbers of threads, or for that of --threads");
  add("hashes", "list the sections of the file: offsets, sizes, SHA-256");
  add("kernels", "list the kernel tiers: built, supported by this CPU, chosen");
  add("limits", "list the limits on what files may ask for");
  add("self-test", "run a fixed picture and prompts on every supported tier; exit with 1 when the results differ");
  options.parse_positional({"model"});
  AddCommonOptions(options);
  return options;
}

Status CheckArguments(const cxxopts::ParseResult& parsed) {
  bool needs_model = true, lists = false;
  for (const char* alone : kMachineOptions) needs_model &= parsed.count(alone) == 0;
  for (const char* of_model : kModelOptions) needs_model |= parsed.count(of_model) != 0;
  for (const char* list : kLists) lists |= parsed.count(list) != 0;
  if (needs_model && parsed.count("model") == 0) return UsageError(kHelp, "MODEL is needed");
  const bool site = parsed.count("site") != 0, histogram = parsed.count("histogram") != 0;
  if (site && !lists && !histogram) {
    return Error(Code::kUsage, "--site: goes with --quantization, --histogram, --tensors, --fields or --proof");
  }
  if (histogram && !site) return Error(Code::kUsage, "--histogram: --site is missing");
  return Status();
}

Status AddSummary(const Model& model, int threads, Json& sections) {
  INTSAM_ASSIGN(sections["summary"], ModelSentence(model, threads));
  sections["header"] = HeaderReport(model);
  sections["config"] = ConfigReport(model);
  sections["provenance"] = ProvenanceSummary(model);
  sections["parts"] = PartsReport(model);
  sections["units"] = UnitsReport(model);
  return Status();
}

Status AddLists(const cxxopts::ParseResult& parsed, const Model& model, Json& sections) {
  const std::string site = parsed.count("site") != 0 ? parsed["site"].as<std::string>() : "";
  bool found = site.empty();
  struct List {
    const char *option, *section;
    Json (*report)(const Model&, const std::string&);
  };
  const List lists[] = {{"quantization", "layers", LayersReport},
                        {"quantization", "attentions", AttentionsReport},
                        {"quantization", "steps", StepsReport},
                        {"tensors", "tensors", TensorsReport},
                        {"fields", "fields", FieldsReport},
                        {"proof", "proof", ProofReport}};
  for (const List& list : lists) {
    if (parsed.count(list.option) == 0) continue;
    sections[list.section] = list.report(model, site);
    found |= !sections[list.section].empty();
  }
  if (found) return Status();
  const std::string similar = SimilarSites(model, site);
  return Status(Code::kUsage,
                "--site: nothing lies under '" + site + "'" + (similar.empty() ? "" : "; there is " + similar));
}

// What was asked for, in a fixed order. `difference` stays ok unless the self-test found one.
Result<Json> Inspect(const cxxopts::ParseResult& parsed, const CommonFlags& flags, Status& difference) {
  Json sections = Json::object();
  if (parsed.count("model") != 0) {
    const std::string path = parsed["model"].as<std::string>();
    INTSAM_ASSIGN(const auto model, Model::Open(path));
    const auto asked = [&](const char* name) { return parsed.count(name) != 0; };
    bool summary = true;
    for (const char* other : kModelOptions) summary &= !asked(other);
    for (const char* other : kMachineOptions) summary &= !asked(other);
    if (summary) INTSAM_TRY(AddSummary(*model, flags.threads, sections));
    bool lists = false;
    for (const char* list : kLists) lists |= asked(list);
    if (lists) INTSAM_TRY(AddLists(parsed, *model, sections));
    if (asked("histogram")) {
      INTSAM_ASSIGN(sections["key_histograms"], KeyHistograms(*model, parsed["site"].as<std::string>()));
    }
    if (asked("verify")) {
      INTSAM_TRY(VerifyChecksum(model->bytes).WithPrefix(path));
      sections["verify"] = "the data match their checksum";
    }
    if (asked("hashes")) sections["hashes"] = HashesReport(*model);
    if (asked("memory")) sections["memory"] = MemoryReport(*model, asked("threads") ? flags.threads : 0);
    if (asked("self-test")) {
      INTSAM_ASSIGN(SelfTest test, RunSelfTest(*model, flags.threads));
      sections["self_test"] = std::move(test.report);
      if (!test.equal) difference = Error(Code::kDifference, "%s: the tiers give different results", path.c_str());
    }
  }
  if (parsed.count("kernels") != 0) {
    INTSAM_ASSIGN(sections["kernels"], KernelsReport());
  }
  if (parsed.count("limits") != 0) sections["limits"] = LimitsReport();
  return sections;
}

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  INTSAM_TRY(CheckArguments(parsed));
  Status difference;
  INTSAM_ASSIGN(const Json sections, Inspect(parsed, flags, difference));
  Out(flags.json ? DumpJson(sections) : TextReport(sections));
  return difference;
}

Status Run(int argc, char** argv) { return RunWithOptions(kHelp, MakeOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) {
  return intsam::internal::RunTool("intsam-inspect", argc, argv, intsam::internal::Run);
}
