// The forms in which PyTorch saves one seeded micro SAM (data/, written by torch 2.15) against the same tensors in
// safetensors; element conversions; and files that are no checkpoint at all.
#include "converter/checkpoint/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <vector>

#include "converter/checkpoint/tensor_view.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/checkpoint/test_support.h"

namespace intsam::internal::testing {
namespace {

struct Loaded {
  DType dtype;
  std::vector<uint64_t> shape;
  std::vector<float> values;
};

std::map<std::string, Loaded> LoadAll(const std::string& name) {
  std::map<std::string, Loaded> loaded;
  auto checkpoint = Checkpoint::Open(GoldenPath(name));
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  if (!checkpoint.ok()) return loaded;
  const auto& tensors = (*checkpoint)->tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    std::vector<float> values(tensors[i].elements);
    const Status status = (*checkpoint)->ReadF32(i, values.data());
    EXPECT_TRUE(status.ok()) << status.message();
    loaded[tensors[i].name] = {tensors[i].dtype, tensors[i].shape, values};
  }
  return loaded;
}

// The float value of half bits by its definition, independent of the conversion under test.
double HalfValue(int bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

// The nearest half, ties to even, by search among all of them.
float NearestHalf(float value) {
  const double magnitude = std::abs(double{value});
  int low = 0, high = 0x7bff;  // the largest half at most `magnitude`
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (HalfValue(middle) <= magnitude) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  if (low < 0x7bff) {
    const double below = magnitude - HalfValue(low), above = HalfValue(low + 1) - magnitude;
    if (above < below || (above == below && low % 2 == 1)) ++low;
  }
  return std::copysign(static_cast<float>(HalfValue(low)), value);
}

// The nearest bfloat16, ties to even.
float NearestBfloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u);
}

TEST(Checkpoint, EveryFormGivesTheSameTensors) {
  const auto expected = LoadAll("micro_f32.safetensors");
  ASSERT_EQ(expected.size(), 174u);
  struct Form {
    const char* file;
    DType dtype;
    float (*round)(float);
  };
  const auto same = [](float value) { return value; };
  const Form kForms[] = {{"micro_f32.pth", DType::kF32, same},
                         {"micro_nested.pth", DType::kF32, same},
                         {"micro_shared_storage.pth", DType::kF32, same},
                         {"micro_strided_view.pth", DType::kF32, same},
                         {"micro_f16_plain_dict.pth", DType::kF16, NearestHalf},
                         {"micro_bf16_plain_dict.pth", DType::kBF16, NearestBfloat}};
  for (const Form& form : kForms) {
    SCOPED_TRACE(form.file);
    const auto found = LoadAll(form.file);
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [name, tensor] : expected) {
      ASSERT_TRUE(found.contains(name)) << name;
      EXPECT_EQ(found.at(name).dtype, form.dtype) << name;
      EXPECT_EQ(found.at(name).shape, tensor.shape) << name;
      for (size_t i = 0; i < tensor.values.size(); ++i) {
        const float want = form.round(tensor.values[i]);
        ASSERT_EQ(std::bit_cast<uint32_t>(found.at(name).values[i]), std::bit_cast<uint32_t>(want)) << name << " " << i;
      }
    }
  }
}

TEST(Checkpoint, KeepsTheOrderOfTheFileAndItsHash) {
  auto checkpoint = Checkpoint::Open(GoldenPath("micro_f32.pth"));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  EXPECT_EQ((*checkpoint)->tensors().front().name, "image_encoder.pos_embed");
  EXPECT_EQ((*checkpoint)->tensors().back().name, "mask_decoder.iou_prediction_head.layers.2.bias");
  const auto hash = (*checkpoint)->Sha256();
  ASSERT_TRUE(hash.ok());
  EXPECT_EQ(hash.value(), "a36b9b6591b8196ff0c284db3e6ae136e9b5f364116b3cf5aac5f23e67079d1d");
}

TEST(Conversion, HalfIsExactForAllBits) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const float found = HalfToFloat(static_cast<uint16_t>(bits));
    if ((bits & 0x7c00) != 0x7c00) {
      ASSERT_EQ(double{found}, HalfValue(bits)) << bits;
    } else if ((bits & 0x3ff) == 0) {
      ASSERT_TRUE(std::isinf(found)) << bits;
    } else {
      ASSERT_TRUE(std::isnan(found)) << bits;
    }
    ASSERT_EQ(std::signbit(found), (bits & 0x8000) != 0) << bits;
  }
}

TEST(Conversion, BfloatIsExactForAllBits) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const float found = BfloatToFloat(static_cast<uint16_t>(bits));
    const int exponent = bits >> 7 & 255, mantissa = bits & 127;
    if (exponent != 255) {
      const double magnitude = exponent == 0 ? std::ldexp(mantissa, -133) : std::ldexp(128 + mantissa, exponent - 134);
      ASSERT_EQ(double{found}, bits & 0x8000 ? -magnitude : magnitude) << bits;
    } else {
      ASSERT_EQ(std::isnan(found), mantissa != 0) << bits;
    }
    ASSERT_EQ(std::signbit(found), (bits & 0x8000) != 0) << bits;
  }
}

TEST(Checkpoint, ReadsRawBytesOfEveryType) {
  const TemporaryFolder folder;
  std::string header = "{", data;
  const std::pair<const char*, int> kWidths[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I8", 1},
                                                 {"U8", 1},  {"I16", 2}, {"I32", 4},  {"I64", 8}, {"BOOL", 1}};
  for (const auto& [dtype, width] : kWidths) {
    header += std::string(header.size() > 1 ? "," : "") + "\"" + dtype + "\":{\"dtype\":\"" + dtype +
              "\",\"shape\":[3],\"data_offsets\":[" + std::to_string(data.size()) + "," +
              std::to_string(data.size() + 3 * width) + "]}";
    for (int i = 0; i < 3 * width; ++i) data += static_cast<char>(data.size());
  }
  auto checkpoint = Checkpoint::Open(folder.Write("types.safetensors", WriteSafetensors(header + "}", data)));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  ASSERT_EQ((*checkpoint)->tensors().size(), 10u);
  std::string read;
  for (size_t i = 0; i < 10; ++i) {
    const CheckpointTensor& tensor = (*checkpoint)->tensors()[i];
    std::string raw(tensor.elements * WidthOf(tensor.dtype), '?');
    ASSERT_TRUE((*checkpoint)->ReadRaw(i, raw.data()).ok());
    read += raw;
    float values[3];
    const Status status = (*checkpoint)->ReadF32(i, values);
    if (i < 4) {
      EXPECT_TRUE(status.ok());
    } else {
      ExpectRefused(status, Code::kUnsupported,
                    "expected F32, F16, BF16 or F64, found " + std::string(NameOf(tensor.dtype)));
    }
  }
  EXPECT_EQ(read, data);
  ExpectRefused((*checkpoint)->ReadRaw(10, read.data()), Code::kUsage, "no tensor 10");
}

TEST(Checkpoint, NoticesAFileCutWhileOpen) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("cut.safetensors", TinySafetensors());
  auto checkpoint = Checkpoint::Open(path);
  ASSERT_TRUE(checkpoint.ok());
  std::filesystem::resize_file(path, 0);
  float values[6];
  ExpectRefused((*checkpoint)->ReadF32(0, values), Code::kIo, "changed");
  ExpectRefused((*checkpoint)->Sha256().status(), Code::kIo, "changed");
}

TEST(Checkpoint, RefusesWhatIsNoCheckpoint) {
  const TemporaryFolder folder;
  const auto refuse = [&](const std::string& bytes, Code code, const std::string& word) {
    const std::string path = folder.Write("file", bytes);
    const Status status = Checkpoint::Open(path).status();
    ExpectRefused(status, code, word);
    EXPECT_TRUE(status.message().starts_with(path)) << status.message();
  };
  refuse("", Code::kDamaged, "empty file");
  refuse("x", Code::kDamaged, "not a checkpoint");
  refuse(std::string(100, 'x'), Code::kDamaged, "not a checkpoint");
  refuse("PK\3\4", Code::kDamaged, "end record");
  // What torch.save wrote before PyTorch 1.6: the magic number, pickled alone, comes first.
  refuse(std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.", 20),
         Code::kUnsupported, "state_dict()");
  refuse(WriteTorch(PickleWriter().Global("segment_anything.modeling.sam", "Sam").Raw(")\x81").Finish()),
         Code::kUnsupported, "state_dict()");
  ExpectRefused(Checkpoint::Open("/nonexistent/file.pth").status(), Code::kIo, "/nonexistent/file.pth: cannot open");
  ExpectRefused(Checkpoint::Open("/").status(), Code::kIo, "/: a directory");
  ExpectRefused(Checkpoint::Open("/dev/null").status(), Code::kIo, "not a regular file");
}

}  // namespace
}  // namespace intsam::internal::testing
