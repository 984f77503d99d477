// Text from files and command lines, made fit for a terminal.
#ifndef INTSAM_APPS_COMMON_ESCAPE_H_
#define INTSAM_APPS_COMMON_ESCAPE_H_

#include <string>
#include <string_view>

namespace intsam::internal {

// `text` on one line and without power over a terminal: control characters become \n, \t, \r or \xNN, the controls of
// Unicode (C1, line separators, changes of the direction of writing) \uNNNN, and bytes that are not UTF-8 \xNN. Other
// text, backslashes included, stays as it is, so that escaping twice changes nothing.
std::string EscapeControls(std::string_view text);

// The bytes of the UTF-8 character at text[at], and its code point; 1 byte and -1 where there is none.
struct Utf8Character {
  size_t bytes;
  int code_point;
};
Utf8Character CharacterAt(std::string_view text, size_t at);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_ESCAPE_H_
