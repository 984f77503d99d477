#include "converter/pack/isam_writer.h"

#include <cinttypes>
#include <cstring>
#include <initializer_list>
#include <span>
#include <vector>

#include "files/atomic_file.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/sha256.h"
#include "runtime/format/isam.h"
#include "runtime/format/reader.h"

namespace intsam::internal {
namespace {

using isam::AlignUp;
using isam::DirectoryEntry;

// Collects the fields, the directory and where each tensor's bytes are.
class Collector : public isam::PathVisitor<Collector> {
 public:
  template <class T>
  void Field(const char* name, T& value, int64_t lo, int64_t hi) {
    const int64_t stored = static_cast<int64_t>(value);
    if (stored < lo || stored > hi) {
      Fail(OutOfRange(name, stored, lo, hi));
    }
    fields.push_back(stored);
  }
  void Field(const char*, uint64_t& value) { fields.push_back(static_cast<int64_t>(value)); }

  template <class T>
  void Tensor(const char* name, View<T>& view, std::initializer_list<uint32_t> dims) {
    const std::string path = PathOf(name);
    DirectoryEntry entry = {};
    uint64_t elements = 1;
    size_t axis = 0;
    for (const uint32_t dim : dims) entry.dims[axis++] = dim, elements *= dim;
    if (elements != view.size()) {
      Fail(Error(Code::kInternal, "%s: %zu elements, expected %" PRIu64, path.c_str(), view.size(), elements));
    }
    if (path.size() > limits::kNameBytes) Fail(Error(Code::kInternal, "%s: name is too long", path.c_str()));
    entry.offset = AlignUp(data_size);
    entry.bytes = view.size_bytes();
    entry.type = static_cast<uint8_t>(isam::TypeOf<T>());
    entry.rank = static_cast<uint8_t>(dims.size());
    entry.name_length = static_cast<uint16_t>(path.size());
    path.copy(entry.name, limits::kNameBytes);
    data_size = entry.offset + entry.bytes;
    directory.push_back(entry);
    payloads.push_back(view.data());
  }
  template <class T>
  void Tensor(const char* name, View<T>& view, std::initializer_list<uint32_t> dims, int64_t lo, int64_t hi) {
    Tensor(name, view, dims);
    for (const T x : view) {
      if (x < lo || x > hi) return Fail(OutOfRange(name, x, lo, hi));
    }
  }

  std::vector<int64_t> fields;
  std::vector<DirectoryEntry> directory;
  std::vector<const void*> payloads;
  uint64_t data_size = 0;
  Status status;

 private:
  Status OutOfRange(const char* name, int64_t value, int64_t lo, int64_t hi) const {
    return Error(Code::kUnsupported, "cannot be quantized: %s: %" PRId64 " is outside %" PRId64 "..%" PRId64,
                 PathOf(name).c_str(), value, lo, hi);
  }
  void Fail(Status problem) {
    if (status.ok()) status = std::move(problem);
  }
};

constexpr uint8_t kZeros[limits::kAlignment] = {};

Status EachPayload(const Collector& c, const ByteSink& sink) {
  uint64_t at = 0;
  for (size_t i = 0; i < c.directory.size(); ++i) {
    INTSAM_TRY(sink(kZeros, c.directory[i].offset - at));
    INTSAM_TRY(sink(c.payloads[i], c.directory[i].bytes));
    at = c.directory[i].offset + c.directory[i].bytes;
  }
  return Status();
}

void SetSection(isam::Section& section, uint64_t offset, uint64_t size, const Sha256Digest& digest) {
  section.offset = offset, section.size = size;
  std::memcpy(section.sha256, digest.data(), digest.size());
}

// What reading refuses of a model that was just written: the proof found sums that might overflow.
Status CheckProof(std::span<const uint8_t> written) {
  const Status status = ReadModel(written).status();
  return status.ok() ? status : Status(Code::kUnsupported, "cannot be quantized: " + status.message());
}

}  // namespace

Status WriteModel(IntegerModel& model, const std::string& provenance, const ByteSink& sink) {
  Collector c;
  c.Group("config", model.config);
  model.Visit(c);
  INTSAM_TRY(c.status);

  struct Part {
    const void* data;
    uint64_t size;
  };
  const Part parts[isam::kData] = {{c.fields.data(), c.fields.size() * sizeof(int64_t)},
                                   {provenance.data(), provenance.size()},
                                   {c.directory.data(), c.directory.size() * sizeof(DirectoryEntry)}};
  isam::Header header = {};
  std::memcpy(header.magic, isam::kMagic, sizeof header.magic);
  header.version = isam::kVersion;
  header.tensors = static_cast<uint32_t>(c.directory.size());
  uint64_t at = sizeof header;
  for (int i = 0; i < isam::kData; ++i) {
    SetSection(header.sections[i], at, parts[i].size, Sha256Of(parts[i].data, parts[i].size));
    at = AlignUp(at + parts[i].size);
  }
  Sha256 data_hash;
  INTSAM_TRY(EachPayload(c, [&](const void* data, size_t size) { return data_hash.Update(data, size), Status(); }));
  SetSection(header.sections[isam::kData], at, c.data_size, data_hash.Finish());
  header.file_size = at + c.data_size + isam::kTrailer;
  const Sha256Digest digest = Sha256Of(&header, sizeof header);
  std::memcpy(header.sha256, digest.data(), digest.size());

  INTSAM_TRY(sink(&header, sizeof header));
  for (const Part& part : parts) {
    INTSAM_TRY(sink(part.data, part.size));
    INTSAM_TRY(sink(kZeros, AlignUp(part.size) - part.size));
  }
  INTSAM_TRY(EachPayload(c, sink));
  return sink(kZeros, isam::kTrailer);
}

Result<uint64_t> WriteModelFile(IntegerModel& model, const std::string& provenance, const std::string& path) {
  INTSAM_ASSIGN(AtomicFile file, AtomicFile::Create(path));
  INTSAM_TRY(WriteModel(model, provenance, [&](const void* data, size_t size) { return file.Write(data, size); }));
  INTSAM_TRY(file.Sync());
  uint64_t bytes = 0;
  {
    INTSAM_ASSIGN(MappedFile written, MappedFile::Open(file.temporary_path(), limits::kFileBytes));
    INTSAM_TRY(CheckProof(written.bytes()));
    INTSAM_TRY(VerifyChecksum(written.bytes()).WithPrefix(path + ": verifying what was written"));
    bytes = written.bytes().size();
  }
  INTSAM_TRY(file.Commit());
  return bytes;
}

Result<std::vector<uint8_t>> ModelBytes(IntegerModel& model, const std::string& provenance) {
  std::vector<uint8_t> bytes;
  INTSAM_TRY(WriteModel(model, provenance, [&](const void* data, size_t size) {
    const auto* begin = static_cast<const uint8_t*>(data);
    bytes.insert(bytes.end(), begin, begin + size);
    return Status();
  }));
  INTSAM_TRY(CheckProof(bytes));
  return bytes;
}

}  // namespace intsam::internal
