#include "runtime/exec/check_input.h"

#include "runtime/format/limits.h"

namespace intsam::internal {
namespace {

constexpr int32_t kCoordinateLimit = 1 << 21;

bool BadCoordinate(int32_t x) { return x <= -kCoordinateLimit || x >= kCoordinateLimit; }

}  // namespace

Status CheckImageSize(const char* what, ImageSize size) {
  if (size.width < 1 || size.height < 1 || size.width > limits::kImageSide || size.height > limits::kImageSide) {
    return Error(Code::kUsage, "%s: %u x %u pixels is outside 1..%u per side", what, size.width, size.height,
                 limits::kImageSide);
  }
  if (uint64_t{size.width} * size.height * PixelBytes(PixelFormat::kRgb) > limits::kImageBytes)
    return Error(Code::kResource, "%s: %u x %u pixels is over the limit", what, size.width, size.height);
  return Status();
}

Status CheckImage(const uint8_t* pixels, ImageSize size, size_t stride, PixelFormat format) {
  if (pixels == nullptr) return Error(Code::kUsage, "image: no pixels");
  INTSAM_TRY(CheckImageSize("image", size));
  if (stride < size_t{size.width} * PixelBytes(format))
    return Error(Code::kUsage, "image: stride %zu is shorter than a row of %u pixels", stride, size.width);
  return Status();
}

Status CheckView(const MaskView& view, ImageSize original) {
  const auto within = [](uint32_t start, uint32_t length, uint32_t all) {
    return length >= 1 && start < all && length <= all - start;
  };
  if (!within(view.x, view.region.width, original.width) || !within(view.y, view.region.height, original.height)) {
    return Error(Code::kUsage, "region: %u x %u pixels at %u, %u is not within the image of %u x %u", view.region.width,
                 view.region.height, view.x, view.y, original.width, original.height);
  }
  return CheckImageSize("mask", view.size);
}

Status CheckPrompt(const Prompt& prompt) {
  if (prompt.points.empty() && prompt.box == nullptr && prompt.mask == nullptr)
    return Error(Code::kUsage, "prompt: neither a point nor a box nor a mask");
  if (prompt.points.size() > limits::kPointsPerPrompt)
    return Error(Code::kResource, "points: %zu are more than %u", prompt.points.size(), limits::kPointsPerPrompt);
  for (const PointPrompt& p : prompt.points) {
    if (p.label != 0 && p.label != 1) return Error(Code::kUsage, "points: label %d is neither 0 nor 1", p.label);
    if (BadCoordinate(p.x) || BadCoordinate(p.y))
      return Error(Code::kUsage, "points: a coordinate is beyond 2^21 / 64 pixels");
  }
  if (prompt.box != nullptr) {
    const BoxPrompt& b = *prompt.box;
    if (BadCoordinate(b.x0) || BadCoordinate(b.y0) || BadCoordinate(b.x1) || BadCoordinate(b.y1))
      return Error(Code::kUsage, "box: a coordinate is beyond 2^21 / 64 pixels");
    if (b.x0 >= b.x1 || b.y0 >= b.y1) return Error(Code::kUsage, "box: x0 < x1 and y0 < y1 do not hold");
  }
  return Status();
}

}  // namespace intsam::internal
