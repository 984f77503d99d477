// Little helpers of the checkpoint parsers: little-endian loads, and file text made safe for an error message.
// The loads do not check: the caller has compared the offset with the size of the span.
#ifndef INTSAM_CONVERTER_CHECKPOINT_BYTES_H_
#define INTSAM_CONVERTER_CHECKPOINT_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace intsam::internal {

using ByteSpan = std::span<const uint8_t>;

inline uint16_t LoadU16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
inline uint32_t LoadU32(const uint8_t* p) { return LoadU16(p) | uint32_t{LoadU16(p + 2)} << 16; }
inline uint64_t LoadU64(const uint8_t* p) { return LoadU32(p) | uint64_t{LoadU32(p + 4)} << 32; }

inline std::string_view TextOf(ByteSpan bytes) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

inline bool IsPrintableAscii(std::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}

// 'text' in quotes, with bytes outside printable ASCII as \xNN and everything after 96 bytes cut.
inline std::string Quote(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string quoted = "'";
  for (const char c : text.substr(0, 96)) {
    if (IsPrintableAscii({&c, 1})) {
      quoted += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      quoted += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return quoted + (text.size() > 96 ? "...'" : "'");
}

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_BYTES_H_
