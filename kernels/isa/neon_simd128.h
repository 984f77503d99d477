// The helpers of isa/neon.h for WebAssembly, where SIMDe has loops over lanes for what they do in NEON's instructions:
// SIMD128 shifts all lanes of a vector by one count, and narrows two vectors at a time. Included by isa/neon.h only.
//
// A vector of SIMDe's and v128_t are the same 128 bits.
#ifndef INTSAM_KERNELS_ISA_NEON_SIMD128_H_
#define INTSAM_KERNELS_ISA_NEON_SIMD128_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/isa/intrinsics_neon.h"

namespace intsam::internal::neon {

// ---------------------------------------------------------------- products

static inline int16x8_t MulLow(int8x16_t a, int8x16_t b) {
  return (int16x8_t)wasm_i16x8_extmul_low_i8x16((v128_t)a, (v128_t)b);
}
static inline int16x8_t MulHigh(int8x16_t a, int8x16_t b) {
  return (int16x8_t)wasm_i16x8_extmul_high_i8x16((v128_t)a, (v128_t)b);
}
static inline int16x8_t MulAddLow(int16x8_t sum, int8x16_t a, int8x16_t b) { return sum + MulLow(a, b); }
static inline int16x8_t MulAddHigh(int16x8_t sum, int8x16_t a, int8x16_t b) { return sum + MulHigh(a, b); }
static inline int32x4_t MulAddLow(int32x4_t sum, int16x8_t a, int16x8_t b) {
  return sum + (int32x4_t)wasm_i32x4_extmul_low_i16x8((v128_t)a, (v128_t)b);
}
static inline int32x4_t MulAddHigh(int32x4_t sum, int16x8_t a, int16x8_t b) {
  return sum + (int32x4_t)wasm_i32x4_extmul_high_i16x8((v128_t)a, (v128_t)b);
}
static inline int64x2_t MulLow(int32x4_t a, int32x4_t b) {
  return (int64x2_t)wasm_i64x2_extmul_low_i32x4((v128_t)a, (v128_t)b);
}
static inline int64x2_t MulHigh(int32x4_t a, int32x4_t b) {
  return (int64x2_t)wasm_i64x2_extmul_high_i32x4((v128_t)a, (v128_t)b);
}
static inline int64x2_t MulAddLow(int64x2_t sum, int32x4_t a, int32x4_t b) { return sum + MulLow(a, b); }
static inline int64x2_t MulAddHigh(int64x2_t sum, int32x4_t a, int32x4_t b) { return sum + MulHigh(a, b); }
// MHU(a, b).
static inline uint16x8_t MulHigh16(uint16x8_t a, uint16x8_t b) {
  const v128_t low = wasm_u32x4_extmul_low_u16x8((v128_t)a, (v128_t)b);
  const v128_t high = wasm_u32x4_extmul_high_u16x8((v128_t)a, (v128_t)b);
  return (uint16x8_t)wasm_i16x8_shuffle(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
}

// ---------------------------------------------------------------- narrower lanes

// The low halves.
static inline int32x4_t Pack32(int64x2_t low, int64x2_t high) {
  return (int32x4_t)wasm_i32x4_shuffle((v128_t)low, (v128_t)high, 0, 2, 4, 6);
}
// Saturates to s32.
static inline int32x4_t PackSaturated32(int64x2_t low, int64x2_t high) {
  const auto clamped = [](int64x2_t x) {
    const v128_t most = wasm_i64x2_const_splat(INT32_MAX), least = wasm_i64x2_const_splat(INT32_MIN);
    const v128_t below = wasm_v128_bitselect(most, (v128_t)x, wasm_i64x2_gt((v128_t)x, most));
    return (int64x2_t)wasm_v128_bitselect(least, below, wasm_i64x2_gt(least, below));
  };
  return Pack32(clamped(low), clamped(high));
}
// Saturates to s16.
static inline int16x8_t Pack16(int32x4_t low, int32x4_t high) {
  return (int16x8_t)wasm_i16x8_narrow_i32x4((v128_t)low, (v128_t)high);
}
// Values below 2^16.
static inline uint16x8_t PackSmall16(uint32x4_t low, uint32x4_t high) {
  return (uint16x8_t)wasm_i16x8_shuffle((v128_t)low, (v128_t)high, 0, 2, 4, 6, 8, 10, 12, 14);
}
// Saturates to u8.
static inline uint8x16_t Pack8(int16x8_t low, int16x8_t high) {
  return (uint8x16_t)wasm_u8x16_narrow_i16x8((v128_t)low, (v128_t)high);
}

// ---------------------------------------------------------------- shifts by one count

// A count that the compiler takes for another one each time. Otherwise it moves the count's vector out of the loop and
// then no longer sees that its lanes are equal: LLVM 14 shifts such vectors lane by lane.
static inline int Anew(int count) {
  asm volatile("" : "+r"(count));
  return count;
}

struct Simd128Left16 {
  int count;
};
using Left16 = Simd128Left16;
struct Simd128Right16 {
  int count;
};
using Right16 = Simd128Right16;
struct Simd128Left32 {
  int count;
};
using Left32 = Simd128Left32;
struct Simd128Right32 {
  int count;
};
using Right32 = Simd128Right32;
struct Simd128Right64 {
  int count;
};
using Right64 = Simd128Right64;
static inline Left16 MakeLeft16(int count) { return {count}; }
static inline Right16 MakeRight16(int count) { return {count}; }
static inline Left32 MakeLeft32(int count) { return {count}; }
static inline Right32 MakeRight32(int count) { return {count}; }
static inline Right64 MakeRight64(int count) { return {count}; }

static inline uint16x8_t Shift(uint16x8_t v, Left16 n) { return (uint16x8_t)wasm_i16x8_shl((v128_t)v, Anew(n.count)); }
static inline uint16x8_t Shift(uint16x8_t v, Right16 n) { return (uint16x8_t)wasm_u16x8_shr((v128_t)v, Anew(n.count)); }
static inline int16x8_t Shift(int16x8_t v, Right16 n) { return (int16x8_t)wasm_i16x8_shr((v128_t)v, Anew(n.count)); }
static inline int32x4_t Shift(int32x4_t v, Left32 n) { return (int32x4_t)wasm_i32x4_shl((v128_t)v, Anew(n.count)); }
static inline int32x4_t Shift(int32x4_t v, Right32 n) { return (int32x4_t)wasm_i32x4_shr((v128_t)v, Anew(n.count)); }
static inline uint32x4_t Shift(uint32x4_t v, Right32 n) { return (uint32x4_t)wasm_u32x4_shr((v128_t)v, Anew(n.count)); }

// RSH of s16 is MRS with 2^(15 - count), which for a count of 0 is no s16; below 16.
static inline int16x8_t RoundingShift(int16x8_t v, Right16 n) {
  if (n.count == 0) return v;
  return (int16x8_t)wasm_i16x8_q15mulr_sat((v128_t)v, wasm_i16x8_splat(static_cast<int16_t>(1 << (15 - n.count))));
}
// RSH without the sum that could overflow: the last bit that leaves is added. A negative count shifts left.
static inline uint16x8_t RoundingShift(uint16x8_t v, Right16 n) {
  if (n.count == 0) return v;
  if (n.count > 16) return (uint16x8_t)wasm_i16x8_const_splat(0);
  const v128_t last = wasm_v128_and(wasm_u16x8_shr((v128_t)v, Anew(n.count - 1)), wasm_i16x8_const_splat(1));
  if (n.count == 16) return (uint16x8_t)last;
  return (uint16x8_t)wasm_i16x8_add(wasm_u16x8_shr((v128_t)v, Anew(n.count)), last);
}
// |v| < 2^30 where the count is above 31.
static inline int32x4_t RoundingShift(int32x4_t v, Right32 n) {
  if (n.count <= 0) return (int32x4_t)wasm_i32x4_shl((v128_t)v, Anew(-n.count));
  const int count = std::min(n.count, 31);
  const v128_t last = wasm_v128_and(wasm_i32x4_shr((v128_t)v, Anew(count - 1)), wasm_i32x4_const_splat(1));
  return (int32x4_t)wasm_i32x4_add(wasm_i32x4_shr((v128_t)v, Anew(count)), last);
}
// 0 <= count <= 62.
static inline int64x2_t RoundingShift(int64x2_t v, Right64 n) {
  const int64_t half = int64_t{1} << n.count >> 1;
  return (int64x2_t)wasm_i64x2_shr(wasm_i64x2_add((v128_t)v, wasm_i64x2_splat(half)), Anew(n.count));
}

// ---------------------------------------------------------------- shifts by a count per lane

// RSH of four s32 by 0 to 30: a product with 2^(30 - count), of which 64 bits are shifted by 30.
struct Simd128RightLanes {
  int32x4_t power;
};
using RightLanes = Simd128RightLanes;
static inline RightLanes MakeRightLanes(const uint8_t* counts) {
  uint32_t power[4];
  for (int i = 0; i < 4; ++i) power[i] = uint32_t{1} << (30 - counts[i] & 31);
  return {vld1q_s32(reinterpret_cast<const int32_t*>(power))};
}
static inline int32x4_t RoundingShift(int32x4_t v, RightLanes n) {
  const v128_t half = wasm_i64x2_const_splat(1 << 29);
  const v128_t low = wasm_i64x2_add((v128_t)MulLow(v, n.power), half);
  const v128_t high = wasm_i64x2_add((v128_t)MulHigh(v, n.power), half);
  return Pack32((int64x2_t)wasm_u64x2_shr(low, 30), (int64x2_t)wasm_u64x2_shr(high, 30));
}

// RSH(x, t >> 11), x below 2^15; zero from 16 on: MRS with 2^(15 - count), which for a count of 0 is no s16.
static inline uint16x8_t ShiftedByOctaves(uint16x8_t x, uint16x8_t t) {
  const v128_t count = wasm_u16x8_shr((v128_t)t, 11);
  const v128_t low_bytes = wasm_u8x16_const(0, 0, 0, 0, 0, 0, 0, 0, 128, 64, 32, 16, 8, 4, 2, 1);
  const v128_t high_bytes = wasm_u8x16_const(0, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  // An index beyond a table gives 0.
  const v128_t low = wasm_i8x16_swizzle(low_bytes, wasm_v128_or(count, wasm_u16x8_const_splat(0xff00)));
  const v128_t high =
      wasm_i8x16_swizzle(high_bytes, wasm_v128_or(wasm_i16x8_shl(count, 8), wasm_u16x8_const_splat(0x00ff)));
  const v128_t whole = wasm_i16x8_eq(count, wasm_i16x8_const_splat(0));
  const v128_t shifted = wasm_i16x8_q15mulr_sat((v128_t)x, wasm_v128_or(low, high));
  return (uint16x8_t)wasm_v128_or(shifted, wasm_v128_and((v128_t)x, whole));
}

// RQ32 of four accumulators. Products are above -2^62: with 2^62 more, logical shifts do, of which an x86 has one.
struct Simd128Rq32Lanes {
  int32x4_t mult;
  int64x2_t add_low, add_high;  // 2^62 and half of the unit
  int32_t right[4];
  int32x4_t back;  // what became of 2^62
};
using Rq32Lanes = Simd128Rq32Lanes;
static inline int32x4_t Apply(const Rq32Lanes& r, int32x4_t acc) {
  const v128_t low = (v128_t)(MulLow(acc, r.mult) + r.add_low), high = (v128_t)(MulHigh(acc, r.mult) + r.add_high);
  const auto pair = [](v128_t v, int first, int second) {
    return wasm_i32x4_shuffle(wasm_u64x2_shr(v, Anew(first)), wasm_u64x2_shr(v, Anew(second)), 0, 6, 0, 6);
  };
  const v128_t y = wasm_i64x2_shuffle(pair(low, r.right[0], r.right[1]), pair(high, r.right[2], r.right[3]), 0, 2);
  return (int32x4_t)wasm_i32x4_sub(y, (v128_t)r.back);
}
// Lanes whose shift lies outside 1..62 (the padding of a channel buffer) give unspecified values and no fault.
static inline Rq32Lanes MakeRq32Lanes(const int32_t* mult, const uint8_t* shift) {
  Rq32Lanes r{};
  int64_t add[4];
  uint32_t back[4];
  for (int i = 0; i < 4; ++i) {
    const int s = std::clamp<int>(shift[i], 1, 62);
    r.right[i] = s;
    add[i] = (int64_t{1} << 62) + (int64_t{1} << (s - 1));
    back[i] = static_cast<uint32_t>(uint64_t{1} << (62 - s));
  }
  r.mult = vld1q_s32(mult);
  r.add_low = vld1q_s64(add), r.add_high = vld1q_s64(add + 2);
  r.back = vld1q_s32(reinterpret_cast<const int32_t*>(back));
  return r;
}
static inline Rq32Lanes MakeRq32Lanes(int32_t mult, int shift) {
  const int32_t mults[4] = {mult, mult, mult, mult};
  const auto count = static_cast<uint8_t>(shift);
  const uint8_t shifts[4] = {count, count, count, count};
  return MakeRq32Lanes(mults, shifts);
}

}  // namespace intsam::internal::neon

#endif  // INTSAM_KERNELS_ISA_NEON_SIMD128_H_
