#include "runtime/format/reader.h"

#include <cinttypes>
#include <cstring>
#include <initializer_list>
#include <string>

#include "runtime/base/sha256.h"
#include "runtime/format/isam.h"
#include "runtime/format/proof.h"
#include "runtime/format/value_range.h"

namespace intsam::internal {
namespace {

using isam::AlignUp;
using isam::DirectoryEntry;
using isam::Header;

Status Damaged(const std::string& field, const std::string& reason) {
  return Status(Code::kDamaged, field + ": " + reason);
}

Status CheckZeros(std::span<const uint8_t> bytes, uint64_t begin, uint64_t end, const char* where) {
  for (uint64_t i = begin; i < end; ++i) {
    if (bytes[i] != 0) return Error(Code::kDamaged, "%s: padding byte at offset %" PRIu64 " is not zero", where, i);
  }
  return Status();
}

// Header fields and the one legal layout of the sections.
Status CheckHeader(std::span<const uint8_t> bytes, Header& header) {
  if (bytes.size() < sizeof(Header)) {
    return Error(Code::kDamaged, "header: the file has %zu bytes, a header has %zu", bytes.size(), sizeof(Header));
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, isam::kMagic, sizeof header.magic) != 0) {
    return Damaged("magic", "not an .isam model; intsam-convert makes one of a checkpoint");
  }
  if (header.version != isam::kVersion) {
    return Error(Code::kUnsupported, "version: the file has %u, this library reads %u", header.version, isam::kVersion);
  }
  Header blank = header;
  std::memset(blank.sha256, 0, sizeof blank.sha256);
  if (std::memcmp(Sha256Of(&blank, sizeof blank).data(), header.sha256, 32) != 0) {
    return Damaged("header", "checksum does not match");
  }
  if (header.flags != 0) return Error(Code::kUnsupported, "flags: unknown bits 0x%x", header.flags);
  if (header.reserved != 0) return Damaged("reserved", "not zero");
  if (header.file_size != bytes.size()) {
    return Error(Code::kDamaged, "file_size: header says %" PRIu64 ", the file has %zu bytes", header.file_size,
                 bytes.size());
  }
  if (header.file_size > limits::kFileBytes)
    return Error(Code::kResource, "file_size: %" PRIu64 " is over the limit", header.file_size);
  if (header.tensors > limits::kTensors) return Error(Code::kResource, "tensors: %u is over the limit", header.tensors);

  uint64_t at = sizeof(Header);
  for (int i = 0; i < isam::kSections; ++i) {
    const isam::Section& section = header.sections[i];
    const char* name = isam::kSectionNames[i];
    if (section.offset != at)
      return Error(Code::kDamaged, "%s: offset %" PRIu64 ", expected %" PRIu64, name, section.offset, at);
    if (section.size > bytes.size() - at) return Damaged(name, "ends past the end of the file");
    if (i != isam::kData && section.size > limits::kSectionBytes) return Damaged(name, "section is over the limit");
    const uint64_t end = at + section.size;
    const uint64_t next = i == isam::kData ? end + isam::kTrailer : AlignUp(end);
    if (next > bytes.size()) return Damaged(name, "padding ends past the end of the file");
    INTSAM_TRY(CheckZeros(bytes, end, next, name));
    at = next;
  }
  if (at != bytes.size())
    return Error(Code::kDamaged, "data: %" PRIu64 " bytes after the last section", bytes.size() - at);
  return Status();
}

Status CheckSection(std::span<const uint8_t> bytes, const Header& header, int index) {
  const isam::Section& section = header.sections[index];
  if (std::memcmp(Sha256Of(bytes.data() + section.offset, section.size).data(), section.sha256, 32) != 0) {
    return Damaged(isam::kSectionNames[index], "checksum does not match");
  }
  return Status();
}

// Reads fields and binds tensors in visiting order; remembers the first error and then does nothing.
class Reader : public isam::PathVisitor<Reader> {
 public:
  Reader(std::span<const uint8_t> fields, std::span<const uint8_t> directory, std::span<const uint8_t> data)
      : fields_(fields), directory_(directory), data_(data) {}

  template <class T>
  void Field(const char* name, T& value, int64_t lo, int64_t hi) {
    int64_t stored = 0;
    if (!Next(name, stored)) return;
    if (stored < lo || stored > hi) {
      status_ = Error(Code::kDamaged, "%s: %" PRId64 " is outside %" PRId64 "..%" PRId64, PathOf(name).c_str(), stored,
                      lo, hi);
      return;
    }
    value = static_cast<T>(stored);
  }
  void Field(const char* name, uint64_t& value) {
    int64_t stored = 0;
    if (Next(name, stored)) value = static_cast<uint64_t>(stored);
  }

  template <class T>
  void Tensor(const char* name, View<T>& view, std::initializer_list<uint32_t> dims) {
    uint64_t elements = 0;
    const uint8_t* at = Bind(name, isam::TypeOf<T>(), sizeof(T), dims, elements);
    if (at != nullptr) view = View<T>(reinterpret_cast<const T*>(at), elements);
  }
  template <class T>
  void Tensor(const char* name, View<T>& view, std::initializer_list<uint32_t> dims, int64_t lo, int64_t hi) {
    Tensor(name, view, dims);
    if (!status_.ok()) return;
    const ValueRange range = RangeOf(view);
    if (range.least < lo || range.most > hi) {
      status_ = Error(Code::kDamaged, "%s: holds %" PRId64 "..%" PRId64 ", allowed %" PRId64 "..%" PRId64,
                      PathOf(name).c_str(), range.least, range.most, lo, hi);
    }
  }

  Status Finish() const {
    INTSAM_TRY(status_);
    if (field_ != fields_.size()) return Damaged("fields", "section is longer than the configuration needs");
    if (entry_ != directory_.size()) return Damaged("directory", "lists more tensors than the configuration needs");
    if (data_end_ != data_.size()) return Damaged("data", "section is longer than its tensors");
    return Status();
  }
  const Status& status() const { return status_; }

 private:
  bool Next(const char* name, int64_t& stored) {
    if (!status_.ok()) return false;
    if (fields_.size() - field_ < sizeof stored) {
      status_ = Damaged(PathOf(name), "missing: the fields section ends before it");
      return false;
    }
    std::memcpy(&stored, fields_.data() + field_, sizeof stored);
    field_ += sizeof stored;
    return true;
  }

  // The next directory entry must be exactly this tensor at the next free place.
  const uint8_t* Bind(const char* name, isam::ElementType type, uint64_t width, std::initializer_list<uint32_t> dims,
                      uint64_t& elements) {
    if (!status_.ok()) return nullptr;
    const std::string path = PathOf(name);
    if (directory_.size() - entry_ < sizeof(DirectoryEntry)) {
      status_ = Damaged(path, "tensor missing: the directory ends before it");
      return nullptr;
    }
    DirectoryEntry expected = {};
    expected.offset = AlignUp(data_end_);
    expected.type = static_cast<uint8_t>(type);
    expected.rank = static_cast<uint8_t>(dims.size());
    expected.name_length = static_cast<uint16_t>(path.size());
    elements = 1;
    size_t axis = 0;
    for (const uint32_t dim : dims) expected.dims[axis++] = dim, elements *= dim;
    expected.bytes = elements * width;
    path.copy(expected.name, limits::kNameBytes);

    DirectoryEntry entry;
    std::memcpy(&entry, directory_.data() + entry_, sizeof entry);
    entry_ += sizeof entry;
    if (std::memcmp(entry.name, expected.name, sizeof entry.name) != 0 || entry.name_length != expected.name_length) {
      status_ = Damaged(path, "tensor missing: another name stands in its place in the directory");
    } else if (entry.type != expected.type) {
      status_ = Error(Code::kDamaged, "%s: element type %u, expected %u", path.c_str(), entry.type, expected.type);
    } else if (entry.rank != expected.rank || std::memcmp(entry.dims, expected.dims, sizeof entry.dims) != 0) {
      status_ = Error(Code::kDamaged, "%s: shape [%u %u %u %u], expected [%u %u %u %u]", path.c_str(), entry.dims[0],
                      entry.dims[1], entry.dims[2], entry.dims[3], expected.dims[0], expected.dims[1], expected.dims[2],
                      expected.dims[3]);
    } else if (entry.offset != expected.offset || entry.bytes != expected.bytes || entry.reserved != 0) {
      status_ = Error(Code::kDamaged, "%s: range %" PRIu64 "+%" PRIu64 ", expected %" PRIu64 "+%" PRIu64, path.c_str(),
                      entry.offset, entry.bytes, expected.offset, expected.bytes);
    } else if (expected.offset > data_.size() || expected.bytes > data_.size() - expected.offset) {
      status_ = Damaged(path, "ends past the end of the data section");
    } else {
      status_ = CheckZeros(data_, data_end_, expected.offset, path.c_str());
    }
    if (!status_.ok()) return nullptr;
    data_end_ = expected.offset + expected.bytes;
    return data_.data() + expected.offset;
  }

  std::span<const uint8_t> fields_, directory_, data_;
  size_t field_ = 0, entry_ = 0;
  uint64_t data_end_ = 0;
  Status status_;
};

}  // namespace

Result<OpenedModel> ReadModel(std::span<const uint8_t> bytes) {
  Header header;
  INTSAM_TRY(CheckHeader(bytes, header));
  for (const int small : {isam::kFields, isam::kProvenance, isam::kDirectory})
    INTSAM_TRY(CheckSection(bytes, header, small));
  const auto section = [&](int i) { return bytes.subspan(header.sections[i].offset, header.sections[i].size); };
  if (section(isam::kDirectory).size() != header.tensors * sizeof(DirectoryEntry)) {
    return Damaged("directory", "size does not match the number of tensors");
  }

  Reader reader(section(isam::kFields), section(isam::kDirectory), section(isam::kData));
  SamConfig config;
  reader.Group("config", config);
  INTSAM_TRY(reader.status());
  INTSAM_TRY(ValidateConfig(config));
  OpenedModel opened{IntegerModel(config), {}};
  opened.model.Visit(reader);
  INTSAM_TRY(reader.Finish());
  INTSAM_TRY(ProveModel(opened.model));
  const auto provenance = section(isam::kProvenance);
  opened.provenance = {reinterpret_cast<const char*>(provenance.data()), provenance.size()};
  return opened;
}

Sha256Digest IdentityOf(std::span<const uint8_t> bytes, const IntegerModel& model) {
  if (!model.image_encoder.layers.empty()) return Sha256Of(bytes.data(), sizeof(Header));
  Sha256Digest identity;
  std::copy(model.image_encoder.identity.begin(), model.image_encoder.identity.end(), identity.begin());
  return identity;
}

Status VerifyChecksum(std::span<const uint8_t> bytes) {
  Header header;
  INTSAM_TRY(CheckHeader(bytes, header));
  return CheckSection(bytes, header, isam::kData);
}

}  // namespace intsam::internal
