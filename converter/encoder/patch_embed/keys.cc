#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/patch_embed/patch_embed.h"

namespace intsam::internal {

void AddKeys(const PatchEmbed& embed, const std::string& path, SpecList& list) {
  list.Tensor("image_encoder.pos_embed", {1, embed.grid, embed.grid, embed.out});
  list.WeightAndBias(path + ".proj", {embed.out, 3, embed.patch, embed.patch}, embed.out);
}

}  // namespace intsam::internal
