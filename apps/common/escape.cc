#include "apps/common/escape.h"

#include <cstdio>

namespace intsam::internal {
namespace {

struct Range {
  int first, last;
};

// C1 controls (U+009B begins escape sequences), and what reorders or breaks the line: see Unicode's Bidi_Control.
constexpr Range kControls[] = {{0x80, 0x9F},     {0x61C, 0x61C},   {0x200E, 0x200F},
                               {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFFF9, 0xFFFB}};

bool IsUnicodeControl(int code_point) {
  for (const Range& range : kControls) {
    if (code_point >= range.first && code_point <= range.last) return true;
  }
  return false;
}

std::string Escape(const char* format, int value) {
  char text[16];
  std::snprintf(text, sizeof text, format, static_cast<unsigned>(value));
  return text;
}

}  // namespace

Utf8Character CharacterAt(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const int first = byte(at);
  if (first < 0x80) return {1, first};
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  int code_point = first & (0x7F >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {1, -1};
    code_point = code_point << 6 | (byte(at + i) & 0x3F);
  }
  // Continuation bytes, longer forms than needed, surrogates, and what lies beyond Unicode.
  constexpr int kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (first < 0xC2 || first > 0xF4 || code_point < kLeast[bytes] || code_point > 0x10FFFF || surrogate) return {1, -1};
  return {bytes, code_point};
}

std::string EscapeControls(std::string_view text) {
  std::string escaped;
  for (size_t at = 0; at < text.size();) {
    const Utf8Character c = CharacterAt(text, at);
    if (c.code_point == '\n') {
      escaped += "\\n";
    } else if (c.code_point == '\t') {
      escaped += "\\t";
    } else if (c.code_point == '\r') {
      escaped += "\\r";
    } else if (c.code_point < 0x20 || c.code_point == 0x7F) {
      escaped += Escape("\\x%02x", static_cast<unsigned char>(text[at]));
    } else if (IsUnicodeControl(c.code_point)) {
      escaped += Escape("\\u%04x", c.code_point);
    } else {
      escaped += text.substr(at, c.bytes);
    }
    at += c.bytes;
  }
  return escaped;
}

}  // namespace intsam::internal
