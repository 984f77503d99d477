// The kernels of a tier, called with the records of a model: the one place that fills argument structs.
// Every function works on `rows` rows; strides are in elements.
#ifndef INTSAM_RUNTIME_OPS_OPS_H_
#define INTSAM_RUNTIME_OPS_OPS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/numerics/fixed_point.h"
#include "kernels/numerics/packed_weights.h"
#include "runtime/ops/prepared_linear.h"
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
  if (w.bits == 8) return S8Panels(w.weight.data() + size_t{first} * w.in);
  const auto bits = static_cast<int>(w.bits);
  return {w.packed.data() + size_t{first / kPanel} * (w.in / 4) * GroupBytes(bits), w.zero.data() + first, bits};
}

// acc[rows][first..first+count) of a layer; `first` a multiple of 16, count < 0: to the last channel.
inline void Gemm(const Kernels& k, const PreparedLinear& layer, Rows<const uint8_t> a, int rows, Rows<int32_t> acc,
                 uint32_t first = 0, int count = -1) {
  const Linear& w = *layer.linear;
  const int n = count < 0 ? static_cast<int>(w.out - first) : count;
  k.gemm_a8w8({a.data, a.stride, PanelsOf(w, first), layer.bias.data() + first, acc.data, acc.stride, rows, n,
               static_cast<int>(w.in), layer.a_max});
}

inline void Gemm(const Kernels& k, const PreparedLinear& layer, Rows<const int16_t> a, int rows, Rows<int32_t> acc) {
  const Linear& w = *layer.linear;
  k.gemm_a16w8({a.data, a.stride, PanelsOf(w), layer.bias.data(), acc.data, acc.stride, rows, static_cast<int>(w.out),
                static_cast<int>(w.in)});
}

// Channels first.. of a site whose accumulators start at acc.
inline void ToCodes(const Kernels& k, const Rq16& rq, Rows<const int32_t> acc, int rows, uint32_t first, int n,
                    uint8_t flip, Rows<uint8_t> out) {
  k.requantize_narrow({acc.data, acc.stride, static_cast<int>(rq.up), rq.mult.data() + first, rq.shift.data() + first,
                       static_cast<int>(rq.k), static_cast<int>(rq.out.zero), static_cast<int>(rq.out.lo),
                       static_cast<int>(rq.out.hi), flip, out.data, out.stride, rows, n});
}

inline void ToGeluCodes(const Kernels& k, const RqGelu& rq, Rows<const int32_t> acc, int rows, uint32_t first, int n,
                        Rows<uint8_t> out) {
  k.requantize_gelu({acc.data, acc.stride, static_cast<int>(rq.up), rq.mult.data() + first, rq.shift.data() + first,
                     static_cast<int>(rq.unit_bits), static_cast<int16_t>(rq.out_mult), static_cast<int>(rq.k),
                     static_cast<int>(rq.out.zero), static_cast<int>(rq.out.lo), static_cast<int>(rq.out.hi), k.flip,
                     out.data, out.stride, rows, n});
}

inline Rq32Channels Channels(const Rq32& rq, uint32_t first = 0) {
  return {rq.mult.data() + first, rq.shift.data() + first};
}

// out = C24(RQ32(acc)).
inline void ToR24(const Kernels& k, const Rq32& rq, Rows<const int32_t> acc, int rows, Rows<int32_t> out) {
  k.requantize_r24(
      {acc.data, acc.stride, Channels(rq), nullptr, 0, nullptr, 0, out.data, out.stride, rows, static_cast<int>(rq.n)});
}
// x = C24(x + C24(RQ32(acc))) for channels first..first+n of a row whose channel `first` is at x.
inline void AddToR24(const Kernels& k, const Rq32& rq, Rows<const int32_t> acc, int rows, uint32_t first, int n,
                     Rows<int32_t> x) {
  k.requantize_r24(
      {acc.data, acc.stride, Channels(rq, first), x.data, x.stride, nullptr, 0, x.data, x.stride, rows, n});
}
// out = C24((x << 8) + C24(RQ32(acc))): a decoder stream in units / 256.
inline void AddStream(const Kernels& k, const Rq32& rq, Rows<const int32_t> acc, Rows<const int16_t> x, int rows,
                      Rows<int32_t> out) {
  k.requantize_r24({acc.data, acc.stride, Channels(rq), nullptr, 0, x.data, x.stride, out.data, out.stride, rows,
                    static_cast<int>(rq.n)});
}
inline void ToS16(const Kernels& k, const Rq32& rq, Rows<const int32_t> acc, int rows, int lo, int hi,
                  Rows<int16_t> out) {
  k.requantize_s16({acc.data, acc.stride, Channels(rq), lo, hi, out.data, out.stride, rows, static_cast<int>(rq.n)});
}

// codes of x + y (y may be null) over n contiguous values.
inline void Quantize(const Kernels& k, const QuantizeSite& site, const int16_t* x, const int16_t* y, size_t n,
                     uint8_t* out) {
  k.quantize_codes({x, y, nullptr, site.rq.mult, static_cast<int>(site.rq.shift), static_cast<int>(site.out.zero),
                    static_cast<int>(site.out.lo), static_cast<int>(site.out.hi), k.flip, out, n});
}
inline void Quantize(const Kernels& k, const QuantizeSite& site, const int32_t* x, size_t n, uint8_t* out) {
  k.quantize_codes({nullptr, nullptr, x, site.rq.mult, static_cast<int>(site.rq.shift), static_cast<int>(site.out.zero),
                    static_cast<int>(site.out.lo), static_cast<int>(site.out.hi), k.flip, out, n});
}

inline void Norm(const Kernels& k, const NormNarrow& norm, Rows<const int32_t> x, int rows, Rows<uint8_t> out) {
  k.layer_norm_narrow({x.data, x.stride, norm.epsilon, SqrtQ16(norm.channels), norm.gain.data(), norm.bias.data(),
                       static_cast<int>(norm.k), static_cast<int>(norm.out.lo), static_cast<int>(norm.out.hi), k.flip,
                       out.data, out.stride, rows, static_cast<int>(norm.channels)});
}
inline void Norm(const Kernels& k, const NormWide& norm, Rows<const int32_t> x, int rows, Rows<int16_t> out) {
  k.layer_norm_wide({x.data, x.stride, norm.epsilon, SqrtQ16(norm.channels), norm.gain.data(), norm.bias.data(),
                     static_cast<int>(norm.shift), out.data, out.stride, rows, static_cast<int>(norm.channels)});
}

// Relative positions of `rows` queries against `count` keys along one axis, the first table row being `first`.
inline void RelativePositions(const Kernels& k, const RelPos& rel, Rows<const int8_t> q, int rows, uint32_t first,
                              int count, Rows<int32_t> out) {
  k.relative_position({q.data, q.stride, rel.table.data() + size_t{first} * rel.head_dim, 0, count, rel.rq.mult,
                       static_cast<int>(rel.rq.shift), out.data, out.stride, rows, static_cast<int>(rel.head_dim)});
}

// Relative positions that a row of logits still lacks: rh [side_h] and rw [side_w], or null.
struct RowRelPos {
  const int32_t *rh = nullptr, *rw = nullptr;
  int side_h = 1, side_w = 0;
};

// Turns a row of `count` logits into integer probabilities; returns the sum of exponentials.
inline int32_t Probabilities(const Kernels& k, const Softmax& softmax, int32_t* logits, int count, const RowRelPos& rel,
                             uint16_t* prob) {
  const SoftmaxCode code = {static_cast<SoftmaxVariant>(softmax.variant), static_cast<int>(softmax.bits),
                            static_cast<int>(softmax.tau_shift),          softmax.log2_scale,
                            static_cast<uint16_t>(softmax.step_mult),     softmax.step_shift};
  const int side_w = rel.rh == nullptr ? count : rel.side_w;
  SoftmaxRow row{logits, rel.rh, rel.rw, rel.side_h, side_w, count, softmax.shift, static_cast<uint16_t>(softmax.mult),
                 code,   prob,   0};
  k.softmax_row(row);
  return row.sum;
}

// Codes (zero point OperandZero) of the products of probabilities and values, n [rows][d]; sums [rows] from
// Probabilities.
inline void AttentionCodes(const Kernels& k, const Softmax& softmax, const int64_t* n, const int32_t* sums, int rows,
                           int d, Rows<uint8_t> out) {
  const bool divide = softmax.variant == Softmax::kE16;
  k.attention_output({n, divide ? sums : nullptr, static_cast<int>(softmax.pre_shift), softmax.mix.mult,
                      static_cast<int>(softmax.mix.shift), OperandZero(softmax.out),
                      static_cast<int>(softmax.out.lo) - 128, static_cast<int>(softmax.out.hi) - 128, k.flip, out.data,
                      out.stride, rows, d});
}

}  // namespace ops
}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_OPS_OPS_H_
