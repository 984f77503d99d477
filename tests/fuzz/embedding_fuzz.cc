// Saved embeddings, as they are, and again with their checksum made right. Oracle: what is accepted is written again as
// the same bytes, and describes an image that a session takes.
#include "runtime/exec/embedding_file.h"

#include <algorithm>
#include <cstring>

#include "runtime/exec/check_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {
namespace {

constexpr uint32_t kImageSize = 128;
constexpr size_t kValues = 24;
constexpr Sha256Digest kModel = {1, 2, 3};

void Read(std::span<const uint8_t> in) {
  std::vector<int16_t> values(kValues);
  const auto saved = ReadEmbedding(in, kModel, kImageSize, values);
  if (!saved.ok()) {
    Require(!saved.status().message().empty(), "a refusal without a sentence");
    Require(values == std::vector<int16_t>(kValues), "values of what was refused");
    return;
  }
  Require(CheckImageSize("image", saved.value().frame.original).ok(), "an image that no session takes");
  std::vector<uint8_t> again(EmbeddingFileSize(kValues));
  WriteEmbedding(saved.value(), values, again);
  Require(std::equal(again.begin(), again.end(), in.begin(), in.end()), "rewritten bytes");
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const ImageSize size : {ImageSize{48, 32}, ImageSize{1, 30000}, ImageSize{20000, 20000}}) {
    std::vector<uint8_t> file(EmbeddingFileSize(kValues));
    WriteEmbedding({kModel, {size, ResizedSize(size, kImageSize)}, {9}}, std::vector<int16_t>(kValues, -7), file);
    seeds.emplace_back(file.begin(), file.end());
  }
  return seeds;
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  std::vector<uint8_t> bytes(data, data + size);
  testing::Read(bytes);
  if (size < sizeof(Sha256Digest)) return 0;
  const Sha256Digest digest = Sha256Of(bytes.data(), size - sizeof(Sha256Digest));
  std::copy(digest.begin(), digest.end(), bytes.end() - sizeof digest);
  testing::Read(bytes);
  return 0;
}
