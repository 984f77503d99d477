#include "runtime/format/value_range.h"

namespace intsam::internal {

template <class T>
ValueRange RangeOf(View<T> values) {
  T least = values[0], most = values[0];
  for (const T x : values) least = x < least ? x : least, most = x > most ? x : most;
  return {least, most};
}

template ValueRange RangeOf(View<int8_t>);
template ValueRange RangeOf(View<uint8_t>);
template ValueRange RangeOf(View<int16_t>);
template ValueRange RangeOf(View<int32_t>);
template ValueRange RangeOf(View<int64_t>);

}  // namespace intsam::internal
