#include "apps/common/photo_options.h"

#include "apps/common/limits.h"
#include "apps/common/options.h"

namespace intsam::internal {
namespace {

constexpr const char* kOverlaySize = "2048";
constexpr int64_t kMaxOverlaySize = 32768;

}  // namespace

std::string PhotoHelp() {
  return PhotoFormats() + "; 3 bytes of memory per pixel, at most " + std::to_string(kDecodedImageBytes >> 20) + " MiB";
}

void AddPhotoOptions(cxxopts::Options& options) {
  options.add_options()("stretch", "spread the values of each photo over the whole range, for dark 16-bit data");
}

void AddFolderOptions(cxxopts::Options& options) {
  AddPhotoOptions(options);
  options.add_options()("strict", "fail at a photo that cannot be read, instead of skipping it with a note");
}

void AddOverlaySizeOption(cxxopts::Options& options) {
  options.add_options()("overlay-size", "longest side of the overlay in pixels at most; 0: as the photo",
                        cxxopts::value<std::string>()->default_value(kOverlaySize), "N");
}

ReadOptions ReadOptionsOf(const cxxopts::ParseResult& parsed) { return {.stretch = parsed.count("stretch") != 0}; }

FolderOptions FolderOptionsOf(const cxxopts::ParseResult& parsed, size_t limit) {
  return {.limit = limit, .strict = parsed.count("strict") != 0, .stretch = parsed.count("stretch") != 0};
}

Result<uint32_t> OverlaySizeOf(const cxxopts::ParseResult& parsed) {
  INTSAM_ASSIGN(const int64_t size,
                ParseInteger("--overlay-size", parsed["overlay-size"].as<std::string>(), 0, kMaxOverlaySize));
  return static_cast<uint32_t>(size);
}

}  // namespace intsam::internal
