// Command-line prompts, without floating point.
#include "apps/common/prompt_text.h"

#include <algorithm>

namespace intsam::internal {
namespace {

// Fraction digits beyond these cannot change the result: the ties of the rounding are multiples of 1/128, which has
// seven decimals, so what is cut off only says whether a number is exactly on a tie.
constexpr int kFractionDigits = 9;
constexpr int64_t kFractionScale = 1'000'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Spaces around a part are no part of it: "1, 2" is what other programs print.
std::vector<std::string_view> SplitCommas(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const size_t first = std::min(text.find_first_not_of(' ', at), comma);
    size_t end = comma;
    while (end > first && text[end - 1] == ' ') --end;
    parts.push_back(text.substr(first, end - first));
    at = comma + 1;
  }
  return parts;
}

std::string Quoted(std::string_view text) { return std::string("'").append(text).append("'"); }

std::string SizeText(ImageSize size) { return std::to_string(size.width) + " x " + std::to_string(size.height); }

// Reads the first `count` parts as coordinates.
Status ParseCoordinates(const std::string& option, std::string_view text, const std::vector<std::string_view>& parts,
                        size_t count, int32_t* out) {
  for (size_t i = 0; i < count; ++i) {
    const Result<int32_t> value = ParseCoordinate(parts[i]);
    if (!value.ok()) return value.status().WithPrefix(option + ": " + Quoted(text));
    out[i] = value.value();
  }
  return Status();
}

}  // namespace

Result<int32_t> ParseCoordinate(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  int64_t pixels = 0, fraction = 0;
  int digits = 0, fraction_digits = 0;
  bool beyond = false;  // a digit other than zero was cut off
  for (; !rest.empty() && IsDigit(rest.front()); rest.remove_prefix(1), ++digits) {
    pixels = std::min(10 * pixels + (rest.front() - '0'), kCoordinateLimit);
  }
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    for (; !rest.empty() && IsDigit(rest.front()); rest.remove_prefix(1), ++digits) {
      if (fraction_digits < kFractionDigits) {
        fraction = 10 * fraction + (rest.front() - '0');
        ++fraction_digits;
      } else {
        beyond |= rest.front() != '0';
      }
    }
  }
  if (digits == 0 || !rest.empty()) return Status(Code::kUsage, Quoted(text) + " is not a decimal number");
  if (pixels >= kCoordinateLimit)
    return Status(Code::kUsage, Quoted(text) + " is not below " + std::to_string(kCoordinateLimit) + " pixels");
  for (; fraction_digits < kFractionDigits; ++fraction_digits) fraction *= 10;
  // In units of half the smallest kept decimal, so that a cut-off rest can be "a little more".
  int64_t value = 2 * (pixels * kFractionScale + fraction) + (beyond ? 1 : 0);
  if (negative) value = -value;
  const int64_t doubled = 2 * value * kPixel + 2 * kFractionScale, divisor = 4 * kFractionScale;
  return static_cast<int32_t>(doubled / divisor - (doubled % divisor < 0 ? 1 : 0));
}

Result<intsam_point> ParsePoint(const std::string& option, std::string_view text) {
  const std::vector<std::string_view> parts = SplitCommas(text);
  if (parts.size() != 2 && parts.size() != 3) {
    return Status(Code::kUsage, option + ": " + Quoted(text) + " is not X,Y or X,Y,LABEL");
  }
  int32_t xy[2];
  INTSAM_TRY(ParseCoordinates(option, text, parts, 2, xy));
  intsam_point point{xy[0], xy[1], 1};
  if (parts.size() == 3) {
    if (parts[2] != "0" && parts[2] != "1") {
      return Status(Code::kUsage, option + ": " + Quoted(text) +
                                      ": the label is 1 (on the object) or 0 (off it), not " + Quoted(parts[2]));
    }
    point.label = parts[2] == "1";
  }
  return point;
}

Result<intsam_box> ParseBox(const std::string& option, std::string_view text) {
  const std::vector<std::string_view> parts = SplitCommas(text);
  if (parts.size() != 4) return Status(Code::kUsage, option + ": " + Quoted(text) + " is not X0,Y0,X1,Y1");
  int32_t c[4];
  INTSAM_TRY(ParseCoordinates(option, text, parts, 4, c));
  return intsam_box{c[0], c[1], c[2], c[3]};
}

Status CheckPoint(const intsam_point& point, ImageSize image) {
  const int64_t width = int64_t{image.width} * kPixel, height = int64_t{image.height} * kPixel;
  if (point.x >= 0 && point.y >= 0 && point.x < width && point.y < height) return Status();
  return Status(Code::kUsage, "point " + CoordinateText(point.x) + "," + CoordinateText(point.y) +
                                  " is outside the image of " + SizeText(image) + " pixels");
}

Result<intsam_box> ClipBox(const intsam_box& box, ImageSize image) {
  const auto width = static_cast<int32_t>(image.width * kPixel), height = static_cast<int32_t>(image.height * kPixel);
  const std::string name = "box " + CoordinateText(box.x0) + "," + CoordinateText(box.y0) + "," +
                           CoordinateText(box.x1) + "," + CoordinateText(box.y1);
  if (box.x0 >= box.x1 || box.y0 >= box.y1) {
    return Status(Code::kUsage, name + " is empty: it needs X0 < X1 and Y0 < Y1");
  }
  const intsam_box clipped{std::max(box.x0, 0), std::max(box.y0, 0), std::min(box.x1, width), std::min(box.y1, height)};
  if (clipped.x0 < clipped.x1 && clipped.y0 < clipped.y1) return clipped;
  return Status(Code::kUsage, name + " is outside the image of " + SizeText(image) + " pixels");
}

std::string CoordinateText(int32_t coordinate) {
  const int64_t magnitude = coordinate < 0 ? -int64_t{coordinate} : coordinate;
  std::string text(coordinate < 0 ? "-" : "");
  text += std::to_string(magnitude / kPixel);
  std::string fraction = std::to_string(1'000'000 + magnitude % kPixel * 15'625).substr(1);  // 1/64 = 0.015625
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fraction.empty() ? text : text + "." + fraction;
}

}  // namespace intsam::internal
