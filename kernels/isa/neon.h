// Helpers shared by the NEON sources: what 32-bit ARM lacks, exact-length stores, RQ32 of four lanes, the last step of
// every code. Include it only from files of the NEON tiers.
//
// NEON has the rounding of docs/numerics.md as an instruction: (U|S)RSHL by -s is RSH(x, s) without an intermediate
// that could overflow, for every s from 0 up, and SQRDMULH of 16-bit lanes is MRS.
//
// Everything here has internal linkage, as in kernels/numerics. Outputs never write past their last element, so that
// strips of one buffer can be written by different threads; inputs are read up to kPadBytes past the end.
#ifndef INTSAM_KERNELS_ISA_NEON_H_
#define INTSAM_KERNELS_ISA_NEON_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/isa/intrinsics_neon.h"
#include "kernels/isa/loops.h"
#if defined(__wasm_simd128__)
#include "kernels/isa/neon_simd128.h"
#endif

namespace intsam::internal::neon {

// f<0>(), f<1>() ... f<kCount - 1>(): for lane numbers, which are part of an instruction.
template <int kCount, typename F>
static inline void Unrolled(F f) {
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) { (f.template operator()<kIndex>(), ...); }
  (std::make_integer_sequence<int, kCount>());
}

// Keeps a value in its register and steps in their order: an in-order core waits for every load that is used at once
// and for every sum that is added to twice in a row, and compilers, which reckon with cores that reorder, bring about
// both.
#if defined(__aarch64__) || defined(__arm__)
template <typename Vector>
static inline void Pin(Vector& v) {
  asm volatile("" : "+w"(v));
}
// Also keeps it out of the registers of operands that are loaded anew next: it would have to be moved out of their way.
template <typename Vector, typename Operand>
static inline void PinBeside(Vector& v, Operand a, Operand b) {
  asm volatile("" : "+w"(v) : "w"(a), "w"(b));
}
// An address, or a part of one, that has just moved on. Left alone, compilers let the first load move it on by the way,
// and the loads behind that one wait for it.
template <typename Integer>
static inline void PinAddress(Integer& v) {
  asm volatile("" : "+r"(v));
}
#else  // WebAssembly has no registers
template <typename Vector>
static inline void Pin(Vector&) {}
template <typename Vector, typename Operand>
static inline void PinBeside(Vector&, Operand, Operand) {}
template <typename Integer>
static inline void PinAddress(Integer&) {}
#endif

// The next four bytes in every lane; `p` need not be aligned and moves on.
static inline int8x16_t NextBroadcast32(const int8_t*& p) {
#if defined(__aarch64__)  // left alone, compilers make a load and a DUP, which takes a multiplier's port
  int8x16_t v;
  asm("ld1r {%0.4s}, [%1]" : "=w"(v) : "r"(p), "m"(*reinterpret_cast<const int8_t(*)[4]>(p)));
  p += 4;
  return v;
#else
  using Word [[gnu::aligned(1), gnu::may_alias]] = int32_t;
  const int32x4_t v = vdupq_n_s32(*reinterpret_cast<const Word*>(p));
  p += 4;
  return vreinterpretq_s8_s32(v);
#endif
}

// Products of the low and the high halves of their operands, alone or added to `sum`.
#if !defined(__wasm_simd128__)
static inline int16x8_t MulLow(int8x16_t a, int8x16_t b) { return vmull_s8(vget_low_s8(a), vget_low_s8(b)); }
static inline int16x8_t MulAddLow(int16x8_t sum, int8x16_t a, int8x16_t b) {
  return vmlal_s8(sum, vget_low_s8(a), vget_low_s8(b));
}
static inline int32x4_t MulAddLow(int32x4_t sum, int16x8_t a, int16x8_t b) {
  return vmlal_s16(sum, vget_low_s16(a), vget_low_s16(b));
}
static inline int64x2_t MulLow(int32x4_t a, int32x4_t b) { return vmull_s32(vget_low_s32(a), vget_low_s32(b)); }
static inline int64x2_t MulAddLow(int64x2_t sum, int32x4_t a, int32x4_t b) {
  return vmlal_s32(sum, vget_low_s32(a), vget_low_s32(b));
}
#endif

#if defined(__aarch64__) || defined(__wasm_simd128__)

#if defined(__aarch64__)
static inline int16x8_t MulHigh(int8x16_t a, int8x16_t b) { return vmull_high_s8(a, b); }
static inline int16x8_t MulAddHigh(int16x8_t sum, int8x16_t a, int8x16_t b) { return vmlal_high_s8(sum, a, b); }
static inline int32x4_t MulAddHigh(int32x4_t sum, int16x8_t a, int16x8_t b) { return vmlal_high_s16(sum, a, b); }
static inline int64x2_t MulHigh(int32x4_t a, int32x4_t b) { return vmull_high_s32(a, b); }
static inline int64x2_t MulAddHigh(int64x2_t sum, int32x4_t a, int32x4_t b) { return vmlal_high_s32(sum, a, b); }
// MHU(a, b).
static inline uint16x8_t MulHigh16(uint16x8_t a, uint16x8_t b) {
  const uint32x4_t low = vmull_u16(vget_low_u16(a), vget_low_u16(b)), high = vmull_high_u16(a, b);
  return vuzp2q_u16(vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high));
}
#endif
template <int kLane>
static inline int32x4_t MulAddHighLane(int32x4_t sum, int16x8_t a, int16x4_t b) {
#if defined(__aarch64__)
  return vmlal_high_lane_s16(sum, a, b, kLane);
#else
  return vmlal_high_s16(sum, a, vdupq_lane_s16(b, kLane));  // SIMDe 0.7.4 lacks the above
#endif
}
static inline int32x4_t PairSums(int32x4_t a, int32x4_t b) { return vpaddq_s32(a, b); }
static inline int64_t SumLanes(int64x2_t v) { return vaddvq_s64(v); }
static inline uint32_t SumLanes(uint32x4_t v) { return vaddvq_u32(v); }
static inline int32_t MaxLane(int32x4_t v) { return vmaxvq_s32(v); }
using Table32 = uint8x16x2_t;
static inline Table32 LoadTable(const void* p) {
  const auto* bytes = static_cast<const uint8_t*>(p);
  return {{vld1q_u8(bytes), vld1q_u8(bytes + 16)}};
}
static inline uint8x16_t LookUp(const Table32& table, uint8x16_t index) { return vqtbl2q_u8(table, index); }

#else

static inline int16x8_t MulHigh(int8x16_t a, int8x16_t b) { return vmull_s8(vget_high_s8(a), vget_high_s8(b)); }
static inline int16x8_t MulAddHigh(int16x8_t sum, int8x16_t a, int8x16_t b) {
  return vmlal_s8(sum, vget_high_s8(a), vget_high_s8(b));
}
static inline int32x4_t MulAddHigh(int32x4_t sum, int16x8_t a, int16x8_t b) {
  return vmlal_s16(sum, vget_high_s16(a), vget_high_s16(b));
}
static inline int64x2_t MulHigh(int32x4_t a, int32x4_t b) { return vmull_s32(vget_high_s32(a), vget_high_s32(b)); }
static inline int64x2_t MulAddHigh(int64x2_t sum, int32x4_t a, int32x4_t b) {
  return vmlal_s32(sum, vget_high_s32(a), vget_high_s32(b));
}
template <int kLane>
static inline int32x4_t MulAddHighLane(int32x4_t sum, int16x8_t a, int16x4_t b) {
  return vmlal_lane_s16(sum, vget_high_s16(a), b, kLane);
}
static inline int32x4_t PairSums(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)), vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}
static inline int64_t SumLanes(int64x2_t v) { return vgetq_lane_s64(v, 0) + vgetq_lane_s64(v, 1); }
static inline uint32_t SumLanes(uint32x4_t v) {
  const uint32x2_t pair = vadd_u32(vget_low_u32(v), vget_high_u32(v));
  return vget_lane_u32(vpadd_u32(pair, pair), 0);
}
static inline int32_t MaxLane(int32x4_t v) {
  const int32x2_t pair = vmax_s32(vget_low_s32(v), vget_high_s32(v));
  return vget_lane_s32(vpmax_s32(pair, pair), 0);
}
static inline uint16x8_t MulHigh16(uint16x8_t a, uint16x8_t b) {
  return vcombine_u16(vshrn_n_u32(vmull_u16(vget_low_u16(a), vget_low_u16(b)), 16),
                      vshrn_n_u32(vmull_u16(vget_high_u16(a), vget_high_u16(b)), 16));
}
using Table32 = uint8x8x4_t;
static inline Table32 LoadTable(const void* p) {
  const auto* bytes = static_cast<const uint8_t*>(p);
  return {{vld1_u8(bytes), vld1_u8(bytes + 8), vld1_u8(bytes + 16), vld1_u8(bytes + 24)}};
}
static inline uint8x16_t LookUp(const Table32& table, uint8x16_t index) {
  return vcombine_u8(vtbl4_u8(table, vget_low_u8(index)), vtbl4_u8(table, vget_high_u8(index)));
}

#endif

// Entries index[i] (0..15) of a table of sixteen 16-bit values.
static inline uint16x8_t LookUp16(const Table32& table, uint16x8_t index) {
  const uint16x8_t bytes = vmlaq_n_u16(vdupq_n_u16(0x0100), index, 0x0202);  // 2 i + 1, 2 i
  return vreinterpretq_u16_u8(LookUp(table, vreinterpretq_u8_u16(bytes)));
}

// The sums of the four lanes of each vector.
static inline int32x4_t SumEach(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) {
  return PairSums(PairSums(a, b), PairSums(c, d));
}

static inline void StoreAny(uint8_t* p, uint8x16_t v) { vst1q_u8(p, v); }
static inline void StoreAny(uint8_t* p, uint8x8_t v) { vst1_u8(p, v); }
static inline void StoreAny(int16_t* p, int16x4_t v) { vst1_s16(p, v); }
static inline void StoreAny(int16_t* p, int16x8_t v) { vst1q_s16(p, v); }
static inline void StoreAny(int32_t* p, int32x4_t v) { vst1q_s32(p, v); }

// The first min(count, lanes) elements of a vector, count >= 1.
template <typename T, typename Vector, typename Count>
static inline void StoreFirst(T* p, Vector v, Count count) {
  constexpr size_t kLanes = sizeof(Vector) / sizeof(T);
  if (static_cast<size_t>(count) >= kLanes) return StoreAny(p, v);
  T lanes[kLanes];
  StoreAny(lanes, v);
  std::memcpy(p, lanes, static_cast<size_t>(count) * sizeof(T));
}

static inline int32x4_t Clamp32(int32x4_t x, int32x4_t lo, int32x4_t hi) { return vminq_s32(vmaxq_s32(x, lo), hi); }

#if !defined(__wasm_simd128__)

// The low halves.
static inline int32x4_t Pack32(int64x2_t low, int64x2_t high) { return vcombine_s32(vmovn_s64(low), vmovn_s64(high)); }
// Saturates to s32.
static inline int32x4_t PackSaturated32(int64x2_t low, int64x2_t high) {
  return vcombine_s32(vqmovn_s64(low), vqmovn_s64(high));
}
// Saturates to s16.
static inline int16x8_t Pack16(int32x4_t low, int32x4_t high) {
  return vcombine_s16(vqmovn_s32(low), vqmovn_s32(high));
}
// Values below 2^16.
static inline uint16x8_t PackSmall16(uint32x4_t low, uint32x4_t high) {
  return vcombine_u16(vmovn_u32(low), vmovn_u32(high));
}
// Saturates to u8.
static inline uint8x16_t Pack8(int16x8_t low, int16x8_t high) {
  return vcombine_u8(vqmovun_s16(low), vqmovun_s16(high));
}

// Counts that all lanes are shifted by; RoundingShift is RSH, and a negative count to the right shifts left.
struct Left16 {
  int16x8_t count;
};
struct Right16 {
  int16x8_t minus;
};
struct Left32 {
  int32x4_t count;
};
struct Right32 {
  int32x4_t minus;
};
struct Right64 {
  int64x2_t minus;
};
static inline Left16 MakeLeft16(int count) { return {vdupq_n_s16(static_cast<int16_t>(count))}; }
static inline Right16 MakeRight16(int count) { return {vdupq_n_s16(static_cast<int16_t>(-count))}; }
static inline Left32 MakeLeft32(int count) { return {vdupq_n_s32(count)}; }
static inline Right32 MakeRight32(int count) { return {vdupq_n_s32(-count)}; }
static inline Right64 MakeRight64(int count) { return {vdupq_n_s64(-count)}; }
static inline uint16x8_t Shift(uint16x8_t v, Left16 n) { return vshlq_u16(v, n.count); }
static inline uint16x8_t Shift(uint16x8_t v, Right16 n) { return vshlq_u16(v, n.minus); }
static inline int16x8_t Shift(int16x8_t v, Right16 n) { return vshlq_s16(v, n.minus); }
static inline int32x4_t Shift(int32x4_t v, Left32 n) { return vshlq_s32(v, n.count); }
static inline int32x4_t Shift(int32x4_t v, Right32 n) { return vshlq_s32(v, n.minus); }
static inline uint32x4_t Shift(uint32x4_t v, Right32 n) { return vshlq_u32(v, n.minus); }
static inline int16x8_t RoundingShift(int16x8_t v, Right16 n) { return vrshlq_s16(v, n.minus); }
static inline uint16x8_t RoundingShift(uint16x8_t v, Right16 n) { return vrshlq_u16(v, n.minus); }
static inline int32x4_t RoundingShift(int32x4_t v, Right32 n) { return vrshlq_s32(v, n.minus); }
static inline int64x2_t RoundingShift(int64x2_t v, Right64 n) { return vrshlq_s64(v, n.minus); }

// Four counts of 0 to 30.
struct RightLanes {
  int32x4_t minus;
};
static inline RightLanes MakeRightLanes(const uint8_t* counts) {
  const int16x8_t minus = vnegq_s16(vreinterpretq_s16_u16(vmovl_u8(vld1_u8(counts))));
  return {vmovl_s16(vget_low_s16(minus))};
}
static inline int32x4_t RoundingShift(int32x4_t v, RightLanes n) { return vrshlq_s32(v, n.minus); }

// RSH(x, t >> 11), x below 2^15; zero from 16 on, as URSHL has it.
static inline uint16x8_t ShiftedByOctaves(uint16x8_t x, uint16x8_t t) {
  return vrshlq_u16(x, vnegq_s16(vreinterpretq_s16_u16(vshrq_n_u16(t, 11))));
}

// RQ32 of four accumulators.
struct Rq32Lanes {
  int32x4_t mult;
  int64x2_t right_low, right_high;  // -s
};
static inline int32x4_t Apply(const Rq32Lanes& r, int32x4_t acc) {
  return Pack32(vrshlq_s64(MulLow(acc, r.mult), r.right_low), vrshlq_s64(MulHigh(acc, r.mult), r.right_high));
}
// Lanes whose shift lies outside 1..62 (the padding of a channel buffer) give unspecified values and no fault.
static inline Rq32Lanes MakeRq32Lanes(const int32_t* mult, const uint8_t* shift) {
  int64_t right[4];
  for (int i = 0; i < 4; ++i) right[i] = -int64_t{shift[i]};
  return {vld1q_s32(mult), vld1q_s64(right), vld1q_s64(right + 2)};
}
static inline Rq32Lanes MakeRq32Lanes(int32_t mult, int shift) {
  return {vdupq_n_s32(mult), vdupq_n_s64(-shift), vdupq_n_s64(-shift)};
}

#endif

// The end of every code: s16 values clamped to 0 <= lo <= hi <= 255 and flipped.
struct CodeRange {
  uint8x16_t lo, hi, flip;
};
static inline CodeRange MakeCodeRange(int lo, int hi, uint8_t flip) {
  return {vdupq_n_u8(static_cast<uint8_t>(lo)), vdupq_n_u8(static_cast<uint8_t>(hi)), vdupq_n_u8(flip)};
}
static inline uint8x16_t CodesOf(int16x8_t low, int16x8_t high, const CodeRange& range) {
  return veorq_u8(vminq_u8(vmaxq_u8(Pack8(low, high), range.lo), range.hi), range.flip);
}

}  // namespace intsam::internal::neon

#endif  // INTSAM_KERNELS_ISA_NEON_H_
