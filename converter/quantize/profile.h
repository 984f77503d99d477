// How many bits each class of sites gets, by name: "w8a8", "w6a6", ..., with exceptions ("w4a8,neck=w8a8"), or one of
// the named mixtures.
#ifndef INTSAM_CONVERTER_QUANTIZE_PROFILE_H_
#define INTSAM_CONVERTER_QUANTIZE_PROFILE_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

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
  // By module path: of all layers and attentions below it, where they are not those of their class. The longest counts.
  std::map<std::string, BitWidths, std::less<>> below;

  const BitWidths& at(SiteClass group) const { return widths[static_cast<int>(group)]; }
  BitWidths Of(const LayerSite& layer) const;
  BitWidths Of(const AttentionSite& attention) const { return Of(attention.name, attention.group); }

 private:
  BitWidths Of(std::string_view path, SiteClass group) const;
};

// kUsage names the part that cannot be read.
Result<BitProfile> ParseBitProfile(const std::string& text);

// For help texts: the grammar and the named mixtures.
const char* BitProfileHelp();

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_PROFILE_H_
