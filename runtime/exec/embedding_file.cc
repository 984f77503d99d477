#include "runtime/exec/embedding_file.h"

#include <algorithm>
#include <cstring>

#include "runtime/exec/check_input.h"
#include "runtime/format/limits.h"

namespace intsam::internal {
namespace {

// The features follow, then the SHA-256 of all before it.
struct Header {
  uint8_t magic[8];
  uint32_t version;
  uint32_t original_width, original_height, resized_width, resized_height;
  uint32_t values;
  Sha256Digest model;
  Sha256Digest pixels;
};
static_assert(sizeof(Header) == 96);
constexpr uint8_t kMagic[8] = {0x89, 'i', 's', 'e', 'm', 'b', '\n', 0x1a};
constexpr uint32_t kVersion = 2;

}  // namespace

size_t EmbeddingFileSize(size_t values) { return sizeof(Header) + values * sizeof(int16_t) + sizeof(Sha256Digest); }

void WriteEmbedding(const SavedEmbedding& saved, std::span<const int16_t> values, std::span<uint8_t> out) {
  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof header.magic);
  header.version = kVersion;
  header.original_width = saved.frame.original.width, header.original_height = saved.frame.original.height;
  header.resized_width = saved.frame.resized.width, header.resized_height = saved.frame.resized.height;
  header.values = static_cast<uint32_t>(values.size());
  header.model = saved.model;
  header.pixels = saved.pixels;
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + sizeof header, values.data(), values.size_bytes());
  const Sha256Digest digest = Sha256Of(out.data(), out.size() - sizeof(Sha256Digest));
  std::copy(digest.begin(), digest.end(), out.end() - sizeof digest);
}

Result<SavedEmbedding> ReadEmbedding(std::span<const uint8_t> in, const Sha256Digest& model, uint32_t image_size,
                                     std::span<int16_t> values) {
  Header header;
  if (in.size() < sizeof header || std::memcmp(in.data(), kMagic, sizeof kMagic) != 0)
    return Error(Code::kDamaged, "embedding: not a saved embedding");
  std::memcpy(&header, in.data(), sizeof header);
  if (header.version != kVersion)
    return Error(Code::kUnsupported, "embedding: version %u, this library reads %u", header.version, kVersion);
  if (header.model != model) return Error(Code::kDamaged, "embedding: was made with another model");
  const size_t size = EmbeddingFileSize(values.size());
  if (header.values != values.size() || in.size() != size)
    return Error(Code::kDamaged, "embedding: has %zu bytes, expected %zu", in.size(), size);
  const Sha256Digest digest = Sha256Of(in.data(), in.size() - sizeof(Sha256Digest));
  if (!std::equal(digest.begin(), digest.end(), in.end() - sizeof digest))
    return Error(Code::kDamaged, "embedding: checksum does not match");
  const ImageSize original{header.original_width, header.original_height};
  const ImageSize resized{header.resized_width, header.resized_height};
  // A session may have been given such an image, and its masks have this size.
  const Status possible = CheckImageSize("image", original);
  if (!possible.ok()) return Status(Code::kDamaged, "embedding: " + possible.message());
  if (ResizedSize(original, image_size) != resized) {
    return Error(Code::kDamaged, "embedding: an image size of %u x %u is not resized to %u x %u", original.width,
                 original.height, resized.width, resized.height);
  }
  std::memcpy(values.data(), in.data() + sizeof header, values.size_bytes());
  return SavedEmbedding{header.model, {original, resized}, header.pixels};
}

}  // namespace intsam::internal
