// Generated bad files: every truncation, every header byte, every bit of the small sections, checksums wrong and right.
// What opens in spite of a change has to hold every promise of a model that opens: values inside their ranges, and runs
// that give the same integers on every tier.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "kernels/kernels.h"
#include "runtime/base/cpu.h"
#include "runtime/format/reader.h"
#include "tests/emulated.h"
#include "tests/format/model_bytes.h"
#include "tests/golden/golden_cases.h"

namespace intsam::internal::testing {
namespace {

bool IsRefusal(const Status& status) {
  return !status.message().empty() &&
         (status.code() == Code::kDamaged || status.code() == Code::kUnsupported || status.code() == Code::kResource);
}

// Checks every range again, and that every view lies in the bytes.
class Audit : public isam::PathVisitor<Audit> {
 public:
  explicit Audit(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  template <class T>
  void Field(const char* name, T& value, int64_t lo, int64_t hi) {
    const auto stored = static_cast<int64_t>(value);
    EXPECT_TRUE(stored >= lo && stored <= hi) << PathOf(name) << ": " << stored;
  }
  void Field(const char*, uint64_t&) {}
  template <class T>
  void Tensor(const char* name, View<T>& view, std::initializer_list<uint32_t> dims) {
    size_t elements = 1;
    for (const uint32_t dim : dims) elements *= dim;
    const auto* begin = reinterpret_cast<const uint8_t*>(view.data());
    EXPECT_EQ(view.size(), elements) << PathOf(name);
    EXPECT_TRUE(begin >= bytes_.data() && begin + view.size_bytes() <= bytes_.data() + bytes_.size()) << PathOf(name);
  }
  template <class T>
  void Tensor(const char* name, View<T>& view, std::initializer_list<uint32_t> dims, int64_t lo, int64_t hi) {
    Tensor(name, view, dims);
    for (const T x : view) {
      if (x >= lo && x <= hi) continue;
      ADD_FAILURE() << PathOf(name) << ": " << int64_t{x};
      return;
    }
  }

 private:
  std::span<const uint8_t> bytes_;
};

// Reads a changed file: false when it is refused, and otherwise every promise is checked.
bool Opens(const ModelBytes& bytes) {
  auto opened = ReadModel(bytes);
  if (!opened.ok()) {
    EXPECT_TRUE(IsRefusal(opened.status())) << opened.status().message();
    return false;
  }
  EXPECT_TRUE(ValidateConfig(opened->model.config).ok());
  Audit audit(bytes);
  audit.Group("config", opened->model.config);
  opened->model.Visit(audit);
  return true;
}

void ExpectRunsTheSameEverywhere(const ModelBytes& bytes) {
  static const std::vector<GoldenImage> images = {MakeImage(60, 41, 9)};
  const auto model = Model::OpenMemory(bytes);
  ASSERT_TRUE(model.ok()) << model.status().message();
  const Hashes reference = RunReference(model.value()->weights(), images);
  for (const Kernels* kernels : BuiltKernels()) {
    if (!CpuSupports(kernels->name)) continue;
    EXPECT_EQ(RunSession(*model.value(), *kernels, 2, images), reference) << kernels->name;
  }
}

TEST(Truncation, EveryLengthIsRefused) {
  const ModelBytes& whole = GoldenModel("odd");
  const uint64_t data = whole.header().sections[isam::kData].offset;
  for (size_t size = 0; size < whole.size(); size += size < data || size + 130 > whole.size() ? 1 : 251) {
    ModelBytes cut(std::span<const uint8_t>(whole).subspan(0, size));
    ASSERT_TRUE(IsRefusal(ReadModel(cut).status())) << size;
    if (size < sizeof(isam::Header)) continue;
    // With a header that declares the shorter file, so that the sections have to be what refuses it.
    isam::Header header = cut.header();
    header.file_size = size;
    cut.set_header(header);
    Reseal(cut, {});
    ASSERT_TRUE(IsRefusal(ReadModel(cut).status())) << size;
  }
}

std::vector<uint8_t> OtherValues(uint8_t byte) {
  std::vector<uint8_t> values = {0x00, 0x7f, 0x80, 0xff};
  for (int bit = 0; bit < 8; ++bit) values.push_back(static_cast<uint8_t>(byte ^ (1 << bit)));
  std::erase(values, byte);
  return values;
}

TEST(Header, EveryByteIsChecked) {
  ModelBytes bytes = GoldenModel("odd");
  for (size_t i = 0; i < sizeof(isam::Header); ++i) {
    const uint8_t right = bytes[i];
    for (const uint8_t value : OtherValues(right)) {
      bytes[i] = value;
      ASSERT_TRUE(IsRefusal(ReadModel(bytes).status())) << "byte " << i << " = " << int{value};
    }
    bytes[i] = right;
  }
  ASSERT_TRUE(ReadModel(bytes).ok());
}

// With the header's own checksum right. Only the checksum of the data, which opening does not read, may then differ.
TEST(Header, EveryByteSealed) {
  for (size_t i = 0; i < sizeof(isam::Header) - 32; ++i) {
    const size_t data_sha =
        offsetof(isam::Header, sections) + isam::kData * sizeof(isam::Section) + offsetof(isam::Section, sha256);
    for (const uint8_t value : OtherValues(GoldenModel("odd").data()[i])) {
      ModelBytes bytes = GoldenModel("odd");
      bytes[i] = value;
      Reseal(bytes, {});
      const Status status = ReadModel(bytes).status();
      if (i >= data_sha) {
        ASSERT_TRUE(status.ok()) << status.message();
        ASSERT_FALSE(VerifyChecksum(bytes).ok());
      } else {
        ASSERT_TRUE(IsRefusal(status)) << "byte " << i << " = " << int{value};
      }
      if (i >= data_sha && value != 0x00) break;  // one value is enough for the checksum's bytes
    }
  }
}

TEST(Header, EveryNumberAtItsExtremes) {
  const auto expect_refused = [](size_t at, size_t width, uint64_t value) {
    ModelBytes bytes = GoldenModel("odd");
    if (std::memcmp(&bytes[at], &value, width) == 0) return;
    std::memcpy(&bytes[at], &value, width);
    Reseal(bytes, {});
    EXPECT_TRUE(IsRefusal(ReadModel(bytes).status())) << "offset " << at << " = " << value;
  };
  const uint64_t extremes[] = {
      0, 1, UINT64_MAX - 1, UINT64_MAX, uint64_t{1} << 63, uint64_t{1} << 32, uint64_t{1} << 31};
  for (const uint64_t value : extremes) {
    for (const size_t at : {size_t{8}, size_t{12}, size_t{24}, size_t{28}}) expect_refused(at, 4, value);
    expect_refused(16, 8, value);
    for (size_t i = 0; i < isam::kSections; ++i) {
      const size_t section = offsetof(isam::Header, sections) + i * sizeof(isam::Section);
      expect_refused(section, 8, value);
      expect_refused(section + 8, 8, value);
    }
  }
}

TEST(SmallSections, ChecksumsCoverEveryByte) {
  ModelBytes bytes = GoldenModel("odd");
  for (const int section : {isam::kFields, isam::kProvenance, isam::kDirectory}) {
    const isam::Section range = bytes.header().sections[section];
    for (uint64_t i = 0; i < range.size; i += i < 32 || i + 32 > range.size ? 1 : 61) {
      const uint8_t right = bytes[range.offset + i];
      bytes[range.offset + i] = OtherValues(right)[i % 8];
      const Status status = ReadModel(bytes).status();
      ASSERT_EQ(status.message(), std::string(isam::kSectionNames[section]) + ": checksum does not match") << i;
      bytes[range.offset + i] = right;
    }
  }
}

// There is one valid directory, so no byte of it can be another.
TEST(Directory, EveryByteSealed) {
  ModelBytes bytes = GoldenModel("odd");
  const uint64_t begin = bytes.header().sections[isam::kDirectory].offset;
  const uint32_t last = bytes.header().tensors - 1;
  for (const uint32_t entry : {0u, 1u, last / 2, last}) {
    for (uint64_t i = 0; i < sizeof(isam::DirectoryEntry); ++i) {
      uint8_t& byte = bytes[begin + entry * sizeof(isam::DirectoryEntry) + i];
      for (const uint8_t change : {0x01, 0x80}) {
        byte ^= change;
        Reseal(bytes, {isam::kDirectory});
        ASSERT_TRUE(IsRefusal(ReadModel(bytes).status())) << "entry " << entry << " byte " << i;
        byte ^= change;
      }
    }
  }
}

// Text for people: any bytes are a valid provenance.
TEST(Provenance, IsNotInterpreted) {
  ModelBytes bytes = GoldenModel("odd");
  const isam::Section range = bytes.header().sections[isam::kProvenance];
  std::memset(&bytes[range.offset], 0xff, range.size);
  Reseal(bytes, {isam::kProvenance});
  EXPECT_TRUE(Opens(bytes));
}

TEST(Fields, BitsSealed) {
  ModelBytes bytes = GoldenModel("odd");
  const size_t count = bytes.header().sections[isam::kFields].size / sizeof(int64_t);
  size_t opened = 0, runs = 0;
  test::Sweep sweep;
  for (size_t i = 0; i < count; ++i) {
    const int64_t right = bytes.field(i);
    for (const int bit : {0, 1, 3, 5, 7, 10, 15, 29, 31, 63}) {
      if (!sweep.Next()) continue;
      bytes.set_field(i, right ^ static_cast<int64_t>(uint64_t{1} << bit));
      Reseal(bytes, {isam::kFields});
      if (!Opens(bytes)) continue;
      if (++opened % 40 != 0) continue;
      ++runs;
      SCOPED_TRACE(ModelNames(OddConfig()).fields[i] + " bit " + std::to_string(bit));
      ExpectRunsTheSameEverywhere(bytes);
    }
    bytes.set_field(i, right);
  }
  EXPECT_GT(opened, count / 2 / test::kSweepStride);
  EXPECT_GT(runs, 20 / test::kSweepStride);
}

// Whole tensors driven to their extremes, as far as the proof allows.
TEST(Tensors, ExtremesSealed) {
  const ModelNames names(OddConfig());
  size_t opened = 0, runs = 0;
  test::Sweep sweep;
  for (size_t i = 0; i < names.tensors.size(); ++i) {
    for (const uint8_t value : {0x00, 0x01, 0x3f, 0x7f, 0x80, 0x81, 0xc0}) {
      if (!sweep.Next()) continue;
      ModelBytes bytes = GoldenModel("odd");
      std::memset(bytes.tensor(i), value, bytes.entry(i).bytes);
      if (!Opens(bytes)) continue;
      if (++opened % 24 != 0) continue;
      ++runs;
      SCOPED_TRACE(names.tensors[i] + " = " + std::to_string(value));
      ExpectRunsTheSameEverywhere(bytes);
    }
  }
  EXPECT_GT(opened, names.tensors.size() / test::kSweepStride);
  EXPECT_GT(runs, 20 / test::kSweepStride);
}

}  // namespace
}  // namespace intsam::internal::testing
