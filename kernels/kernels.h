// The integer kernels of intsam: one table of function pointers per instruction-set tier.
//
// The scalar tier is normative: it is the definition in docs/numerics.md, spelled with the primitives of
// kernels/numerics. Every other tier gives the same integers for every input inside the stated ranges; the tests
// compare with ==. Ranges are proved by the loader (runtime/format) before a kernel runs, so no kernel checks or fails.
//
// Names and layouts, used throughout:
//   panels   weights of a linear layer, s8, [N/16][K/4][16][4]: 16 output channels side by side, 4 consecutive k each.
//            N is padded to a multiple of 16 and K to a multiple of 4 with zero weights. Weights of 4 to 7 bits lie in
//            the same order, packed (WeightPanels).
//   code     an activation of 8 bits or fewer, stored as one byte. Conceptually u8 with a zero point. A tier declares
//            `flip`: the byte it wants its GEMM operands XORed with (0x00: plain u8, for VPMADDUBSW, VPDPBUSD and AMX;
//            0x80: the same code minus 128 as s8, for SDOT). Every producer of codes applies `flip` as its last
//            operation; the GEMM bias is folded to match (see FoldBias below). Signed values (q, k, v) are codes with
//            zero point 128, hence with flip 0x80 they are plain s8.
//   acc      s32 accumulators, row-major [rows][N padded to 16].
//   R24      s32 within +-(2^23-1).
// No alignment is required of any pointer. `stride` is in elements. Kernels may read up to kPadBytes past the end of an
// input; they write inside the stated shape of an output and nowhere else, so threads may share a buffer by rows.
#ifndef INTSAM_KERNELS_KERNELS_H_
#define INTSAM_KERNELS_KERNELS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace intsam::internal {

inline constexpr int kPanel = 16;         // output channels in a weight panel
inline constexpr int kPadBytes = 64;      // readable bytes past the end of every input buffer
inline constexpr int kMaxRowBlock = 256;  // of any tier's Kernels::row_block

constexpr int RoundUp(int x, int multiple) { return (x + multiple - 1) / multiple * multiple; }

// ---------------------------------------------------------------- GEMM (docs/numerics.md section 3)

// Panels of weights as they lie in the file: groups of 64, one K/4 step of a panel each, of GroupBytes(bits) bytes
// (kernels/numerics/packed_weights.h). With 8 bits a group is s8 and w its value; with fewer it holds packed codes and
// w = code - zero of the channel.
struct WeightPanels {
  const void* groups;   // [n padded to 16 / 16][k / 4]
  const uint8_t* zero;  // [n padded to 16], each below 2^bits; null with 8 bits
  int bits;             // 4..8
  int max_abs = 127;    // with 8 bits: no |w| is larger; 128 with gemm_a8w8 only
};

constexpr WeightPanels S8Panels(const int8_t* groups, int max_abs = 127) { return {groups, nullptr, 8, max_abs}; }

// acc[i][j] = bias[j] + sum_k a[i][k] * w[j][k], exact in s32 (proved at load).
struct GemmA8W8 {
  const uint8_t* a;  // [m][k], codes XORed with the tier's flip
  size_t a_stride;
  WeightPanels weights;
  const int32_t* bias;  // [n padded to 16], folded for the tier's flip
  int32_t* acc;         // [m][n padded to 16]
  size_t acc_stride;
  int m, n, k;      // k a multiple of 4
  int a_max = 255;  // no code is larger (before the flip): products of few bits can be summed in fewer
};

// The bias that makes the GEMM above, and the convolution of codes below, equal to bias + sum_k (code - zero) * w for
// operands XORed with flip.
constexpr int32_t FoldBias(int32_t bias, int32_t column_sum, int zero, uint8_t flip) {
  return bias + (flip == 0 ? -zero : 128 - zero) * column_sum;
}

// acc[i][j] = bias[j] + sum_k a[i][k] * w[j][k] with s16 activations (W8A16).
struct GemmA16W8 {
  const int16_t* a;  // [m][k], -32767..32767
  size_t a_stride;
  WeightPanels weights;
  const int32_t* bias;  // [n padded to 16]
  int32_t* acc;         // [m][n padded to 16]
  size_t acc_stride;
  int m, n, k;  // k a multiple of 4
};

// ---------------------------------------------------------------- depthwise convolution (docs/numerics.md 3.5)

// acc[x][c] = bias[c] + sum over ky, kx of rows[ky][(x * stride + kx) * channels + c] * weight[3 * ky + kx][c], exact
// in s32 (proved at load): one row of a 3x3 convolution of each channel by itself. rows[ky] is at the pixel under the
// left tap of the first output, so the caller puts pads there as pixels: codes of the zero point, XORed with flip.
struct DepthwiseCodes {
  const uint8_t* rows[3];  // [(count - 1) * stride + 3][channels], codes XORed with the tier's flip
  int stride;              // 1 or 2
  const int8_t* weight;    // [9][channels], -127..127
  const int32_t* bias;     // [channels], folded for the tier's flip over the nine weights
  int32_t* acc;            // [count][channels]
  size_t acc_stride;
  int count, channels;  // channels a multiple of 16
};

// The same of s16 values, whose pads are zeros.
struct DepthwiseS16 {
  const int16_t* rows[3];  // -32767..32767
  int stride;
  const int16_t* weight;  // [9][channels], -2047..2047
  const int32_t* bias;    // [channels]
  int32_t* acc;
  size_t acc_stride;
  int count, channels;
};

// ---------------------------------------------------------------- epilogues over a strip of accumulators

// acc -> 8-bit code through 16-bit lanes (docs/numerics.md 2.2, RQ16).
struct RequantizeNarrow {
  const int32_t* acc;
  size_t acc_stride;
  int up;                // 0..12: accumulators times 2^up first, which stays inside s32
  const int16_t* mult;   // [n] 2^14..2^15-1 (the buffer is readable to n padded to 16)
  const uint8_t* shift;  // [n] p, 0..24 (likewise)
  int k;                 // 0..6
  int zero, lo, hi;      // of the code, 0 <= lo <= zero <= hi <= 255
  uint8_t flip;
  uint8_t* out;  // [rows][n]
  size_t out_stride;
  int rows, n;
};

// acc -> RQ16W -> GELU -> RQ16S -> code (docs/numerics.md 2.3, 5, 2.4): between lin1 and lin2 of the encoder MLP.
struct RequantizeGelu {
  const int32_t* acc;
  size_t acc_stride;
  int up;                // as above
  const int16_t* mult;   // [n]
  const uint8_t* shift;  // [n] p, 0..24
  int unit_bits;         // e, 9..12: the value before GELU is in units of 2^-e
  int16_t out_mult;      // RQ16S: 2^14..2^15-1 or smaller
  int k;                 // 0..6
  int zero, lo, hi;
  uint8_t flip;
  uint8_t* out;
  size_t out_stride;
  int rows, n;
};

// RQ32 of every accumulator with a multiplier per channel (docs/numerics.md 2.1).
struct Rq32Channels {
  const int32_t* mult;   // [n] 2^30..2^31-1
  const uint8_t* shift;  // [n] 1..62
};

// out[i][j] = C24(base + C24(RQ32(acc))), base = 0 (no `add`), add[i][j] (R24, may be `out` itself) or add16[i][j]
// << 8.
struct RequantizeR24 {
  const int32_t* acc;
  size_t acc_stride;
  Rq32Channels rq;
  const int32_t* add;  // or null
  size_t add_stride;
  const int16_t* add16;  // or null; at most one of both
  size_t add16_stride;
  int32_t* out;
  size_t out_stride;
  int rows, n;
};

// out[i][j] = clamp(base + RQ32(acc), lo, hi), s16, base = 0 (no `add`) or add[i][j]. The sum is exact, it does not
// wrap.
struct RequantizeS16 {
  const int32_t* acc;
  size_t acc_stride;
  Rq32Channels rq;
  int lo, hi;  // -32767..32767; lo = 0 is a ReLU
  int16_t* out;
  size_t out_stride;
  int rows, n;
  const int16_t* add = nullptr;  // may be `out` itself, with its stride
  size_t add_stride = 0;
};

// ---------------------------------------------------------------- element-wise

// code[i] = CL(RQ32(x[i] (+ y[i]); mult, shift) + zero, lo, hi) ^ flip. x is s16, or s32 in the R24 range when `wide`.
struct QuantizeCodes {
  const int16_t* x;
  const int16_t* y;     // or null
  const int32_t* wide;  // used instead of x and y when not null
  int32_t mult;         // 2^30..2^31-1
  int shift;            // 1..62
  int zero, lo, hi;
  uint8_t flip;
  uint8_t* out;
  size_t n;
};

// out[i] = clamp(x[i] + y[i], -32767, 32767).
struct AddS16 {
  const int16_t *x, *y;
  int16_t* out;  // may be x or y
  size_t n;
};

// In place GELU of s16 values in units of 2^-unit_bits (docs/numerics.md 5).
struct GeluS16 {
  int16_t* x;
  size_t n;
  int unit_bits;
};

// out[i] = clamp(RSH(x[i], 8), -32767, 32767): R24 to s16 of 256 times the unit (docs/numerics.md 2.5).
struct NarrowR24 {
  const int32_t* x;
  int16_t* out;
  size_t n;
};

// ---------------------------------------------------------------- LayerNorm (docs/numerics.md 4)

// Rows of R24 to codes of at most 8 bits (LN-N).
struct LayerNormNarrow {
  const int32_t* x;  // [rows][channels]
  size_t x_stride;
  int64_t epsilon;      // E = round(C * eps / u^2), >= 1
  int32_t sqrt_c;       // Cs = round(sqrt(C) * 2^16)
  const int16_t* gain;  // G [channels]
  const int32_t* bias;  // B [channels], zero point and rounding half included
  int k, lo, hi;
  uint8_t flip;
  uint8_t* out;
  size_t out_stride;
  int rows, channels;  // channels <= 2048
};

// Rows of R24 to s16 (LN-W).
struct LayerNormWide {
  const int32_t* x;
  size_t x_stride;
  int64_t epsilon;
  int32_t sqrt_c;
  const int32_t* gain;  // G [channels], |G| < 2^23
  const int64_t* bias;  // B [channels]
  int shift;            // sg, 1..46
  int16_t* out;
  size_t out_stride;
  int rows, channels;
};

// ---------------------------------------------------------------- attention (docs/numerics.md 6)

// Keys of one head, s8 [count][d], to the panel layout (count plays the role of N, d that of K); padding is zero.
// `panels` holds RoundUp(count, 16) * d bytes; d a multiple of 4. column_sums[j] = sum_d k[j][d], padded to 16.
struct PackKeys {
  const int8_t* k;
  size_t stride;
  int count, d;
  int8_t* panels;
  int32_t* column_sums;
};

// How a row's probabilities are coded (docs/numerics.md 6.3). Fields that the variant does not use are ignored.
enum class SoftmaxVariant : uint8_t { kE16, kU8, kAgq };
struct SoftmaxCode {
  SoftmaxVariant variant = SoftmaxVariant::kE16;
  int bits = 8;                // b of U8 and AGQ, 2..8
  int tau_shift = 0;           // AGQ: kt, 0..4
  int32_t log2_scale = 0;      // AGQ: LS, Q11, -32767..4096
  uint16_t step_mult = 32768;  // U8: 1/scale = ms * 2^-ss; ms 2^15..2^16-1
  int step_shift = 0;          // U8: ss, -16..24
};

// Softmax of one row of logits: e = 2^-(distance to the row maximum), their exact sum, and from both the integer
// probability P. That is e itself (E16, not divided by the sum), a uniform code (U8), or a decoded AGQ level.
struct SoftmaxRow {
  int32_t* logits;     // [count] q.k in the accumulator unit; overwritten
  const int32_t* rh;   // [side_h] relative position along y, or null (then rw is null too)
  const int32_t* rw;   // key j = ky * side_w + kx gets rh[ky] + rw[ky * rw_stride + kx]
  size_t rw_stride;    // 0: [side_w], the same for every ky
  int side_h, side_w;  // count = side_h * side_w
  int count;           // 1..65536
  int shift;           // p, -15..15
  uint16_t mult;       // mu16, 2^15..2^16-1
  SoftmaxCode code;
  uint16_t* prob;  // [count rounded up to 16] P, 0..32767; the padding is written as zero
  int32_t sum;     // result: S, exact
};

// Softmax where many rows meet few keys in several heads: all heads of a row side by side, and divided by their sums.
// Row i, head h, key t: p = TokenProbability of e = 2^-(distance of logits[i][t * heads + h] to the largest of the
// head's) and of the sum of the head's e (docs/numerics.md 6.6).
struct SoftmaxHeads {
  const int32_t* logits;  // [rows][keys * heads]
  size_t logits_stride;
  int rows, heads, keys;  // keys at most 512
  int shift;              // p, -15..15
  uint16_t mult;          // mu16, 2^15..2^16-1
  int16_t* prob;          // [rows][keys * heads rounded up to 4], 0..32767; the padding is written as zero
  size_t prob_stride;
};

// N[i][c] = sum_j prob[i][j] * v[j][c], exact in s64.
struct AttentionMix {
  const uint16_t* prob;  // [rows][prob_stride], zero from count to count rounded up to 16
  size_t prob_stride;
  const int16_t* values;  // from pack_values of the same tier
  int rows, count, d;
  int64_t* out;  // [rows][d]
};

// Values of one head, s8 [count][d], to what attention_mix of the same tier reads: s16 [RoundUp(count,16)/2][d][2]
// (pairs of keys side by side), padding zero, or another layout in a buffer of that size.
struct PackValues {
  const int8_t* v;
  size_t stride;
  int count, d;
  int16_t* values;
};

// code = value + zero, XORed with flip (docs/numerics.md 6.4). value = CL(., lo, hi) of
//   RSH(N1 * RMo, so + n - 1 - h) with sums: E16, N divided by the sum of its row;
//   RSH(RSH(N, pre_shift) * mult, shift) without: U8 and AGQ, whose probabilities have a scale.
struct AttentionOutput {
  const int64_t* n;    // [rows][d], |N| <= 255 * sum; |RSH(N, pre_shift)| < 2^31
  const int32_t* sum;  // [rows], or null
  int pre_shift;       // hs, 0..15; without sums
  int32_t mult;        // mo, 2^30..2^31-1
  int shift;           // so, 1..62
  int zero, lo, hi;    // lo and hi are of the signed value, 0 <= lo + zero, hi + zero <= 255
  uint8_t flip;
  uint8_t* out;  // [rows][out_stride]
  size_t out_stride;
  int rows, d;
};

// out[i][t] = RQ32(bias[at] + sum_c q[i][c] * T[at][c]; mult, shift), at = first + i * step + t, t = 0..count-1
// (docs/numerics.md 7): what `count` keys along an axis add for each query. A key's place in the table of positions T
// is its distance, so queries that follow each other along the axis have step -1, and those beside each other 0.
struct RelativePosition {
  const int8_t* q;  // [rows][d] plain s8
  size_t q_stride;
  const int16_t* pairs;  // [d / 2][positions][2]: T with its positions side by side, two values of each at a time
  const int32_t* bias;   // [positions]: what the zero point of queries adds; with it no partial sum leaves s32
  int positions;         // all of first + i * step + t are below
  int first, step, count;
  int32_t mult;
  int shift;
  int32_t* out;  // [rows][out_stride]
  size_t out_stride;
  int rows, d;  // d even, at most 516
};

// ---------------------------------------------------------------- masks (docs/numerics.md 11)

// out[i][x] = clamp(RQ32(sum_c hyper[i][c] * upscaled[x][c]; mult[i], shift[i]), -32767, 32767): logits of all masks.
struct MaskProduct {
  const int16_t* hyper;     // [masks][channels], -2047..2047
  const int16_t* upscaled;  // [pixels][channels], -32767..32767
  Rq32Channels rq;          // [masks]
  int16_t* out;             // [masks][out_stride]
  size_t out_stride;
  int masks, pixels, channels;  // channels a multiple of 4, at most 32
};

// ---------------------------------------------------------------- the table

struct Kernels {
  const char* name;  // as in INTSAM_ISA
  uint8_t flip;      // see `code` above
  // Rows that a linear layer hands to gemm_a8w8 at a time, at most kMaxRowBlock: the weights come from memory once for
  // all of them, and what they leave should stay in L2.
  int16_t row_block;
  void (*gemm_a8w8)(const GemmA8W8&);
  void (*gemm_a16w8)(const GemmA16W8&);
  void (*depthwise_codes)(const DepthwiseCodes&);
  void (*depthwise_s16)(const DepthwiseS16&);
  void (*requantize_narrow)(const RequantizeNarrow&);
  void (*requantize_gelu)(const RequantizeGelu&);
  void (*requantize_r24)(const RequantizeR24&);
  void (*requantize_s16)(const RequantizeS16&);
  void (*quantize_codes)(const QuantizeCodes&);
  void (*add_s16)(const AddS16&);
  void (*gelu_s16)(const GeluS16&);
  void (*narrow_r24)(const NarrowR24&);
  void (*layer_norm_narrow)(const LayerNormNarrow&);
  void (*layer_norm_wide)(const LayerNormWide&);
  void (*pack_keys)(const PackKeys&);
  void (*pack_values)(const PackValues&);
  void (*softmax_row)(SoftmaxRow&);
  void (*softmax_heads)(const SoftmaxHeads&);
  void (*attention_mix)(const AttentionMix&);
  void (*attention_output)(const AttentionOutput&);
  void (*relative_position)(const RelativePosition&);
  void (*mask_product)(const MaskProduct&);

  // Calls f.operator()<entry>() with the pointer to member of every entry, so that a table can be wrapped or checked as
  // a whole.
  template <class F>
  static constexpr void ForEach(F f);
};

template <class F>
constexpr void Kernels::ForEach(F f) {
  using K = Kernels;
  const auto all = [&]<auto... kEntries> {
    static_assert(sizeof(K) == (2 + sizeof...(kEntries)) * sizeof(void*), "an entry is missing below");
    (f.template operator()<kEntries>(), ...);
  };
  all.template operator()<&K::gemm_a8w8, &K::gemm_a16w8, &K::depthwise_codes, &K::depthwise_s16, &K::requantize_narrow,
                          &K::requantize_gelu, &K::requantize_r24, &K::requantize_s16, &K::quantize_codes, &K::add_s16,
                          &K::gelu_s16, &K::narrow_r24, &K::layer_norm_narrow, &K::layer_norm_wide, &K::pack_keys,
                          &K::pack_values, &K::softmax_row, &K::softmax_heads, &K::attention_mix, &K::attention_output,
                          &K::relative_position, &K::mask_product>();
}

// Every tier compiled into this library, best first; the last one is "scalar". Whether the running CPU can execute
// a tier is runtime/base/cpu.h's question.
std::span<const Kernels* const> BuiltKernels();
const Kernels& ScalarKernels();

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_KERNELS_H_
