// The .npy format: magic, version, length of the header, and the header: a Python dictionary of three keys.
#include "apps/common/logits_npy.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace intsam::internal {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;
constexpr size_t kMaxHeader = 4096;

uint32_t LittleEndian(std::span<const uint8_t> bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

struct Header {
  std::string type;
  bool fortran = false;
  std::vector<int64_t> shape;
  size_t bytes = 0;  // where the data begin
};

// Reads the dictionary as NumPy writes it, in any order of keys and with any spaces.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : rest_(text) {}

  std::optional<Header> Read() {
    Header header;
    unsigned seen = 0;
    if (!Take("{")) return std::nullopt;
    while (!Take("}")) {
      const std::optional<std::string> key = String();
      if (!key || !Take(":")) return std::nullopt;
      const unsigned bit = *key == "descr" ? 1 : *key == "fortran_order" ? 2 : *key == "shape" ? 4 : 0;
      if (bit == 0 || (seen & bit) != 0) return std::nullopt;
      seen |= bit;
      if (bit == 1) {
        const std::optional<std::string> type = String();
        if (!type) return std::nullopt;
        header.type = *type;
      } else if (bit == 2) {
        header.fortran = Take("True");
        if (!header.fortran && !Take("False")) return std::nullopt;
      } else if (!Shape(header.shape)) {
        return std::nullopt;
      }
      if (!Take(",")) {
        if (!Take("}")) return std::nullopt;
        break;
      }
    }
    Spaces();
    if (seen != 7 || !rest_.empty()) return std::nullopt;
    return header;
  }

 private:
  void Spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n\t"), rest_.size())); }

  bool Take(std::string_view word) {
    Spaces();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::optional<std::string> String() {
    Spaces();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return std::nullopt;
    const size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool Shape(std::vector<int64_t>& shape) {
    if (!Take("(")) return false;
    while (!Take(")")) {
      Spaces();
      int64_t side = 0;
      const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), side);
      if (error != std::errc() || side < 0) return false;
      rest_.remove_prefix(static_cast<size_t>(stop - rest_.data()));
      shape.push_back(side);
      if (!Take(",")) return Take(")");
    }
    return true;
  }

  std::string_view rest_;
};

Result<Header> ReadHeader(std::span<const uint8_t> file) {
  if (file.size() < 12) return Error(Code::kDamaged, "npy: the file ends in its header");
  const int version = file[6];
  if (version < 1 || version > 3) return Error(Code::kUnsupported, "npy: version %d (1 to 3 are read)", version);
  const size_t begin = version == 1 ? 10 : 12;
  const size_t length = LittleEndian(file.subspan(8, begin - 8));
  if (length > kMaxHeader) return Error(Code::kDamaged, "npy: a header of %zu bytes", length);
  if (file.size() - begin < length) return Error(Code::kDamaged, "npy: the file ends in its header");
  std::optional<Header> header = HeaderReader({reinterpret_cast<const char*>(file.data()) + begin, length}).Read();
  if (!header) return Error(Code::kDamaged, "npy: the header is not a dictionary of descr, fortran_order and shape");
  header->bytes = begin + length;
  return *header;
}

}  // namespace

bool IsNpy(std::span<const uint8_t> file) {
  return file.size() >= kMagic.size() &&
         std::string_view(reinterpret_cast<const char*>(file.data()), kMagic.size()) == kMagic;
}

std::vector<uint8_t> EncodeLogits(std::span<const int16_t> codes, const LogitForm& form) {
  const std::string side = std::to_string(form.side);
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, " + side + ", " + side + "), }";
  constexpr size_t kPrefix = 10;  // before the dictionary, whose end lies at a multiple of kAlignment
  const size_t begin = (kPrefix + header.size() + kAlignment) / kAlignment * kAlignment;
  header.resize(begin - kPrefix - 1, ' ');
  header += '\n';
  const char version_and_length[] = {1, 0, static_cast<char>(header.size() & 255),
                                     static_cast<char>(header.size() >> 8)};
  header = std::string(kMagic) + std::string(version_and_length, sizeof version_and_length) + header;
  std::vector<uint8_t> file(begin + 4 * codes.size());
  std::copy(header.begin(), header.end(), file.begin());
  for (size_t i = 0; i < codes.size(); ++i) {
    // The product is exact in a double, so that only the step to float rounds.
    const double value = std::ldexp(static_cast<double>(int64_t{codes[i]} * form.mantissa), -form.shift);
    const auto bits = __builtin_bit_cast(uint32_t, static_cast<float>(value));  // not all libc++ have std::bit_cast
    for (size_t b = 0; b < 4; ++b) file[begin + 4 * i + b] = static_cast<uint8_t>(bits >> 8 * b);
  }
  return file;
}

Result<std::vector<int16_t>> DecodeLogits(std::span<const uint8_t> file, const LogitForm& form) {
  if (!IsNpy(file)) return Error(Code::kDamaged, "npy: wrong magic");
  INTSAM_ASSIGN(const Header header, ReadHeader(file));
  if (header.type != "<f4" || header.fortran) {
    return Error(Code::kUnsupported, "npy: values '%.32s'%s (little-endian float32 by rows, '<f4', is read)",
                 header.type.c_str(), header.fortran ? " by columns" : "");
  }
  std::vector<int64_t> shape = header.shape;
  if (shape.size() == 3 && shape[0] == 1) shape.erase(shape.begin());
  if (shape != std::vector<int64_t>{form.side, form.side}) {
    std::string text;
    for (const int64_t side : header.shape) text += (text.empty() ? "" : " x ") + std::to_string(side);
    return Error(Code::kUsage, "logits of shape %.128s; this model's are 1 x %d x %d", text.c_str(), form.side,
                 form.side);
  }
  const std::span<const uint8_t> data = file.subspan(header.bytes);
  const size_t count = static_cast<size_t>(form.side) * static_cast<size_t>(form.side);
  if (data.size() != 4 * count)
    return Error(Code::kDamaged, "npy: %zu bytes of values, not %zu", data.size(), 4 * count);
  std::vector<int16_t> codes(count);
  for (size_t i = 0; i < count; ++i) {
    const double value = __builtin_bit_cast(float, LittleEndian(data.subspan(4 * i, 4)));
    if (std::isnan(value)) return Error(Code::kDamaged, "npy: value %zu is not a number", i);
    const double code = std::nearbyint(std::ldexp(value, form.shift) / form.mantissa);
    codes[i] = static_cast<int16_t>(std::clamp(code, -32768.0, 32767.0));
  }
  return codes;
}

}  // namespace intsam::internal
