// The wrappings and names under which people publish SAMs, each made from the micro model, give the weights of the
// plain file; and files that are something else are named.
#include <cmath>
#include <cstring>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/checkpoint/sam_names.h"
#include "converter/checkpoint/tensor_view.h"
#include "tests/checkpoint/edited_file.h"
#include "tests/checkpoint/test_support.h"

namespace intsam::internal::testing {
namespace {

const char* const kPlain = "micro_f32.safetensors";

const FloatModel& Plain() {
  static const FloatModel model = [] {
    auto loaded = LoadFloatModel(GoldenPath(kPlain), GoldenPath("micro.json"));
    EXPECT_TRUE(loaded.ok()) << loaded.status().message();
    return std::move(*loaded);
  }();
  return model;
}

class Published : public ::testing::Test {
 protected:
  Result<FloatModel> Load(const std::string& bytes) {
    return LoadFloatModel(folder_.Write("file", bytes), GoldenPath("micro.json"));
  }
  void ExpectPlain(const std::string& bytes) {
    auto model = Load(bytes);
    ASSERT_TRUE(model.ok()) << model.status().message();
    EXPECT_TRUE(model->config == Plain().config);
    EXPECT_TRUE(model->tensors == Plain().tensors);
  }
  void ExpectRefusal(const std::string& bytes, Code code, const std::string& word) {
    ExpectRefused(Load(bytes).status(), code, word);
  }

  const TemporaryFolder folder_;
};

// The micro model as torch.save writes it, with `wrap` around the dict of its tensors and `prefix` before its names.
std::string TorchFile(int protocol, const std::string& prefix,
                      const std::function<void(PickleWriter*, const std::function<void()>&)>& wrap) {
  PickleWriter pickle(protocol);
  std::string storage;
  const std::vector<FileTensor> tensors = ReadTensors(GoldenPath(kPlain));
  size_t total = 0;
  for (const FileTensor& t : tensors) total += t.bytes.size() / 4;
  wrap(&pickle, [&] {
    pickle.OrderedDict().Raw("(");
    for (const FileTensor& t : tensors) {
      PickleWriter::TensorFields fields;
      fields.count = static_cast<int64_t>(total);
      fields.offset = static_cast<int64_t>(storage.size() / 4);
      fields.sizes.assign(t.shape.begin(), t.shape.end());
      const std::vector<uint64_t> strides = ContiguousStrides(t.shape);
      fields.strides.assign(strides.begin(), strides.end());
      pickle.Text(prefix + t.name).Tensor(fields);
      storage += t.bytes;
    }
    pickle.Raw("u");
  });
  return WriteTorch(pickle.Finish(), storage);
}

const auto kBare = [](PickleWriter*, const std::function<void()>& weights) { weights(); };

TEST_F(Published, EveryProtocolOfPickle) {
  for (const int protocol : {2, 3, 4, 5}) {
    SCOPED_TRACE(protocol);
    ExpectPlain(TorchFile(protocol, "", kBare));
  }
}

TEST_F(Published, EveryPrefix) {
  for (const char* prefix : {"module.", "model.", "sam.", "model.module.", "_orig_mod.", "net.sam_model."}) {
    SCOPED_TRACE(prefix);
    ExpectPlain(TorchFile(2, prefix, kBare));
    ExpectPlain(EditedFile(GoldenPath(kPlain), [&](FileTensor* t) { t->name = prefix + t->name; }));
  }
}

// What Lightning, MMEngine and home-made loops keep beside the weights.
TEST_F(Published, TrainingCheckpoints) {
  for (const int protocol : {2, 5}) {
    for (const char* key : {"state_dict", "model", "model_state", "net"}) {
      SCOPED_TRACE(key);
      ExpectPlain(TorchFile(protocol, "model.", [&](PickleWriter* p, const std::function<void()>& weights) {
        p->Raw("}(").Text("epoch").Int(3).Text("version").Text("2.1").Text("done").Raw("\x88");
        p->Text("optimizer").Raw("}(").Text("state").Raw("}K\x05}").Text("exp_avg").Tensor({}).Raw("ss");
        p->Text("param_groups").Raw("]}").Text("lr").Raw("G").Raw(std::string(8, '?')).Raw("sau");
        p->Text("best").Global("numpy.core.multiarray", "scalar").Raw("(").Global("numpy", "dtype").Text("f8");
        p->Raw("\x89\x88\x87R(K\x03NNNtb").Text("x").Raw("tR");
        p->Text("args").Global("argparse", "Namespace").Raw(")\x81}").Text("lr").Int(1).Raw("sb");
        p->Text("counts").Global("collections", "Counter").Raw("}\x85R(").Text("a").Int(1).Raw("u");
        p->Text(key);
        weights();
        p->Text("mean").Tensor({.sizes = {3}, .strides = {1}}).Raw("u");
      }));
    }
  }
}

// Numbers, options and None between the tensors.
TEST_F(Published, ValuesBesideTheTensors) {
  ExpectPlain(TorchFile(4, "", [](PickleWriter* p, const std::function<void()>& weights) {
    weights();
    p->Raw("(").Text("epoch").Int(3).Text("done").Raw("\x89").Text("lr").Raw("G").Raw(std::string(8, '?'));
    p->Text("note").Raw("N").Text("name").Text("sam").Text("sizes").Raw("]").Raw("u");
  }));
}

TEST_F(Published, TwoSamsAreRefused) {
  std::vector<FileTensor> tensors = ReadTensors(GoldenPath(kPlain));
  for (FileTensor t : ReadTensors(GoldenPath(kPlain))) {
    t.name = "ema." + t.name;
    tensors.push_back(t);
  }
  ExpectRefusal(WriteTensors(tensors), Code::kUnsupported, "two SAMs");
}

TEST_F(Published, NamesOutsideThePrefixAreRefused) {
  std::vector<FileTensor> tensors = ReadTensors(GoldenPath(kPlain));
  for (FileTensor& t : tensors) t.name = "model." + t.name;
  tensors.push_back({"loss.weight", "F32", {1}, std::string(4, 0)});
  ExpectRefusal(WriteTensors(tensors), Code::kUnsupported, "tensor loss.weight: expected no such tensor");
}

// --- transformers ---

void Replace(const std::string& from, const std::string& to, std::string* name) {
  if (const size_t at = name->find(from); at != std::string::npos) name->replace(at, from.size(), to);
}

// The name in transformers of an official one, by the replacements of its conversion script.
std::string TransformersName(std::string name) {
  const bool hypernetwork = name.find("output_hypernetworks_mlps") != std::string::npos;
  if (hypernetwork || name.find("iou_prediction_head") != std::string::npos) {
    Replace(".layers.0.", ".proj_in.", &name);
    Replace(".layers.1.", ".layers.0.", &name);
    Replace(".layers.2.", ".proj_out.", &name);
  }
  const std::pair<const char*, const char*> kReplacements[] = {
      {"mask_decoder.output_upscaling.0", "mask_decoder.upscale_conv1"},
      {"mask_decoder.output_upscaling.1", "mask_decoder.upscale_layer_norm"},
      {"mask_decoder.output_upscaling.3", "mask_decoder.upscale_conv2"},
      {"mask_downscaling.0", "mask_embed.conv1"},
      {"mask_downscaling.1", "mask_embed.layer_norm1"},
      {"mask_downscaling.3", "mask_embed.conv2"},
      {"mask_downscaling.4", "mask_embed.layer_norm2"},
      {"mask_downscaling.6", "mask_embed.conv3"},
      {"point_embeddings", "point_embed"},
      {"pe_layer.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"},
      {"image_encoder", "vision_encoder"},
      {"neck.0", "neck.conv1"},
      {"neck.1", "neck.layer_norm1"},
      {"neck.2", "neck.conv2"},
      {"neck.3", "neck.layer_norm2"},
      {"patch_embed.proj", "patch_embed.projection"},
      {".norm", ".layer_norm"},
      {"blocks", "layers"}};
  for (const auto& [from, to] : kReplacements) Replace(from, to, &name);
  return name;
}

const char* const kShared = "prompt_encoder.shared_embedding.positional_embedding";
const char* const kSharedImage = "shared_image_embedding.positional_embedding";

TEST_F(Published, NamesOfTransformers) {
  std::vector<FileTensor> tensors = ReadTensors(GoldenPath(kPlain));
  for (FileTensor& t : tensors) t.name = TransformersName(t.name);
  ExpectPlain(WriteTensors(tensors));
  // Both names of the shared embedding, as its .bin has them, or only the other, as its safetensors.
  std::vector<FileTensor> both = tensors;
  for (const FileTensor& t : tensors) {
    if (t.name != kShared) continue;
    both.push_back(t);
    both.back().name = kSharedImage;
  }
  ASSERT_EQ(both.size(), tensors.size() + 1);
  ExpectPlain(WriteTensors(both));
  both.back().values()[1] += 1;
  ExpectRefusal(WriteTensors(both), Code::kUnsupported, "expected a copy of");
  for (FileTensor& t : tensors) {
    if (t.name == kShared) t.name = kSharedImage;
  }
  ExpectPlain(WriteTensors(tensors));
  for (FileTensor& t : tensors) t.name = "sam." + t.name;
  ExpectPlain(WriteTensors(tensors));
}

TEST_F(Published, NamesOfTransformersAtEverySize) {
  for (const char* preset : {"vit_b", "vit_h", "tiny"}) {
    std::vector<CheckpointTensor> theirs;
    const std::vector<TensorSpec> specs = SamTensorSpecs(PresetConfig(preset).value());
    for (const TensorSpec& spec : specs) theirs.push_back({TransformersName(spec.name), DType::kF32, spec.shape, 0});
    auto named = OfficialNames(theirs);
    ASSERT_TRUE(named.ok()) << named.status().message();
    EXPECT_TRUE(named->copies.empty());
    ASSERT_EQ(named->tensors.size(), specs.size());
    for (size_t i = 0; i < specs.size(); ++i) EXPECT_EQ(named->tensors[i].name, specs[i].name);
  }
}

TEST_F(Published, NumbersAreReadAsWritten) {
  const auto official = [](const char* name) {
    auto named = OfficialNames(
        {{"vision_encoder.patch_embed.projection.weight", DType::kF32, {1}, 1}, {name, DType::kF32, {1}, 1}});
    return named.ok() && named->tensors.size() == 2 ? named->tensors[1].name : "";
  };
  EXPECT_EQ(official("vision_encoder.layers.31.layer_norm1.bias"), "image_encoder.blocks.31.norm1.bias");
  for (const char* odd : {"vision_encoder.layers.01.layer_norm1.bias", "vision_encoder.layers.-1.attn.qkv.bias",
                          "vision_encoder.layers.99999.attn.qkv.bias", "vision_encoder.layers..attn.qkv.bias",
                          "vision_encoder.layers.4294967296.attn.qkv.bias", "vision_encoder.layers."}) {
    EXPECT_EQ(official(odd), odd);
  }
}

// --- element types ---

TEST_F(Published, DoublesAreRounded) {
  const auto doubles = [](double change) {
    return EditedFile(GoldenPath(kPlain), [&](FileTensor* t) {
      std::vector<double> values(t->values(), t->values() + t->bytes.size() / 4);
      if (t->name == "image_encoder.neck.0.weight" && change != 0) values[7] = change;
      t->dtype = "F64";
      t->bytes.assign(reinterpret_cast<const char*>(values.data()), values.size() * 8);
    });
  };
  ExpectPlain(doubles(0));
  ExpectRefusal(doubles(-1e39), Code::kUnsupported,
                "image_encoder.neck.0.weight: -1e+39 at element 7 is outside the range of F32");
  ExpectRefusal(doubles(NAN), Code::kDamaged, "found NaN at element 7");
  ExpectRefusal(doubles(INFINITY), Code::kDamaged, "found infinity at element 7");
}

// --- what is no checkpoint of a SAM ---

TEST_F(Published, OtherFilesAreNamed) {
  const auto text = [](const std::string& bytes) { return bytes + std::string(40, '\n'); };
  ExpectRefusal("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 375042383\n", Code::kUnsupported,
                "Git LFS pointer");
  ExpectRefusal(text("<!DOCTYPE html><html><head>"), Code::kUnsupported, "a web page");
  ExpectRefusal(text("\n <?xml version=\"1.0\"?><Error>"), Code::kUnsupported, "a web page");
  ExpectRefusal(text("{\n  \"metadata\": {},\n  \"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\"}}"),
                Code::kUnsupported, "index of weights in several safetensors files");
  ExpectRefusal(text("{\"aaaa\":{},\"weight_map\":{}}"), Code::kUnsupported, "index of weights");
  ExpectRefusal(text("GGUF\x03"), Code::kUnsupported, "GGUF");
  ExpectRefusal(text("lmgg"), Code::kUnsupported, "ggml");
  ExpectRefusal(text("\x89HDF\r\n"), Code::kUnsupported, "HDF5");
  ExpectRefusal(text("\x89isam\r\n"), Code::kUnsupported, "an integer model");
  ExpectRefusal(text("\x1f\x8b\x08"), Code::kUnsupported, "gzip");
  ExpectRefusal(text("\x08\x07\x12\x07pytorch"), Code::kUnsupported, "ONNX");
  ExpectRefusal(text("\x80\x04\x95"), Code::kUnsupported, "legacy torch.save format");
  ExpectRefusal(text("\x80\x02}."), Code::kUnsupported, "a bare pickle");
  ExpectRefusal(text("solid"), Code::kDamaged, "neither safetensors nor a zip file");
  ExpectRefused(LoadFloatModel(std::filesystem::temp_directory_path().string(), "").status(), Code::kIo, "a directory");
}

TEST_F(Published, OtherArchivesAreNamed) {
  const auto member = [](const char* name, uint16_t method) {
    return ZipEntry{.name = name, .data = "xyz", .method = method};
  };
  const ZipEntry pickle = {.name = "m/data.pkl", .data = "\x80\x02}."};
  // Deflated, as the exporters of TorchScript may leave them, and stored.
  for (const uint16_t method : {0, 8}) {
    ExpectRefusal(WriteZip({member("m/constants.pkl", method), pickle}), Code::kUnsupported, "TorchScript archive");
    ExpectRefusal(WriteZip({member("weights/sam_vit_b.pth", method)}), Code::kUnsupported,
                  "an archive that holds 'weights/sam_vit_b.pth': unpack it");
    ExpectRefusal(WriteZip({member("pos_embed.npy", method)}), Code::kUnsupported, "NumPy arrays");
  }
  ExpectRefusal(WriteZip({member("m/data.pkl", 8)}), Code::kUnsupported, "compressed by method 8");
  ExpectRefusal(WriteZip({member("readme", 0)}), Code::kUnsupported, "not a file of torch.save");
}

TEST_F(Published, RelativesOfSamAreNamed) {
  const auto with = [](const char* name) {
    std::vector<FileTensor> tensors = ReadTensors(GoldenPath(kPlain));
    tensors.push_back({name, "F32", {1}, std::string(4, 0)});
    return WriteTensors(tensors);
  };
  const auto alone = [](const char* name) { return WriteTensors({{name, "F32", {1}, std::string(4, 0)}}); };
  ExpectRefusal(with("mask_decoder.hf_token.weight"), Code::kUnsupported, "SAM-HQ");
  ExpectRefusal(with("image_encoder.blocks.0.attn.qkv.lora_A.weight"), Code::kUnsupported, "LoRA");
  ExpectRefusal(with("image_encoder.blocks.3.attn.qkv.linear_a_q.weight"), Code::kUnsupported, "LoRA");
  ExpectRefusal(with("image_encoder.blocks.0.Adapter.D_fc1.weight"), Code::kUnsupported, "adapter");
  ExpectRefusal(alone("image_encoder.trunk.pos_embed"), Code::kUnsupported, "SAM 2");
  ExpectRefusal(alone("sam_mask_decoder.iou_token.weight"), Code::kUnsupported, "SAM 2");
  ExpectRefusal(alone("image_encoder.fuse_stage2.weight"), Code::kUnsupported, "EdgeSAM");
  ExpectRefusal(alone("image_encoder.features.0.0.c.weight"), Code::kUnsupported, "RepViT-SAM");
  ExpectRefusal(alone("mask_decoder.final_output_upscaling_layers.0.0.weight"), Code::kUnsupported, "EfficientSAM");
  ExpectRefusal(alone("fc.weight"), Code::kUnsupported, "not a SAM checkpoint");
}

}  // namespace
}  // namespace intsam::internal::testing
