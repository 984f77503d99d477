// The kernels of a tier, called with the records of a model: the one place that fills argument structs.
// Every function works on `rows` rows; strides are in elements.
#ifndef INTSAM_RUNTIME_OPS_OPS_H_
#define INTSAM_RUNTIME_OPS_OPS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/numerics/fixed_point.h"
#include "kernels/numerics/packed_weights.h"
#include "kernels/numerics/softmax.h"
#include "runtime/ops/prepared_linear.h"
#include "runtime/ops/prepared_rel_pos.h"
#include "runtime/records/records.h"

namespace intsam::internal {

// round(sqrt(channels) * 2^16), the LayerNorm constant Cs.
inline int32_t SqrtQ16(uint32_t channels) {
  return static_cast<int32_t>((IntegerSqrt(uint64_t{channels} << 34) + 1) >> 1);
}

namespace ops {

// A matrix view: row i starts at data + i * stride.
template <class T>
struct Rows {
  T* data;
  size_t stride;
  T* operator[](size_t i) const { return data + i * stride; }
  operator Rows<const T>() const { return {data, stride}; }
};

// The panels of a layer from channel `first` on, a multiple of 16.
inline WeightPanels PanelsOf(const Linear& w, uint32_t first = 0) {
  if (w.bits == 8) return S8Panels(w.weight.data() + size_t{first} * w.in, w.shifted ? 128 : 127);
  const auto bits = static_cast<int>(w.bits);
  return {.groups = w.packed.data() + size_t{first / kPanel} * (w.in / 4) * GroupBytes(bits),
          .zero = w.zero.data() + first,
          .bits = bits};
}

// acc[rows][first..first+count) of a layer; `first` a multiple of 16, count < 0: to the last channel.
inline void Gemm(const Kernels& k, const PreparedLinear& layer, Rows<const uint8_t> a, int rows, Rows<int32_t> acc,
                 uint32_t first = 0, int count = -1) {
  const Linear& w = *layer.linear;
  const int n = count < 0 ? static_cast<int>(w.out - first) : count;
  k.gemm_a8w8({.a = a.data,
               .a_stride = a.stride,
               .weights = PanelsOf(w, first),
               .bias = layer.bias.data() + first,
               .acc = acc.data,
               .acc_stride = acc.stride,
               .m = rows,
               .n = n,
               .k = static_cast<int>(w.in),
               .a_max = layer.a_max});
  if (w.shifted) AddShifts(layer, a.data, a.stride, k.flip, rows, first, n, acc.data, acc.stride);
}

inline void Gemm(const Kernels& k, const PreparedLinear& layer, Rows<const int16_t> a, int rows, Rows<int32_t> acc) {
  const Linear& w = *layer.linear;
  k.gemm_a16w8({.a = a.data,
                .a_stride = a.stride,
                .weights = PanelsOf(w),
                .bias = layer.bias.data(),
                .acc = acc.data,
                .acc_stride = acc.stride,
                .m = rows,
                .n = static_cast<int>(w.out),
                .k = static_cast<int>(w.in)});
}

// Channels first.. of a site whose accumulators start at acc.
inline void ToCodes(const Kernels& k, const Rq16& rq, Rows<const int32_t> acc, int rows, uint32_t first, int n,
                    uint8_t flip, Rows<uint8_t> out) {
  k.requantize_narrow({.acc = acc.data,
                       .acc_stride = acc.stride,
                       .up = static_cast<int>(rq.up),
                       .mult = rq.mult.data() + first,
                       .shift = rq.shift.data() + first,
                       .k = static_cast<int>(rq.k),
                       .zero = static_cast<int>(rq.out.zero),
                       .lo = static_cast<int>(rq.out.lo),
                       .hi = static_cast<int>(rq.out.hi),
                       .flip = flip,
                       .out = out.data,
                       .out_stride = out.stride,
                       .rows = rows,
                       .n = n});
}

inline void ToGeluCodes(const Kernels& k, const RqGelu& rq, Rows<const int32_t> acc, int rows, uint32_t first, int n,
                        Rows<uint8_t> out) {
  k.requantize_gelu({.acc = acc.data,
                     .acc_stride = acc.stride,
                     .up = static_cast<int>(rq.up),
                     .mult = rq.mult.data() + first,
                     .shift = rq.shift.data() + first,
                     .unit_bits = static_cast<int>(rq.unit_bits),
                     .out_mult = static_cast<int16_t>(rq.out_mult),
                     .k = static_cast<int>(rq.k),
                     .zero = static_cast<int>(rq.out.zero),
                     .lo = static_cast<int>(rq.out.lo),
                     .hi = static_cast<int>(rq.out.hi),
                     .flip = k.flip,
                     .out = out.data,
                     .out_stride = out.stride,
                     .rows = rows,
                     .n = n});
}

inline Rq32Channels Channels(const Rq32& rq, uint32_t first = 0) {
  return {.mult = rq.mult.data() + first, .shift = rq.shift.data() + first};
}

// out = C24(RQ32(acc)).
inline void ToR24(const Kernels& k, const Rq32& rq, Rows<const int32_t> acc, int rows, Rows<int32_t> out) {
  k.requantize_r24({.acc = acc.data,
                    .acc_stride = acc.stride,
                    .rq = Channels(rq),
                    .out = out.data,
                    .out_stride = out.stride,
                    .rows = rows,
                    .n = static_cast<int>(rq.n)});
}
// x = C24(x + C24(RQ32(acc))) for channels first..first+n of a row whose channel `first` is at x.
inline void AddToR24(const Kernels& k, const Rq32& rq, Rows<const int32_t> acc, int rows, uint32_t first, int n,
                     Rows<int32_t> x) {
  k.requantize_r24({.acc = acc.data,
                    .acc_stride = acc.stride,
                    .rq = Channels(rq, first),
                    .add = x.data,
                    .add_stride = x.stride,
                    .out = x.data,
                    .out_stride = x.stride,
                    .rows = rows,
                    .n = n});
}
// out = C24((x << 8) + C24(RQ32(acc))): a decoder stream in units / 256.
inline void AddStream(const Kernels& k, const Rq32& rq, Rows<const int32_t> acc, Rows<const int16_t> x, int rows,
                      Rows<int32_t> out) {
  k.requantize_r24({.acc = acc.data,
                    .acc_stride = acc.stride,
                    .rq = Channels(rq),
                    .add16 = x.data,
                    .add16_stride = x.stride,
                    .out = out.data,
                    .out_stride = out.stride,
                    .rows = rows,
                    .n = static_cast<int>(rq.n)});
}
inline void ToS16(const Kernels& k, const Rq32& rq, Rows<const int32_t> acc, int rows, int lo, int hi,
                  Rows<int16_t> out) {
  k.requantize_s16({.acc = acc.data,
                    .acc_stride = acc.stride,
                    .rq = Channels(rq),
                    .lo = lo,
                    .hi = hi,
                    .out = out.data,
                    .out_stride = out.stride,
                    .rows = rows,
                    .n = static_cast<int>(rq.n)});
}

// out = clamp(x + RQ32(acc)).
inline void AddToS16(const Kernels& k, const Rq32& rq, Rows<const int32_t> acc, Rows<const int16_t> x, int rows,
                     Rows<int16_t> out) {
  k.requantize_s16({.acc = acc.data,
                    .acc_stride = acc.stride,
                    .rq = Channels(rq),
                    .lo = -32767,
                    .hi = 32767,
                    .out = out.data,
                    .out_stride = out.stride,
                    .rows = rows,
                    .n = static_cast<int>(rq.n),
                    .add = x.data,
                    .add_stride = x.stride});
}

// codes of x + y (y may be null) over n contiguous values, XORed with `flip`.
inline void Quantize(const Kernels& k, const QuantizeSite& site, const int16_t* x, const int16_t* y, size_t n,
                     uint8_t flip, uint8_t* out) {
  k.quantize_codes({.x = x,
                    .y = y,
                    .mult = site.rq.mult,
                    .shift = static_cast<int>(site.rq.shift),
                    .zero = static_cast<int>(site.out.zero),
                    .lo = static_cast<int>(site.out.lo),
                    .hi = static_cast<int>(site.out.hi),
                    .flip = flip,
                    .out = out,
                    .n = n});
}
inline void Quantize(const Kernels& k, const QuantizeSite& site, const int16_t* x, const int16_t* y, size_t n,
                     uint8_t* out) {
  Quantize(k, site, x, y, n, k.flip, out);
}
inline void Quantize(const Kernels& k, const QuantizeSite& site, const int32_t* x, size_t n, uint8_t* out) {
  k.quantize_codes({.wide = x,
                    .mult = site.rq.mult,
                    .shift = static_cast<int>(site.rq.shift),
                    .zero = static_cast<int>(site.out.zero),
                    .lo = static_cast<int>(site.out.lo),
                    .hi = static_cast<int>(site.out.hi),
                    .flip = k.flip,
                    .out = out,
                    .n = n});
}

inline void Norm(const Kernels& k, const NormNarrow& norm, Rows<const int32_t> x, int rows, Rows<uint8_t> out) {
  k.layer_norm_narrow({.x = x.data,
                       .x_stride = x.stride,
                       .epsilon = norm.epsilon,
                       .sqrt_c = SqrtQ16(norm.channels),
                       .gain = norm.gain.data(),
                       .bias = norm.bias.data(),
                       .k = static_cast<int>(norm.k),
                       .lo = static_cast<int>(norm.out.lo),
                       .hi = static_cast<int>(norm.out.hi),
                       .flip = k.flip,
                       .out = out.data,
                       .out_stride = out.stride,
                       .rows = rows,
                       .channels = static_cast<int>(norm.channels)});
}
inline void Norm(const Kernels& k, const NormWide& norm, Rows<const int32_t> x, int rows, Rows<int16_t> out) {
  k.layer_norm_wide({.x = x.data,
                     .x_stride = x.stride,
                     .epsilon = norm.epsilon,
                     .sqrt_c = SqrtQ16(norm.channels),
                     .gain = norm.gain.data(),
                     .bias = norm.bias.data(),
                     .shift = static_cast<int>(norm.shift),
                     .out = out.data,
                     .out_stride = out.stride,
                     .rows = rows,
                     .channels = static_cast<int>(norm.channels)});
}

// Relative positions of `rows` queries against `count` keys along one axis; query i's first key has the position
// first + i * step.
inline void RelativePositions(const Kernels& k, const PreparedRelPos& positions, Rows<const int8_t> q, int rows,
                              uint32_t first, int step, int count, Rows<int32_t> out) {
  const RelPos& rel = *positions.rel;
  k.relative_position({.q = q.data,
                       .q_stride = q.stride,
                       .pairs = positions.pairs.data(),
                       .bias = positions.bias.data(),
                       .positions = static_cast<int>(2 * rel.side - 1),
                       .first = static_cast<int>(first),
                       .step = step,
                       .count = count,
                       .mult = rel.rq.mult,
                       .shift = static_cast<int>(rel.rq.shift),
                       .out = out.data,
                       .out_stride = out.stride,
                       .rows = rows,
                       .d = static_cast<int>(rel.head_dim)});
}

// What the positions of its keys add to a row of logits, as SoftmaxRow takes it; rh and rw null where nothing.
struct RowRelPos {
  const int32_t *rh = nullptr, *rw = nullptr;
  size_t rw_stride = 0;
  int side_h = 1, side_w = 0;
};

// Turns a row of `count` logits into integer probabilities; returns the sum of exponentials, which E16 probabilities
// are.
inline int32_t Probabilities(const Kernels& k, const Softmax& softmax, int32_t* logits, int count, const RowRelPos& rel,
                             uint16_t* prob) {
  SoftmaxRow row{.logits = logits,
                 .rh = rel.rh,
                 .rw = rel.rw,
                 .rw_stride = rel.rw_stride,
                 .side_h = rel.side_h,
                 .side_w = rel.rh == nullptr ? count : rel.side_w,
                 .count = count,
                 .shift = softmax.shift,
                 .mult = static_cast<uint16_t>(softmax.mult),
                 .code = {.variant = static_cast<SoftmaxVariant>(softmax.variant),
                          .bits = static_cast<int>(softmax.bits),
                          .tau_shift = static_cast<int>(softmax.tau_shift),
                          .log2_scale = softmax.log2_scale,
                          .step_mult = static_cast<uint16_t>(softmax.step_mult),
                          .step_shift = softmax.step_shift},
                 .prob = prob};
  k.softmax_row(row);
  return row.sum;
}

// Probabilities of `heads` heads of `keys` keys for each row of logits, side by side and divided by their sums.
inline void HeadProbabilities(const Kernels& k, const Softmax& softmax, Rows<const int32_t> logits, int rows, int heads,
                              int keys, Rows<int16_t> prob) {
  k.softmax_heads({.logits = logits.data,
                   .logits_stride = logits.stride,
                   .rows = rows,
                   .heads = heads,
                   .keys = keys,
                   .shift = softmax.shift,
                   .mult = static_cast<uint16_t>(softmax.mult),
                   .prob = prob.data,
                   .prob_stride = prob.stride});
}

// Codes (zero point OperandZero) of the products of probabilities and values, n [rows][d]; sums [rows] of E16
// probabilities.
inline void AttentionCodes(const Kernels& k, const Softmax& softmax, const int64_t* n, const int32_t* sums, int rows,
                           int d, Rows<uint8_t> out) {
  const bool divide = softmax.variant == Softmax::kE16;
  k.attention_output({.n = n,
                      .sum = divide ? sums : nullptr,
                      .pre_shift = static_cast<int>(softmax.pre_shift),
                      .mult = softmax.mix.mult,
                      .shift = static_cast<int>(softmax.mix.shift),
                      .zero = OperandZero(softmax.out),
                      .lo = static_cast<int>(softmax.out.lo) - static_cast<int>(softmax.out.zero),
                      .hi = static_cast<int>(softmax.out.hi) - static_cast<int>(softmax.out.zero),
                      .flip = k.flip,
                      .out = out.data,
                      .out_stride = out.stride,
                      .rows = rows,
                      .d = d});
}

// No s16 value of attention is larger: 256 times a byte and a byte, both signed (docs/numerics.md 6.7).
inline constexpr int kWordValueMax = 256 * 127 + 127;

// The same as s16, of such values and exact probabilities. Only tokens have them, so there is one form for all tiers.
inline void AttentionWords(const Softmax& softmax, const int64_t* n, const int32_t* sums, int rows, int d,
                           Rows<int16_t> out) {
  for (size_t i = 0; i < static_cast<size_t>(rows); ++i) {
    const AttentionDivisor divisor = AttentionDivisorOf(static_cast<uint32_t>(sums[i]), softmax.mix.mult,
                                                        static_cast<int>(softmax.mix.shift));
    for (size_t c = 0; c < static_cast<size_t>(d); ++c) {
      out[i][c] = static_cast<int16_t>(
          AttentionOutputValue(RoundingShiftRight(n[i * static_cast<size_t>(d) + c], 8), divisor, -32767, 32767));
    }
  }
}

}  // namespace ops
}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_OPS_OPS_H_
