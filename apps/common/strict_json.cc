#include "apps/common/strict_json.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace intsam::internal {
namespace {

using nlohmann::json;

// What a finished tree no longer shows: how deep it went, and keys that were given twice.
class Watcher {
 public:
  explicit Watcher(int depth) : depth_(depth) {}
  bool operator()(int depth, json::parse_event_t event, const json& value) {
    const bool opens = event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    too_deep_ = too_deep_ || (opens && depth >= depth_);
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key && !keys_.back().insert(value.get<std::string>()).second) {
      repeated_ = value.get<std::string>();
    }
    return !too_deep_;  // what lies deeper is not kept
  }
  bool too_deep() const { return too_deep_; }
  const std::optional<std::string>& repeated() const { return repeated_; }

 private:
  int depth_;
  bool too_deep_ = false;
  std::optional<std::string> repeated_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
};

}  // namespace

Result<json> ParseStrictJson(std::string_view text, int depth) {
  // The parser takes a NUL for the end, and what follows would be read by others only.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Error(Code::kDamaged, "not valid JSON at byte %zu: a NUL", nul + 1);
  }
  Watcher watcher(depth);
  json document;
  Status status;
  try {
    document = json::parse(text, std::ref(watcher));
  } catch (const json::parse_error& error) {
    status = Error(Code::kDamaged, "not valid JSON at byte %zu", error.byte);
  } catch (const json::out_of_range&) {
    status = Error(Code::kDamaged, "not valid JSON: a number is out of range");
  }
  if (watcher.too_deep()) return Error(Code::kResource, "JSON nested deeper than %d", depth);
  INTSAM_TRY(status);
  if (watcher.repeated()) return Error(Code::kDamaged, "the key \"%.64s\" is repeated", watcher.repeated()->c_str());
  return document;
}

}  // namespace intsam::internal
