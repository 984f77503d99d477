// Low-resolution logits as a NumPy file (.npy, format 1.0): float32, shape 1 x side x side, as SAM's own predictor
// takes and gives them. The integers survive the way out and in again exactly.
#ifndef INTSAM_APPS_COMMON_LOGITS_NPY_H_
#define INTSAM_APPS_COMMON_LOGITS_NPY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

// The form of a model's logits: side x side codes, each of which stands for code * mantissa * 2^-shift.
struct LogitForm {
  int32_t side, mantissa, shift;
};

bool IsNpy(std::span<const uint8_t> file);

// The float nearest to each code's value.
std::vector<uint8_t> EncodeLogits(std::span<const int16_t> codes, const LogitForm& form);

// The code nearest to each float, the largest one for those beyond. Shape 1 x side x side or side x side. kDamaged for
// a broken file and for what is no number, kUnsupported for other types and orders, kUsage for another shape.
Result<std::vector<int16_t>> DecodeLogits(std::span<const uint8_t> file, const LogitForm& form);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_LOGITS_NPY_H_
