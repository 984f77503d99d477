// MobileSAM's checkpoints: the key list, the configuration deduced from shapes, BatchNorm folded away, the rows of qkv,
// refusals. data/micro_mobile.* is a state dict of MobileSAM's own modules, written by torch.
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/checkpoint/tensor_view.h"
#include "runtime/base/sha256.h"
#include "tests/checkpoint/edited_file.h"
#include "tests/checkpoint/test_support.h"

namespace intsam::internal::testing {
namespace {

const char* const kFile = "micro_mobile.safetensors";

std::map<std::string, std::vector<float>> FileValues() {
  std::map<std::string, std::vector<float>> values;
  for (FileTensor& tensor : ReadTensors(GoldenPath(kFile))) {
    if (tensor.dtype == "F32")
      values[tensor.name].assign(tensor.values(), tensor.values() + tensor.bytes.size() / sizeof(float));
  }
  return values;
}

TEST(TinyVitSpecs, AreTheStateDictOfMobileSam) {
  std::map<std::string, std::vector<uint64_t>> specs;
  for (const TensorSpec& spec : SamTensorSpecs(Preset("micro_mobile"))) specs[spec.name] = spec.shape;
  std::set<std::string> unused;
  for (const FileTensor& tensor : ReadTensors(GoldenPath(kFile))) {
    if (!specs.contains(tensor.name)) {
      if (!tensor.name.ends_with("num_batches_tracked")) unused.insert(tensor.name);
      continue;
    }
    EXPECT_EQ(specs[tensor.name], tensor.shape) << tensor.name;
    specs.erase(tensor.name);
  }
  EXPECT_TRUE(specs.empty()) << specs.begin()->first;
  EXPECT_EQ(unused, (std::set<std::string>{"image_encoder.norm_head.weight", "image_encoder.norm_head.bias",
                                           "image_encoder.head.weight", "image_encoder.head.bias"}));
}

TEST(TinyVitSpecs, HaveTheSizeOfTheOfficialFile) {
  uint64_t elements = 0;
  for (const CheckpointTensor& tensor : TensorsOf(Preset("mobile_sam"))) elements += tensor.elements;
  elements += 2 * 320 + 1001 * 320 - 320 + 1000;  // norm_head and head
  // mobile_sam.pt has 40728226 bytes; the names and the zip directory take the rest.
  EXPECT_LT(4 * elements, 40728226u);
  EXPECT_GT(4 * elements, 40728226u * 99 / 100);
}

TEST(TinyVitConfig, IsDeducedForEveryPreset) {
  const auto check = [](const char* name, const char* json) {
    auto config = DeduceConfig(TensorsOf(Preset(name)), json);
    ASSERT_TRUE(config.ok()) << name << ": " << config.status().message();
    EXPECT_TRUE(*config == Preset(name)) << name;
  };
  check("mobile_sam", "");
  check("mobile_sam", R"({"image_encoder": "tiny_vit", "patch_size": 16, "image_size": 1024})");
  check("tiny_mobile", R"({"image_size": 512})");
  check("micro_mobile", R"({"image_size": 128, "decoder_num_heads": 2})");
}

TEST(TinyVitConfig, RefusesASidecarThatDisagrees) {
  const auto refuse = [](const std::string& json, const char* word) {
    SCOPED_TRACE(json);
    ExpectRefused(DeduceConfig(TensorsOf(Preset("tiny_mobile")), json).status(), Code::kUnsupported, word);
  };
  refuse(R"({"image_encoder": "vit"})", "image_encoder: the config says \"vit\", expected \"tiny_vit\"");
  refuse(R"({"embed_dims": [32, 64, 97, 160]})", "embed_dims.2: the config says 97, the tensors say 96");
  refuse(R"({"embed_dims": [32, 64, 96, 160, 320]})", "unknown field 'embed_dims.4'");
  refuse(R"({"embed_dims": 32})", "unknown field 'embed_dims'");
  refuse(R"({"depths": [2, 2, "4", 2]})", "depths.2");
  refuse(R"({"num_heads": [1, 2, 4, 5]})", "num_heads.2: the config says 4, the tensors say 3");
  refuse(R"({"window_sizes": [7, 7, 7, 7]})", "window_sizes.2: the config says 7, the tensors say 14");
  refuse(R"({"window_sizes": [0]})", "window_sizes.0");
  refuse(R"({"mlp_ratio": 3})", "mlp_ratio");
  refuse(R"({"mbconv_expand_ratio": 6})", "mbconv_expand_ratio: the config says 6, expected 4");
  refuse(R"({"local_conv_size": 5})", "local_conv_size");
  refuse(R"({"patch_size": 8})", "patch_size");
  refuse(R"({"image_size": 500})", "image_size: 500 is not a multiple of 16");
  refuse(R"({"image_size": 4294968320})", "image_size");
  refuse(R"({"image_size": "512"})", "image_size");
  refuse(R"({"global_attn_indexes": [1]})", "unknown field");
}

TEST(TinyVitConfig, RefusesTensorsThatFitNoTinyVit) {
  const auto refuse = [](const char* name, std::vector<uint64_t> shape, const char* word) {
    SCOPED_TRACE(name);
    std::vector<CheckpointTensor> tensors = TensorsOf(Preset("tiny_mobile"));
    std::erase_if(tensors, [&](const CheckpointTensor& t) { return t.name == name && shape.empty(); });
    for (CheckpointTensor& tensor : tensors) {
      if (tensor.name == name) tensor.shape = shape;
    }
    ExpectRefused(DeduceConfig(tensors, "").status(), Code::kUnsupported, word);
  };
  const std::string layers = "image_encoder.layers.";
  refuse((layers + "2.blocks.0.attn.attention_biases").c_str(), {3, 195}, "195 biases are those of no square window");
  refuse((layers + "2.blocks.0.attn.attention_biases").c_str(), {3, 0}, "above 0");
  refuse((layers + "2.blocks.0.attn.attention_biases").c_str(), {}, "missing");
  refuse((layers + "2.blocks.0.attn.attention_biases").c_str(), {40, 196}, "num_heads.2");
  refuse((layers + "1.blocks.0.mlp.fc1.weight").c_str(), {65536, 64}, "mlp_ratio");
  refuse((layers + "0.blocks.0.conv1.c.weight").c_str(), {16, 32, 1, 1}, "expand_ratio");
  refuse("image_encoder.patch_embed.seq.2.c.weight", {8, 16, 3, 3}, "embed_dims.0");
  std::vector<CheckpointTensor> deep = TensorsOf(Preset("tiny_mobile"));
  deep.push_back({layers + "3.blocks.9999.mlp.norm.bias", DType::kF32, {160}, 160});
  ExpectRefused(DeduceConfig(deep, "").status(), Code::kUnsupported, "depths.3: 10000");
}

// --- loading ---

TEST(TinyVitModel, IsTheSameFromEitherFormat) {
  auto safe = LoadFloatModel(GoldenPath(kFile), "");
  auto torch = LoadFloatModel(GoldenPath("micro_mobile.pth"), "");
  ASSERT_TRUE(safe.ok()) << safe.status().message();
  ASSERT_TRUE(torch.ok()) << torch.status().message();
  EXPECT_TRUE(safe->config == Preset("micro_mobile"));
  EXPECT_EQ(safe->tensors, torch->tensors);
  for (const auto& [name, values] : safe->tensors) EXPECT_EQ(name.find(".bn."), std::string::npos) << name;
}

// The convolution followed by BatchNorm, for one tap at a time: linear in the tap, so the sum over taps agrees too.
TEST(TinyVitModel, ConvolutionsDoWhatTheirBatchNormDid) {
  auto model = LoadFloatModel(GoldenPath(kFile), "");
  ASSERT_TRUE(model.ok()) << model.status().message();
  auto file = FileValues();
  size_t modules = 0;
  for (const auto& [name, weight] : file) {
    if (!name.ends_with(".c.weight")) continue;
    const std::string module = name.substr(0, name.size() - 9), bn = module + ".bn.";
    const std::vector<float>& folded = model->at(module + ".weight");
    const std::vector<float>& bias = model->at(module + ".bias");
    ASSERT_EQ(folded.size(), weight.size());
    const size_t channels = bias.size(), taps = weight.size() / channels;
    for (size_t c = 0; c < channels; ++c) {
      const auto normalized = [&](double y) {
        return (y - file[bn + "running_mean"][c]) / std::sqrt(file[bn + "running_var"][c] + 1e-5) *
                   file[bn + "weight"][c] +
               file[bn + "bias"][c];
      };
      EXPECT_NEAR(bias[c], normalized(0), 1e-6) << module;
      for (size_t t = c * taps; t < (c + 1) * taps; ++t)
        EXPECT_NEAR(folded[t], normalized(weight[t]) - normalized(0), 1e-6) << module;
    }
    ++modules;
  }
  EXPECT_EQ(modules, 19u);
}

TEST(TinyVitModel, ListsQueriesThenKeysThenValues) {
  auto model = LoadFloatModel(GoldenPath(kFile), "");
  ASSERT_TRUE(model.ok()) << model.status().message();
  const std::string name = "image_encoder.layers.3.blocks.0.attn.qkv.";
  const auto file = FileValues();
  constexpr size_t kHeads = 4, kDim = 16, kWidth = 64;
  for (size_t head = 0; head < kHeads; ++head) {
    for (size_t part = 0; part < 3; ++part) {
      for (size_t i = 0; i < kDim; ++i) {
        const size_t from = (head * 3 + part) * kDim + i, to = part * kWidth + head * kDim + i;
        EXPECT_EQ(model->at(name + "bias")[to], file.at(name + "bias")[from]);
        for (size_t x = 0; x < kWidth; ++x)
          ASSERT_EQ(model->at(name + "weight")[to * kWidth + x], file.at(name + "weight")[from * kWidth + x]);
      }
    }
  }
}

TEST(TinyVitModel, NamesTheTensorThatIsWrong) {
  const TemporaryFolder folder;
  const std::string json = GoldenPath("micro_mobile.json");
  const std::string conv = "image_encoder.layers.0.blocks.0.conv2";
  const auto refuse = [&](const std::string& target, auto edit, Code code, const std::string& message) {
    const std::string path = folder.Write("bad.safetensors", EditedFile(GoldenPath(kFile), [&](FileTensor* tensor) {
                                            if (tensor->name == target) edit(tensor);
                                          }));
    ExpectRefused(LoadFloatModel(path, json).status(), code, path + ": tensor " + message);
  };
  const auto set = [](float value) { return [value](FileTensor* tensor) { tensor->values()[5] = value; }; };
  refuse(conv + ".bn.running_var", set(-0.25f), Code::kDamaged,
         conv + ".bn.running_var: expected variances of 0 or more, found -0.25 at element 5");
  refuse(conv + ".bn.running_var", set(NAN), Code::kDamaged, conv + ".bn.running_var: expected finite numbers");
  refuse(conv + ".bn.running_mean", set(INFINITY), Code::kDamaged, conv + ".bn.running_mean: expected finite numbers");
  const auto fill = [](FileTensor* tensor) {
    for (size_t i = 0; i < tensor->bytes.size() / sizeof(float); ++i) tensor->values()[i] = 3.4e38f;
  };
  refuse(conv + ".c.weight", fill, Code::kDamaged, conv + ".c.weight: times its BatchNorm");
  refuse(
      conv + ".bn.bias", [](FileTensor* t) { t->name.clear(); }, Code::kUnsupported,
      conv + ".bn.bias: expected shape [64], found no such tensor");
  refuse(
      conv + ".bn.bias", [](FileTensor* t) { t->name = "image_encoder.layers.0.blocks.0.conv4.bn.bias"; },
      Code::kUnsupported, conv + ".bn.bias: expected");
  refuse(
      "image_encoder.head.bias", [](FileTensor* t) { t->name = "image_encoder.tail.bias"; }, Code::kUnsupported,
      "image_encoder.tail.bias: expected no such tensor");
}

// Each third one, to be done soon.
TEST(TinyVitModel, NeedsEveryTensor) {
  const TemporaryFolder folder;
  const std::vector<FileTensor> tensors = ReadTensors(GoldenPath(kFile));
  const std::vector<TensorSpec> specs = SamTensorSpecs(Preset("micro_mobile"));
  for (size_t i = 0; i < specs.size(); i += 3) {
    std::vector<FileTensor> kept = tensors;
    std::erase_if(kept, [&](const FileTensor& t) { return t.name == specs[i].name; });
    const Status status =
        LoadFloatModel(folder.Write("cut", WriteTensors(kept)), GoldenPath("micro_mobile.json")).status();
    ExpectRefused(status, Code::kUnsupported, specs[i].name);
  }
}

TEST(TinyVitModel, TakesAVarianceOfZero) {
  const TemporaryFolder folder;
  const std::string module = "image_encoder.layers.0.blocks.0.conv2";
  const std::string path = folder.Write("zero.safetensors", EditedFile(GoldenPath(kFile), [&](FileTensor* tensor) {
                                          if (tensor->name == module + ".bn.running_var") tensor->values()[5] = 0;
                                        }));
  auto model = LoadFloatModel(path, GoldenPath("micro_mobile.json"));
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_TRUE(std::isfinite(model->at(module + ".bias")[5]));
}

TEST(TinyVitModel, SyntheticWeightsAreTheSameOnEveryMachine) {
  const FloatModel model = SyntheticModel(Preset("micro_mobile"), 7);
  const std::map<std::string, std::vector<float>> sorted(model.tensors.begin(), model.tensors.end());
  Sha256 hash;
  for (const auto& [name, values] : sorted) hash.Update(values.data(), values.size() * sizeof(float));
  EXPECT_EQ(ToHex(hash.Finish()), "2320d0a1f8f91a7f43d645434c052e409704b985da79eedeaea414e0e492abda");
  // BatchNorm at work: without it the biases would be zero.
  double squares = 0;
  const std::vector<float>& bias = model.at("image_encoder.layers.0.blocks.0.conv1.bias");
  for (const float b : bias) squares += b * b;
  EXPECT_GT(squares / bias.size(), 0.05);
}

}  // namespace
}  // namespace intsam::internal::testing
