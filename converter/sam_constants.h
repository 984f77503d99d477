// Numbers of the original packages that stand in no checkpoint.
#ifndef INTSAM_CONVERTER_SAM_CONSTANTS_H_
#define INTSAM_CONVERTER_SAM_CONSTANTS_H_

namespace intsam::internal {

// Of the training photos, per colour: what is subtracted from a pixel, and what it is divided by.
inline constexpr double kPixelMean[3] = {123.675, 116.28, 103.53};
inline constexpr double kPixelDeviation[3] = {58.395, 57.12, 57.375};

// Epsilons of LayerNorm:
inline constexpr double kVitEpsilon = 1e-6;      // of a ViT's blocks
inline constexpr double kTinyVitEpsilon = 1e-5;  // of TinyViT's blocks
inline constexpr double kMapEpsilon = 1e-6;      // of every LayerNorm2d: neck, mask prompts, upscaling
inline constexpr double kDecoderEpsilon = 1e-5;  // of the two-way transformer

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_SAM_CONSTANTS_H_
