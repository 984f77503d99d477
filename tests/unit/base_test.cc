// SHA-256 against published vectors, the arena's layout rule, mapped files and their errors, statuses.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "runtime/base/arena.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/sha256.h"
#include "runtime/base/status.h"

namespace intsam::internal {
namespace {

std::string Sha256Text(const std::string& text) { return ToHex(Sha256Of(text.data(), text.size())); }

// Source: FIPS 180-4 examples (NIST, "Secure Hashing" example values), and the empty message.
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(Sha256Text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Text(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesOfAnySizeGiveTheSame) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (size_t length = 0; length <= text.size(); length += length < 140 ? 1 : 37) {
    const Sha256Digest expected = Sha256Of(text.data(), length);
    for (const size_t piece : {1, 3, 63, 64, 65}) {
      Sha256 hash;
      for (size_t at = 0; at < length; at += piece) hash.Update(text.data() + at, std::min(piece, length - at));
      ASSERT_EQ(hash.Finish(), expected) << length << " in pieces of " << piece;
    }
  }
}

TEST(Arena, CountsAndPlacesTheSame) {
  const auto layout = [](Arena& arena) {
    const auto* bytes = arena.Take<uint8_t>(1);
    const auto* words = arena.Take<int64_t>(100);
    const auto* none = arena.Take<int32_t>(0);
    return std::vector<const void*>{bytes, words, none};
  };
  Arena counting(nullptr);
  for (const void* at : layout(counting)) EXPECT_EQ(at, nullptr);
  // 1 + 64 rounds to 128, 800 + 64 to 896, 0 + 64 is 64.
  EXPECT_EQ(counting.used(), 128u + 896u + 64u);

  alignas(64) static uint8_t memory[2048];
  Arena placing(memory);
  const std::vector<const void*> places = layout(placing);
  EXPECT_EQ(placing.used(), counting.used());
  EXPECT_EQ(places[0], memory);
  EXPECT_EQ(places[1], memory + 128);
  EXPECT_EQ(places[2], memory + 128 + 896);
}

class MappedFileTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string Write(const std::string& text) {
    const std::string path = folder_ / "file";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("intsam_unit_" + std::to_string(getpid()));
};

TEST_F(MappedFileTest, MapsWhatIsThere) {
  auto mapped = MappedFile::Open(Write("0123456789"), 10);
  ASSERT_TRUE(mapped.ok()) << mapped.status().message();
  MappedFile moved = std::move(*mapped);
  ASSERT_EQ(moved.bytes().size(), 10u);
  EXPECT_EQ(std::memcmp(moved.bytes().data(), "0123456789", 10), 0);
  EXPECT_TRUE(mapped->bytes().empty());
}

TEST_F(MappedFileTest, EmptyFileIsAnEmptySpan) {
  const auto mapped = MappedFile::Open(Write(""), 10);
  ASSERT_TRUE(mapped.ok());
  EXPECT_TRUE(mapped.value().bytes().empty());
}

TEST_F(MappedFileTest, Errors) {
  const auto expect_refused = [](const std::string& path, uint64_t limit, Code code, const char* word) {
    const Status status = MappedFile::Open(path, limit).status();
    EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(code)) << path;
    EXPECT_NE(status.message().find(word), std::string::npos) << status.message();
  };
  expect_refused(folder_ / "missing", 10, Code::kIo, "No such file");
  expect_refused(folder_, 10, Code::kIo, "not a regular file");
  expect_refused("/dev/null", 10, Code::kIo, "not a regular file");
  expect_refused(Write("0123456789a"), 10, Code::kResource, "11 bytes");
#ifndef __EMSCRIPTEN__  // whose answer is that there is no such file
  expect_refused(std::string(5000, 'x'), 10, Code::kIo, "too long");
#endif
}

TEST(Status, PrefixAndValues) {
  EXPECT_TRUE(Status().ok());
  EXPECT_TRUE(Status().WithPrefix("file").message().empty());
  const Status status = Error(Code::kDamaged, "%s: %d", "field", 7).WithPrefix("file");
  EXPECT_EQ(status.message(), "file: field: 7");
  EXPECT_EQ(static_cast<int>(status.code()), 4);
  const Result<int> good(3), bad(status);
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(good.value(), 3);
  EXPECT_EQ(bad.status().message(), status.message());
}

}  // namespace
}  // namespace intsam::internal
