#include "runtime/image/resize.h"

#include "tests/bench/micro/micro.h"

namespace intsam::internal::micro {

void RegisterResize() {
  for (const ImageSize from : {ImageSize{640, 480}, {4032, 3024}}) {
    const std::string name = "resize/" + std::to_string(from.width) + "x" + std::to_string(from.height) + "/1024";
    Register(name, [from](benchmark::State& state) {
      const auto pixels = Values<uint8_t>(size_t{3} * from.width * from.height, 0, 255);
      const ImageSize to = ResizedSize(from, 1024);
      std::vector<uint8_t> out, scratch;
      for ([[maybe_unused]] auto _ : state) {
        ResizeToRgb(pixels.data(), from, size_t{3} * from.width, PixelFormat::kRgb, to, out, scratch);
        Keep(out);
      }
      CountElements(state, 3.0 * to.width * to.height);
    });
  }
}

}  // namespace intsam::internal::micro
