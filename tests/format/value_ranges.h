// The ranges that a model's fields and tensors declare, in file order.
#ifndef INTSAM_TESTS_FORMAT_VALUE_RANGES_H_
#define INTSAM_TESTS_FORMAT_VALUE_RANGES_H_

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "runtime/format/isam.h"
#include "runtime/format/model.h"

namespace intsam::internal::testing {

// Collects the range of every field, and of every tensor that has one.
class Ranges : public isam::PathVisitor<Ranges> {
 public:
  struct Range {
    std::string name;
    int64_t lo, hi;
    size_t width;  // of an element, bytes
    size_t elements;
    bool is_signed;
  };
  template <class T>
  void Field(const char* name, T&, int64_t lo, int64_t hi) {
    fields.push_back({PathOf(name), lo, hi, sizeof(int64_t), 1, true});
  }
  void Field(const char* name, uint64_t&) {
    fields.push_back({PathOf(name), INT64_MIN, INT64_MAX, sizeof(int64_t), 1, true});
  }
  template <class T>
  void Tensor(const char*, View<T>&, std::initializer_list<uint32_t>) {}
  template <class T>
  void Tensor(const char* name, View<T>&, std::initializer_list<uint32_t> dims, int64_t lo, int64_t hi) {
    size_t elements = 1;
    for (const uint32_t dim : dims) elements *= dim;
    tensors.push_back({PathOf(name), lo, hi, sizeof(T), elements, std::numeric_limits<T>::is_signed});
  }
  std::vector<Range> fields, tensors;
};

inline Ranges RangesOf(IntegerModel model) {
  Ranges ranges;
  ranges.Group("config", model.config);
  model.Visit(ranges);
  return ranges;
}

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_FORMAT_VALUE_RANGES_H_
