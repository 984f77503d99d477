// The records that the parts of a model are made of: codes, requantizations, linear layers, norms, softmax.
// See format/model.h for what a visitor offers and for the conventions.
#ifndef INTSAM_RUNTIME_RECORDS_RECORDS_H_
#define INTSAM_RUNTIME_RECORDS_RECORDS_H_

#include <cstdint>
#include <span>
#include <vector>

namespace intsam::internal {

template <class T>
using View = std::span<const T>;

// How an activation is coded: value = (code - zero) * scale, lo <= code <= hi. The scale is the converter's.
struct Codes {
  uint32_t zero = 0, lo = 0, hi = 255;
  template <class V>
  void Visit(V& v) {
    v.Field("zero", zero, 0, 255);
    v.Field("lo", lo, 0, 255);
    v.Field("hi", hi, 0, 255);
  }
  static Codes Signed() { return {128, 1, 255}; }
};

// A real number, for reports only: mantissa * 2^-shift.
struct Unit {
  int32_t mantissa = 1 << 30;
  int32_t shift = 30;
  template <class V>
  void Visit(V& v) {
    v.Field("mantissa", mantissa, 1 << 30, INT32_MAX);
    v.Field("shift", shift, 0, 62);
  }
};

// One multiplier for a whole tensor (RQ32, docs/numerics.md 2.1).
struct Rq32Scalar {
  int32_t mult = 1 << 30;
  uint32_t shift = 30;
  template <class V>
  void Visit(V& v) {
    v.Field("mult", mult, 1 << 30, INT32_MAX);
    v.Field("shift", shift, 1, 62);
  }
};

// A multiplier per output channel (RQ32).
struct Rq32 {
  uint32_t n = 0;
  View<int32_t> mult;
  View<uint8_t> shift;
  template <class V>
  void Visit(V& v) {
    v.Tensor("mult", mult, {n}, 1 << 30, INT32_MAX);
    v.Tensor("shift", shift, {n}, 1, 62);
  }
};

// To codes of at most 8 bits (RQ16, docs/numerics.md 2.2).
struct Rq16 {
  uint32_t n = 0;
  View<int16_t> mult;
  View<uint8_t> shift;
  uint32_t up = 0;  // accumulators are multiplied by 2^up first: coarse units of few bits
  uint32_t k = 0;
  Codes out;
  template <class V>
  void Visit(V& v) {
    v.Field("up", up, 0, 12);
    v.Tensor("mult", mult, {n}, 1 << 14, INT16_MAX);
    v.Tensor("shift", shift, {n}, 0, 24);
    v.Field("k", k, 0, 6);
    v.Group("out", out);
  }
};

// RQ16W -> GELU -> RQ16S (docs/numerics.md 2.3, 5, 2.4).
struct RqGelu {
  uint32_t n = 0;
  View<int16_t> mult;
  View<uint8_t> shift;
  uint32_t up = 0;  // as in Rq16
  uint32_t unit_bits = 12;
  int32_t out_mult = 1 << 14;
  uint32_t k = 0;
  Codes out;
  template <class V>
  void Visit(V& v) {
    v.Field("up", up, 0, 12);
    v.Tensor("mult", mult, {n}, 1 << 14, INT16_MAX);
    v.Tensor("shift", shift, {n}, 0, 24);
    v.Field("unit_bits", unit_bits, 9, 12);
    v.Field("out_mult", out_mult, 1, INT16_MAX);
    v.Field("k", k, 0, 6);
    v.Group("out", out);
  }
};

// s16 or R24 values to codes with one multiplier.
struct QuantizeSite {
  Rq32Scalar rq;
  Codes out;
  template <class V>
  void Visit(V& v) {
    v.Group("rq", rq);
    v.Group("out", out);
  }
};

// What a layer reads of a stream of s16 values: codes of them, or the values as they are.
struct StreamInput {
  enum Form : uint32_t { kCodes, kValues };
  uint32_t form = kCodes;
  QuantizeSite codes;  // kCodes
  bool as_values() const { return form == kValues; }
  template <class V>
  void Visit(V& v) {
    v.Field("form", form, kCodes, kValues);
    if (!as_values()) codes.Visit(v);
  }
};

// A linear layer. Its input codes are those of its producer; A16 layers take s16. Of the two forms of weights exactly
// one is there: s8, or fewer bits as packed codes (kernels/numerics/packed_weights.h) and a zero point per channel.
// s8 weights of imported models are 8-bit codes less 128 with a zero point elsewhere: each is weight + shift.
struct Linear {
  uint32_t in = 0, out = 0;
  uint32_t bits = 8;
  uint32_t shifted = 0;        // 8 bits: whether there is a shift; only over codes
  View<int16_t> shift;         // per channel
  View<int8_t> weight;         // 8 bits
  View<uint8_t> packed, zero;  // 4 to 7 bits
  View<int32_t> bias;
  std::vector<int32_t> column_sums;  // not in the file: sum over k of each channel's weights, set by ProveModel
  uint32_t padded_out() const { return (out + 15) / 16 * 16; }
  template <class V>
  void Visit(V& v) {
    v.Field("bits", bits, 4, 8);
    if (bits == 8) {
      v.Field("shifted", shifted, 0, 1);
      if (shifted) v.Tensor("shift", shift, {padded_out()}, -127, 128);
      v.Tensor("weight", weight, {padded_out() / 16, in / 4, 16, 4}, shifted ? -128 : -127, 127);
    } else {
      v.Tensor("weight", packed, {padded_out() / 16, in / 4, 8 * bits});
      v.Tensor("zero", zero, {padded_out()}, 0, (1 << bits) - 1);
    }
    v.Tensor("bias", bias, {out});
  }
};

inline Linear MakeLinear(uint32_t in, uint32_t out) {
  Linear linear;
  linear.in = in, linear.out = out;
  return linear;
}

// A small convolution of the mask prompt: 12-bit weights in s16, [out][in], in order (channel, dy, dx).
struct Linear12 {
  uint32_t in = 0, out = 0;
  View<int16_t> weight;
  View<int32_t> bias;
  template <class V>
  void Visit(V& v) {
    v.Tensor("weight", weight, {out, in}, -2047, 2047);
    v.Tensor("bias", bias, {out});
  }
};

// A 3x3 convolution of each channel by itself, over codes: taps in order (ky, kx). Always 8 bits: it is a hundredth of
// the weights.
struct Depthwise {
  uint32_t channels = 0;
  View<int8_t> weight;
  View<int32_t> bias;
  std::vector<int32_t> column_sums;  // not in the file: of the nine weights of each channel, set by ProveModel
  template <class V>
  void Visit(V& v) {
    v.Tensor("weight", weight, {9, channels}, -127, 127);
    v.Tensor("bias", bias, {channels});
  }
};

// The same over s16 values, with weights of 12 bits.
struct Depthwise12 {
  uint32_t channels = 0;
  View<int16_t> weight;
  View<int32_t> bias;
  template <class V>
  void Visit(V& v) {
    v.Tensor("weight", weight, {9, channels}, -2047, 2047);
    v.Tensor("bias", bias, {channels});
  }
};

// LayerNorm to codes (LN-N, docs/numerics.md 4.2).
struct NormNarrow {
  uint32_t channels = 0;
  int64_t epsilon = 1;
  View<int16_t> gain;
  View<int32_t> bias;
  uint32_t k = 0;
  Codes out;
  template <class V>
  void Visit(V& v) {
    v.Field("epsilon", epsilon, 1, int64_t{1} << 58);
    v.Tensor("gain", gain, {channels}, -32767, 32767);
    v.Tensor("bias", bias, {channels});
    v.Field("k", k, 1, 20);
    v.Group("out", out);
  }
};

// LayerNorm to s16 (LN-W, docs/numerics.md 4.3).
struct NormWide {
  uint32_t channels = 0;
  int64_t epsilon = 1;
  View<int32_t> gain;
  View<int64_t> bias;
  uint32_t shift = 1;
  template <class V>
  void Visit(V& v) {
    v.Field("epsilon", epsilon, 1, int64_t{1} << 58);
    v.Tensor("gain", gain, {channels}, -(1 << 23) + 1, (1 << 23) - 1);
    v.Tensor("bias", bias, {channels}, -(int64_t{1} << 60), int64_t{1} << 60);
    v.Field("shift", shift, 1, 46);
  }
};

// Softmax and the product with values (docs/numerics.md 6). Parameters that the variant does not use have the values
// below; the proof refuses others.
struct Softmax {
  enum Variant : uint32_t { kE16, kU8, kAgq };  // as SoftmaxVariant of kernels.h
  int32_t shift = 0;
  uint32_t mult = 1 << 15;
  uint32_t variant = kE16;
  uint32_t bits = 8;             // b of U8 and AGQ
  uint32_t tau_shift = 0;        // kt of AGQ
  int32_t log2_scale = 0;        // LS of AGQ
  uint32_t step_mult = 1 << 15;  // ms of U8
  int32_t step_shift = 0;        // ss of U8
  uint32_t pre_shift = 0;        // hs of U8 and AGQ
  Rq32Scalar mix;                // s_v / s_out; U8, AGQ: times 2^hs and what one unit of probability stands for
  Codes out = Codes::Signed();
  template <class V>
  void Visit(V& v) {
    v.Field("shift", shift, -15, 15);
    v.Field("mult", mult, 1 << 15, 65535);
    v.Field("variant", variant, kE16, kAgq);
    v.Field("bits", bits, 2, 8);
    v.Field("tau_shift", tau_shift, 0, 4);
    v.Field("log2_scale", log2_scale, -32767, 4096);
    v.Field("step_mult", step_mult, 1 << 15, 65535);
    v.Field("step_shift", step_shift, -16, 24);
    v.Field("pre_shift", pre_shift, 0, 15);
    v.Group("mix", mix);
    v.Group("out", out);
  }
};

// The largest integer probability P that a variant can give.
inline int64_t ProbabilityMax(const Softmax& softmax) {
  return softmax.variant == Softmax::kU8 ? (int64_t{1} << softmax.bits) - 1 : 32767;
}

// Relative positions along one axis, rows in reversed order (kernels.h, RelativePosition).
struct RelPos {
  uint32_t side = 0, head_dim = 0;
  View<int16_t> table;
  Rq32Scalar rq;
  template <class V>
  void Visit(V& v) {
    v.Tensor("table", table, {2 * side - 1, head_dim}, -32767, 32767);
    v.Group("rq", rq);
  }
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_RECORDS_RECORDS_H_
