#include "apps/common/photo/exif.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "apps/common/photo/big_endian.h"

namespace intsam::internal {
namespace {

constexpr uint8_t kIntroduction[6] = {'E', 'x', 'i', 'f', 0, 0};

}  // namespace

bool IsExif(std::span<const uint8_t> block) {
  return block.size() >= sizeof kIntroduction && std::memcmp(block.data(), kIntroduction, sizeof kIntroduction) == 0;
}

int ExifOrientation(std::span<const uint8_t> block) {
  const std::span<const uint8_t> tiff = IsExif(block) ? block.subspan(sizeof kIntroduction) : block;
  if (tiff.size() < 8) return 1;
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
    const bool readable = read16(entry + 2) == kShort && read32(entry + 4) == 1 && value >= 1 && value <= 8;
    return readable ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace intsam::internal
