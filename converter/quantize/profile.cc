#include "converter/quantize/profile.h"

#include <string_view>
#include <utility>

namespace intsam::internal {
namespace {

constexpr std::pair<const char*, SiteClass> kClassNames[] = {{"attention", SiteClass::kEncoderAttention},
                                                             {"mlp", SiteClass::kEncoderMlp},
                                                             {"conv", SiteClass::kEncoderConv},
                                                             {"neck", SiteClass::kNeck},
                                                             {"decoder", SiteClass::kDecoder}};

// Mixtures: the encoder's blocks are nearly all of the bytes, the neck and the decoder nearly all of the sensitivity.
constexpr std::pair<const char*, const char*> kMixtures[] = {{"mixed6", "w6a6,neck=w8a8,decoder=w8a8"},
                                                             {"mixed4", "w4a8,neck=w8a8,decoder=w8a8"}};

bool ReadWidths(std::string_view text, BitWidths& widths) {
  if (text.size() != 4 || text[0] != 'w' || text[2] != 'a') return false;
  widths.weights = text[1] - '0', widths.activations = text[3] - '0';
  return widths.weights >= 2 && widths.weights <= 8 && widths.activations >= 2 && widths.activations <= 8;
}

std::string Printable(std::string_view text) {
  std::string shown(text.substr(0, 48));
  for (char& c : shown) c = c < 0x20 || c > 0x7e ? '?' : c;
  return shown;
}

}  // namespace

BitWidths BitProfile::Of(const LayerSite& layer) const {
  return layer.bytes ? BitWidths() : Of(layer.name, layer.group);
}

BitWidths BitProfile::Of(std::string_view path, SiteClass group) const {
  while (true) {
    if (const auto found = below.find(path); found != below.end()) return found->second;
    const size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) return at(group);
    path = path.substr(0, dot);
  }
}

Result<BitProfile> ParseBitProfile(const std::string& text) {
  BitProfile profile;
  profile.name = text;
  std::string_view rest = text;
  for (const auto& [name, meaning] : kMixtures) {
    if (text == name) rest = meaning;
  }
  for (size_t at = 0; at <= rest.size();) {
    const bool first = at == 0;
    const std::string_view part = rest.substr(at, rest.find(',', at) - at);
    at += part.size() + 1;
    const size_t equals = part.find('=');
    BitWidths widths;
    if (!ReadWidths(equals == std::string_view::npos ? part : part.substr(equals + 1), widths)) {
      return Error(Code::kUsage, "--bits: '%s' is no bit width (%s)", Printable(part).c_str(), BitProfileHelp());
    }
    if (first != (equals == std::string_view::npos)) {
      return Error(Code::kUsage, "--bits: '%s': the first part is for all sites, the others CLASS=WIDTH",
                   Printable(part).c_str());
    }
    bool known = first;
    for (const auto& [name, group] : kClassNames) {
      if (!first && part.substr(0, equals) != name) continue;
      profile.widths[static_cast<int>(group)] = widths;
      known = true;
    }
    if (!known) {
      return Error(Code::kUsage, "--bits: '%s' is no class of sites (attention, mlp, conv, neck, decoder)",
                   Printable(part.substr(0, equals)).c_str());
    }
  }
  return profile;
}

const char* BitProfileHelp() {
  return "wXaY with X, Y in 2..8, then optionally ,CLASS=wXaY for attention, mlp, conv, neck, decoder; or mixed6, "
         "mixed4";
}

}  // namespace intsam::internal
