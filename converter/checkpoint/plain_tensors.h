// Brings the tensors of a state dict into the form that everything behind the checkpoint reader expects.
#ifndef INTSAM_CONVERTER_CHECKPOINT_PLAIN_TENSORS_H_
#define INTSAM_CONVERTER_CHECKPOINT_PLAIN_TENSORS_H_

#include "converter/checkpoint/sam_checkpoint.h"

namespace intsam::internal {

// A ViT: widens it to widths that the kernels take (pad_vit.h).
// TinyViT: replaces the tensors that only it has:
//   M.c.weight and M.bn.* of a convolution M with BatchNorm by M.weight and M.bias, which do the same;
//   qkv, whose rows the file lists head by head (q, k and v of head 0, then of head 1, ...), by all rows of q, then of
//   k, then of v, as in a ViT.
// kDamaged, naming the tensor, for a negative variance or a result that is not
// finite.
Status MakePlain(FloatModel* model);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_PLAIN_TENSORS_H_
