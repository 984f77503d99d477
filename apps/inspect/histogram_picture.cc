#include "apps/inspect/histogram_picture.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace intsam::internal {
namespace {

constexpr uint64_t kRows = 16;

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

std::string HistogramPicture(const nlohmann::ordered_json& histogram) {
  const auto counts = histogram["counts"].get<std::vector<uint64_t>>();
  const uint64_t most = std::max<uint64_t>(*std::max_element(counts.begin(), counts.end()), 1);
  std::string text;
  for (uint64_t row = kRows; row > 0; --row) {
    std::string line = "  |";
    for (const uint64_t count : counts) line += (count * kRows + most - 1) / most >= row ? '#' : ' ';
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  text += "  +" + std::string(counts.size(), '-') + "\n";
  const std::string lo = Number(histogram["lo"].get<double>()), hi = Number(histogram["hi"].get<double>());
  const size_t used = lo.size() + hi.size();
  text += "   " + lo + std::string(counts.size() > used ? counts.size() - used : 1, ' ') + hi + "\n";
  return text;
}

}  // namespace intsam::internal
