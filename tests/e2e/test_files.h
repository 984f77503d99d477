// Small files for the tests of the tools: a folder that cleans up after itself, and PNGs built chunk by chunk.
#ifndef INTSAM_TESTS_E2E_TEST_FILES_H_
#define INTSAM_TESTS_E2E_TEST_FILES_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

// Under Node.js there is no second process, no signal, no terminal and no name too long for a folder in memory, and
// what is written to stderr cannot be caught.
#ifdef __EMSCRIPTEN__
#define SKIP_WITHOUT_POSIX() GTEST_SKIP() << "needs more of POSIX than Node.js has"
#else
#define SKIP_WITHOUT_POSIX()
#endif

namespace intsam::internal {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "intsam-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  size_t Count() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), {})); }

 private:
  std::string path_;
};

inline std::vector<uint8_t> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteAll(const std::string& path, std::span<const uint8_t> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline void AppendBig32(std::vector<uint8_t>& out, uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(v >> shift));
}

inline void AppendChunk(std::vector<uint8_t>& png, const std::string& type, std::span<const uint8_t> data) {
  AppendBig32(png, static_cast<uint32_t>(data.size()));
  const size_t begin = png.size();
  png.insert(png.end(), type.begin(), type.end());
  png.insert(png.end(), data.begin(), data.end());
  uint32_t crc = ~0u;
  for (size_t i = begin; i < png.size(); ++i) {
    crc ^= png[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? 0xEDB88320u ^ crc >> 1 : crc >> 1;
  }
  AppendBig32(png, ~crc);
}

// A zlib stream of stored blocks: any bytes, no compressor needed.
inline std::vector<uint8_t> Deflated(std::span<const uint8_t> raw) {
  std::vector<uint8_t> out = {0x78, 0x01};
  for (size_t at = 0; at < raw.size();) {
    const size_t n = std::min<size_t>(raw.size() - at, 65535);
    out.push_back(at + n == raw.size());
    for (size_t v : {n, ~n}) out.push_back(v & 255), out.push_back(v >> 8 & 255);
    out.insert(out.end(), raw.begin() + at, raw.begin() + at + n);
    at += n;
  }
  uint32_t a = 1, b = 0;
  for (uint8_t v : raw) a = (a + v) % 65521, b = (b + a) % 65521;
  AppendBig32(out, b << 16 | a);
  return out;
}

// colour: 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA. `rows` holds every row without its filter byte.
inline std::vector<uint8_t> MakePng(uint32_t width, uint32_t height, int bits, int colour,
                                    const std::vector<std::vector<uint8_t>>& rows) {
  std::vector<uint8_t> png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  std::vector<uint8_t> header;
  AppendBig32(header, width);
  AppendBig32(header, height);
  for (int v : {bits, colour, 0, 0, 0}) header.push_back(static_cast<uint8_t>(v));
  AppendChunk(png, "IHDR", header);
  std::vector<uint8_t> raw;
  for (const std::vector<uint8_t>& row : rows) {
    raw.push_back(0);
    raw.insert(raw.end(), row.begin(), row.end());
  }
  AppendChunk(png, "IDAT", Deflated(raw));
  AppendChunk(png, "IEND", {});
  return png;
}

}  // namespace intsam::internal

#endif  // INTSAM_TESTS_E2E_TEST_FILES_H_
