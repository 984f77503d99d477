// Write, read, write: the same bytes, and what was read equals what was written, field by field and tensor by tensor.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <iterator>

#include "converter/pack/isam_writer.h"
#include "runtime/format/reader.h"
#include "tests/format/micro_model.h"

namespace intsam::internal::testing {
namespace {

// Everything a model says, in visiting order: names, values, bytes.
class Dump : public isam::PathVisitor<Dump> {
 public:
  template <class T>
  void Field(const char* name, T& value, int64_t, int64_t) {
    lines.push_back(PathOf(name) + " = " + std::to_string(value));
  }
  void Field(const char* name, uint64_t& value) { lines.push_back(PathOf(name) + " = " + std::to_string(value)); }
  template <class T>
  void Tensor(const char* name, View<T>& view, std::initializer_list<uint32_t> dims) {
    std::string line = PathOf(name) + " [";
    for (const uint32_t dim : dims) line += std::to_string(dim) + " ";
    lines.push_back(line + "] ");
    lines.back().append(reinterpret_cast<const char*>(view.data()), view.size_bytes());
  }
  template <class T>
  void Tensor(const char* name, View<T>& view, std::initializer_list<uint32_t> dims, int64_t, int64_t) {
    Tensor(name, view, dims);
  }
  std::vector<std::string> lines;
};

std::vector<std::string> DumpOf(IntegerModel& model) {
  Dump dump;
  dump.Group("config", model.config);
  model.Visit(dump);
  return dump.lines;
}

void ExpectRoundTrip(IntegerModel& model, const std::string& provenance) {
  const ModelBytes first = FileOf(model, provenance);
  auto opened = ReadModel(first);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened->provenance, provenance);
  EXPECT_EQ(opened->model.config, model.config);
  const std::vector<std::string> expected = DumpOf(model), got = DumpOf(opened->model);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i] == expected[i]) << expected[i].substr(0, 80);

  const ModelBytes second = FileOf(opened->model, std::string(opened->provenance));
  ASSERT_EQ(second.size(), first.size());
  EXPECT_EQ(std::memcmp(second.data(), first.data(), first.size()), 0);
  EXPECT_TRUE(VerifyChecksum(second).ok());
}

TEST(RoundTrip, MicroModel) { ExpectRoundTrip(MakeModel(PresetConfig("micro").value(), 2)->model, "{}"); }
TEST(RoundTrip, MobileModel) { ExpectRoundTrip(MakeModel(OddMobileConfig(), 3)->model, "{}"); }
TEST(RoundTrip, OddModel) { ExpectRoundTrip(MakeModel(OddConfig(), 3)->model, R"({"text":"é"})"); }

// Heads of 14 in a stream of 28: widened when the weights are made, with channels that are always zero.
TEST(RoundTrip, PrunedModel) {
  SamConfig config = PresetConfig("micro").value();
  config.vit.embed_dim = 28, config.vit.mlp_dim = 88;
  const auto quantized = MakeModel(config, 4);
  EXPECT_EQ(quantized->model.config.vit.embed_dim, 32u);
  ExpectRoundTrip(quantized->model, "{}");
}

TEST(RoundTrip, ProvenanceOfEveryLengthAndNone) {
  const auto quantized = MakeModel(OddConfig(), 1);
  for (const size_t length : {0, 1, 63, 64, 65}) ExpectRoundTrip(quantized->model, std::string(length, ' '));
}

TEST(RoundTrip, CommittedModels) {
  for (const char* name : {"micro", "odd", "tokens", "mobile", "mobile_odd", "imported"}) {
    const ModelBytes& bytes = GoldenModel(name);
    auto opened = ReadModel(bytes);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    const ModelBytes again = FileOf(opened->model, std::string(opened->provenance));
    ASSERT_EQ(again.size(), bytes.size());
    EXPECT_EQ(std::memcmp(again.data(), bytes.data(), bytes.size()), 0) << name;
  }
}

// The writer refuses what the reader would: it names the field, and nothing has been given to the sink.
TEST(Writer, RefusesValuesOutsideTheirRanges) {
  const auto quantized = MakeModel(OddConfig(), 1);
  IntegerModel& model = quantized->model;
  const auto expect_refused = [&](const char* word, Code code = Code::kUnsupported) {
    size_t written = 0;
    const Status status = WriteModel(model, "{}", [&](const void*, size_t size) { return written += size, Status(); });
    EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(code));
    EXPECT_NE(status.message().find(word), std::string::npos) << status.message();
    EXPECT_EQ(written, 0u);
  };
  uint32_t& bits = MlpOf(model, 1).gelu.unit_bits;
  bits = 13, expect_refused("blocks.1.mlp.gelu.unit_bits: 13"), bits = 12;
  View<int8_t>& weight = MlpOf(model, 0).lin1.weight;
  const View<int8_t> right = weight;
  std::vector<int8_t> wrong(right.begin(), right.end());
  wrong.at(wrong.size() - 1) = -128;
  weight = wrong, expect_refused("blocks.0.mlp.lin1.weight: -128 is outside");
  weight = right.subspan(1), expect_refused("blocks.0.mlp.lin1.weight", Code::kInternal), weight = right;
}

TEST(Writer, StopsWhenTheSinkFails) {
  const auto quantized = MakeModel(OddConfig(), 1);
  size_t total = 0;
  ASSERT_TRUE(
      WriteModel(quantized->model, "{}", [&](const void*, size_t size) { return total += size, Status(); }).ok());
  for (size_t limit = 0; limit < total; limit += 1 + total / 20) {
    size_t given = 0;
    bool failed = false;
    const Status status = WriteModel(quantized->model, "{}", [&](const void*, size_t size) {
      EXPECT_FALSE(failed) << "called again after a failure";
      given += size;
      failed = given > limit;
      return failed ? Status(Code::kIo, "disk full") : Status();
    });
    EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(Code::kIo));
  }
}

}  // namespace
}  // namespace intsam::internal::testing
