// The .isam container: a fixed header, three small sections and the tensor data (docs/format.md).
//
//   offset 0    Header (256 bytes): magic, version, file size, section table with SHA-256 of each section
//   fields      every scalar of SamConfig and IntegerModel in visiting order, each a little-endian s64
//   provenance  UTF-8 JSON: where the weights came from and how they were quantized
//   directory   one DirectoryEntry per tensor, in visiting order
//   data        tensor payloads, each 64-byte aligned, in directory order, without holes; then 64 zero bytes
//
// Sections follow each other at the next multiple of 64, padded with zeros. There is exactly one valid layout for given
// contents, so offsets carry no information that could disagree with it: a reader recomputes and compares.
#ifndef INTSAM_RUNTIME_FORMAT_ISAM_H_
#define INTSAM_RUNTIME_FORMAT_ISAM_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "runtime/format/limits.h"

namespace intsam::internal::isam {

static_assert(std::endian::native == std::endian::little, "the file is mapped as it lies: little-endian hosts only");

inline constexpr uint8_t kMagic[8] = {0x89, 'i', 's', 'a', 'm', '\r', '\n', 0x1a};
inline constexpr uint32_t kVersion = 7;
inline constexpr uint64_t kTrailer = 64;  // zero bytes after the last tensor, so that vector loads stay inside the file

enum SectionIndex { kFields, kProvenance, kDirectory, kData, kSections };
inline constexpr const char* kSectionNames[kSections] = {"fields", "provenance", "directory", "data"};

struct Section {
  uint64_t offset;
  uint64_t size;
  uint8_t sha256[32];
};

struct Header {
  uint8_t magic[8];
  uint32_t version;
  uint32_t flags;  // 0
  uint64_t file_size;
  uint32_t tensors;
  uint32_t reserved;  // 0
  Section sections[kSections];
  uint8_t sha256[32];  // of the header with this field zero
};
static_assert(sizeof(Header) == 256);

enum class ElementType : uint8_t { kS8 = 1, kU8 = 2, kS16 = 3, kS32 = 4, kS64 = 5 };

struct DirectoryEntry {
  uint64_t offset;  // from the start of the data section
  uint64_t bytes;
  uint32_t dims[4];  // unused ones are 0
  uint8_t type;      // ElementType
  uint8_t rank;      // 1..4
  uint16_t name_length;
  uint32_t reserved;  // 0
  char name[120];     // padded with zeros
};
static_assert(sizeof(DirectoryEntry) == 160);

template <class T>
constexpr ElementType TypeOf() {
  if constexpr (sizeof(T) == 1) return static_cast<T>(-1) < T{0} ? ElementType::kS8 : ElementType::kU8;
  if constexpr (sizeof(T) == 2) return ElementType::kS16;
  if constexpr (sizeof(T) == 4) return ElementType::kS32;
  return ElementType::kS64;
}

constexpr uint64_t AlignUp(uint64_t x) {
  return (x + limits::kAlignment - 1) / limits::kAlignment * limits::kAlignment;
}

// What reader, writer and printer share: dotted names of nested records.
template <class Derived>
class PathVisitor {
 public:
  template <class Record>
  void Group(const char* name, Record& record) {
    const size_t length = path_.size();
    path_ += path_.empty() ? "" : ".";
    path_ += name;
    record.Visit(static_cast<Derived&>(*this));
    path_.resize(length);
  }
  template <class Records>
  void List(const char* name, Records& records) {
    for (size_t i = 0; i < records.size(); ++i) {
      const std::string item = std::string(name) + "." + std::to_string(i);
      Group(item.c_str(), records[i]);
    }
  }

 protected:
  std::string PathOf(const char* name) const { return path_.empty() ? name : path_ + "." + name; }

 private:
  std::string path_;
};

}  // namespace intsam::internal::isam

#endif  // INTSAM_RUNTIME_FORMAT_ISAM_H_
