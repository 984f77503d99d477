// From tensors to a SAM: the key list, deduction of every configuration, refusals naming key, expected and found, and
// the synthetic weights.
#include "converter/checkpoint/sam_checkpoint.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "converter/checkpoint/tensor_view.h"
#include "runtime/base/sha256.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/checkpoint/test_support.h"

namespace intsam::internal::testing {
namespace {

TEST(SamTensorSpecs, IsTheOfficialStateDictInItsOrder) {
  auto checkpoint = Checkpoint::Open(GoldenPath("micro_f32.pth"));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  const auto specs = SamTensorSpecs(Preset("micro"));
  ASSERT_EQ(specs.size(), (*checkpoint)->tensors().size());
  for (size_t i = 0; i < specs.size(); ++i) {
    EXPECT_EQ(specs[i].name, (*checkpoint)->tensors()[i].name);
    EXPECT_EQ(specs[i].shape, (*checkpoint)->tensors()[i].shape) << specs[i].name;
  }
}

TEST(SamTensorSpecs, HasTheOfficialNumberOfParameters) {
  const std::pair<const char*, uint64_t> kOfficial[] = {
      {"vit_b", 93735472}, {"vit_l", 312342832}, {"vit_h", 641090608}};
  for (const auto& [name, parameters] : kOfficial) {
    uint64_t elements = 0;
    for (const CheckpointTensor& tensor : TensorsOf(Preset(name))) elements += tensor.elements;
    // The Gaussian matrix is a buffer, not a parameter.
    EXPECT_EQ(elements, parameters + 2 * 128) << name;
  }
}

TEST(DeduceConfig, FindsEveryPreset) {
  for (const char* name : {"vit_b", "vit_l", "vit_h", "tiny"}) {
    const auto config = DeduceConfig(TensorsOf(Preset(name)), "");
    ASSERT_TRUE(config.ok()) << name << ": " << config.status().message();
    EXPECT_TRUE(config.value() == Preset(name)) << name;
  }
  const auto micro = DeduceConfig(TensorsOf(Preset("micro")), R"({"decoder_num_heads": 2})");
  ASSERT_TRUE(micro.ok()) << micro.status().message();
  EXPECT_TRUE(micro.value() == Preset("micro"));
}

TEST(DeduceConfig, AcceptsWindowsThatLeaveNoTrace) {
  SamConfig config = Preset("tiny");
  config.vit.global_attn_mask = 0xff;
  auto found = DeduceConfig(TensorsOf(config), "");
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->vit.window_size, config.grid());
  found = DeduceConfig(TensorsOf(config), R"({"window_size": 7, "global_attn_indexes": [0,1,2,3,4,5,6,7]})");
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->vit.window_size, 7u);
  // Windows as large as the grid, which the sidecar does not call global.
  EXPECT_TRUE(DeduceConfig(TensorsOf(config), R"({"window_size": 32, "global_attn_indexes": [1]})").ok());
}

TEST(DeduceConfig, RefusesASidecarThatDisagrees) {
  const auto refuse = [](const std::string& json, Code code, const char* word) {
    SCOPED_TRACE(json.substr(0, 80));
    ExpectRefused(DeduceConfig(TensorsOf(Preset("tiny")), json).status(), code, word);
  };
  refuse(R"({"depth": 12})", Code::kUnsupported, "depth: the config says 12, the tensors say 8");
  refuse(R"({"depth": "8"})", Code::kUnsupported, "depth");
  refuse(R"({"mlp_ratio": 3})", Code::kUnsupported, "mlp_ratio");
  refuse(R"({"mlp_ratio": []})", Code::kUnsupported, "mlp_ratio");
  refuse(R"({"global_attn_indexes": [1,3,5]})", Code::kUnsupported, "global_attn_indexes");
  refuse(R"({"global_attn_indexes": [64]})", Code::kUnsupported, "global_attn_indexes");
  refuse(R"({"global_attn_indexes": 3})", Code::kUnsupported, "global_attn_indexes");
  refuse(R"({"decoder_num_heads": 5})", Code::kUnsupported, "decoder_num_heads");
  refuse(R"({"decoder_num_heads": 0})", Code::kUnsupported, "decoder_num_heads");
  refuse(R"({"decoder_num_heads": 4294967304})", Code::kUnsupported, "decoder_num_heads");
  refuse(R"({"decoder_num_heads": "8"})", Code::kUnsupported, "decoder_num_heads");
  refuse(R"({"decoder_num_head": 8})", Code::kUnsupported, "unknown field 'decoder_num_head'");
  refuse(R"({"depth": 8, "depth": 8})", Code::kDamaged, "duplicate");
  refuse(std::string("{}\0 {", 5), Code::kDamaged, "a NUL");
  refuse("[1]", Code::kDamaged, "object");
  refuse("{", Code::kDamaged, "object");
  refuse("{\"a\":" + std::string(10000, '['), Code::kResource, "deeper");
  refuse(std::string((1 << 20) + 1, ' '), Code::kResource, "limit");
}

TEST(DeduceConfig, RefusesTensorsThatAreNoSam) {
  const auto refuse = [](const char* name, const std::vector<uint64_t>& shape, const char* word) {
    SCOPED_TRACE(name);
    std::vector<CheckpointTensor> tensors = TensorsOf(Preset("tiny"));
    for (CheckpointTensor& tensor : tensors) {
      if (tensor.name == name) tensor.shape = shape;
    }
    ExpectRefused(DeduceConfig(tensors, "").status(), Code::kUnsupported, word);
  };
  ExpectRefused(DeduceConfig({}, "").status(), Code::kUnsupported, "image_encoder.pos_embed: missing");
  refuse("image_encoder.pos_embed", {32, 32, 192}, "expected 4 dimensions");
  refuse("image_encoder.pos_embed", {1, 0, 32, 192}, "above 0");
  refuse("image_encoder.pos_embed", {1, 65536, 65536, 192}, "image_size");
  refuse("image_encoder.blocks.0.attn.rel_pos_h", {13, 0}, "above 0");
  refuse("image_encoder.blocks.0.attn.rel_pos_h", {13, 65536}, "num_heads");
  refuse("image_encoder.blocks.0.attn.rel_pos_h", {12, 64}, "relative positions");
  refuse("image_encoder.blocks.2.attn.rel_pos_h", {15, 64}, "relative positions");
  refuse("image_encoder.blocks.2.attn.rel_pos_h", {65, 64}, "relative positions");
  refuse("image_encoder.patch_embed.proj.weight", {200, 3, 16, 16}, "embed_dim");
  refuse("mask_decoder.mask_tokens.weight", {1, 128}, "num_multimask_outputs");
  refuse("mask_decoder.transformer.layers.0.cross_attn_token_to_image.q_proj.weight", {4096, 128},
         "attention_downsample");
  std::vector<CheckpointTensor> deep = TensorsOf(Preset("tiny"));
  deep.push_back({"image_encoder.blocks.9999.norm1.weight", DType::kF32, {192}, 192});
  ExpectRefused(DeduceConfig(deep, "").status(), Code::kUnsupported, "depth: 10000");
}

// --- loading ---

using Editor = std::function<void(std::string* name, std::string* dtype, std::vector<uint64_t>* shape,
                                  std::vector<float>* values)>;

// A synthetic micro SAM as safetensors, edited tensor by tensor; an emptied name drops the tensor.
std::string MicroFile(const Editor& edit,
                      const std::vector<std::pair<std::string, std::vector<uint64_t>>>& added = {}) {
  const FloatModel model = SyntheticModel(Preset("micro"), 1);
  std::string header = "{", data;
  const auto add = [&](std::string name, std::vector<uint64_t> shape, std::vector<float> values) {
    std::string dtype = "F32";
    edit(&name, &dtype, &shape, &values);
    if (name.empty()) return;
    const uint64_t begin = data.size();
    data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    header += std::string(header.size() > 1 ? "," : "") + "\"" + name + "\":{\"dtype\":\"" + dtype +
              "\",\"shape\":" + ShapeText(shape) + ",\"data_offsets\":" + ShapeText({begin, data.size()}) + "}";
  };
  for (const TensorSpec& spec : SamTensorSpecs(model.config)) add(spec.name, spec.shape, model.at(spec.name));
  for (const auto& [name, shape] : added) add(name, shape, std::vector<float>(3, 1.0f));
  return WriteSafetensors(header + "}", data);
}

constexpr char kMicroJson[] = R"({"decoder_num_heads": 2})";
const Editor kKeep = [](auto*, auto*, auto*, auto*) {};

TEST(LoadFloatModel, ReadsEveryTensorAndTheSidecarBesideIt) {
  const TemporaryFolder folder;
  const std::string path =
      folder.Write("m.safetensors", MicroFile(kKeep, {{"pixel_mean", {3, 1, 1}}, {"pixel_std", {3, 1, 1}}}));
  folder.Write("m.json", kMicroJson);
  const auto model = LoadFloatModel(path, "");
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_TRUE(model.value().config == Preset("micro"));
  EXPECT_EQ(model.value().tensors, SyntheticModel(Preset("micro"), 1).tensors);
  EXPECT_EQ(model.value().source_sha256.size(), 64u);
}

TEST(LoadFloatModel, ReadsTheGoldenCheckpoints) {
  const auto safe = LoadFloatModel(GoldenPath("micro_f32.safetensors"), GoldenPath("micro.json"));
  ASSERT_TRUE(safe.ok()) << safe.status().message();
  EXPECT_TRUE(safe.value().config == Preset("micro"));
  const auto torch = LoadFloatModel(GoldenPath("micro_strided_view.pth"), GoldenPath("micro.json"));
  ASSERT_TRUE(torch.ok()) << torch.status().message();
  EXPECT_EQ(torch.value().tensors, safe.value().tensors);
  EXPECT_NE(torch.value().source_sha256, safe.value().source_sha256);
}

TEST(LoadFloatModel, NamesKeyExpectedAndFound) {
  const TemporaryFolder folder;
  const std::string json = folder.Write("micro.json", kMicroJson);
  const std::string target = "image_encoder.neck.2.weight";
  const auto refuse = [&](const std::string& file, Code code, const std::string& message) {
    const std::string path = folder.Write("bad.safetensors", file);
    ExpectRefused(LoadFloatModel(path, json).status(), code, path + ": tensor " + message);
  };
  refuse(MicroFile([&](auto* name, auto*, auto*, auto*) {
           if (*name == target) name->clear();
         }),
         Code::kUnsupported, target + ": expected shape [32, 32, 3, 3], found no such tensor");
  refuse(MicroFile([&](auto* name, auto*, auto* shape, auto*) {
           if (*name == target) *shape = {32, 9, 32};
         }),
         Code::kUnsupported, target + ": expected shape [32, 32, 3, 3], found [32, 9, 32]");
  refuse(MicroFile(kKeep, {{"image_encoder.extra", {3}}}), Code::kUnsupported,
         "image_encoder.extra: expected no such tensor in this SAM, found shape [3]");
  refuse(MicroFile([&](auto* name, auto* dtype, auto*, auto*) {
           if (*name == target) *dtype = "I32";
         }),
         Code::kUnsupported, target + ": expected F32, F16, BF16 or F64, found I32");
  refuse(MicroFile([&](auto* name, auto*, auto*, auto* values) {
           if (*name == target) (*values)[7] = std::nanf("");
         }),
         Code::kDamaged, target + ": expected finite numbers, found NaN at element 7");
  refuse(MicroFile([&](auto* name, auto*, auto*, auto* v) {
           if (*name == target) (*v)[0] = std::numeric_limits<float>::infinity();
         }),
         Code::kDamaged, target + ": expected finite numbers, found infinity at element 0");
}

TEST(LoadFloatModel, RefusesBadSidecarFiles) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("m.safetensors", MicroFile(kKeep));
  ExpectRefused(LoadFloatModel(path, path + ".none").status(), Code::kIo, "m.safetensors.none: cannot open");
  ExpectRefused(LoadFloatModel(path, folder.Write("empty.json", "")).status(), Code::kDamaged,
                "empty.json: empty file");
  ExpectRefused(LoadFloatModel(path, "").status(), Code::kUnsupported, "decoder_num_heads");  // 8 heads of width 2
}

// --- synthetic weights ---

TEST(SyntheticModel, IsTheSameOnEveryMachine) {
  const FloatModel model = SyntheticModel(Preset("micro"), 7);
  Sha256 hash;
  for (const TensorSpec& spec : SamTensorSpecs(model.config)) {
    hash.Update(model.at(spec.name).data(), model.at(spec.name).size() * sizeof(float));
  }
  EXPECT_EQ(ToHex(hash.Finish()), "9c07c2348ecbaa62e1385a1b6c1161edc9c2e9714ebac16c630393a53dcac5bf");
  EXPECT_NE(model.tensors, SyntheticModel(Preset("micro"), 8).tensors);
}

TEST(SyntheticModel, HasPlausibleScales) {
  const FloatModel model = SyntheticModel(Preset("tiny"), 3);
  const auto check = [&](const char* name, double mean, double deviation) {
    const std::vector<float>& values = model.at(name);
    double sum = 0, squares = 0;
    for (const float value : values) sum += value;
    for (const float value : values) squares += (value - sum / values.size()) * (value - sum / values.size());
    const double error = 5 * deviation / std::sqrt(values.size());
    EXPECT_NEAR(sum / values.size(), mean, error) << name;
    EXPECT_NEAR(std::sqrt(squares / values.size()), deviation, error) << name;
  };
  check("image_encoder.pos_embed", 0, 0.02);
  check("image_encoder.blocks.3.attn.rel_pos_w", 0, 0.02);
  check("image_encoder.blocks.0.mlp.lin2.weight", 0, 1 / std::sqrt(768.0));
  check("image_encoder.neck.2.weight", 0, 1 / std::sqrt(128 * 9.0));
  check("image_encoder.blocks.1.norm1.weight", 1, 0.05);
  check("image_encoder.blocks.1.norm1.bias", 0, 0.02);
  check("mask_decoder.output_upscaling.0.weight", 0, 1 / std::sqrt(128.0));
  check("prompt_encoder.pe_layer.positional_encoding_gaussian_matrix", 0, 1);
  check("prompt_encoder.point_embeddings.0.weight", 0, 0.5);
}

}  // namespace
}  // namespace intsam::internal::testing
