#include "apps/common/photo_options.h"

#include "apps/common/limits.h"

namespace intsam::internal {

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

ReadOptions ReadOptionsOf(const cxxopts::ParseResult& parsed) { return {.stretch = parsed.count("stretch") != 0}; }

FolderOptions FolderOptionsOf(const cxxopts::ParseResult& parsed, size_t limit) {
  return {.limit = limit, .strict = parsed.count("strict") != 0, .stretch = parsed.count("stretch") != 0};
}

}  // namespace intsam::internal
