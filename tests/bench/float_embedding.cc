// What the float reference makes of a photo, for a comparison with the original package (tests/bench/peers):
//   float_embedding CHECKPOINT PHOTO > EMBEDDING
// PHOTO has the model's longest side. EMBEDDING: F32 of this machine, [row][column][channel].
#include <algorithm>
#include <string_view>

#include "apps/common/output.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/tool.h"
#include "converter/fp32/float_sam.h"

namespace intsam::internal {
namespace {

Status Run(int argc, char** argv) {
  if (argc != 3) return Error(Code::kUsage, "two arguments are needed: CHECKPOINT PHOTO");
  INTSAM_ASSIGN(const FloatModel model, LoadFloatModel(argv[1], ""));
  INTSAM_ASSIGN(const Image photo, ReadImage(argv[2]));
  const uint32_t longest = std::max(photo.size.width, photo.size.height);
  if (longest != model.config.image_size) {
    return Error(Code::kUsage, "%s: the longest side has %u pixels, the model takes %u", argv[2], longest,
                 model.config.image_size);
  }
  FloatSam sam(model, 0, WeightLayout::kAsStored);
  const std::vector<float> embedding = sam.EncodeImage(photo.rgb.data(), photo.size.height, photo.size.width);
  Out({reinterpret_cast<const char*>(embedding.data()), embedding.size() * sizeof(float)});
  return FlushOut();
}

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) {
  return intsam::internal::RunTool("float_embedding", argc, argv, intsam::internal::Run);
}
