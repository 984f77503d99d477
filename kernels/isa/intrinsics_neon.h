// The NEON intrinsics: ARM's, or for WebAssembly those that SIMDe makes of SIMD128.
#ifndef INTSAM_KERNELS_ISA_INTRINSICS_NEON_H_
#define INTSAM_KERNELS_ISA_INTRINSICS_NEON_H_

#if !defined(__wasm_simd128__)
#include <arm_neon.h>
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/arm/neon.h>
#include <wasm_simd128.h>

// What SIMDe 0.7.4 makes loops of although there is an instruction. Its vectors and v128_t are the same 128 bits.
#undef vqrdmulhq_s16
static inline int16x8_t vqrdmulhq_s16(int16x8_t a, int16x8_t b) {
  return (int16x8_t)wasm_i16x8_q15mulr_sat((v128_t)a, (v128_t)b);
}
#undef vqrdmulhq_n_s16
static inline int16x8_t vqrdmulhq_n_s16(int16x8_t a, int16_t b) { return vqrdmulhq_s16(a, vdupq_n_s16(b)); }
#undef vpadalq_s16
static inline int32x4_t vpadalq_s16(int32x4_t sum, int16x8_t a) {
  return sum + (int32x4_t)wasm_i32x4_extadd_pairwise_i16x8((v128_t)a);
}
#undef vpadalq_u16
static inline uint32x4_t vpadalq_u16(uint32x4_t sum, uint16x8_t a) {
  return sum + (uint32x4_t)wasm_u32x4_extadd_pairwise_u16x8((v128_t)a);
}
#undef vmull_high_s8
static inline int16x8_t vmull_high_s8(int8x16_t a, int8x16_t b) {
  return (int16x8_t)wasm_i16x8_extmul_high_i8x16((v128_t)a, (v128_t)b);
}
#undef vmlal_high_s8
static inline int16x8_t vmlal_high_s8(int16x8_t sum, int8x16_t a, int8x16_t b) { return sum + vmull_high_s8(a, b); }
#undef vmlal_high_s16
static inline int32x4_t vmlal_high_s16(int32x4_t sum, int16x8_t a, int16x8_t b) {
  return sum + (int32x4_t)wasm_i32x4_extmul_high_i16x8((v128_t)a, (v128_t)b);
}
#endif

#endif  // INTSAM_KERNELS_ISA_INTRINSICS_NEON_H_
