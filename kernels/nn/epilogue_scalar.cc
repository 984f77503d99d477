// Normative requantisation of accumulator strips, quantisation of streams to codes, and GELU (docs/numerics.md,
// sections 2 and 5): one element at a time, spelled with the primitives.
#include "kernels/numerics/fixed_point.h"
#include "kernels/numerics/gelu.h"
#include "kernels/numerics/requantize.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

uint8_t Flipped(int code, uint8_t flip) { return static_cast<uint8_t>(static_cast<uint8_t>(code) ^ flip); }

// Stays inside s32 (RequantizeNarrow::up).
int32_t Lifted(int32_t acc, int up) { return static_cast<int32_t>(ShiftLeft(acc, up)); }

// Calls row(acc, out, index) for every row of a strip.
template <class Strip, class Row>
void ForEachRow(const Strip& s, Row row) {
  for (size_t i = 0; i < static_cast<size_t>(s.rows); ++i) row(s.acc + i * s.acc_stride, s.out + i * s.out_stride, i);
}

void ScalarRequantizeNarrow(const RequantizeNarrow& s) {
  ForEachRow(s, [&](const int32_t* acc, uint8_t* out, size_t) {
    for (int j = 0; j < s.n; ++j) {
      out[j] = Flipped(Requantize16(Lifted(acc[j], s.up), s.mult[j], s.shift[j], s.k, s.zero, s.lo, s.hi), s.flip);
    }
  });
}

void ScalarRequantizeGelu(const RequantizeGelu& s) {
  ForEachRow(s, [&](const int32_t* acc, uint8_t* out, size_t) {
    for (int j = 0; j < s.n; ++j) {
      const int16_t v = GeluWide(Requantize16Wide(Lifted(acc[j], s.up), s.mult[j], s.shift[j]), s.unit_bits);
      out[j] = Flipped(Requantize16Short(v, s.out_mult, s.k, s.zero, s.lo, s.hi), s.flip);
    }
  });
}

void ScalarRequantizeR24(const RequantizeR24& s) {
  ForEachRow(s, [&](const int32_t* acc, int32_t* out, size_t i) {
    const int32_t* add = s.add == nullptr ? nullptr : s.add + i * s.add_stride;
    const int16_t* add16 = s.add16 == nullptr ? nullptr : s.add16 + i * s.add16_stride;
    for (int j = 0; j < s.n; ++j) {
      const int32_t base = add != nullptr ? add[j] : add16 != nullptr ? add16[j] * 256 : 0;
      out[j] = Clamp24(int64_t{base} + Clamp24(Requantize32(acc[j], s.rq.mult[j], s.rq.shift[j])));
    }
  });
}

void ScalarRequantizeS16(const RequantizeS16& s) {
  ForEachRow(s, [&](const int32_t* acc, int16_t* out, size_t i) {
    const int16_t* add = s.add == nullptr ? nullptr : s.add + i * s.add_stride;
    for (int j = 0; j < s.n; ++j) {
      const int64_t base = add == nullptr ? 0 : add[j];
      out[j] = static_cast<int16_t>(Clamp(base + Requantize32(acc[j], s.rq.mult[j], s.rq.shift[j]), s.lo, s.hi));
    }
  });
}

void ScalarQuantizeCodes(const QuantizeCodes& q) {
  for (size_t i = 0; i < q.n; ++i) {
    const int32_t x = q.wide != nullptr ? q.wide[i] : q.x[i] + (q.y == nullptr ? 0 : q.y[i]);
    q.out[i] = Flipped(static_cast<int>(Clamp(Requantize32(x, q.mult, q.shift) + q.zero, q.lo, q.hi)), q.flip);
  }
}

void ScalarAddS16(const AddS16& a) {
  for (size_t i = 0; i < a.n; ++i) a.out[i] = static_cast<int16_t>(Clamp(a.x[i] + a.y[i], -32767, 32767));
}

void ScalarGeluS16(const GeluS16& g) {
  for (size_t i = 0; i < g.n; ++i) g.x[i] = GeluWide(g.x[i], g.unit_bits);
}

void ScalarNarrowR24(const NarrowR24& r) {
  for (size_t i = 0; i < r.n; ++i) r.out[i] = static_cast<int16_t>(Clamp(RoundingShiftRight(r.x[i], 8), -32767, 32767));
}

}  // namespace

void FillEpilogueScalar(Kernels& k) {
  k.requantize_narrow = ScalarRequantizeNarrow;
  k.requantize_gelu = ScalarRequantizeGelu;
  k.requantize_r24 = ScalarRequantizeR24;
  k.requantize_s16 = ScalarRequantizeS16;
  k.quantize_codes = ScalarQuantizeCodes;
  k.add_s16 = ScalarAddS16;
  k.gelu_s16 = ScalarGeluS16;
  k.narrow_r24 = ScalarNarrowR24;
}

}  // namespace intsam::internal
