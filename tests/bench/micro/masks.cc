#include "runtime/image/masks.h"

#include <algorithm>
#include <cstdlib>

#include "tests/bench/micro/micro.h"

namespace intsam::internal::micro {
namespace {

constexpr uint32_t kSide = 256, kImageSize = 1024;

// One object in the middle of the photo, with the slope of real logits at its edge, and the same over and over.
std::vector<int16_t> Discs(int32_t period) {
  std::vector<int16_t> logits;
  for (int32_t y = 0; y < static_cast<int32_t>(kSide); ++y) {
    for (int32_t x = 0; x < static_cast<int32_t>(kSide); ++x) {
      const int32_t dx = x % period - period / 2, dy = y % period - period * 2 / 5;
      logits.push_back(static_cast<int16_t>(std::clamp((period * period / 12 - dx * dx - dy * dy) * 20, -9000, 9000)));
    }
  }
  return logits;
}

template <class Body>
void RegisterMask(const std::string& name, ImageSize size, int32_t period, const Body& body) {
  const std::string shape = std::to_string(size.width) + "x" + std::to_string(size.height);
  Register("mask/" + name + "/" + shape + "/" + std::to_string(period), [=](benchmark::State& state) {
    const std::vector<int16_t> logits = Discs(period);
    const MaskSampling sampling(ResizedSize(size, kImageSize), size, MaskView::Whole(size));
    std::vector<uint8_t> out(size_t{size.width} * size.height);
    ThreadPool one(1);
    for ([[maybe_unused]] auto _ : state) {
      body(MaskScan(logits.data(), kSide, sampling, 0), out, one);
      Keep(out);
    }
    CountElements(state, 1.0 * size.width * size.height);
  });
}

}  // namespace

void RegisterMasks() {
  for (const ImageSize size : {ImageSize{512, 512}, {6000, 4000}}) {
    for (const int32_t period : {256, 32, 6}) {
      RegisterMask("bytes", size, period, [size](const MaskScan& scan, std::vector<uint8_t>& out, Parallel& one) {
        if (!DrawMask(scan, MaskFormat::kBytes, out.data(), size.width, one).ok()) std::abort();
      });
      RegisterMask("bits", size, period, [size](const MaskScan& scan, std::vector<uint8_t>& out, Parallel& one) {
        if (!DrawMask(scan, MaskFormat::kBits, out.data(), (size.width + 7) / 8, one).ok()) std::abort();
      });
      RegisterMask("count", size, period, [](const MaskScan& scan, std::vector<uint8_t>& out, Parallel&) {
        out[0] = static_cast<uint8_t>(CountPixels(scan));
      });
      RegisterMask("runs", size, period, [](const MaskScan& scan, std::vector<uint8_t>& out, Parallel&) {
        out[0] = static_cast<uint8_t>(CollectRuns(scan).Area());
      });
    }
  }
}

}  // namespace intsam::internal::micro
