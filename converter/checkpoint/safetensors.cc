// safetensors: 8 bytes of header length, a JSON object, then the tensors' bytes without holes or overlaps.
// The header is read by events, without a tree: a hostile header costs no more memory than its tensors, and its shape
// (two levels, three fields) is enforced while it is read. Source: the README of huggingface/safetensors, section
// Format.
#include <algorithm>
#include <cinttypes>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>
#include <utility>

#include "converter/checkpoint/limits.h"
#include "converter/checkpoint/tensor_view.h"
#include "runtime/base/checked.h"

namespace intsam::internal {
namespace {

using nlohmann::json;

struct Entry {
  TensorView view;
  uint64_t begin = 0, end = 0;  // in the data section
};

bool ParseDType(std::string_view text, DType* dtype) {
  for (const DType candidate : {DType::kF32, DType::kF16, DType::kBF16, DType::kF64, DType::kI8, DType::kU8,
                                DType::kI16, DType::kI32, DType::kI64, DType::kBool}) {
    if (text == NameOf(candidate)) {
      *dtype = candidate;
      return true;
    }
  }
  return false;
}

// The events of nlohmann's parser. Each returns false to stop it, with the reason in status_.
class HeaderReader : public nlohmann::json_sax<json> {
 public:
  const Status& status() const { return status_; }
  std::vector<Entry> TakeEntries() { return std::move(entries_); }
  CheckpointMetadata TakeMetadata() { return std::move(metadata_); }

  bool null() override { return Unexpected("null"); }
  bool boolean(bool) override { return Unexpected("a boolean"); }
  bool number_integer(int64_t) override { return Unexpected("a negative number"); }
  bool number_float(double, const std::string&) override { return Unexpected("a fraction"); }
  bool binary(json::binary_t&) override { return Unexpected("binary data"); }

  bool number_unsigned(uint64_t value) override {
    if (place_ != Place::kShape && place_ != Place::kOffsets) return Unexpected("a number");
    // One more than any legal list: enough to see that it is too long.
    if (numbers_.size() > CheckpointLimits::kRank) return Refuse(Code::kResource, "list of more than 4 numbers");
    numbers_.push_back(value);
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::kMetadata) {
      metadata_[metadata_key_] = text;
      return true;
    }
    if (place_ != Place::kTensor || field_ != kDType) return Unexpected("a string");
    if (!ParseDType(text, &entry_.view.info.dtype))
      return Refuse(Code::kUnsupported, "dtype " + Quote(text) + " is not supported");
    return true;
  }

  bool start_object(size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop) {
      place_ = name_ == "__metadata__" ? Place::kMetadata : Place::kTensor;
      seen_ = 0;
    } else {
      return Unexpected("an object");
    }
    return true;
  }

  bool key(std::string& text) override {
    if (place_ == Place::kTop) {
      name_ = text;
      if (!names_.insert(text).second) return Refuse(Code::kDamaged, "duplicate key");
      if (text == "__metadata__") return true;
      entry_ = Entry();
      entry_.view.info.name = text;
      status_ = CheckTensorName(text);
      if (entries_.size() == CheckpointLimits::kTensors)
        return Refuse(Code::kResource, "more tensors than the limit of 4096");
      return status_.ok();
    }
    if (place_ == Place::kMetadata) {
      metadata_key_ = text;
      return metadata_.emplace(text, "").second || Refuse(Code::kDamaged, "duplicate key " + Quote(text));
    }
    field_ = text == "dtype" ? kDType : text == "shape" ? kShape : text == "data_offsets" ? kOffsets : 0;
    if (field_ == 0) return Refuse(Code::kUnsupported, "unknown field " + Quote(text));
    if (seen_ & field_) return Refuse(Code::kDamaged, "duplicate field " + Quote(text));
    seen_ |= field_;
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor) {
      if (seen_ != (kDType | kShape | kOffsets))
        return Refuse(Code::kDamaged, "dtype, shape or data_offsets is missing");
      uint64_t bytes = 0;
      const CheckpointTensor& info = entry_.view.info;
      if (entry_.end < entry_.begin || !CheckedMul(info.elements, WidthOf(info.dtype), &bytes) ||
          bytes != entry_.end - entry_.begin) {
        return Refuse(Code::kDamaged, "shape " + ShapeText(info.shape) + " of " + NameOf(info.dtype) +
                                          " does not fill data_offsets " + ShapeText({entry_.begin, entry_.end}));
      }
      entries_.push_back(std::move(entry_));
    }
    place_ = Place::kTop;  // after the last one the parser allows white space only
    return true;
  }

  bool start_array(size_t) override {
    if (place_ != Place::kTensor || field_ == kDType) return Unexpected("a list");
    place_ = field_ == kShape ? Place::kShape : Place::kOffsets;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    if (place_ == Place::kShape) {
      status_ = SetShape(numbers_, &entry_.view.info);
      if (!status_.ok()) return false;
      entry_.view.strides = ContiguousStrides(numbers_);
    } else {
      if (numbers_.size() != 2) return Refuse(Code::kDamaged, "data_offsets is not two numbers");
      entry_.begin = numbers_[0];
      entry_.end = numbers_[1];
    }
    place_ = Place::kTensor;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    status_ = Error(Code::kDamaged, "safetensors header: not valid JSON at byte %zu", position);
    return false;
  }

 private:
  enum class Place { kStart, kTop, kMetadata, kTensor, kShape, kOffsets };
  static constexpr int kDType = 1, kShape = 2, kOffsets = 4;

  bool Refuse(Code code, const std::string& reason) {
    status_ = Status(code, "safetensors header: " + (name_.empty() ? "" : Quote(name_) + ": ") + reason);
    return false;
  }
  bool Unexpected(const char* what) { return Refuse(Code::kDamaged, std::string("unexpected ") + what); }

  Status status_;
  Place place_ = Place::kStart;
  int field_ = 0, seen_ = 0;
  std::string name_;  // of the entry being read
  Entry entry_;
  std::vector<uint64_t> numbers_;
  std::vector<Entry> entries_;
  std::unordered_set<std::string> names_;
  CheckpointMetadata metadata_;
  std::string metadata_key_;  // whose value comes next
};

}  // namespace

Result<std::vector<TensorView>> ReadSafetensors(ByteSpan file, CheckpointMetadata* metadata) {
  if (file.size() < 8) return Error(Code::kDamaged, "safetensors: file of %zu bytes has no header length", file.size());
  const uint64_t header_bytes = LoadU64(file.data());
  if (header_bytes > CheckpointLimits::kSafetensorsHeaderBytes) {
    return Error(Code::kResource, "safetensors: header of %" PRIu64 " bytes, above the limit of %" PRIu64, header_bytes,
                 CheckpointLimits::kSafetensorsHeaderBytes);
  }
  if (header_bytes > file.size() - 8) {
    return Error(Code::kDamaged, "safetensors: header of %" PRIu64 " bytes reaches past the end (truncated file?)",
                 header_bytes);
  }
  const ByteSpan header = file.subspan(8, header_bytes);
  const ByteSpan data = file.subspan(8 + header_bytes);
  if (header.empty() || header[0] != '{') return Error(Code::kDamaged, "safetensors: header does not start with '{'");
  // The parser takes a NUL for the end, and what follows would be read by others only.
  if (const size_t nul = TextOf(header).find('\0'); nul != std::string_view::npos)
    return Error(Code::kDamaged, "safetensors header: not valid JSON at byte %zu: a NUL", nul + 1);
  HeaderReader reader;
  if (!json::sax_parse(header.begin(), header.end(), &reader)) return reader.status();

  if (metadata != nullptr) *metadata = reader.TakeMetadata();
  std::vector<Entry> entries = reader.TakeEntries();
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::vector<TensorView> views;
  uint64_t covered = 0;
  for (Entry& entry : entries) {
    const char* name = entry.view.info.name.c_str();
    if (entry.begin < covered) return Error(Code::kDamaged, "tensor %s: bytes overlap another tensor's", name);
    if (entry.begin > covered)
      return Error(Code::kDamaged, "tensor %s: hole of %" PRIu64 " bytes before it", name, entry.begin - covered);
    if (entry.end > data.size()) {
      return Error(Code::kDamaged, "tensor %s: ends at byte %" PRIu64 " of %zu (truncated file?)", name, entry.end,
                   data.size());
    }
    covered = entry.end;
    entry.view.offset = 8 + header_bytes + entry.begin;
    views.push_back(std::move(entry.view));
  }
  if (covered != data.size())
    return Error(Code::kDamaged, "safetensors: %" PRIu64 " bytes after the last tensor", data.size() - covered);
  return views;
}

}  // namespace intsam::internal
