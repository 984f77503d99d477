// From real multipliers to the integers of docs/numerics.md: the only place where a float becomes a mantissa and a
// shift.
#ifndef INTSAM_CONVERTER_QUANTIZE_PARAMETERS_H_
#define INTSAM_CONVERTER_QUANTIZE_PARAMETERS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "converter/quantize/plan.h"
#include "runtime/format/model.h"

namespace intsam::internal {

// Owns the tensors of a model under construction; every buffer is readable 64 bytes past its end, as the kernels
// expect.
class TensorPool {
 public:
  template <class T>
  View<T> Add(const std::vector<T>& values) {
    blocks_.emplace_back(values.size() * sizeof(T) + 64);
    T* data = reinterpret_cast<T*>(blocks_.back().data());
    for (size_t i = 0; i < values.size(); ++i) data[i] = values[i];
    return View<T>(data, values.size());
  }

 private:
  std::vector<std::vector<uint8_t>> blocks_;
};

// value = (code - zero) * scale.
struct Scale {
  double scale = 1;
  Codes codes;
};

Rq32Scalar MakeRq32Scalar(double multiplier);
Rq32 MakeRq32(std::span<const double> multipliers, TensorPool& pool);
// RQ16 (docs/numerics.md 2.2).
Rq16 MakeRq16(std::span<const double> multipliers, const Codes& out, TensorPool& pool);
// The smallest multiplier that RQ16 and RQ16W can express well; weight scales are kept above it.
inline constexpr double kLeastMultiplier = 1.0 / (1 << 24);
// RQ16W to units of 2^-unit_bits, GELU, RQ16S to `out`.
RqGelu MakeRqGelu(std::span<const double> multipliers, int unit_bits, const Scale& out, TensorPool& pool);
Unit MakeUnit(double unit);
double ToReal(const Unit& unit);

NormNarrow MakeNormNarrow(std::span<const float> gamma, std::span<const float> beta, double eps, double input_unit,
                          const Scale& out, TensorPool& pool);
NormWide MakeNormWide(std::span<const float> gamma, std::span<const float> beta, double eps, double input_unit,
                      double output_unit, TensorPool& pool);
// Logits in units of `logit_unit` (natural log) and codes of `values` to codes of `out`, over at most `keys` keys.
// Scales of AGQ are clamped to what the runtime can express, just over 2^-16 to 4; tau is a power of two.
Softmax MakeSoftmax(const SoftmaxCoding& coding, double logit_unit, const Scale& values, const Scale& out,
                    uint32_t keys);
RelPos MakeRelPos(std::span<const float> table, uint32_t side, uint32_t head_dim, double key_scale, TensorPool& pool);

// Exponent e of a power-of-two s16 unit 2^-e, 9..12, the finest in which |max| stays below `limit`.
int UnitBits(double max, double limit);
std::vector<int16_t> ToS16Values(std::span<const float> values, double unit);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_PARAMETERS_H_
