// How the tiers with products of signed bytes split probabilities for mix_codes.h: P = l - 256 h with l, the low byte,
// signed and h in -128..0, so that both are s8. Only for files of these tiers.
#ifndef INTSAM_KERNELS_NN_MIX_CODES_NEON_H_
#define INTSAM_KERNELS_NN_MIX_CODES_NEON_H_

#include "kernels/gemm/gemm_neon.h"
#include "kernels/isa/neon.h"
#include "kernels/nn/mix_codes.h"

namespace intsam::internal::neon {

template <void (*kGemm)(const GemmA8W8&)>
struct SignedCodes {
  static constexpr int kKeys = kBlockDepth, kMixRows = 18;  // 36 rows of codes are six tiles

  static void PackGroup4(const int8_t* const rows[4], int8_t* out) {
    const int8x16x4_t keys = {{vld1q_s8(rows[0]), vld1q_s8(rows[1]), vld1q_s8(rows[2]), vld1q_s8(rows[3])}};
    vst4q_s8(out, keys);
  }

  static bool Split(const uint16_t* prob, size_t stride, int rows, int keys, uint8_t* codes, int codes_stride) {
    uint8x16_t any = vdupq_n_u8(0);
    for (int r = 0; r < rows; ++r, prob += stride) {
      uint8_t* const low = codes + r * codes_stride;
      uint8_t* const high = low + rows * codes_stride;
      for (int j = 0; j < keys; j += 16) {
        const uint16x8_t p = vld1q_u16(prob + j), q = vld1q_u16(prob + j + 8);
        const uint8x16_t h = vcombine_u8(vrshrn_n_u16(p, 8), vrshrn_n_u16(q, 8));  // 0..128
        any = vorrq_u8(any, h);
        vst1q_u8(low + j, vcombine_u8(vmovn_u16(p), vmovn_u16(q)));
        vst1q_u8(high + j, vsubq_u8(vdupq_n_u8(0), h));
      }
    }
    return SumLanes(vpaddlq_u16(vpaddlq_u8(any))) != 0;
  }

  static void Gemm(const GemmA8W8& g) { kGemm(g); }

  static void Combine(const int32_t* low, const int32_t* high, bool start, int columns, int64_t* out) {
    for (int c = 0; c < columns; ++c) {
      const int64_t sum = low[c] - (high == nullptr ? 0 : int64_t{high[c]} * 256);
      out[c] = start ? sum : out[c] + sum;
    }
  }
};

}  // namespace intsam::internal::neon

namespace intsam::internal {

// The neon tier's packing and mix, for heads too small for codes.
void NeonPackValues(const PackValues& p);
void NeonAttentionMix(const AttentionMix& m);

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NN_MIX_CODES_NEON_H_
