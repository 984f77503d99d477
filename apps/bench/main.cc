// intsam-bench: image encoder and mask decoder, the integer model against the FP32 model on oneDNN.
#include <unistd.h>

#include <filesystem>

#include "apps/bench/measure.h"
#include "apps/bench/report.h"
#include "apps/bench/rounds.h"
#include "apps/bench/settings.h"
#include "apps/bench/sides.h"
#include "apps/common/output.h"
#include "apps/common/tool.h"

namespace intsam::internal {
namespace {

// A file that disappears with its owner.
struct TemporaryFile {
  std::string path =
      (std::filesystem::temp_directory_path() / ("intsam-bench-" + std::to_string(getpid()) + ".isam")).string();
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  INTSAM_ASSIGN(Settings settings, ReadSettings(parsed, flags));
  TemporaryFile temporary;
  if (settings.model.empty()) {
    settings.model = temporary.path;
    INTSAM_TRY(PeakMiBOfChild([&] { return WriteSyntheticModel(settings); }).status());
  }
  INTSAM_ASSIGN(const Measurements measurements, Measure(settings, flags));
  const nlohmann::ordered_json report = BenchReport(settings, measurements);
  if (flags.json) {
    Out(DumpJson(report));
  } else {
    PrintBenchReport(report);
  }
  return Status();
}

Status Run(int argc, char** argv) { return RunWithOptions(kBenchHelp, MakeBenchOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) { return intsam::internal::RunTool("intsam-bench", argc, argv, intsam::internal::Run); }
