// How many bits each class of sites gets, by name: "w8a8", "w6a6", ..., with exceptions ("w4a8,neck=w8a8"), or one of
// the named mixtures.
#ifndef INTSAM_CONVERTER_QUANTIZE_PROFILE_H_
#define INTSAM_CONVERTER_QUANTIZE_PROFILE_H_

#include <functional>
#include <map>
#include <string>

#include "converter/quantize/sites.h"
#include "runtime/base/status.h"

namespace intsam::internal {

struct BitWidths {
  int weights = 8;      // 2..8
  int activations = 8;  // 2..8: inputs of linear layers, q, k, v and coded probabilities
  bool operator==(const BitWidths&) const = default;
};

struct BitProfile {
  std::string name = "w8a8";  // as asked for
  BitWidths widths[kSiteClasses];
  std::map<std::string, int, std::less<>> weight_bits;  // by layer, where they are not those of its class

  const BitWidths& at(SiteClass group) const { return widths[static_cast<int>(group)]; }
  BitWidths Of(const LayerSite& layer) const;
};

// kUsage names the part that cannot be read.
Result<BitProfile> ParseBitProfile(const std::string& text);

// For help texts: the grammar and the named mixtures.
const char* BitProfileHelp();

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_PROFILE_H_
