// Zip directories with one thing wrong each.
#include <functional>
#include <vector>

#include "converter/checkpoint/zip_directory.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/checkpoint/test_support.h"

namespace intsam::internal::testing {
namespace {

std::vector<ZipEntry> TwoMembers() { return {{.name = "m/a", .data = "0123456789"}, {.name = "m/b", .data = "xyz"}}; }

TEST(ZipDirectory, ReadsNarrowAndZip64Archives) {
  for (const bool zip64 : {false, true}) {
    ZipOptions options;
    options.zip64 = zip64;
    const std::string file = WriteZip(TwoMembers(), options);
    const auto members = ReadZipDirectory(AsBytes(file));
    ASSERT_TRUE(members.ok()) << members.status().message();
    ASSERT_EQ(members.value().size(), 2u);
    EXPECT_EQ(members.value()[0].name, "m/a");
    EXPECT_EQ(file.substr(members.value()[0].offset, members.value()[0].size), "0123456789");
    EXPECT_EQ(members.value()[0].offset % 64, 0u);
    EXPECT_EQ(members.value()[1].name, "m/b");
    EXPECT_EQ(file.substr(members.value()[1].offset, members.value()[1].size), "xyz");
  }
}

TEST(ZipDirectory, ReadsSizesFromTheZip64Field) {
  std::vector<ZipEntry> entries = TwoMembers();
  entries[0].size = entries[0].stored = 0xffffffff;
  entries[0].central_extra = "\x99\x99" + LittleEndian(1, 2) + "?" + LittleEndian(1, 2) + LittleEndian(16, 2) +
                             LittleEndian(10, 8) + LittleEndian(10, 8);
  const auto members = ReadZipDirectory(AsBytes(WriteZip(entries)));
  ASSERT_TRUE(members.ok()) << members.status().message();
  EXPECT_EQ(members.value()[0].size, 10u);
}

struct BadZip {
  const char* label;
  Code code;
  const char* word;
  std::function<void(std::vector<ZipEntry>&, ZipOptions&)> spoil;
};

const BadZip kBadZips[] = {
    {"no end record", Code::kDamaged, "no end record", [](auto&, auto& o) { o.tail = "x"; }},
    {"two end records", Code::kDamaged, "two end records",
     [](auto& e, auto& o) { o.tail = WriteZip(e).substr(WriteZip(e).size() - 22); }},
    {"second end record hidden in a comment", Code::kDamaged, "two end records",
     [](auto& e, auto& o) { o.comment = 22, o.tail = WriteZip(e).substr(WriteZip(e).size() - 22); }},
    {"comment announced", Code::kDamaged, "comment", [](auto&, auto& o) { o.comment = 5; }},
    {"disk number", Code::kUnsupported, "several disks", [](auto&, auto& o) { o.disk = 1; }},
    {"zip64 disk number", Code::kUnsupported, "several disks", [](auto&, auto& o) { o.disk64 = 1; }},
    {"zip64 number of disks", Code::kUnsupported, "several disks", [](auto&, auto& o) { o.locator_disks = 2; }},
    {"two entry counts", Code::kDamaged, "two entry counts", [](auto&, auto& o) { o.other_entries = 1; }},
    {"two zip64 entry counts", Code::kDamaged, "two entry counts", [](auto&, auto& o) { o.other_entries64 = 1; }},
    {"end records disagree", Code::kDamaged, "disagree", [](auto&, auto& o) { o.entries64 = 3; }},
    {"locator points elsewhere", Code::kDamaged, "locator", [](auto&, auto& o) { o.record64_offset = 0; }},
    {"locator points past the end", Code::kDamaged, "locator", [](auto&, auto& o) { o.record64_offset = UINT64_MAX; }},
    {"no zip64 record", Code::kDamaged, "is not one", [](auto&, auto& o) { o.record64_signature = 0; }},
    {"too many entries", Code::kResource, "entries", [](auto&, auto& o) { o.entries = 4097; }},
    {"directory too large", Code::kResource, "central directory",
     [](auto&, auto& o) { o.directory_size = (4 << 20) + 1; }},
    {"directory past the end", Code::kDamaged, "central directory",
     [](auto&, auto& o) { o.directory_offset = 1 << 30; }},
    {"directory offset wraps", Code::kDamaged, "central directory",
     [](auto&, auto& o) { o.directory_offset = 0xfffffff0u, o.directory_size = 0x20; }},
    {"gap after the directory", Code::kDamaged, "does not end", [](auto&, auto& o) { o.after_directory = "gap"; }},
    {"count above the entries", Code::kDamaged, "shorter than its count", [](auto&, auto& o) { o.entries = 3; }},
    {"count below the entries", Code::kDamaged, "longer than its count", [](auto&, auto& o) { o.entries = 1; }},
    {"encrypted", Code::kUnsupported, "encrypted", [](auto& e, auto&) { e[1].flags |= 1; }},
    {"unknown flag", Code::kUnsupported, "flags", [](auto& e, auto&) { e[1].flags |= 0x40; }},
    {"compressed", Code::kUnsupported, "compressed", [](auto& e, auto&) { e[0].method = 8; }},
    {"on another disk", Code::kUnsupported, "disk", [](auto& e, auto&) { e[0].disk = 1; }},
    {"stored and full size differ", Code::kDamaged, "stored in", [](auto& e, auto&) { e[0].stored = 9; }},
    {"zip64 field missing", Code::kDamaged, "zip64 field",
     [](auto& e, auto&) { e[0].size = e[0].stored = 0xffffffff; }},
    {"zip64 size too large", Code::kDamaged, "past the end",
     [](auto& e, auto&) {
       e[0].size = e[0].stored = 0xffffffff;
       e[0].central_extra =
           LittleEndian(1, 2) + LittleEndian(16, 2) + LittleEndian(UINT64_MAX, 8) + LittleEndian(UINT64_MAX, 8);
     }},
    {"zip64 header offset too large", Code::kDamaged, "past the end",
     [](auto& e, auto&) {
       e[0].header = 0xffffffff;
       e[0].central_extra = LittleEndian(1, 2) + LittleEndian(8, 2) + LittleEndian(UINT64_MAX - 20, 8);
     }},
    {"two zip64 fields", Code::kDamaged, "two zip64 fields",
     [](auto& e, auto&) {
       e[0].central_extra = LittleEndian(1, 2) + LittleEndian(0, 2) + LittleEndian(1, 2) + LittleEndian(0, 2);
     }},
    {"extra field cut", Code::kDamaged, "extra field",
     [](auto& e, auto&) { e[0].central_extra = LittleEndian(9, 2) + LittleEndian(9, 2); }},
    {"empty name", Code::kDamaged, "name of 0", [](auto& e, auto&) { e[0].name = ""; }},
    {"long name", Code::kDamaged, "name of 513", [](auto& e, auto&) { e[0].name = std::string(513, 'n'); }},
    {"names differ", Code::kDamaged, "another name", [](auto& e, auto&) { e[0].local_name = "m/c"; }},
    {"local flags differ", Code::kDamaged, "local header", [](auto& e, auto&) { e[0].local_flags = 0; }},
    {"local size differs", Code::kDamaged, "local header", [](auto& e, auto&) { e[0].local_size = 11; }},
    {"no local header", Code::kDamaged, "no local header", [](auto& e, auto&) { e[0].local_signature = 0; }},
    {"header offset past the end", Code::kDamaged, "past the end", [](auto& e, auto&) { e[0].header = 100000; }},
    {"data past the end", Code::kDamaged, "past the end", [](auto& e, auto&) { e[1].size = 4000; }},
    {"duplicate name", Code::kDamaged, "duplicate", [](auto& e, auto&) { e[1].name = "m/a"; }},
    {"overlap", Code::kDamaged, "overlap", [](auto& e, auto&) { e[0].size = 11; }},
    {"control byte in a name", Code::kDamaged, "\\x0a",
     [](auto& e, auto&) { e[0].name = "m/\n", e[0].local_name = "m/a"; }},
};

TEST(ZipDirectory, RefusesEachBadDirectory) {
  for (const BadZip& bad : kBadZips) {
    SCOPED_TRACE(bad.label);
    std::vector<ZipEntry> entries = TwoMembers();
    ZipOptions options;
    bad.spoil(entries, options);
    ExpectRefused(ReadZipDirectory(AsBytes(WriteZip(entries, options))).status(), bad.code, bad.word);
  }
}

TEST(ZipDirectory, RefusesShortFiles) {
  for (const char* text : {"", "P", "PK\5\6"})
    ExpectRefused(ReadZipDirectory(AsBytes(text)).status(), Code::kDamaged, "end record");
}

}  // namespace
}  // namespace intsam::internal::testing
