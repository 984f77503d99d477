// Masks to run lengths and COCO's string. Oracle: read back, by a reader of its own, they are the same mask.
#include <numeric>

#include "runtime/image/run_lengths.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {
namespace {

// Two bytes of width and height, then a bit per pixel, row after row; missing ones are outside.
struct Picture {
  uint32_t width = 0, height = 0;
  std::vector<bool> inside;
};

Picture Read(const uint8_t* data, size_t size) {
  Picture p{1 + data[0] % 80u, 1 + data[1] % 80u, {}};
  p.inside.resize(size_t{p.width} * p.height);
  for (size_t i = 0; i < p.inside.size() && 2 + i / 8 < size; ++i) p.inside[i] = data[2 + i / 8] >> i % 8 & 1;
  return p;
}

MaskRuns RunsOf(const Picture& p) {
  MaskRuns runs({p.width, p.height});
  for (uint32_t y = 0; y < p.height; ++y) {
    std::vector<PixelRun> row;
    for (uint32_t x = 0; x < p.width; ++x) {
      if (!p.inside[size_t{y} * p.width + x]) continue;
      if (row.empty() || row.back().end != x) row.push_back({x, x});
      row.back().end = x + 1;
    }
    runs.Add(row);
  }
  return runs;
}

// pycocotools' rleFrString.
std::vector<int64_t> FromString(const std::string& text) {
  std::vector<int64_t> lengths;
  for (size_t at = 0; at < text.size();) {
    int64_t value = 0;
    bool more = true;
    for (int shift = 0; more; shift += 5) {
      Require(at < text.size() && shift < 35 && text[at] >= '0' && text[at] < '0' + 64, "a character of the string");
      const int group = text[at++] - '0';
      value |= int64_t{group & 0x1f} << shift;
      more = (group & 0x20) != 0;
      if (!more && (group & 0x10) != 0) value -= int64_t{1} << (shift + 5);
    }
    if (lengths.size() > 2) value += lengths[lengths.size() - 2];
    lengths.push_back(value);
  }
  return lengths;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::string noise = "\x13\x0b";
  for (int i = 0; i < 30; ++i) noise += static_cast<char>(i * i * 37);
  return {noise, std::string("\x4f\x4f") + std::string(800, '\xff'), std::string("\x01\x01\x08", 3),
          std::string("\x28\x05") + std::string(30, '\x55')};
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  if (size < 2) return 0;
  const testing::Picture p = testing::Read(data, size);
  const std::vector<uint32_t> lengths = ColumnRunLengths(testing::RunsOf(p));
  const std::vector<int64_t> read = testing::FromString(CocoString(lengths));
  testing::Require(std::equal(read.begin(), read.end(), lengths.begin(), lengths.end()), "lengths that change");
  size_t at = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    testing::Require(i == 0 || lengths[i] > 0, "an empty run");
    testing::Require(lengths[i] <= p.inside.size() - at, "runs beyond the mask");
    for (uint32_t k = 0; k < lengths[i]; ++k, ++at) {
      testing::Require(p.inside[at % p.height * p.width + at / p.height] == (i % 2 == 1), "another mask");
    }
  }
  testing::Require(at == p.inside.size(), "runs that end before the mask");
  return 0;
}
