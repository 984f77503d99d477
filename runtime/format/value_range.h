// The range of a tensor's values. Apart from the reader, which is compiled for size: this passes over every weight.
#ifndef INTSAM_RUNTIME_FORMAT_VALUE_RANGE_H_
#define INTSAM_RUNTIME_FORMAT_VALUE_RANGE_H_

#include <cstdint>

#include "runtime/records/records.h"

namespace intsam::internal {

struct ValueRange {
  int64_t least, most;
};

// Of at least one value; T: int8_t, uint8_t, int16_t, int32_t or int64_t.
template <class T>
ValueRange RangeOf(View<T> values);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_FORMAT_VALUE_RANGE_H_
