// Bytes as changes of a good model: for fuzzers that would spend their time on checksums and layouts otherwise.
#ifndef INTSAM_TESTS_FUZZ_MODEL_EDITS_H_
#define INTSAM_TESTS_FUZZ_MODEL_EDITS_H_

#include <algorithm>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "runtime/format/reader.h"
#include "tests/format/model_bytes.h"
#include "tests/format/value_ranges.h"

namespace intsam::internal::testing {

// One change: of a field, or of an element of a tensor that has a range.
struct ModelEdit {
  uint8_t tensor = 0;  // odd: of a tensor
  uint8_t model = 0;   // of the first one: which of the target's models, modulo their number
  uint16_t index = 0;    // of the field or the tensor, modulo their number
  uint32_t element = 0;  // modulo the number of elements
  int64_t value = 0;
};
static_assert(sizeof(ModelEdit) == 16);

inline std::string EditText(const std::vector<ModelEdit>& edits) {
  return std::string(reinterpret_cast<const char*>(edits.data()), edits.size() * sizeof(ModelEdit));
}

// A model and what may be changed of it.
class EditedModel {
 public:
  explicit EditedModel(const ModelBytes& good)
      : good_(good), bytes_(good), ranges_(RangesOf(ReadModel(good)->model)), names_(good) {}

  // Whole edits of `input`, at most 16. Checksums are right afterwards.
  const ModelBytes& Apply(std::span<const uint8_t> input) {
    constexpr size_t kMostEdits = 16;
    std::memcpy(bytes_.data(), good_.data(), good_.size());
    outside_.clear();
    for (size_t i = 0; i < std::min(input.size() / sizeof(ModelEdit), kMostEdits); ++i) {
      ModelEdit edit;
      std::memcpy(&edit, input.data() + i * sizeof edit, sizeof edit);
      edit.tensor & 1 ? SetElement(edit) : SetField(edit);
    }
    Reseal(bytes_, {isam::kFields});
    return bytes_;
  }
  // Whether every value that was set last lies in the range of its place.
  bool inside() const { return outside_.empty(); }
  bool changed() const { return std::memcmp(good_.data(), bytes_.data(), good_.size()) != 0; }

 private:
  void SetField(const ModelEdit& edit) {
    const size_t index = edit.index % ranges_.fields.size();
    bytes_.set_field(index, edit.value);
    Note({false, index, 0}, edit.value, ranges_.fields[index]);
  }

  void SetElement(const ModelEdit& edit) {
    const size_t index = edit.index % ranges_.tensors.size();
    const Ranges::Range& range = ranges_.tensors[index];
    const size_t element = edit.element % range.elements;
    uint8_t* at = bytes_.tensor(names_.tensor(range.name)) + element * range.width;
    std::memcpy(at, &edit.value, range.width);  // its lowest bytes
    const auto spare = static_cast<int>(8 * (sizeof edit.value - range.width));
    const int64_t stored = range.is_signed ? static_cast<int64_t>(static_cast<uint64_t>(edit.value) << spare) >> spare
                                           : static_cast<int64_t>(static_cast<uint64_t>(edit.value) << spare >> spare);
    Note({true, index, element}, stored, range);
  }

  struct Place {
    bool tensor;
    size_t index, element;
    auto operator<=>(const Place&) const = default;
  };
  void Note(const Place& place, int64_t value, const Ranges::Range& range) {
    if (value >= range.lo && value <= range.hi) {
      outside_.erase(place);
    } else {
      outside_.insert(place);
    }
  }

  const ModelBytes good_;
  ModelBytes bytes_;
  const Ranges ranges_;
  const ModelNames names_;
  std::set<Place> outside_;  // where the value that was set last is outside its range
};

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_FUZZ_MODEL_EDITS_H_
