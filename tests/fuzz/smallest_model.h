// The smallest model that there is, for targets that open and run one in every execution: 2 x 2 patches, one block.
#ifndef INTSAM_TESTS_FUZZ_SMALLEST_MODEL_H_
#define INTSAM_TESTS_FUZZ_SMALLEST_MODEL_H_

#include "tests/format/micro_model.h"

namespace intsam::internal::testing {

inline SamConfig SmallestConfig() {
  SamConfig c;
  c.image_size = 32, c.vit.patch_size = 16, c.vit.embed_dim = 16, c.vit.depth = 1, c.vit.num_heads = 1;
  c.vit.mlp_dim = 16, c.vit.window_size = 2, c.vit.global_attn_mask = 0;
  c.prompt_embed_dim = 32, c.decoder_depth = 1, c.decoder_mlp_dim = 16, c.decoder_num_heads = 1;
  c.num_multimask_outputs = 1, c.iou_head_depth = 2, c.iou_head_hidden_dim = 4, c.mask_in_chans = 4;
  return c;
}

// method: whose decoder projects the image (minmax), or its tokens (intsam, the converter's own).
inline ModelBytes SmallestModel(const char* method = "minmax") {
  return FileOf(MakeModel(SmallestConfig(), 1, {.method = method})->model, "{}");
}

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_FUZZ_SMALLEST_MODEL_H_
