// Decodes the files named as arguments and prints a line for each: width, height, SHA-256 of the RGB bytes.
// For pillow_test.py.
#include <cstdio>

#include "apps/common/photo/photo_reader.h"
#include "runtime/base/sha256.h"

int main(int argc, char** argv) {
  using namespace intsam::internal;
  for (int i = 1; i < argc; ++i) {
    const Result<Image> image = ReadImage(argv[i]);
    if (!image.ok()) {
      std::printf("error %s\n", image.status().message().c_str());
      continue;
    }
    const Image& picture = image.value();
    std::printf("%u %u %s\n", picture.size.width, picture.size.height,
                ToHex(Sha256Of(picture.rgb.data(), picture.rgb.size())).c_str());
  }
}
