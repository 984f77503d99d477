// The options of everything mode on the command line: those of the original package's scripts/amg.py.
#ifndef INTSAM_APPS_COMMON_EVERYTHING_OPTIONS_H_
#define INTSAM_APPS_COMMON_EVERYTHING_OPTIONS_H_

#include <cstdint>
#include <cxxopts.hpp>
#include <string>

#include "intsam/intsam.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// --points-per-side, --pred-iou-thresh, ...: amg.py's names with its defaults.
void AddEverythingOptions(cxxopts::Options& options);

// kUsage naming the option for what is not a number of its form. Ranges are checked by the library, before the photo is
// encoded.
Result<intsam_everything_options> EverythingOptionsOf(const cxxopts::ParseResult& parsed);

enum class Rounding { kDown, kUp };

// A decimal of 0 or more such as 0.88 in units of 2^-bits (bits 1..30); at most nine digits on either side of the
// point. kUsage naming `option` for anything else, and for what does not fit 31 bits.
Result<int32_t> ParseDecimal(const std::string& option, const std::string& text, int bits, Rounding rounding);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_EVERYTHING_OPTIONS_H_
