// Integer prompts to positional encodings (docs/numerics.md section 10).
#ifndef INTSAM_RUNTIME_IMAGE_PROMPTS_H_
#define INTSAM_RUNTIME_IMAGE_PROMPTS_H_

#include <cstdint>
#include <span>

#include "runtime/image/resize.h"

namespace intsam::internal {

// Q24 coordinate in -1..1 of the encoder input, from 1/64 pixel of the original image along one axis
// (`original` and `resized` are that axis's lengths). |x| < 2^21. The result is clamped to +-2^27.
int32_t PointCoordinate(int32_t x, uint32_t original, uint32_t resized, uint32_t image_size);

// Q24 coordinate of the centre of cell `i` of `grid`.
int32_t GridCoordinate(uint32_t i, uint32_t grid);

// sin of a phase in turns (2^32 = one turn), 32767 = 1.
int16_t SineOfTurn(uint32_t phase);

// Random Fourier features: gaussian is s32 Q24 [2][features]; out is [2 * features], 32767 = 1: sines then cosines.
void PositionalEncoding(int32_t x_q24, int32_t y_q24, std::span<const int32_t> gaussian, int16_t* out);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_PROMPTS_H_
