// Writers of small checkpoint files for tests and fuzz seeds: zip, pickle and safetensors, each with fields that can be
// overridden to make exactly one thing wrong. They share no code with the readers.
#ifndef INTSAM_TESTS_CHECKPOINT_FILE_WRITERS_H_
#define INTSAM_TESTS_CHECKPOINT_FILE_WRITERS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace intsam::internal::testing {

inline std::string LittleEndian(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 0xff);
  return out;
}

inline std::span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// --- zip ---

struct ZipEntry {
  std::string name;
  std::string data;
  std::optional<std::string> local_name;
  uint16_t flags = 0x0808, method = 0, disk = 0;
  std::optional<uint16_t> local_flags;
  std::optional<uint32_t> size, stored, header, local_size, local_signature;
  std::string central_extra;
};

struct ZipOptions {
  bool zip64 = true;
  std::optional<uint64_t> entries, other_entries, directory_offset, directory_size;  // of both end records
  std::optional<uint64_t> entries64, other_entries64, record64_offset, record64_signature;
  uint16_t disk = 0, comment = 0;
  uint32_t disk64 = 0, locator_disks = 1;
  std::string after_directory, tail;
};

// Lays members out as torch.save does: data aligned to 64 bytes by an extra field of the local header.
inline std::string WriteZip(const std::vector<ZipEntry>& entries, const ZipOptions& o = {}) {
  std::string out, directory;
  for (const ZipEntry& e : entries) {
    const uint64_t header = out.size();
    const std::string local_name = e.local_name.value_or(e.name);
    const uint64_t bare = header + 30 + local_name.size() + 4;
    const std::string padding((64 - bare % 64) % 64, 'Z');
    out += LittleEndian(e.local_signature.value_or(0x04034b50), 4) + LittleEndian(0, 2) +
           LittleEndian(e.local_flags.value_or(e.flags), 2) + LittleEndian(e.method, 2) + LittleEndian(0, 8) +
           LittleEndian(e.local_size.value_or(0), 4) + LittleEndian(e.local_size.value_or(0), 4) +
           LittleEndian(local_name.size(), 2) + LittleEndian(padding.size() + 4, 2) + local_name + "FB" +
           LittleEndian(padding.size(), 2) + padding + e.data;
    const uint32_t size = e.size.value_or(static_cast<uint32_t>(e.data.size()));
    directory += LittleEndian(0x02014b50, 4) + LittleEndian(0, 4) + LittleEndian(e.flags, 2) +
                 LittleEndian(e.method, 2) + LittleEndian(0, 8) + LittleEndian(e.stored.value_or(size), 4) +
                 LittleEndian(size, 4) + LittleEndian(e.name.size(), 2) + LittleEndian(e.central_extra.size(), 2) +
                 LittleEndian(0, 2) + LittleEndian(e.disk, 2) + LittleEndian(0, 6) +
                 LittleEndian(e.header.value_or(static_cast<uint32_t>(header)), 4) + e.name + e.central_extra;
  }
  const uint64_t offset = o.directory_offset.value_or(out.size());
  const uint64_t size = o.directory_size.value_or(directory.size());
  const uint64_t count = o.entries.value_or(entries.size());
  out += directory + o.after_directory;
  if (o.zip64) {
    const uint64_t record = out.size();
    const uint64_t count64 = o.entries64.value_or(count);
    out += LittleEndian(o.record64_signature.value_or(0x06064b50), 4) + LittleEndian(44, 8) + LittleEndian(0, 4) +
           LittleEndian(o.disk64, 4) + LittleEndian(0, 4) + LittleEndian(o.other_entries64.value_or(count64), 8) +
           LittleEndian(count64, 8) + LittleEndian(size, 8) + LittleEndian(offset, 8);
    out += LittleEndian(0x07064b50, 4) + LittleEndian(0, 4) + LittleEndian(o.record64_offset.value_or(record), 8) +
           LittleEndian(o.locator_disks, 4);
  }
  return out + LittleEndian(0x06054b50, 4) + LittleEndian(o.disk, 2) + LittleEndian(0, 2) +
         LittleEndian(o.other_entries.value_or(count), 2) + LittleEndian(count, 2) + LittleEndian(size, 4) +
         LittleEndian(offset, 4) + LittleEndian(o.comment, 2) + o.tail;
}

// --- pickle ---

// Writes opcodes as Python's pickler of the given protocol does: from 4 on short strings, names from the stack and a
// frame around everything.
class PickleWriter {
 public:
  explicit PickleWriter(int protocol = 2) : protocol_(protocol) {}

  PickleWriter& Raw(const std::string& bytes) { return out_ += bytes, *this; }
  PickleWriter& Text(const std::string& text) {
    if (protocol_ >= 4 && text.size() < 256) return Raw("\x8c" + LittleEndian(text.size(), 1) + text + "\x94");
    return Raw("X" + LittleEndian(text.size(), 4) + text);
  }
  PickleWriter& Int(int64_t value) { return Raw("\x8a\x08" + LittleEndian(static_cast<uint64_t>(value), 8)); }
  PickleWriter& Global(const std::string& module, const std::string& name) {
    if (protocol_ >= 4) return Text(module).Text(name).Raw("\x93\x94");
    return Raw("c" + module + "\n" + name + "\n");
  }
  PickleWriter& Ints(const std::vector<int64_t>& values) {
    Raw("(");
    for (const int64_t value : values) Int(value);
    return Raw("t");
  }
  PickleWriter& OrderedDict() { return Global("collections", "OrderedDict").Raw(")R"); }
  PickleWriter& Storage(const std::string& type, const std::string& key, int64_t count) {
    return Raw("(").Text("storage").Global("torch", type).Text(key).Text("cpu").Int(count).Raw("tQ");
  }

  struct TensorFields {
    std::string storage = "FloatStorage", key = "0";
    int64_t count = 6, offset = 0;
    std::vector<int64_t> sizes = {2, 3}, strides = {3, 1};
  };
  PickleWriter& Tensor(const TensorFields& t) {
    Global("torch._utils", "_rebuild_tensor_v2")
        .Raw("(")
        .Storage(t.storage, t.key, t.count)
        .Int(t.offset)
        .Ints(t.sizes)
        .Ints(t.strides);
    return Raw("\x89").OrderedDict().Raw("tR");
  }

  const std::string& body() const { return out_; }
  std::string Finish() const {
    const std::string start = "\x80" + LittleEndian(static_cast<uint64_t>(protocol_), 1);
    return start + (protocol_ >= 4 ? "\x95" + LittleEndian(out_.size() + 1, 8) : "") + out_ + ".";
  }

 private:
  int protocol_;
  std::string out_;
};

// {"a": F32 [2, 3] of storage 0}
inline std::string TensorPickle(const PickleWriter::TensorFields& fields) {
  return PickleWriter().Raw("}").Text("a").Tensor(fields).Raw("s").Finish();
}

inline std::vector<ZipEntry> TorchEntries(const std::string& pickle,
                                          const std::string& storage = std::string(24, '\x01')) {
  return {{.name = "m/data.pkl", .data = pickle},
          {.name = "m/byteorder", .data = "little"},
          {.name = "m/data/0", .data = storage},
          {.name = "m/version", .data = "3\n"}};
}

inline std::string WriteTorch(const std::string& pickle, const std::string& storage = std::string(24, '\x01')) {
  return WriteZip(TorchEntries(pickle, storage));
}

// --- safetensors ---

inline std::string WriteSafetensors(const std::string& header, const std::string& data) {
  return LittleEndian(header.size(), 8) + header + data;
}

inline const char* const kTinyHeader =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
    R"("b":{"dtype":"F16","shape":[4],"data_offsets":[24,32]}})";

inline std::string TinySafetensors() { return WriteSafetensors(kTinyHeader, std::string(32, '\x01')); }

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_CHECKPOINT_FILE_WRITERS_H_
