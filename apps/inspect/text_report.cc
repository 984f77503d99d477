// Lines and tables from JSON.
#include "apps/inspect/text_report.h"

#include <algorithm>
#include <vector>

#include "apps/common/escape.h"
#include "apps/inspect/histogram_picture.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

std::string Escaped(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', true, Json::error_handler_t::replace);
}

// Strings without quotes, shapes as 3x16x4, lists of words with commas, true and false as yes and no.
std::string Cell(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null() || (value.is_array() && value.empty())) return "-";
  if (value.is_string()) return EscapeControls(value.get_ref<const std::string&>());
  if (!value.is_array()) return Escaped(value);
  std::string text;
  for (const Json& item : value) text += (text.empty() ? "" : item.is_number() ? "x" : ", ") + Cell(item);
  return text;
}

// A table of keys and what fits into a line each.
bool IsFlat(const Json& value) {
  const auto scalar = [](const Json& item) { return !item.is_structured(); };
  const auto fits = [&](const Json& item) {
    return scalar(item) || (item.is_array() && std::all_of(item.begin(), item.end(), scalar));
  };
  return value.is_object() && std::all_of(value.begin(), value.end(), fits);
}

bool IsTable(const Json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& row) { return row.is_object(); });
}

std::string Padded(const std::string& text, size_t width, bool right) {
  const std::string gap(width - std::min(width, text.size()), ' ');
  return right ? gap + text : text + gap;
}

std::string Lines(const Json& object) {
  size_t width = 0;
  for (const auto& [key, value] : object.items()) width = std::max(width, key.size());
  std::string text;
  for (const auto& [key, value] : object.items()) {
    text += "  " + Padded(Cell(Json(key)), width, false) + "  " + Cell(value) + "\n";
  }
  return text;
}

// Columns are those of the first row with most of them; numbers stand to the right.
std::string Table(const Json& rows) {
  if (rows.empty()) return "";
  const auto fewer = [](const Json& a, const Json& b) { return a.size() < b.size(); };
  const Json& widest = *std::max_element(rows.begin(), rows.end(), fewer);
  struct Column {
    std::string key;
    size_t width;
    bool right;
  };
  std::vector<Column> columns;
  for (const auto& [key, value] : widest.items()) columns.push_back({key, key.size(), value.is_number()});
  for (const Json& row : rows) {
    for (Column& c : columns) c.width = std::max(c.width, row.contains(c.key) ? Cell(row[c.key]).size() : 0);
  }
  std::string text;
  const auto line = [&](const auto& cell) {
    std::string out;
    for (const Column& c : columns) out += "  " + Padded(cell(c), c.width, c.right);
    text += out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
  };
  line([](const Column& c) { return c.key; });
  for (const Json& row : rows) {
    line([&](const Column& c) { return row.contains(c.key) ? Cell(row[c.key]) : std::string(); });
  }
  return text;
}

// Each with a line that names it, its site and its number of peaks.
std::string Pictures(const Json& histograms) {
  std::string text;
  for (const auto& [when, histogram] : histograms.items()) {
    text += (text.empty() ? "  " : "\n  ") + when + ": " + Cell(histogram["site"]);
    if (histogram.contains("peaks")) text += ", peaks: " + Cell(histogram["peaks"]);
    text += "\n" + HistogramPicture(histogram);
  }
  return text;
}

}  // namespace

std::string TextReport(const Json& sections) {
  std::string text;
  for (const auto& [name, value] : sections.items()) {
    if (name == "summary") {
      text += Cell(value) + "\n";
      continue;
    }
    text += (text.empty() ? "" : "\n") + name + "\n";
    if (name == "key_histograms") {
      text += Pictures(value);
    } else if (IsTable(value)) {
      text += Table(value);
    } else if (IsFlat(value)) {
      text += Lines(value);
    } else {
      text += (value.is_structured() ? Escaped(value, 2) : "  " + Cell(value)) + "\n";
    }
  }
  return text;
}

}  // namespace intsam::internal
