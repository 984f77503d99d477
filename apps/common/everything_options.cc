#include "apps/common/everything_options.h"

#include <algorithm>
#include <cstddef>

#include "apps/common/options.h"

namespace intsam::internal {
namespace {

using Options = intsam_everything_options;

struct WholeNumber {
  const char *option, *help;
  int32_t Options::*field;
};

constexpr WholeNumber kWholeNumbers[] = {
    {"points-per-side", "points of the grid along either side of the photo", &Options::points_per_side},
    {"points-per-batch", "points that are answered at a time; changes memory, not results", &Options::points_per_batch},
    {"crop-n-layers", "layers of crops that are searched as well; layer i has 2^i x 2^i", &Options::crop_n_layers},
    {"crop-n-points-downscale-factor", "the grid of layer i has fewer points by this factor to the power of i",
     &Options::crop_n_points_downscale_factor},
    {"min-mask-region-area", "fill holes and remove islands of masks with fewer pixels",
     &Options::min_mask_region_area},
};

struct Decimal {
  const char* option;
  const char* value;  // the default, as people write it
  const char* help;
  int32_t Options::*field;
  int bits;
  Rounding rounding;         // as those of the defaults (intsam.h)
  int32_t most = INT32_MAX;  // in these units
};

constexpr Decimal kDecimals[] = {
    {"pred-iou-thresh", "0.88", "masks whose predicted IoU is not above this go", &Options::pred_iou_thresh, 30,
     Rounding::kDown},
    {"stability-score-thresh", "0.95", "masks whose stability score is below this go", &Options::stability_score_thresh,
     30, Rounding::kDown},
    {"stability-score-offset", "1.0", "how far the stability score moves the threshold, in logits",
     &Options::stability_score_offset, 16, Rounding::kDown},
    {"box-nms-thresh", "0.7", "of masks whose boxes' IoU is above this, the best stays", &Options::box_nms_thresh, 30,
     Rounding::kUp},
    {"crop-nms-thresh", "0.7", "the same between crops; the mask of the smaller crop stays", &Options::crop_nms_thresh,
     30, Rounding::kUp},
    {"crop-overlap-ratio", "512/1500", "how far crops overlap, as a share of the photo's shorter side",
     &Options::crop_overlap_ratio, 30, Rounding::kUp, 1 << 30},
};

std::string WithDefault(const std::string& help, const std::string& value) { return help + " (" + value + ")"; }

}  // namespace

void AddEverythingOptions(cxxopts::Options& options) {
  Options defaults;
  intsam_everything_options_init(&defaults);
  auto add = options.add_options();
  for (const WholeNumber& n : kWholeNumbers) {
    add(n.option, WithDefault(n.help, std::to_string(defaults.*n.field)), cxxopts::value<std::string>(), "N");
  }
  for (const Decimal& d : kDecimals) {
    add(d.option, WithDefault(d.help, d.value), cxxopts::value<std::string>(), "X");
  }
}

Result<Options> EverythingOptionsOf(const cxxopts::ParseResult& parsed) {
  Options options;
  intsam_everything_options_init(&options);
  for (const WholeNumber& n : kWholeNumbers) {
    if (parsed.count(n.option) == 0) continue;
    INTSAM_ASSIGN(const int64_t value,
                  ParseInteger(std::string("--") + n.option, TextOption(parsed, n.option), INT32_MIN, INT32_MAX));
    options.*n.field = static_cast<int32_t>(value);
  }
  for (const Decimal& d : kDecimals) {
    if (parsed.count(d.option) == 0) continue;
    const std::string option = std::string("--") + d.option, text = TextOption(parsed, d.option);
    INTSAM_ASSIGN(options.*d.field, ParseDecimal(option, text, d.bits, d.rounding));
    if (options.*d.field > d.most)
      return Error(Code::kUsage, "%s: '%.40s' is more than %d", option.c_str(), text.c_str(), d.most >> d.bits);
  }
  return options;
}

Result<int32_t> ParseDecimal(const std::string& option, const std::string& text, int bits, Rounding rounding) {
  constexpr size_t kDigits = 9;
  const size_t dot = std::min(text.find('.'), text.size());
  const std::string whole = text.substr(0, dot), rest = dot < text.size() ? text.substr(dot + 1) : "";
  const std::string digits = whole + rest;
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos || whole.size() > kDigits ||
      rest.size() > kDigits) {
    return Error(Code::kUsage, "%s: '%.40s' is not a decimal of 0 or more with at most nine digits behind the point",
                 option.c_str(), text.c_str());
  }
  int64_t units = 0, numerator = 0, denominator = 1;
  for (const char digit : whole) units = 10 * units + (digit - '0');
  for (const char digit : rest) numerator = 10 * numerator + (digit - '0'), denominator *= 10;
  const int64_t up = rounding == Rounding::kUp ? denominator - 1 : 0;
  const int64_t value = (units << bits) + ((numerator << bits) + up) / denominator;  // below 10^9 * 2^30 + 2^30 + 1
  if (value > INT32_MAX) {
    return Error(Code::kUsage, "%s: '%.40s' is too large; the limit is %lld", option.c_str(), text.c_str(),
                 static_cast<long long>(INT32_MAX >> bits));
  }
  return static_cast<int32_t>(value);
}

}  // namespace intsam::internal
