// Pruned ViTs (SlimSAM) have widths that the kernels do not take: 168 channels in 12 heads of 14, an MLP of 696. They
// are widened to ones that the kernels take, by weights that leave every result as it was.
#ifndef INTSAM_CONVERTER_CHECKPOINT_PAD_VIT_H_
#define INTSAM_CONVERTER_CHECKPOINT_PAD_VIT_H_

#include "converter/checkpoint/sam_checkpoint.h"
#include "runtime/sam/config.h"

namespace intsam::internal {

// The configuration with the widths of the ViT's heads, stream and MLPs rounded up as far as ValidateConfig demands;
// unchanged where that is nothing, or would not help.
SamConfig PaddedConfig(const SamConfig& config);

// Widens the tensors of a ViT, and model->config, to PaddedConfig of it.
void PadVit(FloatModel* model);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_PAD_VIT_H_
