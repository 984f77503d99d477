// JPEG markers, bounds-checked (ITU-T T.81 annex B).
#include <algorithm>
#include <array>
#include <cstring>

#include "apps/common/photo/big_endian.h"
#include "apps/common/photo/containers.h"
#include "apps/common/photo/exif.h"
#include "apps/common/photo/photo_limits.h"

namespace intsam::internal {
namespace {

using Bytes = std::span<const uint8_t>;

enum Marker : uint8_t {
  kTem = 0x01,
  kSof0 = 0xC0,
  kSof2 = 0xC2,
  kDht = 0xC4,
  kJpg = 0xC8,
  kSof9 = 0xC9,
  kSof10 = 0xCA,
  kDac = 0xCC,
  kSof15 = 0xCF,
  kRst0 = 0xD0,
  kRst7 = 0xD7,
  kSoi = 0xD8,
  kEoi = 0xD9,
  kSos = 0xDA,
  kDqt = 0xDB,
  kDri = 0xDD,
  kApp0 = 0xE0,
  kApp1 = 0xE1,
  kApp14 = 0xEE
};

bool IsFrame(uint8_t code) { return code >= kSof0 && code <= kSof15 && code != kDht && code != kJpg && code != kDac; }

class Walk {
 public:
  Walk(Bytes file, std::vector<uint8_t>* essence) : file_(file), essence_(essence) {}

  Result<JpegHeader> Run() {
    size_t at = std::min<size_t>(2, file_.size());  // "\xFF" alone counts as the beginning of a JPEG
    Keep(file_.first(at));
    while (true) {
      at = NextMarker(file_, at);
      if (at >= file_.size())
        return Error(Code::kDamaged, "JPEG truncated: the file ends at offset %zu before the end of the image",
                     file_.size());
      const uint8_t code = file_[at];
      if (code == kEoi) break;
      if (code == kTem || IsComplete()) continue;
      if (code == kSoi) return Error(Code::kDamaged, "JPEG with a second start of image at offset %zu", at - 1);
      if (file_.size() - at < 3) return Error(Code::kDamaged, "JPEG truncated in the marker at offset %zu", at - 1);
      const size_t length = Big16(&file_[at + 1]), left = file_.size() - at - 1;
      if (length < 2 || length > left) {
        return Error(Code::kDamaged, "JPEG truncated: the segment at offset %zu says %zu bytes, %zu remain", at - 1,
                     length, left);
      }
      INTSAM_TRY(ReadSegment(code, file_.subspan(at + 3, length - 2)));
      if (IsEssential(code)) Keep(file_.subspan(at - 1, length + 2));
      at += length + 1;
      if (code == kSos) {
        const size_t end = NextMarker(file_, at) - 1;
        Keep(file_.subspan(at, end - at));
        entropy_bytes_ += end - at;
      }
    }
    INTSAM_TRY(CheckWhole());
    Keep(std::array<uint8_t, 2>{0xFF, kEoi});
    return header_;
  }

 private:
  // One scan has everything: decoders stop behind it, and whatever follows up to the end of the image (some drones
  // write surplus bytes there, which may look like markers) is nobody's business.
  bool IsComplete() const { return header_.scans == 1 && header_.coefficient_bytes == 0; }

  // What pixels depend on. Adobe's segment says how four components are coded, JFIF's that three are YCbCr.
  static bool IsEssential(uint8_t code) {
    return IsFrame(code) || code == kDht || code == kDqt || code == kDri || code == kSos || code == kApp0 ||
           code == kApp14;
  }

  void Keep(Bytes bytes) {
    if (essence_ != nullptr) essence_->insert(essence_->end(), bytes.begin(), bytes.end());
  }

  Status ReadSegment(uint8_t code, Bytes data) {
    if (IsFrame(code)) return ReadFrame(code, data);
    if (code == kDht) return ReadHuffmanTables(data);
    if (code == kSos) return ReadScan(data);
    if (code == kDqt) has_quantization_ = true;
    if (code == kApp1 && header_.orientation == 1 && IsExif(data)) header_.orientation = ExifOrientation(data);
    if (code == kApp14 && data.size() >= 12 && std::memcmp(data.data(), "Adobe", 5) == 0) header_.adobe = true;
    return Status();
  }

  Status ReadFrame(uint8_t code, Bytes data) {
    if (code > kSof2 && code != kSof9 && code != kSof10)
      return Error(Code::kUnsupported, "JPEG process 0x%02x (baseline and progressive are supported)", code);
    if (header_.channels != 0) return Error(Code::kDamaged, "JPEG with more than one frame header");
    if (data.size() < 6) return Error(Code::kDamaged, "JPEG frame header is too short");
    const int bits = data[0];
    header_.size = {Big16(&data[3]), Big16(&data[1])};
    header_.channels = data[5];
    header_.arithmetic = code >= kSof9;
    progressive_ = code == kSof2 || code == kSof10;
    if (bits != 8) return Error(Code::kUnsupported, "JPEG with %d bits per sample (8 are supported)", bits);
    if (header_.channels != 1 && header_.channels != 3 && header_.channels != 4) {
      return Error(Code::kUnsupported, "JPEG with %d components (1, 3 or 4 are supported)", header_.channels);
    }
    if (data.size() < 6 + 3 * static_cast<size_t>(header_.channels))
      return Error(Code::kDamaged, "JPEG frame header is too short");
    uint64_t across = 1, down = 1, blocks = 0;
    for (int i = 0; i < header_.channels; ++i) {
      const uint32_t sampling = data[7 + 3 * static_cast<size_t>(i)], h = sampling >> 4, v = sampling & 15;
      if (h < 1 || h > 4 || v < 1 || v > 4) return Error(Code::kDamaged, "JPEG sampling factors %u x %u", h, v);
      across = std::max<uint64_t>(across, h), down = std::max<uint64_t>(down, v), blocks += h * v;
    }
    // Blocks of 64 coefficients of 16 bits, in whole groups of what one sample of the coarsest component covers.
    const uint64_t groups =
        ((header_.size.width + 8 * across - 1) / (8 * across)) * ((header_.size.height + 8 * down - 1) / (8 * down));
    all_coefficient_bytes_ = groups * blocks * 128;
    return Status();
  }

  // Decoders reserve 256 symbols for a Huffman table, and stb_image (2.27) writes past its array where a table claims
  // more.
  Status ReadHuffmanTables(Bytes data) {
    constexpr size_t kCounts = 16, kMaxSymbols = 256;
    while (!data.empty()) {
      size_t symbols = 0;
      for (size_t i = 1; i <= std::min(kCounts, data.size() - 1); ++i) symbols += data[i];
      if (data.size() < 1 + kCounts + symbols || symbols > kMaxSymbols) {
        return Error(Code::kDamaged, "JPEG Huffman table with %zu symbols in %zu bytes", symbols, data.size());
      }
      data = data.subspan(1 + kCounts + symbols);
    }
    has_huffman_ = true;
    return Status();
  }

  Status ReadScan(Bytes data) {
    if (header_.channels == 0) return Error(Code::kDamaged, "JPEG with a scan before its frame header");
    ++header_.scans;
    if (progressive_ || data.empty() || data[0] < header_.channels) header_.coefficient_bytes = all_coefficient_bytes_;
    return Status();
  }

  Status CheckWhole() const {
    if (header_.scans == 0) return Error(Code::kDamaged, "JPEG without image data");
    INTSAM_TRY(CheckSides(header_.size));
    INTSAM_TRY(CheckScans(header_.size, header_.scans));
    if (entropy_bytes_ == 0) return Error(Code::kDamaged, "JPEG without image data (its scans are empty)");
    if (!has_quantization_) return Error(Code::kDamaged, "JPEG without a quantization table");
    // Motion JPEG leaves them out and means the standard's; most files without them are damaged.
    if (!has_huffman_ && !header_.arithmetic) return Error(Code::kDamaged, "JPEG without a Huffman table");
    return Status();
  }

  Bytes file_;
  std::vector<uint8_t>* essence_;
  JpegHeader header_;
  bool progressive_ = false, has_quantization_ = false, has_huffman_ = false;
  uint64_t all_coefficient_bytes_ = 0, entropy_bytes_ = 0;
};

}  // namespace

size_t NextMarker(Bytes file, size_t at) {
  while (at + 1 < file.size()) {
    const void* found = std::memchr(&file[at], 0xFF, file.size() - 1 - at);
    if (found == nullptr) break;
    at = static_cast<size_t>(static_cast<const uint8_t*>(found) - file.data()) + 1;
    const uint8_t code = file[at];
    if (code != 0 && code != 0xFF && !(code >= kRst0 && code <= kRst7)) return at;
  }
  return file.size();
}

Result<JpegHeader> InspectJpeg(Bytes file, std::vector<uint8_t>* essence) { return Walk(file, essence).Run(); }

}  // namespace intsam::internal
