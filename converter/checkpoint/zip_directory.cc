// Reads a zip file from its end: end record, zip64 end record, central directory, local headers. The rules are stricter
// than the format's, so that no two readers can see two different archives in one file: the three end structures follow
// each other without gaps, nothing follows them, and names agree everywhere.
// CRC-32 values are not compared: torch writes placeholders when told to skip them, and does not compare them itself.
#include "converter/checkpoint/zip_directory.h"

#include <algorithm>
#include <cinttypes>
#include <span>
#include <unordered_set>
#include <utility>

#include "converter/checkpoint/limits.h"
#include "runtime/base/checked.h"

namespace intsam::internal {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20;
constexpr uint16_t kZip64Field = 0x0001;
constexpr uint16_t kEncryptedFlag = 0x0001, kKnownFlags = 0x0808;  // sizes in a trailing descriptor, UTF-8 names
constexpr uint32_t kInZip64 = 0xffffffff;

struct Directory {
  uint64_t entries, offset, size;
};

// `narrow` is the 16- or 32-bit field of the end record for a value that the zip64 record states as `wide`.
bool Agrees(uint64_t narrow, uint64_t narrow_max, uint64_t wide) { return narrow == wide || narrow == narrow_max; }

Result<Directory> ReadZip64End(ByteSpan file, uint64_t locator, const Directory& narrow) {
  const uint8_t* p = file.data() + locator;
  const uint64_t record = LoadU64(p + 8);
  if (LoadU32(p + 4) != 0 || LoadU32(p + 16) > 1) return Error(Code::kUnsupported, "zip: archive of several disks");
  if (locator < kEnd64Bytes || record != locator - kEnd64Bytes) {
    return Error(Code::kDamaged, "zip: zip64 locator points to %" PRIu64 ", not to the record before it", record);
  }
  const uint8_t* end = file.data() + record;
  if (LoadU32(end) != kEnd64Signature || LoadU64(end + 4) != kEnd64Bytes - 12) {
    return Error(Code::kDamaged, "zip: zip64 end record at %" PRIu64 " is not one", record);
  }
  if (LoadU32(end + 16) != 0 || LoadU32(end + 20) != 0)
    return Error(Code::kUnsupported, "zip: archive of several disks");
  const Directory wide = {LoadU64(end + 32), LoadU64(end + 48), LoadU64(end + 40)};
  if (LoadU64(end + 24) != wide.entries) return Error(Code::kDamaged, "zip: zip64 end record states two entry counts");
  if (!Agrees(narrow.entries, 0xffff, wide.entries) || !Agrees(narrow.offset, kInZip64, wide.offset) ||
      !Agrees(narrow.size, kInZip64, wide.size)) {
    return Error(Code::kDamaged, "zip: end record and zip64 end record disagree");
  }
  return wide;
}

Result<Directory> FindDirectory(ByteSpan file) {
  const uint64_t size = file.size();
  if (size < kEndBytes || LoadU32(file.data() + size - kEndBytes) != kEndSignature) {
    return Error(Code::kDamaged, "zip: no end record in the last %" PRIu64 " bytes (truncated file?)", kEndBytes);
  }
  const uint64_t end = size - kEndBytes;
  const uint8_t* p = file.data() + end;
  if (end >= kEndBytes && LoadU32(p - kEndBytes) == kEndSignature) return Error(Code::kDamaged, "zip: two end records");
  if (LoadU16(p + 20) != 0) return Error(Code::kDamaged, "zip: end record announces a comment that is not there");
  if (LoadU16(p + 4) != 0 || LoadU16(p + 6) != 0) return Error(Code::kUnsupported, "zip: archive of several disks");
  Directory directory = {LoadU16(p + 10), LoadU32(p + 16), LoadU32(p + 12)};
  if (LoadU16(p + 8) != directory.entries) return Error(Code::kDamaged, "zip: end record states two entry counts");
  uint64_t directory_end = end;
  if (end >= kLocator64Bytes && LoadU32(p - kLocator64Bytes) == kLocator64Signature) {
    INTSAM_ASSIGN(directory, ReadZip64End(file, end - kLocator64Bytes, directory));
    directory_end = end - kLocator64Bytes - kEnd64Bytes;
  }
  if (directory.entries > CheckpointLimits::kZipEntries) {
    return Error(Code::kResource, "zip: %" PRIu64 " entries, above the limit of %" PRIu64, directory.entries,
                 CheckpointLimits::kZipEntries);
  }
  if (directory.size > CheckpointLimits::kZipDirectoryBytes) {
    return Error(Code::kResource, "zip: central directory of %" PRIu64 " bytes, above the limit of %" PRIu64,
                 directory.size, CheckpointLimits::kZipDirectoryBytes);
  }
  if (!RangeFits(directory.offset, directory.size, directory_end) ||
      directory.offset + directory.size != directory_end) {
    return Error(Code::kDamaged,
                 "zip: central directory at %" PRIu64 " of %" PRIu64 " bytes does not end at the end record (%" PRIu64
                 ")",
                 directory.offset, directory.size, directory_end);
  }
  return directory;
}

struct Entry {
  ZipMember member;
  uint64_t header;  // offset of the local header
  uint64_t end;     // of the data
};

// Replaces each of the values (size, stored, header) that the entry leaves to its zip64 extra field.
Status ReadZip64Extra(ByteSpan extra, const std::string& name, std::span<uint64_t* const, 3> values) {
  ByteSpan field;
  bool found = false;
  while (!extra.empty()) {
    if (extra.size() < 4 || LoadU16(extra.data() + 2) > extra.size() - 4) {
      return Error(Code::kDamaged, "zip: member %s: extra field is cut", Quote(name).c_str());
    }
    const ByteSpan payload = extra.subspan(4, LoadU16(extra.data() + 2));
    if (LoadU16(extra.data()) == kZip64Field) {
      if (found) return Error(Code::kDamaged, "zip: member %s: two zip64 fields", Quote(name).c_str());
      field = payload;
      found = true;
    }
    extra = extra.subspan(4 + payload.size());
  }
  for (uint64_t* value : values) {
    if (*value != kInZip64) continue;
    if (field.size() < 8)
      return Error(Code::kDamaged, "zip: member %s: zip64 field is missing or too short", Quote(name).c_str());
    *value = LoadU64(field.data());
    field = field.subspan(8);
  }
  return Status();
}

// Finds the data behind the local header and compares that header with the central entry.
Status ReadLocalHeader(ByteSpan file, uint64_t limit, uint16_t flags, Entry* entry) {
  const std::string quoted = Quote(entry->member.name);
  const char* name = quoted.c_str();
  if (!RangeFits(entry->header, kLocalBytes, limit)) {
    return Error(Code::kDamaged, "zip: member %s: local header at %" PRIu64 " is past the end of the members", name,
                 entry->header);
  }
  const uint8_t* p = file.data() + entry->header;
  if (LoadU32(p) != kLocalSignature)
    return Error(Code::kDamaged, "zip: member %s: no local header at %" PRIu64, name, entry->header);
  if (LoadU16(p + 6) != flags || LoadU16(p + 8) != 0) {
    return Error(Code::kDamaged, "zip: member %s: local header disagrees on flags or compression", name);
  }
  for (const uint32_t size : {LoadU32(p + 18), LoadU32(p + 22)}) {
    // Zero where a descriptor follows the data, all ones where a zip64 field has it.
    if (size != entry->member.size && size != 0 && size != kInZip64) {
      return Error(Code::kDamaged, "zip: member %s: local header states %u bytes, the directory %" PRIu64, name, size,
                   entry->member.size);
    }
  }
  const uint64_t name_bytes = LoadU16(p + 26);
  const uint64_t extra_bytes = LoadU16(p + 28);
  entry->member.offset = entry->header + kLocalBytes + name_bytes + extra_bytes;  // at most limit + 2^17
  if (!RangeFits(entry->member.offset, entry->member.size, limit)) {
    return Error(Code::kDamaged, "zip: member %s: %" PRIu64 " bytes at %" PRIu64 " reach past the end of the members",
                 name, entry->member.size, entry->member.offset);
  }
  if (TextOf(file.subspan(entry->header + kLocalBytes, name_bytes)) != entry->member.name) {
    return Error(Code::kDamaged, "zip: member %s: local header has another name", name);
  }
  entry->end = entry->member.offset + entry->member.size;
  return Status();
}

// Reads the central entry at the front of `rest` and removes it from there.
Result<Entry> ReadEntry(ByteSpan file, uint64_t limit, ByteSpan* rest) {
  if (rest->size() < kCentralBytes || LoadU32(rest->data()) != kCentralSignature) {
    return Error(Code::kDamaged, "zip: central directory is shorter than its count");
  }
  const uint8_t* p = rest->data();
  const uint64_t name_bytes = LoadU16(p + 28), extra_bytes = LoadU16(p + 30), comment_bytes = LoadU16(p + 32);
  const uint64_t bytes = kCentralBytes + name_bytes + extra_bytes + comment_bytes;
  if (bytes > rest->size()) return Error(Code::kDamaged, "zip: central directory entry is cut");
  Entry entry;
  entry.member.name = TextOf(rest->subspan(kCentralBytes, name_bytes));
  const std::string quoted = Quote(entry.member.name);
  const char* name = quoted.c_str();
  if (name_bytes == 0 || name_bytes > CheckpointLimits::kZipNameBytes) {
    return Error(Code::kDamaged, "zip: member %s: name of %" PRIu64 " bytes", name, name_bytes);
  }
  const uint16_t flags = LoadU16(p + 8);
  if (flags & kEncryptedFlag) return Error(Code::kUnsupported, "zip: member %s: encrypted", name);
  if (flags & ~kKnownFlags) return Error(Code::kUnsupported, "zip: member %s: unknown flags 0x%04x", name, flags);
  if (LoadU16(p + 10) != 0) {
    return Error(Code::kUnsupported, "zip: member %s: compressed by method %u, expected stored", name, LoadU16(p + 10));
  }
  if (LoadU16(p + 34) != 0) return Error(Code::kUnsupported, "zip: member %s: on another disk", name);
  uint64_t stored = LoadU32(p + 20);
  entry.member.size = LoadU32(p + 24);
  entry.header = LoadU32(p + 42);
  uint64_t* const values[] = {&entry.member.size, &stored, &entry.header};
  INTSAM_TRY(ReadZip64Extra(rest->subspan(kCentralBytes + name_bytes, extra_bytes), entry.member.name, values));
  if (stored != entry.member.size) {
    return Error(Code::kDamaged, "zip: member %s: stored in %" PRIu64 " bytes but %" PRIu64 " long", name, stored,
                 entry.member.size);
  }
  INTSAM_TRY(ReadLocalHeader(file, limit, flags, &entry));
  *rest = rest->subspan(bytes);
  return entry;
}

}  // namespace

Result<std::vector<ZipMember>> ReadZipDirectory(ByteSpan file) {
  INTSAM_ASSIGN(const Directory directory, FindDirectory(file));
  ByteSpan rest = file.subspan(directory.offset, directory.size);
  std::vector<Entry> entries;
  std::unordered_set<std::string> names;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    INTSAM_ASSIGN(Entry entry, ReadEntry(file, directory.offset, &rest));
    if (!names.insert(entry.member.name).second) {
      return Error(Code::kDamaged, "zip: member %s: duplicate name", Quote(entry.member.name).c_str());
    }
    entries.push_back(std::move(entry));
  }
  if (!rest.empty()) return Error(Code::kDamaged, "zip: central directory is longer than its count");

  std::vector<const Entry*> sorted;
  for (const Entry& entry : entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) { return a->header < b->header; });
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->header < sorted[i - 1]->end) {
      return Error(Code::kDamaged, "zip: members %s and %s overlap", Quote(sorted[i - 1]->member.name).c_str(),
                   Quote(sorted[i]->member.name).c_str());
    }
  }
  std::vector<ZipMember> members;
  for (Entry& entry : entries) members.push_back(std::move(entry.member));
  return members;
}

std::vector<std::string> ZipMemberNames(ByteSpan file) {
  std::vector<std::string> names;
  Result<Directory> directory = FindDirectory(file);
  if (!directory.ok()) return names;
  ByteSpan rest = file.subspan(directory->offset, directory->size);
  while (rest.size() >= kCentralBytes && LoadU32(rest.data()) == kCentralSignature) {
    const uint8_t* p = rest.data();
    const uint64_t name_bytes = LoadU16(p + 28), bytes = kCentralBytes + name_bytes + LoadU16(p + 30) + LoadU16(p + 32);
    if (bytes > rest.size()) break;
    names.emplace_back(TextOf(rest.subspan(kCentralBytes, name_bytes)));
    rest = rest.subspan(bytes);
  }
  return names;
}

}  // namespace intsam::internal
