// safetensors files with one thing wrong each.
#include <string>

#include "converter/checkpoint/tensor_view.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/checkpoint/test_support.h"

namespace intsam::internal::testing {
namespace {

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirBytes) {
  const std::string header =
      R"({"z":{"dtype":"U8","shape":[2],"data_offsets":[8,10]},"y":{"data_offsets":[0,8],"shape":[],"dtype":"I64"},)"
      R"("x":{"dtype":"F32","shape":[0,7],"data_offsets":[8,8]}}   )";
  const auto views = ReadSafetensors(AsBytes(WriteSafetensors(header, "0123456789")));
  ASSERT_TRUE(views.ok()) << views.status().message();
  ASSERT_EQ(views.value().size(), 3u);
  EXPECT_EQ(views.value()[0].info.name, "y");
  EXPECT_EQ(views.value()[0].info.elements, 1u);
  EXPECT_EQ(views.value()[1].info.name, "x");
  EXPECT_EQ(views.value()[1].info.elements, 0u);
  EXPECT_EQ(views.value()[2].info.name, "z");
  EXPECT_EQ(views.value()[2].offset, 8 + header.size() + 8);
}

TEST(Safetensors, HandsOverItsMetadata) {
  const std::string tensor = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  CheckpointMetadata metadata;
  const std::string with = R"({"__metadata__":{"format":"pt","empty":"","quoted":"{\"a\": 1}"},)" + tensor;
  ASSERT_TRUE(ReadSafetensors(AsBytes(WriteSafetensors(with, "0")), &metadata).ok());
  EXPECT_EQ(metadata, (CheckpointMetadata{{"format", "pt"}, {"empty", ""}, {"quoted", "{\"a\": 1}"}}));
  ASSERT_TRUE(ReadSafetensors(AsBytes(WriteSafetensors("{" + tensor, "0")), &metadata).ok());
  EXPECT_TRUE(metadata.empty());
}

struct BadSafetensors {
  const char* label;
  Code code;
  const char* word;
  std::string header;  // over 24 bytes of data
};

std::string Tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

std::string One(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{" + Tensor("a", dtype, shape, offsets) + "}";
}

std::vector<BadSafetensors> Cases() {
  const std::string good = Tensor("a", "F32", "[2,3]", "[0,24]");
  std::string many = "{";
  for (int i = 0; i < 4097; ++i) many += Tensor("t" + std::to_string(i), "U8", "[0]", "[0,0]") + ",";
  many += good + "}";
  return {
      {"hole at the start", Code::kDamaged, "hole of 4", One("F32", "[5]", "[4,24]")},
      {"hole between", Code::kDamaged, "hole of 4",
       "{" + Tensor("a", "F32", "[2]", "[0,8]") + "," + Tensor("b", "F32", "[3]", "[12,24]") + "}"},
      {"bytes at the end", Code::kDamaged, "after the last", One("F32", "[5]", "[0,20]")},
      {"overlap", Code::kDamaged, "overlap",
       "{" + Tensor("a", "F32", "[4]", "[0,16]") + "," + Tensor("b", "F32", "[3]", "[12,24]") + "}"},
      {"same range twice", Code::kDamaged, "overlap", "{" + good + "," + Tensor("b", "F32", "[2,3]", "[0,24]") + "}"},
      {"past the end", Code::kDamaged, "ends at byte 28", One("F32", "[7]", "[0,28]")},
      {"no tensor at all", Code::kDamaged, "after the last", "{}"},
      {"duplicate tensor", Code::kDamaged, "duplicate", "{" + good + "," + good + "}"},
      {"duplicate field", Code::kDamaged, "duplicate",
       R"({"a":{"dtype":"F32","dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})"},
      {"duplicate metadata", Code::kDamaged, "duplicate", R"({"__metadata__":{},"__metadata__":{},)" + good + "}"},
      {"duplicate key in metadata", Code::kDamaged, "duplicate", R"({"__metadata__":{"k":"1","k":"2"},)" + good + "}"},
      {"number in metadata", Code::kDamaged, "unexpected", R"({"__metadata__":{"k":1},)" + good + "}"},
      {"object in metadata", Code::kDamaged, "unexpected", R"({"__metadata__":{"k":{}},)" + good + "}"},
      {"metadata is a list", Code::kDamaged, "unexpected", R"({"__metadata__":[],)" + good + "}"},
      {"dtype unknown", Code::kUnsupported, "F8_E4M3", One("F8_E4M3", "[24]", "[0,24]")},
      {"dtype is a number", Code::kDamaged, "unexpected", R"({"a":{"dtype":1,"shape":[24],"data_offsets":[0,24]}})"},
      {"dtype is a list", Code::kDamaged, "unexpected", R"({"a":{"dtype":[1],"shape":[24],"data_offsets":[0,24]}})"},
      {"field unknown", Code::kUnsupported, "unknown field 'stride'", R"({"a":{"stride":1}})"},
      {"field missing", Code::kDamaged, "missing", R"({"a":{"dtype":"F32","shape":[2,3]}})"},
      {"shape does not fill the range", Code::kDamaged, "does not fill", One("F32", "[2,4]", "[0,24]")},
      {"range reversed", Code::kDamaged, "does not fill", One("F32", "[2,3]", "[24,0]")},
      {"three offsets", Code::kDamaged, "two numbers", One("F32", "[2,3]", "[0,24,24]")},
      {"negative dimension", Code::kDamaged, "negative", One("F32", "[-2,-3]", "[0,24]")},
      {"fraction in the shape", Code::kDamaged, "fraction", One("F32", "[2.0,3]", "[0,24]")},
      {"dimension beyond 64 bits", Code::kDamaged, "fraction", One("F32", "[18446744073709551616]", "[0,24]")},
      {"string in the shape", Code::kDamaged, "unexpected", One("F32", "[\"2\",3]", "[0,24]")},
      {"list in the shape", Code::kDamaged, "unexpected", One("F32", "[[2],3]", "[0,24]")},
      {"null shape", Code::kDamaged, "null", One("F32", "null", "[0,24]")},
      {"true as shape", Code::kDamaged, "boolean", One("F32", "true", "[0,24]")},
      {"rank 5", Code::kResource, "dimensions", One("F32", "[1,1,1,2,3]", "[0,24]")},
      {"list too long", Code::kResource, "more than 4", One("F32", "[1,1,1,1,1,1,1]", "[0,24]")},
      {"dimension of 65537", Code::kResource, "65537", One("F32", "[65537]", "[0,24]")},
      {"product of dimensions wraps", Code::kResource, "elements", One("F32", "[65536,65536,65536,65536]", "[0,0]")},
      {"tensor is a number", Code::kDamaged, "unexpected", R"({"a":1})"},
      {"name empty", Code::kDamaged, "empty", "{" + Tensor("", "F32", "[2,3]", "[0,24]") + "}"},
      {"name of 129 bytes", Code::kResource, "name of 129",
       "{" + Tensor(std::string(129, 'n'), "F32", "[2,3]", "[0,24]") + "}"},
      {"name with a control byte", Code::kDamaged, "printable",
       "{" + Tensor("a\\u0007", "F32", "[2,3]", "[0,24]") + "}"},
      {"too many tensors", Code::kResource, "more tensors", many},
      {"not JSON", Code::kDamaged, "JSON", "{\"a\""},
      {"two values", Code::kDamaged, "JSON", "{" + good + "}{}"},
      {"something behind a NUL", Code::kDamaged, "a NUL", "{" + good + "}" + std::string(1, '\0') + " junk"},
      {"a NUL for padding", Code::kDamaged, "a NUL", "{" + good + "}" + std::string(3, '\0')},
      {"trailing comma", Code::kDamaged, "JSON", "{" + good + ",}"},
      {"invalid UTF-8", Code::kDamaged, "JSON", "{\"__metadata__\":{\"k\":\"\xff\"}," + good + "}"},
      {"deep nesting", Code::kDamaged, "unexpected", "{\"a\":" + std::string(100000, '[') + "}"},
      {"header does not start with a brace", Code::kDamaged, "'{'", " {" + good + "}"},
      {"empty header", Code::kDamaged, "'{'", ""},
  };
}

TEST(Safetensors, RefusesEachBadHeader) {
  for (const BadSafetensors& bad : Cases()) {
    SCOPED_TRACE(bad.label);
    ExpectRefused(ReadSafetensors(AsBytes(WriteSafetensors(bad.header, std::string(24, 'd')))).status(), bad.code,
                  bad.word);
  }
}

TEST(Safetensors, RefusesBadLengths) {
  ExpectRefused(ReadSafetensors(AsBytes("")).status(), Code::kDamaged, "0 bytes");
  ExpectRefused(ReadSafetensors(AsBytes("1234567")).status(), Code::kDamaged, "7 bytes");
  ExpectRefused(ReadSafetensors(AsBytes(LittleEndian(3, 8) + "{}")).status(), Code::kDamaged, "past the end");
  ExpectRefused(ReadSafetensors(AsBytes(LittleEndian(UINT64_MAX, 8) + "{}")).status(), Code::kResource, "limit");
}

}  // namespace
}  // namespace intsam::internal::testing
