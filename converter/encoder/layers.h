// Every kind's passes, for those who visit the list of layers.
#ifndef INTSAM_CONVERTER_ENCODER_LAYERS_H_
#define INTSAM_CONVERTER_ENCODER_LAYERS_H_

#include "converter/encoder/mlp/mlp.h"
#include "converter/encoder/neck/neck.h"
#include "converter/encoder/patch_embed/patch_embed.h"
#include "converter/encoder/window_attention/window_attention.h"
#include "runtime/encoder/layers.h"

#endif  // INTSAM_CONVERTER_ENCODER_LAYERS_H_
