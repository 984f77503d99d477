// Good files: everything in them arrives as it was written, and nothing is applied twice.
#include "converter/import/ptq4sam.h"

#include <algorithm>
#include <cmath>

#include "runtime/base/sha256.h"
#include "tests/import/contract_file.h"

namespace intsam::internal::testing {
namespace {

ImportedModel Import(const ContractFile& file) {
  const TemporaryFolder folder;
  auto imported = ImportPtq4Sam(folder.Write("m.safetensors", file.Bytes()));
  EXPECT_TRUE(imported.ok()) << imported.status().message();
  return imported.ok() ? std::move(imported).value() : ImportedModel();
}

// The weights that the codes in the file stand for.
std::vector<float> Weights(const ContractFile& file, const std::string& layer) {
  const auto codes = file.tensors.at(layer + ".weight_q").Values<uint8_t>();
  const auto scale = file.tensors.at(layer + ".weight_scale").Values<float>();
  const auto zero = file.tensors.at(layer + ".weight_zp").Values<int32_t>();
  std::vector<float> weights(codes.size());
  const size_t row = codes.size() / scale.size();
  for (size_t i = 0; i < codes.size(); ++i) weights[i] = static_cast<float>(codes[i] - zero[i / row]) * scale[i / row];
  return weights;
}

// Compares plan and model with every tensor of the file.
void ExpectSame(const ContractFile& file, const ImportedModel& imported) {
  const nlohmann::json bits = file.Bits();
  size_t weights = 0, activations = 0, softmaxes = 0;
  for (const auto& [name, tensor] : file.tensors) {
    SCOPED_TRACE(name);
    const std::string stem = name.substr(0, name.rfind('.'));
    if (name.ends_with(".weight_q")) {
      ++weights;
      const WeightCodes& plan = imported.plan.weights.at(stem);
      EXPECT_EQ(plan.codes, tensor.Values<uint8_t>());
      EXPECT_EQ(plan.scale, file.tensors.at(stem + ".weight_scale").Values<float>());
      const auto zero = file.tensors.at(stem + ".weight_zp").Values<int32_t>();
      EXPECT_TRUE(std::equal(zero.begin(), zero.end(), plan.zero.begin(), plan.zero.end()));
      EXPECT_EQ(plan.bits, bits.at(stem + ".weight"));
      EXPECT_EQ(imported.model.at(stem + ".weight"), Weights(file, stem));
    } else if (name.ends_with(".attn.scale")) {
      ++softmaxes;
      const SoftmaxCoding& plan = imported.plan.softmax.at(stem.substr(0, stem.rfind('.')));
      const auto tau = file.tensors.find(stem + ".tau");
      EXPECT_EQ(plan.kind, tau != file.tensors.end() ? SoftmaxCoding::kAgq : SoftmaxCoding::kUniform);
      EXPECT_EQ(plan.tau, tau != file.tensors.end() ? tau->second.Values<int32_t>()[0] : 1);
      EXPECT_EQ(plan.scale, double{tensor.Values<float>()[0]});
      EXPECT_EQ(plan.bits, bits.at(stem));
    } else if (name.ends_with(".scale")) {
      ++activations;
      const ActivationScale& plan = imported.plan.activations.at(stem);
      EXPECT_EQ(plan.scale, double{tensor.Values<float>()[0]});
      EXPECT_EQ(plan.zero, file.tensors.at(stem + ".zp").Values<int32_t>()[0]);
      EXPECT_EQ(plan.bits, bits.at(stem));
    } else if (tensor.dtype == DType::kF32 && !name.ends_with("_scale")) {
      EXPECT_EQ(imported.model.at(name), tensor.Values<float>());
    }
  }
  EXPECT_EQ(imported.plan.weights.size(), weights);
  EXPECT_EQ(imported.plan.activations.size(), activations);
  EXPECT_EQ(imported.plan.softmax.size(), softmaxes);
}

TEST(Ptq4Sam, SixBitsWithAgqAndFoldedSigns) {
  const ImportedModel imported = Import(SixBitFile());
  ExpectSame(SixBitFile(), imported);
  EXPECT_TRUE(imported.model.config == PresetConfig("micro").value());
  EXPECT_EQ(imported.model.tensors.size(), SamTensorSpecs(imported.model.config).size());
  EXPECT_EQ(imported.plan.weights.size(), 4 * 2 + 2 + 32u);
  EXPECT_EQ(imported.plan.softmax.size(), 2 + 7u);
  EXPECT_EQ(imported.method, "calibrated");
  EXPECT_TRUE(imported.encoder_quantized);
  EXPECT_EQ(imported.big_sites.size(), 3u);
  EXPECT_TRUE(std::is_sorted(imported.big_sites.begin(), imported.big_sites.end()));
  const std::string bytes = SixBitFile().Bytes();
  EXPECT_EQ(imported.model.source_sha256, ToHex(Sha256Of(AsBytes(bytes).data(), bytes.size())));
}

TEST(Ptq4Sam, EightBitsWithUniformSoftmax) {
  const ImportedModel imported = Import(EightBitFile());
  ExpectSame(EightBitFile(), imported);
  EXPECT_TRUE(imported.big_sites.empty());
}

TEST(Ptq4Sam, SignsAreNeverApplied) {
  ContractFile file = SixBitFile();
  for (auto& [name, tensor] : file.tensors) {
    if (!name.ends_with(".big_sign")) continue;
    for (char& sign : tensor.bytes) sign = static_cast<char>(-sign);
  }
  const ImportedModel with = Import(SixBitFile()), flipped = Import(file);
  EXPECT_EQ(with.model.tensors, flipped.model.tensors);
  for (const auto& [name, weight] : with.plan.weights) EXPECT_EQ(weight.codes, flipped.plan.weights.at(name).codes);
}

TEST(Ptq4Sam, ScalarsMayHaveNoDimensions) {
  ContractFile file = SixBitFile();
  for (auto& [name, tensor] : file.tensors) {
    if (tensor.shape == std::vector<uint64_t>{1} && (name.ends_with(".scale") || name.ends_with(".zp")))
      tensor.shape = {};
  }
  ExpectSame(file, Import(file));
}

// As PTQ4SAM without --quant-encoder: the encoder has plain weights, and the plan knows nothing of it.
TEST(Ptq4Sam, AnEncoderInFloatingPoint) {
  ContractFile file = SixBitFile();
  file.metadata["encoder_quantised"] = "false";
  const ContractFile whole = file;
  for (const auto& [name, tensor] : whole.tensors) {
    if (!name.starts_with("image_encoder.")) continue;
    if (name.ends_with(".weight_q")) {
      const std::string layer = name.substr(0, name.rfind('.'));
      file.tensors[layer + ".weight"] = MakeTensor(DType::kF32, tensor.shape, Weights(file, layer));
    }
  }
  std::erase_if(file.tensors, [](const auto& entry) {
    const std::string& name = entry.first;
    return name.starts_with("image_encoder.") &&
           (name.ends_with("_q") || name.ends_with("scale") || name.ends_with("zp") || name.ends_with(".tau"));
  });
  const nlohmann::json all = whole.Bits();
  for (const auto& [site, bits] : all.items()) {
    if (site.starts_with("image_encoder.")) file.EraseBits(site);
  }
  const ImportedModel imported = Import(file);
  ExpectSame(file, imported);
  EXPECT_FALSE(imported.encoder_quantized);
  EXPECT_EQ(imported.plan.weights.size(), 32u);
  EXPECT_EQ(imported.model.tensors, Import(SixBitFile()).model.tensors);
}

TEST(Ptq4Sam, WarnsOfWhatIsLegalButUnusual) {
  const auto warned = [](const ContractFile& file, const std::string& key) {
    const ImportedModel imported = Import(file);
    return std::count_if(imported.warnings.begin(), imported.warnings.end(),
                         [&](const std::string& line) { return line.find(key) != std::string::npos; });
  };
  const std::string layer = "mask_decoder.transformer.layers.1.mlp.";
  EXPECT_EQ(warned(SixBitFile(), layer), 0);

  ContractFile constant = SixBitFile();
  std::string& codes = constant.at(layer + "lin1.weight_q").bytes;
  std::fill_n(codes.begin(), 2 * 32, '\x07');
  EXPECT_EQ(warned(constant, layer + "lin1.weight_q: 2 of 64 channels"), 1);

  for (const int32_t zero : {0, 63}) {
    ContractFile one_sided = SixBitFile();
    one_sided.at(layer + "lin1.in.zp").Set<int32_t>(0, zero);
    EXPECT_EQ(warned(one_sided, layer + "lin1.in.zp"), 1);
  }
  ContractFile after_relu = SixBitFile();
  after_relu.at(layer + "lin2.in.zp").Set<int32_t>(0, 0);
  EXPECT_EQ(warned(after_relu, layer + "lin2.in.zp"), 0);

  ContractFile dropping = SixBitFile();
  dropping.metadata["drop_active_sites"] = "42";
  EXPECT_EQ(warned(dropping, "drop_active_sites: 42"), 1);
}

TEST(Ptq4Sam, IgnoresUnknownMetadata) {
  ContractFile file = SixBitFile();
  file.metadata["note"] = "anything";
  ExpectSame(file, Import(file));
}

}  // namespace
}  // namespace intsam::internal::testing
