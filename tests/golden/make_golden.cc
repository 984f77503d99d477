// Writes tests/golden/data anew: the committed models, quantized here, and the hashes of their runs by the reference
// executor. To be run by hand when the format or the arithmetic changes on purpose: build/release/bin/make_golden.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <tuple>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/convert.h"
#include "converter/import/ptq4sam.h"
#include "converter/quantize/parameters.h"
#include "tests/format/micro_model.h"
#include "tests/golden/golden_cases.h"

namespace {

using namespace intsam::internal;

// Codes the probabilities of an E16 record otherwise. Scales are chosen to use many codes, not to be good.
void Recode(Softmax& softmax, const SoftmaxCoding& coding, const SamConfig& config) {
  const double value_per_output = std::ldexp(softmax.mix.mult, -static_cast<int>(softmax.mix.shift));
  Softmax recoded = MakeSoftmax(coding, 1, {value_per_output, Codes::Signed()}, {1, softmax.out},
                                std::max(MaxTokens(config), config.grid() * config.grid()));
  recoded.shift = softmax.shift, recoded.mult = softmax.mult;
  softmax = recoded;
}

// Every variant, several granularities and widths, in both parts of the model.
void MixVariants(IntegerModel& model) {
  constexpr auto kU8 = SoftmaxCoding::kUniform, kAgq = SoftmaxCoding::kAgq;
  auto& layers = model.mask_decoder.layers;
  Recode(testing::AttentionOf(model, 0).softmax, {kAgq, 6, 4, 0.25}, model.config);
  Recode(testing::AttentionOf(model, 1).softmax, {kU8, 8, 1, 1.0 / 1024}, model.config);
  Recode(layers[0].self_attn.softmax, {kAgq, 4, 2, 0.7}, model.config);
  Recode(layers[0].token_to_image.softmax, {kAgq, 8, 16, 0.1}, model.config);
  Recode(layers[0].image_to_token.softmax, {kU8, 4, 1, 1.0 / 15}, model.config);
  Recode(layers[1].token_to_image.softmax, {kAgq, 7, 8, 1.2}, model.config);
  Recode(layers[1].image_to_token.softmax, {kAgq, 2, 1, 0.3}, model.config);
}

// The import of eight bits (tests/import/data): weights, queries, keys, values and attention outputs whose zero points
// are anywhere. Null, and a line, where it fails.
std::unique_ptr<QuantizedModel> MakeImported() {
  auto imported = ImportPtq4Sam(INTSAM_SOURCE_DIR "/tests/import/data/micro_w8a8.safetensors");
  if (!imported.ok()) return std::fprintf(stderr, "%s\n", imported.status().message().c_str()), nullptr;
  ConvertOptions options;
  options.threads = 1;
  const SamConfig& config = imported->model.config;
  auto converted = Convert(imported->model, {SyntheticImage(config, 1)}, options, std::move(imported->plan));
  if (!converted.ok()) return std::fprintf(stderr, "%s\n", converted.status().message().c_str()), nullptr;
  return std::move(converted->quantized);
}

// Writes a model and the hashes of its runs.
int Write(const char* name, IntegerModel& model, std::ofstream& list) {
  const testing::ModelBytes bytes = testing::FileOf(model, R"({"converter":"make_golden","source_sha256":null})");
  std::ofstream file(testing::GoldenModelPath(name), std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) return std::fprintf(stderr, "cannot write %s\n", testing::GoldenModelPath(name).c_str()), 3;

  const auto opened = Model::OpenMemory(bytes);
  if (!opened.ok()) return std::fprintf(stderr, "%s: %s\n", name, opened.status().message().c_str()), 1;
  for (const std::string& line : testing::RunReference(opened.value()->weights(), testing::GoldenImages())) {
    list << name << ' ' << line << '\n';
  }
  std::printf("%s: %zu bytes\n", name, bytes.size());
  return 0;
}

}  // namespace

int main() {
  std::ofstream list(testing::GoldenListPath());
  const SamConfig micro = PresetConfig("micro").value(), mobile = PresetConfig("micro_mobile").value();
  SamConfig tokens = testing::OddConfig();
  tokens.decoder_depth = 2;
  const std::tuple<const char*, SamConfig, testing::Quantization> models[] = {
      {"micro", micro, {}},
      {"odd", testing::OddConfig(), {}},
      {"tokens", tokens, {"w8a8", "intsam", "exact"}},
      {"w6a6", micro, {"w6a6", "intsam", "agq"}},
      {"mixed4", micro, {"mixed4", "intsam", ""}},
      {"mobile", mobile, {}},
      {"mobile_odd", testing::OddMobileConfig(), {}},
      {"mobile4", mobile, {"w4a4", "intsam", "agq"}}};
  for (const auto& [name, config, quantization] : models) {
    const auto quantized = testing::MakeModel(config, 1, quantization);
    if (std::string_view(name) == "micro") MixVariants(quantized->model);
    if (const int failed = Write(name, quantized->model, list); failed != 0) return failed;
  }
  const std::unique_ptr<QuantizedModel> imported = MakeImported();
  if (imported == nullptr) return 1;
  if (const int failed = Write("imported", imported->model, list); failed != 0) return failed;
  return list.flush() ? 0 : 3;
}
