// Whole-tensor operations of the reference executor: one function per site kind of docs/numerics.md section 14.
// Codes are plain u8 with their zero point; signed values are s8. Everything is [rows][channels].
#ifndef INTSAM_RUNTIME_OPS_TENSORS_H_
#define INTSAM_RUNTIME_OPS_TENSORS_H_

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "runtime/ops/attention.h"
#include "runtime/ops/ops.h"

namespace intsam::internal::reference {

// A matrix that owns its rows; kernels may touch kPadBytes past the end.
template <class T>
struct Tensor {
  size_t rows, columns;
  std::vector<T> values;
  Tensor(size_t r, size_t c) : rows(r), columns(c), values(r * c + kPadBytes) {}
  T* operator[](size_t row) { return values.data() + row * columns; }
  const T* operator[](size_t row) const { return values.data() + row * columns; }
  ops::Rows<T> all() { return {values.data(), columns}; }
  ops::Rows<const T> all() const { return {values.data(), columns}; }
  int n() const { return static_cast<int>(rows); }
};

inline const Kernels& Scalar() { return ScalarKernels(); }

// bias + x * w, accumulators padded to whole panels.
template <class T>
Tensor<int32_t> Multiply(const PreparedLinear& layer, const Tensor<T>& x) {
  Tensor<int32_t> acc(x.rows, layer.linear->padded_out());
  ops::Gemm(Scalar(), layer, x.all(), x.n(), acc.all());
  return acc;
}

inline Tensor<uint8_t> ToCodes(const Rq16& rq, const Tensor<int32_t>& acc) {
  Tensor<uint8_t> out(acc.rows, rq.n);
  ops::ToCodes(Scalar(), rq, acc.all(), acc.n(), 0, static_cast<int>(rq.n), 0, out.all());
  return out;
}
// Codes less 128.
inline Tensor<int8_t> ToSigned(const Rq16& rq, const Tensor<int32_t>& acc) {
  const Tensor<uint8_t> codes = ToCodes(rq, acc);
  Tensor<int8_t> out(acc.rows, rq.n);
  for (size_t i = 0; i < acc.rows * rq.n; ++i) out.values[i] = static_cast<int8_t>(codes.values[i] - 128);
  return out;
}
inline Tensor<uint8_t> ToGeluCodes(const RqGelu& rq, const Tensor<int32_t>& acc) {
  Tensor<uint8_t> out(acc.rows, rq.n);
  ops::ToGeluCodes(Scalar(), rq, acc.all(), acc.n(), 0, static_cast<int>(rq.n), out.all());
  return out;
}
inline Tensor<int32_t> ToR24(const Rq32& rq, const Tensor<int32_t>& acc) {
  Tensor<int32_t> out(acc.rows, rq.n);
  ops::ToR24(Scalar(), rq, acc.all(), acc.n(), out.all());
  return out;
}
inline void AddToR24(const Rq32& rq, const Tensor<int32_t>& acc, Tensor<int32_t>& x) {
  ops::AddToR24(Scalar(), rq, acc.all(), acc.n(), 0, static_cast<int>(rq.n), x.all());
}
inline Tensor<int32_t> AddStream(const Rq32& rq, const Tensor<int32_t>& acc, const Tensor<int16_t>& x) {
  Tensor<int32_t> out(acc.rows, rq.n);
  ops::AddStream(Scalar(), rq, acc.all(), x.all(), acc.n(), out.all());
  return out;
}
inline Tensor<int16_t> ToS16(const Rq32& rq, const Tensor<int32_t>& acc, int lo, int hi) {
  Tensor<int16_t> out(acc.rows, rq.n);
  ops::ToS16(Scalar(), rq, acc.all(), acc.n(), lo, hi, out.all());
  return out;
}
inline void AddToS16(const Rq32& rq, const Tensor<int32_t>& acc, Tensor<int16_t>& x) {
  ops::AddToS16(Scalar(), rq, acc.all(), static_cast<const Tensor<int16_t>&>(x).all(), acc.n(), x.all());
}
inline Tensor<uint8_t> Norm(const NormNarrow& norm, const Tensor<int32_t>& x) {
  Tensor<uint8_t> out(x.rows, x.columns);
  ops::Norm(Scalar(), norm, x.all(), x.n(), out.all());
  return out;
}
inline Tensor<int16_t> Norm(const NormWide& norm, const Tensor<int32_t>& x) {
  Tensor<int16_t> out(x.rows, x.columns);
  ops::Norm(Scalar(), norm, x.all(), x.n(), out.all());
  return out;
}
inline void Gelu(uint32_t unit_bits, Tensor<int16_t>& x) {
  Scalar().gelu_s16({x[0], x.rows * x.columns, static_cast<int>(unit_bits)});
}
inline Tensor<uint8_t> Quantize(const QuantizeSite& site, const Tensor<int16_t>& x, const int16_t* added) {
  Tensor<uint8_t> out(x.rows, x.columns);
  ops::Quantize(Scalar(), site, x[0], added, x.rows * x.columns, out[0]);
  return out;
}
inline Tensor<uint8_t> Quantize(const QuantizeSite& site, const Tensor<int32_t>& x) {
  Tensor<uint8_t> out(x.rows, x.columns);
  ops::Quantize(Scalar(), site, x[0], x.rows * x.columns, out[0]);
  return out;
}

// Reads channels [first, first + count) of every row as a matrix of its own.
template <class T>
Tensor<T> Slice(const Tensor<T>& x, size_t first, size_t count) {
  Tensor<T> out(x.rows, count);
  for (size_t i = 0; i < x.rows; ++i) std::copy_n(x[i] + first, count, out[i]);
  return out;
}

// The columns of a, then those of b.
template <class T>
Tensor<T> Beside(const Tensor<T>& a, const Tensor<T>& b) {
  Tensor<T> out(a.rows, a.columns + b.columns);
  for (size_t i = 0; i < a.rows; ++i) {
    std::copy_n(a[i], a.columns, out[i]);
    std::copy_n(b[i], b.columns, out[i] + a.columns);
  }
  return out;
}

// A square map of `grid` cells per side with a frame of cells around it, of which every value is `pad`.
template <class T>
Tensor<T> Padded(const Tensor<T>& x, size_t grid, T pad) {
  Tensor<T> out((grid + 2) * (grid + 2), x.columns);
  std::fill(out.values.begin(), out.values.end(), pad);
  for (size_t y = 0; y < grid; ++y) std::copy_n(x[y * grid], grid * x.columns, out[(y + 1) * (grid + 2) + 1]);
  return out;
}

// One head: softmax(q k + positions) v, as codes with zero point OperandZero. Rows are codes less 128. positions(i):
// what they add to the logits of query i.
template <class Positions>
Tensor<uint8_t> Attend(const Softmax& softmax, const QkvCodes& codes, const Tensor<int8_t>& q, const Tensor<int8_t>& k,
                       const Tensor<int8_t>& v, const Positions& positions) {
  const int q_zero = static_cast<int>(codes.q.zero) - 128, k_zero = static_cast<int>(codes.k.zero) - 128;
  const int64_t v_zero = int64_t{codes.v.zero} - 128;
  const Kernels& kernels = Scalar();
  const int keys = k.n(), d = static_cast<int>(k.columns);
  const size_t padded = static_cast<size_t>(RoundUp(keys, kPanel));
  Tensor<int16_t> values(padded, v.columns);
  kernels.pack_values({v[0], v.columns, keys, d, values[0]});
  Tensor<int32_t> logits(1, padded);
  Tensor<uint16_t> prob(1, padded);
  Tensor<int64_t> mixed(1, v.columns);
  Tensor<uint8_t> out(q.rows, v.columns);
  for (size_t i = 0; i < q.rows; ++i) {
    for (int j = 0; j < keys; ++j) {
      int32_t sum = 0;
      for (int c = 0; c < d; ++c) sum += (q[i][c] - q_zero) * (k[static_cast<size_t>(j)][c] - k_zero);
      logits[0][j] = sum;
    }
    const int32_t sum = ops::Probabilities(kernels, softmax, logits[0], keys, positions(i), prob[0]);
    kernels.attention_mix({prob[0], padded, values[0], 1, keys, d, mixed[0]});
    const int64_t mass = std::accumulate(prob[0], prob[0] + keys, int64_t{0});
    for (int c = 0; c < d; ++c) mixed[0][c] -= v_zero * mass;
    ops::AttentionCodes(kernels, softmax, mixed[0], &sum, 1, d, {out[i], out.columns});
  }
  return out;
}

}  // namespace intsam::internal::reference

#endif  // INTSAM_RUNTIME_OPS_TENSORS_H_
