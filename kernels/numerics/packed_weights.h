// Weights of 4 to 7 bits as they lie in the file (docs/format.md, Packed weights). A group is one K/4 step of a panel:
// 64 codes u[0..63] of 2^bits levels, in the order of the s8 panels (four consecutive k of each of 16 channels), in
// 8 * bits bytes, split into planes:
//
//   32 bytes  bits 0..3: byte i holds u[i] below u[i + 32]
//   16 bytes  bits 4..5 (6 and 7 bits): byte i holds u[i], u[i + 16], u[i + 32], u[i + 48], from its lowest bits up
//    8 bytes  the top bit (5 and 7 bits): bit j of byte i belongs to u[i + 8 * j]
//
// Every plane is whole bytes of one register and comes apart with shifts and masks, no code crosses a byte. A weight
// is w = u - zero of its channel, -(2^bits - 1)..2^bits - 1.
#ifndef INTSAM_KERNELS_NUMERICS_PACKED_WEIGHTS_H_
#define INTSAM_KERNELS_NUMERICS_PACKED_WEIGHTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace intsam::internal {

inline constexpr int kGroup = 64;  // weights of a group

// Bytes of a group, bits in 4..8: also of the s8 ones.
static constexpr size_t GroupBytes(int bits) { return static_cast<size_t>(bits) * kGroup / 8; }

using GroupCodes = std::array<uint8_t, kGroup>;

// bits in 4..7. Reads GroupBytes(bits) bytes.
static constexpr GroupCodes UnpackGroup(const uint8_t* packed, int bits) {
  GroupCodes u{};
  for (size_t i = 0; i < 32; ++i) {
    u[i] = packed[i] & 15;
    u[i + 32] = packed[i] >> 4;
  }
  packed += 32;
  if (bits >= 6) {
    for (size_t i = 0; i < 16; ++i) {
      u[i] = static_cast<uint8_t>(u[i] | (packed[i] & 3) << 4);
      u[i + 16] = static_cast<uint8_t>(u[i + 16] | (packed[i] >> 2 & 3) << 4);
      u[i + 32] = static_cast<uint8_t>(u[i + 32] | (packed[i] >> 4 & 3) << 4);
      u[i + 48] = static_cast<uint8_t>(u[i + 48] | packed[i] >> 6 << 4);
    }
    packed += 16;
  }
  if (bits % 2 != 0) {
    // Byte i of a word is u[i + 8 * j], whatever the byte order: eight codes at a time. (The builtin: older
    // libc++ has no std::bit_cast.)
    std::array<uint8_t, 8> tops{}, some{};
    for (size_t i = 0; i < 8; ++i) tops[i] = packed[i];
    const auto word = __builtin_bit_cast(uint64_t, tops);
    for (size_t j = 0; j < 8; ++j) {
      some = __builtin_bit_cast(decltype(some), (word >> j & 0x0101010101010101) << (bits - 1));
      for (size_t i = 0; i < 8; ++i) u[i + 8 * j] = static_cast<uint8_t>(u[i + 8 * j] | some[i]);
    }
  }
  return u;
}

// The inverse: codes below 2^bits, bits in 4..7. Writes GroupBytes(bits) bytes.
static constexpr void PackGroup(const GroupCodes& u, int bits, uint8_t* packed) {
  for (size_t i = 0; i < 32; ++i) packed[i] = static_cast<uint8_t>((u[i] & 15) | (u[i + 32] & 15) << 4);
  packed += 32;
  if (bits >= 6) {
    for (size_t i = 0; i < 16; ++i) {
      packed[i] = 0;
      for (size_t j = 0; j < 4; ++j) packed[i] = static_cast<uint8_t>(packed[i] | (u[i + 16 * j] >> 4 & 3) << 2 * j);
    }
    packed += 16;
  }
  if (bits % 2 != 0) {
    for (size_t i = 0; i < 8; ++i) {
      packed[i] = 0;
      for (size_t j = 0; j < 8; ++j) packed[i] = static_cast<uint8_t>(packed[i] | u[i + 8 * j] >> (bits - 1) << j);
    }
  }
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NUMERICS_PACKED_WEIGHTS_H_
