// Bad files by hand, each a valid model with one thing overridden and the checksums right again: framing, counts,
// arithmetic, ranges and the logic of the directory. Each refusal has a code and names the place.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <ostream>

#include "runtime/format/reader.h"
#include "tests/format/model_bytes.h"

namespace intsam::internal::testing {
namespace {

constexpr uint64_t kMax = UINT64_MAX;

struct BadFile {
  const char* name;
  Code code;
  const char* word;
  std::function<ModelBytes(ModelBytes)> make;
};
void PrintTo(const BadFile& bad, std::ostream* out) { *out << bad.name; }

using isam::Header;
using Entry = isam::DirectoryEntry;

std::function<ModelBytes(ModelBytes)> WithHeader(std::function<void(Header&)> change) {
  return [change](ModelBytes bytes) {
    Header header = bytes.header();
    change(header);
    bytes.set_header(header);
    Reseal(bytes, {});
    return bytes;
  };
}
// Entry 3 is one of several in a row; overridden alone.
std::function<ModelBytes(ModelBytes)> WithEntry(std::function<void(Entry&)> change) {
  return [change](ModelBytes bytes) {
    Entry entry = bytes.entry(3);
    change(entry);
    bytes.set_entry(3, entry);
    Reseal(bytes, {isam::kDirectory});
    return bytes;
  };
}
std::function<ModelBytes(ModelBytes)> WithParts(std::function<void(ModelParts&)> change) {
  return [change](ModelBytes bytes) {
    ModelParts parts(bytes);
    change(parts);
    return parts.Join();
  };
}
std::function<ModelBytes(ModelBytes)> CutTo(size_t size) {
  return [size](ModelBytes bytes) { return Resized(bytes, size); };
}
std::function<ModelBytes(ModelBytes)> WithByte(std::function<size_t(const ModelBytes&)> place, uint8_t value) {
  return [=](ModelBytes bytes) {
    bytes[place(bytes)] = value;
    Reseal(bytes);
    return bytes;
  };
}
std::function<ModelBytes(ModelBytes)> Named(const char* name, uint16_t length) {
  return WithEntry([=](Entry& entry) {
    std::memset(entry.name, 0, sizeof entry.name);
    std::strncpy(entry.name, name, sizeof entry.name - 1);
    entry.name_length = length;
  });
}

const BadFile kFraming[] = {
    {"Empty", Code::kDamaged, "header", CutTo(0)},
    {"OneByte", Code::kDamaged, "header", CutTo(1)},
    {"HeaderShortByOne", Code::kDamaged, "header", CutTo(255)},
    {"HeaderOnly", Code::kDamaged, "file_size", CutTo(256)},
    {"MagicWrong", Code::kDamaged, "magic", WithHeader([](Header& h) { h.magic[0] = 'G'; })},
    {"MagicAfterTextTransfer", Code::kDamaged, "magic", WithHeader([](Header& h) { h.magic[5] = '\n'; })},
    {"MagicReversed", Code::kDamaged, "magic", WithHeader([](Header& h) { std::reverse(h.magic, h.magic + 8); })},
    {"VersionZero", Code::kUnsupported, "version", WithHeader([](Header& h) { h.version = 0; })},
    {"VersionTooNew", Code::kUnsupported, "version", WithHeader([](Header& h) { h.version = isam::kVersion + 1; })},
    {"VersionTooOld", Code::kUnsupported, "version", WithHeader([](Header& h) { h.version = isam::kVersion - 1; })},
    {"VersionBigEndian", Code::kUnsupported, "version",
     WithHeader([](Header& h) { h.version = isam::kVersion << 24; })},
    {"FlagsUnknown", Code::kUnsupported, "flags", WithHeader([](Header& h) { h.flags = 0x80000000; })},
    {"ReservedNotZero", Code::kDamaged, "reserved", WithHeader([](Header& h) { h.reserved = 1; })},
    {"TrailingByte", Code::kDamaged, "file_size", [](ModelBytes b) { return Resized(b, b.size() + 1); }},
    {"TrailingBytesDeclared", Code::kDamaged, "after the last section",
     [](ModelBytes b) { return WithHeader([](Header& h) { h.file_size += 64; })(Resized(b, b.size() + 64)); }},
    {"FileSizeSmaller", Code::kDamaged, "file_size", WithHeader([](Header& h) { h.file_size -= 1; })},
    {"FileSizeHuge", Code::kDamaged, "file_size", WithHeader([](Header& h) { h.file_size = kMax; })},
    {"TrailerMissing", Code::kDamaged, "padding",
     [](ModelBytes b) { return WithHeader([](Header& h) { h.file_size -= 64; })(Resized(b, b.size() - 64)); }},
};

const BadFile kCounts[] = {
    {"NoTensors", Code::kDamaged, "directory", WithHeader([](Header& h) { h.tensors = 0; })},
    {"TensorsAboveLimit", Code::kResource, "tensors", WithHeader([](Header& h) { h.tensors = 4097; })},
    {"TensorsMaximum", Code::kResource, "tensors", WithHeader([](Header& h) { h.tensors = UINT32_MAX; })},
    {"TensorsOneMoreThanEntries", Code::kDamaged, "directory", WithHeader([](Header& h) { h.tensors += 1; })},
    {"DirectoryCutInsideEntry", Code::kDamaged, "directory",
     WithParts([](ModelParts& p) { p.sections[isam::kDirectory].pop_back(); })},
    {"FieldMissing", Code::kDamaged, "mask_threshold: missing",
     WithParts([](ModelParts& p) { p.sections[isam::kFields].resize(p.sections[isam::kFields].size() - 8); })},
    {"FieldCut", Code::kDamaged, "mask_threshold: missing",
     WithParts([](ModelParts& p) { p.sections[isam::kFields].pop_back(); })},
    {"NoFields", Code::kDamaged, "image_size: missing",
     WithParts([](ModelParts& p) { p.sections[isam::kFields].clear(); })},
    {"FieldTooMany", Code::kDamaged, "fields",
     WithParts([](ModelParts& p) { p.sections[isam::kFields].resize(p.sections[isam::kFields].size() + 8); })},
    {"HalfFieldTooMany", Code::kDamaged, "fields",
     WithParts([](ModelParts& p) { p.sections[isam::kFields].push_back(0); })},
    {"ProvenanceAboveLimit", Code::kDamaged, "provenance",
     WithParts([](ModelParts& p) { p.sections[isam::kProvenance].assign(limits::kSectionBytes + 1, ' '); })},
    {"NameEmpty", Code::kDamaged, "another name", Named("", 0)},
    {"NameLengthZero", Code::kDamaged, "another name", WithEntry([](Entry& e) { e.name_length = 0; })},
    {"NameLengthAboveField", Code::kDamaged, "another name", WithEntry([](Entry& e) { e.name_length = 129; })},
    {"NameLengthMaximum", Code::kDamaged, "another name", WithEntry([](Entry& e) { e.name_length = 65535; })},
    {"NameWithNul", Code::kDamaged, "another name", WithEntry([](Entry& e) { e.name[4] = 0; })},
    {"NameWithControlByte", Code::kDamaged, "another name", WithEntry([](Entry& e) { e.name[4] = '\x1b'; })},
    {"NameNotAscii", Code::kDamaged, "another name", WithEntry([](Entry& e) { e.name[4] = '\xc3'; })},
    {"NameIsPath", Code::kDamaged, "another name", Named("../../etc/passwd", 16)},
    {"NamePaddingNotZero", Code::kDamaged, "another name", WithEntry([](Entry& e) { e.name[119] = 'x'; })},
};

const BadFile kArithmetic[] = {
    {"FieldsSizeMaximum", Code::kDamaged, "fields",
     WithHeader([](Header& h) { h.sections[isam::kFields].size = kMax; })},
    {"FieldsSizeWrapsToItself", Code::kDamaged, "fields",
     WithHeader([](Header& h) { h.sections[isam::kFields].size += uint64_t{1} << 63; })},
    {"ProvenancePaddingWraps", Code::kDamaged, "provenance", WithHeader([](Header& h) {
       h.sections[isam::kProvenance].size = kMax - h.sections[isam::kProvenance].offset - 1;
     })},
    {"DataTrailerWraps", Code::kDamaged, "data",
     WithHeader([](Header& h) { h.sections[isam::kData].size = kMax - h.sections[isam::kData].offset - 62; })},
    {"DataOffsetMaximum", Code::kDamaged, "data", WithHeader([](Header& h) { h.sections[isam::kData].offset = kMax; })},
    {"DimsWrap32Bits", Code::kDamaged, "shape", WithEntry([](Entry& e) { e.dims[0] = e.dims[1] = 65536, e.rank = 2; })},
    {"DimsWrap64Bits", Code::kDamaged, "shape",
     WithEntry([](Entry& e) { e.dims[0] = e.dims[1] = e.dims[2] = UINT32_MAX, e.rank = 3; })},
    {"BytesWrap", Code::kDamaged, "range", WithEntry([](Entry& e) { e.bytes += uint64_t{1} << 63; })},
    {"OffsetPlusBytesWraps", Code::kDamaged, "range", WithEntry([](Entry& e) { e.offset = kMax - e.bytes + 1; })},
    {"DimensionZero", Code::kDamaged, "shape", WithEntry([](Entry& e) { e.dims[0] = 0; })},
    {"RankZero", Code::kDamaged, "shape", WithEntry([](Entry& e) { e.rank = 0; })},
    {"RankFive", Code::kDamaged, "shape", WithEntry([](Entry& e) { e.rank = 5; })},
    {"UnusedDimensionNotZero", Code::kDamaged, "shape", WithEntry([](Entry& e) { e.dims[3] = 1; })},
};

uint64_t EndOf(const ModelBytes& b, int section) {
  return b.header().sections[section].offset + b.header().sections[section].size;
}

const BadFile kRanges[] = {
    {"SameRangeTwice", Code::kDamaged, "range", WithEntry([](Entry& e) { e.offset = 0; })},
    {"OverlapByOneUnit", Code::kDamaged, "range", WithEntry([](Entry& e) { e.offset -= 64; })},
    {"Hole", Code::kDamaged, "range", WithEntry([](Entry& e) { e.offset += 64; })},
    {"Misaligned", Code::kDamaged, "range", WithEntry([](Entry& e) { e.offset += 1; })},
    {"PastTheEnd", Code::kDamaged, "range", WithEntry([](Entry& e) { e.offset = uint64_t{1} << 40; })},
    {"OneByteLonger", Code::kDamaged, "range", WithEntry([](Entry& e) { e.bytes += 1; })},
    {"OneByteShorter", Code::kDamaged, "range", WithEntry([](Entry& e) { e.bytes -= 1; })},
    {"EntryReservedNotZero", Code::kDamaged, "range", WithEntry([](Entry& e) { e.reserved = 1; })},
    {"DataShortByOne", Code::kDamaged, "ends past the end of the data",
     WithParts([](ModelParts& p) { p.sections[isam::kData].pop_back(); })},
    {"DataLongByOne", Code::kDamaged, "data: section is longer",
     WithParts([](ModelParts& p) { p.sections[isam::kData].push_back(0); })},
    {"NoData", Code::kDamaged, "ends past the end of the data",
     WithParts([](ModelParts& p) { p.sections[isam::kData].clear(); })},
    {"SectionInHeader", Code::kDamaged, "fields: offset 0",
     WithHeader([](Header& h) { h.sections[isam::kFields].offset = 0; })},
    {"SectionMisaligned", Code::kDamaged, "fields: offset 257",
     WithHeader([](Header& h) { h.sections[isam::kFields].offset = 257; })},
    {"SectionsOverlap", Code::kDamaged, "directory: offset",
     WithHeader([](Header& h) { h.sections[isam::kDirectory].offset = h.sections[isam::kProvenance].offset; })},
    {"SectionsSwapped", Code::kDamaged, "fields: offset",
     WithHeader([](Header& h) { std::swap(h.sections[isam::kFields], h.sections[isam::kProvenance]); })},
    {"SectionHole", Code::kDamaged, "directory: offset",
     WithHeader([](Header& h) { h.sections[isam::kDirectory].offset += 64; })},
    {"PaddingAfterProvenance", Code::kDamaged, "provenance: padding",
     WithByte([](const ModelBytes& b) { return EndOf(b, isam::kProvenance); }, 1)},
    {"PaddingInTrailer", Code::kDamaged, "data: padding",
     WithByte([](const ModelBytes& b) { return b.size() - 1; }, 0x80)},
    {"PaddingBetweenTensors", Code::kDamaged, "padding",
     WithByte(
         [](const ModelBytes& b) {
           const size_t mean = ModelNames(OddConfig()).tensor("image_encoder.patch_embed.mean");
           return b.header().sections[isam::kData].offset + b.entry(mean).offset + 12;
         },
         1)},
};

const BadFile kDirectory[] = {
    {"DuplicateName", Code::kDamaged, "another name",
     [](ModelBytes b) {
       return WithEntry([other = b.entry(2)](Entry& e) { std::memcpy(e.name, other.name, sizeof e.name); })(
           std::move(b));
     }},
    {"LastTensorMissing", Code::kDamaged, "tensor missing", WithParts([](ModelParts& p) {
       p.sections[isam::kDirectory].resize(p.sections[isam::kDirectory].size() - sizeof(Entry)), --p.tensors;
     })},
    {"FirstTensorMissing", Code::kDamaged, "weight_high: tensor missing", WithParts([](ModelParts& p) {
       auto& d = p.sections[isam::kDirectory];
       d.erase(d.begin(), d.begin() + sizeof(Entry)), --p.tensors;
     })},
    {"ExtraTensor", Code::kDamaged, "more tensors", WithParts([](ModelParts& p) {
       auto& d = p.sections[isam::kDirectory];
       const std::vector<uint8_t> last(d.end() - static_cast<std::ptrdiff_t>(sizeof(Entry)), d.end());
       d.insert(d.end(), last.begin(), last.end()), ++p.tensors;
     })},
    {"WrongOrder", Code::kDamaged, "another name",
     [](ModelBytes b) {
       const Entry a = b.entry(3), c = b.entry(4);
       b.set_entry(3, c), b.set_entry(4, a);
       Reseal(b);
       return b;
     }},
    {"RightNameWrongShape", Code::kDamaged, "shape", WithEntry([](Entry& e) { e.dims[0] *= 2; })},
    {"RightNameOtherRank", Code::kDamaged, "shape", WithEntry([](Entry& e) { e.dims[1] = 1, e.rank = 2; })},
    {"RightShapeWrongType", Code::kDamaged, "element type", WithEntry([](Entry& e) { e.type = 1; })},
    {"TypeZero", Code::kDamaged, "element type", WithEntry([](Entry& e) { e.type = 0; })},
    {"TypeUnknown", Code::kDamaged, "element type", WithEntry([](Entry& e) { e.type = 6; })},
};

const BadFile kIntegrity[] = {
    {"HeaderChecksumWrong", Code::kDamaged, "header: checksum", [](ModelBytes b) { return b[230] ^= 1, b; }},
    {"FieldsChecksumWrong", Code::kDamaged, "fields: checksum",
     WithHeader([](Header& h) { h.sections[isam::kFields].sha256[0] ^= 1; })},
    {"ProvenanceChecksumWrong", Code::kDamaged, "provenance: checksum",
     WithHeader([](Header& h) { h.sections[isam::kProvenance].sha256[31] ^= 0x80; })},
    {"DirectoryChecksumOfFields", Code::kDamaged, "directory: checksum", WithHeader([](Header& h) {
       std::memcpy(h.sections[isam::kDirectory].sha256, h.sections[isam::kFields].sha256, 32);
     })},
};

class BadFileTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadFileTest, IsRefused) {
  const ModelBytes bytes = GetParam().make(GoldenModel("odd"));
  const Status status = ReadModel(bytes).status();
  EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(GetParam().code)) << status.message();
  EXPECT_NE(status.message().find(GetParam().word), std::string::npos) << status.message();
  for (const char c : status.message())
    EXPECT_TRUE(c >= 0x20 && c <= 0x7e) << "not one printable line: " << status.message();
}

std::string NameOf(const ::testing::TestParamInfo<BadFile>& instance) { return instance.param.name; }
INSTANTIATE_TEST_SUITE_P(Framing, BadFileTest, ::testing::ValuesIn(kFraming), NameOf);
INSTANTIATE_TEST_SUITE_P(Counts, BadFileTest, ::testing::ValuesIn(kCounts), NameOf);
INSTANTIATE_TEST_SUITE_P(Arithmetic, BadFileTest, ::testing::ValuesIn(kArithmetic), NameOf);
INSTANTIATE_TEST_SUITE_P(Ranges, BadFileTest, ::testing::ValuesIn(kRanges), NameOf);
INSTANTIATE_TEST_SUITE_P(Directory, BadFileTest, ::testing::ValuesIn(kDirectory), NameOf);
INSTANTIATE_TEST_SUITE_P(Integrity, BadFileTest, ::testing::ValuesIn(kIntegrity), NameOf);

// The cases above say something only if their unchanged file opens, and if taking it apart changes nothing.
TEST(GoodFile, OpensAndVerifies) {
  for (const char* name : {"micro", "odd", "mobile", "mobile_odd"}) {
    const ModelBytes& bytes = GoldenModel(name);
    const auto opened = ReadModel(bytes);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    EXPECT_TRUE(VerifyChecksum(bytes).ok());
    const ModelBytes again = ModelParts(bytes).Join();
    ASSERT_EQ(again.size(), bytes.size());
    EXPECT_EQ(std::memcmp(again.data(), bytes.data(), bytes.size()), 0);
  }
}

TEST(Integrity, EveryPayloadBitIsChecked) {
  ModelBytes bytes = GoldenModel("odd");
  const isam::Section data = bytes.header().sections[isam::kData];
  for (uint64_t i = 0; i < data.size; i += 1 + data.size / 40) {
    bytes[data.offset + i] ^= static_cast<uint8_t>(1 << i % 8);
    const Status status = VerifyChecksum(bytes);
    EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(Code::kDamaged));
    EXPECT_NE(status.message().find("data"), std::string::npos) << status.message();
    bytes[data.offset + i] ^= static_cast<uint8_t>(1 << i % 8);
  }
  ModelBytes wrong = GoldenModel("odd");
  isam::Header header = wrong.header();
  header.sections[isam::kData].sha256[7] ^= 1;
  wrong.set_header(header);
  Reseal(wrong, {});
  EXPECT_FALSE(VerifyChecksum(wrong).ok());
}

}  // namespace
}  // namespace intsam::internal::testing
