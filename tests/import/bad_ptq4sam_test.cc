// Files with one thing wrong each: refused in one line that names the key.
#include <cmath>
#include <functional>
#include <limits>

#include "converter/import/ptq4sam.h"
#include "converter/import/ptq4sam_metadata.h"
#include "tests/import/contract_file.h"

namespace intsam::internal::testing {
namespace {

const std::string kBlock = "image_encoder.blocks.0.";
const std::string kCross = "mask_decoder.transformer.layers.0.cross_attn_token_to_image";
const std::string kImage = "mask_decoder.transformer.layers.0.cross_attn_image_to_token";
const std::string kLin1 = "mask_decoder.transformer.layers.1.mlp.lin1";
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Status ImportStatus(const std::string& bytes) {
  const TemporaryFolder folder;
  const auto imported = ImportPtq4Sam(folder.Write("m.safetensors", bytes));
  if (!imported.ok()) {
    EXPECT_NE(imported.status().message().find("m.safetensors: "), std::string::npos) << imported.status().message();
  }
  return imported.status();
}

struct Bad {
  const char* label;
  Code code;
  std::string key;     // in the message
  std::string reason;  // in the message
  std::function<void(ContractFile&)> change;
  bool eight_bits = false;
};

template <class T>
std::function<void(ContractFile&)> Set(const std::string& name, size_t index, T value) {
  return [=](ContractFile& f) { f.at(name).Set<T>(index, value); };
}
std::function<void(ContractFile&)> Meta(const std::string& key, const std::string& value) {
  return [=](ContractFile& f) { f.metadata[key] = value; };
}
std::function<void(ContractFile&)> NoMeta(const std::string& key) {
  return [=](ContractFile& f) { f.metadata.erase(key); };
}
std::function<void(ContractFile&)> Bits(const std::string& site, int bits) {
  return [=](ContractFile& f) { f.SetBits(site, bits); };
}
std::function<void(ContractFile&)> NoTensor(const std::string& name) {
  return [=](ContractFile& f) { f.tensors.erase(name); };
}
std::function<void(ContractFile&)> Integer(const std::string& name, int32_t value) {
  return [=](ContractFile& f) { f.tensors[name] = MakeTensor<int32_t>(DType::kI32, {1}, {value}); };
}

void ExpectAllRefused(const std::vector<Bad>& cases) {
  for (const Bad& bad : cases) {
    SCOPED_TRACE(bad.label);
    ContractFile file = bad.eight_bits ? EightBitFile() : SixBitFile();
    bad.change(file);
    const Status status = ImportStatus(file.Bytes());
    ExpectRefused(status, bad.code, bad.key);
    EXPECT_NE(status.message().find(bad.reason), std::string::npos) << status.message();
  }
}

TEST(BadPtq4Sam, Metadata) {
  std::vector<Bad> cases = {
      {"another format", Code::kUnsupported, "metadata format", "intsam-ptq4sam-2", Meta("format", "intsam-ptq4sam-2")},
      {"no format", Code::kUnsupported, "metadata format", "found none", NoMeta("format")},
      {"not a number", Code::kDamaged, "metadata depth", "whole number", Meta("depth", "2.0")},
      {"sign", Code::kDamaged, "metadata depth", "whole number", Meta("depth", "-2")},
      {"too large a number", Code::kDamaged, "metadata depth", "whole number", Meta("depth", "4294967298")},
      {"no list", Code::kDamaged, "metadata global_attn_indexes", "list", Meta("global_attn_indexes", "{}")},
      {"nested", Code::kDamaged, "metadata global_attn_indexes", "flat", Meta("global_attn_indexes", "[[1]]")},
      {"unfinished", Code::kDamaged, "metadata big_sites", "list", Meta("big_sites", "[")},
      {"not a boolean", Code::kDamaged, "metadata encoder_quantised", "'1'", Meta("encoder_quantised", "1")},
      {"unknown method", Code::kDamaged, "metadata method", "'guessed'", Meta("method", "guessed")},
      {"not names", Code::kDamaged, "metadata big_sites", "names", Meta("big_sites", "[1]")},
      {"a name twice", Code::kDamaged, "metadata big_sites", "different", Meta("big_sites", R"(["a","a"])")},
      {"no object", Code::kDamaged, "metadata site_bits", "object", Meta("site_bits", "[]")},
      {"bits not a number", Code::kDamaged, "metadata site_bits", "'a'", Meta("site_bits", R"({"a":"6"})")},
      {"bits negative", Code::kDamaged, "metadata site_bits", "'a'", Meta("site_bits", R"({"a":-6})")},
      {"a site twice", Code::kDamaged, "metadata site_bits", "duplicate 'a'", Meta("site_bits", R"({"a":6,"a":6})")},
      {"a NUL", Code::kDamaged, "metadata big_sites", "a NUL", Meta("big_sites", std::string("[]\0 junk", 8))},
      {"control characters", Code::kDamaged, "metadata method", "'\\x0a'", Meta("method", "\n")},
      {"image size", Code::kUnsupported, "image_size", "1024", Meta("image_size", "1024")},
      {"width", Code::kUnsupported, "embed_dim", "64", Meta("embed_dim", "64")},
      {"depth", Code::kUnsupported, "depth", "3", Meta("depth", "3")},
      {"heads", Code::kUnsupported, "num_heads", "4", Meta("num_heads", "4")},
      {"window", Code::kUnsupported, "window_size", "4", Meta("window_size", "4")},
      {"global blocks", Code::kUnsupported, "global_attn_indexes", "[0]", Meta("global_attn_indexes", "[0]")},
      {"decoder heads", Code::kUnsupported, "decoder_num_heads", "3", Meta("decoder_num_heads", "3")},
  };
  for (const char* key :
       {"image_size", "embed_dim", "depth", "num_heads", "window_size", "global_attn_indexes", "encoder_quantised",
        "method", "big_sites", "site_bits", "soft_layers_hardened", "drop_active_sites"}) {
    cases.push_back({key, Code::kDamaged, std::string("metadata ") + key, "missing", NoMeta(key)});
  }
  ExpectAllRefused(cases);
}

TEST(BadPtq4Sam, SetOfKeys) {
  ExpectAllRefused({
      {"codes missing", Code::kUnsupported, kLin1 + ".weight_q", "found no such tensor", NoTensor(kLin1 + ".weight_q")},
      {"scale missing", Code::kUnsupported, kLin1 + ".weight_scale", "no such tensor",
       NoTensor(kLin1 + ".weight_scale")},
      {"zero point missing", Code::kUnsupported, kLin1 + ".weight_zp", "no such tensor",
       NoTensor(kLin1 + ".weight_zp")},
      {"input scale missing", Code::kUnsupported, kLin1 + ".in.scale", "no such tensor", NoTensor(kLin1 + ".in.scale")},
      {"input zero missing", Code::kUnsupported, kLin1 + ".in.zp", "no such tensor", NoTensor(kLin1 + ".in.zp")},
      {"bias missing", Code::kUnsupported, kLin1 + ".bias", "no such tensor", NoTensor(kLin1 + ".bias")},
      {"norm missing", Code::kUnsupported, kBlock + "norm1.bias", "no such tensor", NoTensor(kBlock + "norm1.bias")},
      {"q missing", Code::kUnsupported, kCross + ".q.scale", "no such tensor", NoTensor(kCross + ".q.scale")},
      {"softmax scale missing", Code::kUnsupported, kCross + ".attn.scale", "no such tensor",
       NoTensor(kCross + ".attn.scale")},
      {"weight beside codes", Code::kDamaged, kLin1 + ".weight", "beside",
       [](ContractFile& f) {
         f.tensors[kLin1 + ".weight"] = MakeTensor(DType::kF32, {64, 32}, std::vector<float>(64 * 32));
       }},
      {"a bias in the neck", Code::kUnsupported, "image_encoder.neck.0.bias", "expected no such tensor",
       [](ContractFile& f) {
         f.tensors["image_encoder.neck.0.bias"] = MakeTensor(DType::kF32, {32}, std::vector<float>(32));
       }},
      {"unknown key", Code::kUnsupported, "pixel_mean", "expected no such tensor",
       [](ContractFile& f) { f.tensors["pixel_mean"] = MakeTensor(DType::kF32, {3}, std::vector<float>(3)); }},
      {"an encoder said to be in floating point", Code::kUnsupported, kBlock + "attn.qkv.weight", "no such tensor",
       Meta("encoder_quantised", "false")},
      {"codes of another dtype", Code::kUnsupported, kLin1 + ".weight_q", "expected U8",
       [](ContractFile& f) { f.at(kLin1 + ".weight_q").dtype = DType::kI8; }},
      {"codes of another shape", Code::kUnsupported, kLin1 + ".weight_q", "of shape [32, 64]",
       [](ContractFile& f) {
         f.at(kLin1 + ".weight_q").shape = {32, 64};
       }},
      {"zero point as floats", Code::kUnsupported, kLin1 + ".in.zp", "expected I32",
       [](ContractFile& f) { f.at(kLin1 + ".in.zp").dtype = DType::kF32; }},
      {"scale of two elements", Code::kUnsupported, kLin1 + ".in.scale", "of shape [1], found F32 of shape [2]",
       [](ContractFile& f) {
         f.tensors[kLin1 + ".in.scale"] = MakeTensor<float>(DType::kF32, {2}, {1, 1});
       }},
      {"a norm in half precision", Code::kUnsupported, kBlock + "norm1.bias", "found F16",
       [](ContractFile& f) {
         f.tensors[kBlock + "norm1.bias"] = MakeTensor(DType::kF16, {32}, std::vector<uint16_t>(32));
       }},
      {"no SAM at all", Code::kUnsupported, "image_encoder.pos_embed", "missing",
       [](ContractFile& f) { f.tensors.clear(); }},
  });
}

TEST(BadPtq4Sam, BitsAndCodes) {
  ExpectAllRefused({
      {"no bits for a weight", Code::kDamaged, kLin1 + ".weight", "found none",
       [](ContractFile& f) { f.EraseBits(kLin1 + ".weight"); }},
      {"no bits for an input", Code::kDamaged, kLin1 + ".in", "found none",
       [](ContractFile& f) { f.EraseBits(kLin1 + ".in"); }},
      {"no bits for keys", Code::kDamaged, kCross + ".k", "found none",
       [](ContractFile& f) { f.EraseBits(kCross + ".k"); }},
      {"no bits for softmax", Code::kDamaged, kCross + ".attn", "found none",
       [](ContractFile& f) { f.EraseBits(kCross + ".attn"); }},
      {"bits for no site", Code::kDamaged, "site_bits", "'a.site' is no quantized site", Bits("a.site", 6)},
      {"weight of one bit", Code::kDamaged, kLin1 + ".weight", "2..8, found 1", Bits(kLin1 + ".weight", 1)},
      {"weight of nine bits", Code::kDamaged, kLin1 + ".weight", "2..8, found 9", Bits(kLin1 + ".weight", 9)},
      {"input of one bit", Code::kDamaged, kLin1 + ".in", "2..16, found 1", Bits(kLin1 + ".in", 1)},
      {"input of 17 bits", Code::kDamaged, kLin1 + ".in", "2..16, found 17", Bits(kLin1 + ".in", 17)},
      {"input of nine bits", Code::kUnsupported, kLin1 + ".in", "not supported", Bits(kLin1 + ".in", 9)},
      {"keys of 16 bits", Code::kUnsupported, kCross + ".k", "not supported", Bits(kCross + ".k", 16)},
      {"sums beyond 32 bits", Code::kUnsupported, "image_encoder.neck.2.in", "do not fit 32 bits",
       Bits("image_encoder.neck.2.in", 16), true},
      {"AGQ of nine bits", Code::kDamaged, kCross + ".attn", "2..8, found 9", Bits(kCross + ".attn", 9)},
      {"uniform softmax of nine bits", Code::kUnsupported, kCross + ".attn", "not supported", Bits(kCross + ".attn", 9),
       true},
      {"code above the bits", Code::kDamaged, kLin1 + ".weight_q", "0..63, found 64",
       Set<uint8_t>(kLin1 + ".weight_q", 64 * 32 - 1, 64)},
      {"weight zero above", Code::kDamaged, kLin1 + ".weight_zp", "0..63, found 64",
       Set<int32_t>(kLin1 + ".weight_zp", 63, 64)},
      {"weight zero below", Code::kDamaged, kLin1 + ".weight_zp", "found -1",
       Set<int32_t>(kLin1 + ".weight_zp", 0, -1)},
      {"input zero above", Code::kDamaged, kLin1 + ".in.zp", "0..63, found 64", Set<int32_t>(kLin1 + ".in.zp", 0, 64)},
      {"query zero below", Code::kDamaged, kCross + ".q.zp", "found -1", Set<int32_t>(kCross + ".q.zp", 0, -1)},
  });
}

TEST(BadPtq4Sam, Scales) {
  ExpectAllRefused({
      {"weight scale 0", Code::kDamaged, kLin1 + ".weight_scale", "above 0", Set(kLin1 + ".weight_scale", 63, 0.0f)},
      {"weight scale negative", Code::kDamaged, kLin1 + ".weight_scale", "above 0",
       Set(kLin1 + ".weight_scale", 0, -1.0f)},
      {"weight scale NaN", Code::kDamaged, kLin1 + ".weight_scale", "NaN", Set(kLin1 + ".weight_scale", 0, NAN)},
      {"input scale infinite", Code::kDamaged, kLin1 + ".in.scale", "infinity", Set(kLin1 + ".in.scale", 0, kInfinity)},
      {"input scale below the floor", Code::kDamaged, kLin1 + ".in.scale", "at least",
       Set(kLin1 + ".in.scale", 0, 1e-7f)},
      {"value scale 0", Code::kDamaged, kCross + ".v.scale", "above 0", Set(kCross + ".v.scale", 0, 0.0f)},
      {"AGQ scale 0", Code::kDamaged, kCross + ".attn.scale", "above 0", Set(kCross + ".attn.scale", 0, 0.0f)},
      {"AGQ scale above 4", Code::kDamaged, kCross + ".attn.scale", "at most 4", Set(kCross + ".attn.scale", 0, 4.5f)},
      {"tau 3", Code::kDamaged, kCross + ".attn.tau", "1, 2 or 4", Set<int32_t>(kCross + ".attn.tau", 0, 3)},
      {"tau 8", Code::kDamaged, kCross + ".attn.tau", "1, 2 or 4", Set<int32_t>(kCross + ".attn.tau", 0, 8)},
      {"both softmax kinds", Code::kDamaged, kCross + ".attn.tau", "both", Integer(kCross + ".attn.zp", 0)},
      {"no softmax kind", Code::kDamaged, kCross + ".attn.tau", "neither", NoTensor(kCross + ".attn.tau")},
      {"softmax zero point", Code::kUnsupported, kCross + ".attn.zp", "expected 0", Integer(kCross + ".attn.zp", 1),
       true},
      {"NaN in a norm", Code::kDamaged, kBlock + "norm1.bias", "NaN at element 3", Set(kBlock + "norm1.bias", 3, NAN)},
      {"infinity in a bias", Code::kDamaged, kLin1 + ".bias", "infinity at element 0",
       Set(kLin1 + ".bias", 0, -kInfinity)},
  });
}

TEST(BadPtq4Sam, BimodalSigns) {
  const auto sign_at = [](const std::string& attention, size_t channels) {
    return [=](ContractFile& f) {
      f.tensors[attention + ".big_sign"] = MakeTensor(DType::kI8, {channels}, std::vector<int8_t>(channels, 1));
      auto sites = nlohmann::json::parse(f.metadata["big_sites"]);
      sites.push_back(attention);
      f.metadata["big_sites"] = sites.dump();
    };
  };
  ExpectAllRefused({
      {"a sign of 0", Code::kDamaged, kCross + ".big_sign", "found 0", Set<int8_t>(kCross + ".big_sign", 3, 0)},
      {"a sign of 2", Code::kDamaged, kCross + ".big_sign", "found 2", Set<int8_t>(kCross + ".big_sign", 3, 2)},
      {"not in big_sites", Code::kDamaged, ".big_sign", "not named", Meta("big_sites", "[]")},
      {"in big_sites only", Code::kDamaged, kCross + ".big_sign", "no such tensor", NoTensor(kCross + ".big_sign")},
      {"too short", Code::kUnsupported, kCross + ".big_sign", "of shape [16], found I8 of shape [8]",
       sign_at(kCross, 8), true},
      {"at image-to-token", Code::kDamaged, kImage + ".big_sign", "token-to-image", sign_at(kImage, 16)},
      {"at self-attention", Code::kDamaged, "self_attn.big_sign", "token-to-image",
       sign_at("mask_decoder.transformer.layers.0.self_attn", 32)},
      {"in the encoder", Code::kDamaged, kBlock + "attn.big_sign", "token-to-image", sign_at(kBlock + "attn", 32)},
      {"at no attention", Code::kDamaged, "big_sites", "'nowhere' is no quantized attention",
       Meta("big_sites", R"(["nowhere"])"), true},
  });
}

TEST(BadPtq4Sam, OtherFiles) {
  const TemporaryFolder folder;
  ExpectRefused(ImportPtq4Sam(folder.Write("a", "")).status(), Code::kDamaged, "empty");
  ExpectRefused(ImportPtq4Sam("/nowhere/a").status(), Code::kIo, "/nowhere/a");
  for (const char* plain : {"micro_f32.safetensors", "micro_f32.pth"})
    ExpectRefused(ImportPtq4Sam(GoldenPath(plain)).status(), Code::kUnsupported, "metadata format");
}

TEST(OfficialVariant, MustBeOfficialInEveryNumber) {
  for (const char* name : {"vit_b", "vit_l", "vit_h", "tiny", "micro"}) {
    const auto config = PresetConfig(name);
    EXPECT_TRUE(CheckOfficialVariant(config.value()).ok()) << name;
  }
  const SamConfig official = PresetConfig("vit_l").value();
  const auto refused = [&](const char* field, const std::function<void(SamConfig&)>& change) {
    SamConfig config = official;
    change(config);
    ExpectRefused(CheckOfficialVariant(config), Code::kUnsupported, field);
  };
  refused("depth", [](SamConfig& c) { c.vit.depth = 12; });
  refused("num_heads", [](SamConfig& c) { c.vit.num_heads = 8; });
  refused("window_size", [](SamConfig& c) { c.vit.window_size = 7; });
  refused("image_size", [](SamConfig& c) { c.image_size = 512; });
  refused("global_attn_mask", [](SamConfig& c) { c.vit.global_attn_mask = 0x924; });
  refused("decoder_num_heads", [](SamConfig& c) { c.decoder_num_heads = 4; });
}

}  // namespace
}  // namespace intsam::internal::testing
