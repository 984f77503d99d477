// PNG chunks and JPEG markers, bounds-checked (ISO/IEC 15948 sections 5 and 11, ITU-T T.81 annex B, EXIF 2.3
// section 4.6).
#include "apps/common/image_container.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace intsam::internal {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr std::array<uint8_t, 8> kPngSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

uint32_t Big16(const uint8_t* p) { return uint32_t{p[0]} << 8 | p[1]; }
uint32_t Big32(const uint8_t* p) { return Big16(p) << 16 | Big16(p + 2); }

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

Status ReadPngHeader(Bytes data, ImageHeader& header) {
  if (data.size() != 13) return Error(Code::kDamaged, "PNG header: IHDR has %zu bytes, 13 expected", data.size());
  header.png = true;
  header.size = {Big32(data.data()), Big32(data.data() + 4)};
  header.bits = data[8];
  const int kind = data[9];
  header.palette = kind == 3;
  header.channels = kind == 2 ? 3 : kind == 4 ? 2 : kind == 6 ? 4 : 1;
  const bool low_depth_allowed = kind == 0 || kind == 3;
  const bool depth_known = header.bits == 8 || (header.bits == 16 && kind != 3) ||
                           (low_depth_allowed && (header.bits == 1 || header.bits == 2 || header.bits == 4));
  if (kind > 6 || kind == 1 || kind == 5 || !depth_known) {
    return Error(Code::kDamaged, "PNG header: colour type %d with %d bits does not exist", kind, header.bits);
  }
  return Status();
}

Result<ImageHeader> InspectPng(Bytes file) {
  ImageHeader header;
  bool has_header = false, has_data = false;
  size_t at = kPngSignature.size();
  while (true) {
    if (file.size() - at < 12)
      return Error(Code::kDamaged, "PNG truncated: the file ends at offset %zu before IEND", file.size());
    const size_t length = Big32(&file[at]);
    if (length > file.size() - at - 12) {
      return Error(Code::kDamaged, "PNG truncated: the chunk at offset %zu says %zu bytes, %zu remain", at, length,
                   file.size() - at - 12);
    }
    const Bytes chunk = file.subspan(at + 4, length + 4);  // type and data, what the CRC covers
    const bool is_header = std::memcmp(chunk.data(), "IHDR", 4) == 0;
    if (is_header == has_header)
      return Error(Code::kDamaged, "PNG header: IHDR must be the first chunk and the only one");
    if (Crc32(chunk) != Big32(&file[at + 8 + length])) {
      return Error(Code::kDamaged, "PNG checksum of the chunk at offset %zu is wrong", at);
    }
    if (is_header) {
      INTSAM_TRY(ReadPngHeader(chunk.subspan(4), header));
      has_header = true;
    }
    has_data |= std::memcmp(chunk.data(), "IDAT", 4) == 0;
    if (std::memcmp(chunk.data(), "IEND", 4) == 0) break;
    at += length + 12;
  }
  if (!has_data) return Error(Code::kDamaged, "PNG without image data (no IDAT chunk)");
  return header;
}

// The orientation in an APP1 payload after its length field; 1 where the block is not EXIF or not readable.
int ExifOrientation(Bytes segment) {
  constexpr uint8_t kExif[6] = {'E', 'x', 'i', 'f', 0, 0};
  if (segment.size() < sizeof kExif + 8 || std::memcmp(segment.data(), kExif, sizeof kExif) != 0) return 1;
  const Bytes tiff = segment.subspan(sizeof kExif);
  const bool little = tiff[0] == 'I';
  const auto read16 = [&](size_t at) { return little ? uint32_t{tiff[at + 1]} << 8 | tiff[at] : Big16(&tiff[at]); };
  const auto read32 = [&](size_t at) {
    return little ? read16(at + 2) << 16 | read16(at) : read16(at) << 16 | read16(at + 2);
  };
  if (tiff[0] != tiff[1] || (tiff[0] != 'I' && tiff[0] != 'M') || read16(2) != 42) return 1;
  const size_t directory = read32(4);
  if (directory > tiff.size() - 2) return 1;
  const size_t entries = std::min<size_t>(read16(directory), (tiff.size() - directory - 2) / 12);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    constexpr uint32_t kOrientation = 0x0112, kShort = 3;
    if (read16(entry) != kOrientation) continue;
    const uint32_t value = read16(entry + 8);
    return read16(entry + 2) == kShort && read32(entry + 4) == 1 && value >= 1 && value <= 8 ? static_cast<int>(value)
                                                                                             : 1;
  }
  return 1;
}

// The first marker at or after `at`: FF and a byte that is neither a stuffed zero, nor fill, nor a restart marker.
// Returns the offset of that byte, or file.size().
size_t NextMarker(Bytes file, size_t at) {
  for (; at + 1 < file.size(); ++at) {
    const uint8_t code = file[at + 1];
    if (file[at] == 0xFF && code != 0 && code != 0xFF && !(code >= 0xD0 && code <= 0xD7)) return at + 1;
  }
  return file.size();
}

Status ReadJpegFrame(uint8_t code, Bytes data, ImageHeader& header) {
  if (code > 0xC2)
    return Error(Code::kUnsupported, "JPEG process 0x%02x (only baseline and progressive are supported)", code);
  if (header.channels != 0) return Error(Code::kDamaged, "JPEG with more than one frame header");
  if (data.size() < 6) return Error(Code::kDamaged, "JPEG frame header is too short");
  header.bits = data[0];
  header.size = {Big16(&data[3]), Big16(&data[1])};
  header.channels = data[5];
  if (header.bits != 8) return Error(Code::kUnsupported, "JPEG with %d bits per sample (8 are supported)", header.bits);
  if (header.channels != 1 && header.channels != 3 && header.channels != 4) {
    return Error(Code::kUnsupported, "JPEG with %d components (1, 3 or 4 are supported)", header.channels);
  }
  return Status();
}

// Decoders reserve 256 symbols for a Huffman table, and stb_image (2.27) writes past its array where a table claims
// more.
Status CheckHuffmanTables(Bytes data) {
  constexpr size_t kCounts = 16, kMaxSymbols = 256;
  while (!data.empty()) {
    size_t symbols = 0;
    for (size_t i = 1; i <= std::min(kCounts, data.size() - 1); ++i) symbols += data[i];
    if (data.size() < 1 + kCounts + symbols || symbols > kMaxSymbols) {
      return Error(Code::kDamaged, "JPEG Huffman table with %zu symbols in %zu bytes", symbols, data.size());
    }
    data = data.subspan(1 + kCounts + symbols);
  }
  return Status();
}

Result<ImageHeader> InspectJpeg(Bytes file) {
  ImageHeader header;
  bool has_scan = false, has_exif = false;
  size_t at = 2;
  while (true) {
    at = NextMarker(file, at);
    if (at >= file.size())
      return Error(Code::kDamaged, "JPEG truncated: the file ends at offset %zu before the end of the image",
                   file.size());
    const uint8_t code = file[at];
    if (code == 0xD9) break;
    if (code == 0xD8) return Error(Code::kDamaged, "JPEG with a second start of image at offset %zu", at - 1);
    if (code == 0x01) continue;  // TEM has no length
    if (file.size() - at < 3) return Error(Code::kDamaged, "JPEG truncated in the marker at offset %zu", at - 1);
    const size_t length = Big16(&file[at + 1]);
    if (length < 2 || length > file.size() - at - 1) {
      return Error(Code::kDamaged, "JPEG truncated: the segment at offset %zu says %zu bytes, %zu remain", at - 1,
                   length, file.size() - at - 1);
    }
    const Bytes data = file.subspan(at + 3, length - 2);
    const bool is_frame = code >= 0xC0 && code <= 0xCF && code != 0xC4 && code != 0xC8 && code != 0xCC;
    if (is_frame) INTSAM_TRY(ReadJpegFrame(code, data, header));
    if (code == 0xC4) INTSAM_TRY(CheckHuffmanTables(data));
    if (code == 0xE1 && !has_exif) {
      header.orientation = ExifOrientation(data);
      has_exif = header.orientation != 1;
    }
    if (code == 0xDA) {
      if (header.channels == 0) return Error(Code::kDamaged, "JPEG with a scan before its frame header");
      has_scan = true;
    }
    at += length + 1;
  }
  if (!has_scan) return Error(Code::kDamaged, "JPEG without image data");
  return header;
}

}  // namespace

Result<ImageHeader> InspectImage(Bytes file) {
  if (file.empty()) return Error(Code::kDamaged, "the file is empty");
  const size_t compared = std::min(file.size(), kPngSignature.size());
  if (std::equal(kPngSignature.begin(), kPngSignature.begin() + compared, file.begin())) {
    if (file.size() < kPngSignature.size()) return Error(Code::kDamaged, "PNG truncated after %zu bytes", file.size());
    return InspectPng(file);
  }
  if (file[0] == 0xFF && (file.size() == 1 || file[1] == 0xD8)) return InspectJpeg(file);
  return Error(Code::kUnsupported, "neither a JPEG nor a PNG file");
}

}  // namespace intsam::internal
