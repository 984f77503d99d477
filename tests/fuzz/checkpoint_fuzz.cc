// Checkpoint files as the converter opens them: both formats, and what is neither. Oracle: a refusal is one line that
// names the file; of what opens every tensor is read, with the same values as numbers and as bytes; the metadata of the
// import contract either fits it or is refused.
#include "converter/checkpoint/checkpoint.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "converter/checkpoint/foreign_formats.h"
#include "converter/checkpoint/sidecar.h"
#include "converter/checkpoint/tensor_view.h"
#include "converter/import/ptq4sam_metadata.h"
#include "runtime/base/sha256.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/input_file.h"

namespace intsam::internal::testing {
namespace {

// The value of an element of a floating-point type, by arithmetic instead of bits; widths as in its type.
double ValueOf(DType type, const uint8_t* raw) {
  if (type == DType::kF64) return std::bit_cast<double>(LoadU64(raw));
  if (type == DType::kF32) return std::bit_cast<float>(LoadU32(raw));
  const uint32_t bits = LoadU16(raw);
  if (type == DType::kBF16) return std::bit_cast<float>(bits << 16);
  const int exponent = static_cast<int>(bits >> 10 & 31), mantissa = static_cast<int>(bits & 1023);
  const double magnitude = exponent == 31  ? (mantissa == 0 ? HUGE_VAL : std::nan(""))
                           : exponent == 0 ? std::ldexp(mantissa, -24)
                                           : std::ldexp(1024 + mantissa, exponent - 25);
  return bits >> 15 != 0 ? -magnitude : magnitude;
}

void ReadTensor(const Checkpoint& checkpoint, size_t index, const std::string& path) {
  const CheckpointTensor& info = checkpoint.tensors()[index];
  const uint64_t width = WidthOf(info.dtype);
  std::vector<uint8_t> raw(info.elements * width);
  std::vector<float> values(info.elements);
  Require(checkpoint.ReadRaw(index, raw.data()).ok(), "a tensor that cannot be read");
  const Status read = checkpoint.ReadF32(index, values.data());
  if (!read.ok()) {
    Require(info.dtype != DType::kF32 && info.dtype != DType::kF16 && info.dtype != DType::kBF16,
            "numbers are refused");
    return RequireRefusal(read, path);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = ValueOf(info.dtype, raw.data() + i * width);
    const auto expected = static_cast<float>(value);
    Require(std::isnan(value) ? std::isnan(values[i]) : values[i] == expected, "another value");
  }
}

std::string WithMetadata(const std::string& big_sites, const std::string& site_bits) {
  return WriteSafetensors(
      R"({"__metadata__":{"format":"intsam-ptq4sam-1","image_size":"128","embed_dim":"32","depth":"2","num_heads":"2",)"
      R"("window_size":"3","global_attn_indexes":"[1]","encoder_quantised":"true","method":"calibrated","big_sites":")" +
          big_sites + R"(","site_bits":")" + site_bits +
          R"(","soft_layers_hardened":"0","drop_active_sites":"0","decoder_num_heads":"2"}})",
      "");
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds = {
      TinySafetensors(),
      WriteTorch(TensorPickle({})),
      WriteTorch(TensorPickle({.storage = "HalfStorage", .count = 12, .sizes = {2, 3}, .strides = {1, 4}})),
      WithMetadata("[]", "{}"),
      WithMetadata(R"([\"a\",\"b\"])", R"({\"a\":6})"),
      WithMetadata("[1]", "{}"),
      WithMetadata("[[1]]", "{}"),
      WithMetadata("[]", R"({\"a\":\"6\"})"),
      WithMetadata("[]", R"({\"a\":6,\"a\":6})")};
  seeds.push_back(
      WriteSafetensors(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", LittleEndian(0x3ff8ull << 48, 8)));
  for (const char* type : {"BF16", "F64", "I64"}) {
    const std::string end = std::string(type) == "BF16" ? "4" : "16";
    seeds.push_back(WriteSafetensors(
        "{\"a\":{\"dtype\":\"" + std::string(type) + "\",\"shape\":[2],\"data_offsets\":[0," + end + "]}}",
        std::string(type[0] == 'B' ? 4 : 16, '\x7e')));
  }
  // What people have instead of a checkpoint.
  for (const char* start : {"version https://git-lfs.github.com/spec/v1", "GGUF\3", "\x89HDF\r\n", "\x80\2]q\1.",
                            "\n <!DOCTYPE html>", R"({"weight_map":{}})", "\x8\x7\x12\x7pytorch", "", "abc"}) {
    seeds.emplace_back(start);
  }
  for (const char* name : {"image_encoder.trunk.x", "mask_decoder.hf_token.weight"}) {
    seeds.push_back(WriteSafetensors(
        "{\"" + std::string(name) + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "abcd"));
  }
  return seeds;
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  static testing::InputFile file;
  static const bool no_files = Checkpoint::Open("/").ok() || Checkpoint::Open("/none/such").ok();
  testing::Require(!no_files, "a folder, or nothing, opens");
  const std::string& path = file.With({data, size});
  const auto opened = Checkpoint::Open(path);
  if (!opened.ok()) {
    testing::RequireRefusal(opened.status(), path);
    return 0;
  }
  const Checkpoint& checkpoint = *opened.value();
  const auto sum = checkpoint.Sha256();
  testing::Require(sum.ok() && sum.value() == ToHex(Sha256Of(data, size)), "another SHA-256");
  for (size_t i = 0; i < checkpoint.tensors().size(); ++i) testing::ReadTensor(checkpoint, i, path);
  if (const Status relative = RefuseForeignModel(checkpoint.tensors()); !relative.ok())
    testing::RequireRefusal(relative, "not a SAM");
  const auto metadata = ParsePtq4SamMetadata(checkpoint.metadata());
  if (!metadata.ok()) {
    testing::RequireRefusal(metadata.status(), "metadata ");
    return 0;
  }
  testing::Require(metadata.value().method == "calibrated" || metadata.value().method == "reconstructed", "a method");
  const auto sidecar = Sidecar::Parse(metadata.value().config_json);
  testing::Require(sidecar.ok(), "a configuration that is no sidecar");
  SamConfig vit_b = PresetConfig("vit_b").value();
  const uint64_t depth = sidecar.value().Number("depth", 0);
  const bool same = depth == vit_b.vit.depth;
  vit_b.vit.depth = static_cast<uint32_t>(depth);
  testing::Require(CheckOfficialVariant(vit_b).ok() == same, "a SAM-B of another depth");
  return 0;
}
