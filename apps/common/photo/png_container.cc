// PNG chunks, bounds-checked (ISO/IEC 15948 sections 5 and 11).
#include <array>
#include <cstring>

#include "apps/common/photo/big_endian.h"
#include "apps/common/photo/containers.h"
#include "apps/common/photo/exif.h"
#include "apps/common/photo/photo_limits.h"

namespace intsam::internal {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t kSignatureBytes = 8;  // checked by whoever recognised the file

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0xEDB88320u ^ c >> 1 : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();

uint32_t Crc32(Bytes bytes) {
  uint32_t crc = ~0u;
  for (uint8_t b : bytes) crc = kCrcTable[(crc ^ b) & 255] ^ crc >> 8;
  return ~crc;
}

Status ReadHeader(Bytes data, PngHeader& header) {
  if (data.size() != 13) return Error(Code::kDamaged, "PNG header: IHDR has %zu bytes, 13 expected", data.size());
  header.size = {Big32(data.data()), Big32(data.data() + 4)};
  header.bits = data[8];
  const int kind = data[9];
  header.palette = kind == 3;
  header.channels = kind == 2 ? 3 : kind == 4 ? 2 : kind == 6 ? 4 : 1;
  header.interlaced = data[12] != 0;
  const bool low_depth_allowed = kind == 0 || kind == 3;
  const bool depth_known = header.bits == 8 || (header.bits == 16 && kind != 3) ||
                           (low_depth_allowed && (header.bits == 1 || header.bits == 2 || header.bits == 4));
  if (kind > 6 || kind == 1 || kind == 5 || !depth_known) {
    return Error(Code::kDamaged, "PNG header: colour type %d with %d bits does not exist", kind, header.bits);
  }
  return Status();
}

}  // namespace

Result<PngHeader> InspectPng(Bytes file) {
  PngHeader header;
  bool has_header = false;
  uint64_t data_bytes = 0;
  if (file.size() < kSignatureBytes) return Error(Code::kDamaged, "PNG truncated after %zu bytes", file.size());
  size_t at = kSignatureBytes;
  while (true) {
    if (file.size() - at < 12)
      return Error(Code::kDamaged, "PNG truncated: the file ends at offset %zu before IEND", file.size());
    const size_t length = Big32(&file[at]);
    if (length > file.size() - at - 12) {
      return Error(Code::kDamaged, "PNG truncated: the chunk at offset %zu says %zu bytes, %zu remain", at, length,
                   file.size() - at - 12);
    }
    const Bytes chunk = file.subspan(at + 4, length + 4);  // type and data, what the CRC covers
    const auto is = [&](const char* type) { return std::memcmp(chunk.data(), type, 4) == 0; };
    if (is("IHDR") == has_header)
      return Error(Code::kDamaged, "PNG header: IHDR must be the first chunk and the only one");
    if (Crc32(chunk) != Big32(&file[at + 8 + length])) {
      return Error(Code::kDamaged, "PNG checksum of the chunk at offset %zu is wrong", at);
    }
    if (is("IHDR")) {
      INTSAM_TRY(ReadHeader(chunk.subspan(4), header));
      has_header = true;
    }
    if (is("eXIf")) header.orientation = ExifOrientation(chunk.subspan(4));
    if (is("IDAT")) data_bytes += length;
    if (is("IEND")) break;
    at += length + 12;
  }
  if (data_bytes == 0) return Error(Code::kDamaged, "PNG without image data (no bytes in IDAT chunks)");
  INTSAM_TRY(CheckSides(header.size));
  constexpr uint64_t kMostExpansion = 1032;  // of deflate
  const uint64_t row_bits = uint64_t{header.size.width} * static_cast<uint64_t>(header.channels * header.bits);
  if ((row_bits + 7) / 8 * header.size.height / kMostExpansion > data_bytes) {
    return Error(Code::kDamaged, "PNG of %u x %u pixels in %llu bytes, which cannot hold them", header.size.width,
                 header.size.height, static_cast<unsigned long long>(data_bytes));
  }
  return header;
}

}  // namespace intsam::internal
