// Writes tests/golden/data anew: the committed models, quantized here, and the hashes of their runs by the reference
// executor. To be run by hand when the format or the arithmetic changes on purpose: build/release/bin/make_golden.
#include <cstdio>
#include <fstream>

#include "tests/format/micro_model.h"
#include "tests/golden/golden_cases.h"

int main() {
  using namespace intsam;
  std::ofstream list(testing::GoldenListPath());
  const std::pair<const char*, SamConfig> models[] = {{"micro", PresetConfig("micro").value()},
                                                      {"odd", testing::OddConfig()}};
  for (const auto& [name, config] : models) {
    const auto quantized = testing::MakeModel(config, 1);
    const testing::ModelBytes bytes =
        testing::FileOf(quantized->model, R"({"converter":"make_golden","source_sha256":null})");
    std::ofstream file(testing::GoldenModelPath(name), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) return std::fprintf(stderr, "cannot write %s\n", testing::GoldenModelPath(name).c_str()), 3;

    const auto model = Model::OpenMemory(bytes);
    if (!model.ok()) return std::fprintf(stderr, "%s: %s\n", name, model.status().message().c_str()), 1;
    for (const std::string& line : testing::RunReference(model.value()->weights(), testing::GoldenImages())) {
      list << name << ' ' << line << '\n';
    }
    std::printf("%s: %zu bytes\n", name, bytes.size());
  }
  return list.flush() ? 0 : 3;
}
