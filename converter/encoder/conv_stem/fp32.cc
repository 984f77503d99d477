// Each thread takes one row of the result at a time: gathers its patches, multiplies. The patches of a whole map would
// be nine times the map.
#include <algorithm>
#include <vector>

#include "converter/encoder/conv_stem/conv_stem.h"
#include "converter/fp32/image_pixels.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"
#include "converter/fp32/ops.h"
#include "converter/fp32/parallel.h"

namespace intsam::internal {
namespace fp32 {
namespace {

// Row `y` of a 3x3 convolution of stride 2 and padding 1: pixel(y, x) fills `channels` floats at its third argument.
template <class Pixel>
void PatchRow(size_t y, size_t side, size_t channels, const Pixel& pixel, float* out) {
  for (size_t x = 0; x < side / 2; ++x) {
    for (size_t t = 0; t < 9; ++t, out += channels) {
      // One above, one left: the unsigned sums wrap and fail the test below.
      const size_t py = 2 * y + t / 3 - 1, px = 2 * x + t % 3 - 1;
      if (py < side && px < side) {
        pixel(py, px, out);
      } else {
        std::fill_n(out, channels, 0.0f);
      }
    }
  }
}

class ConvStem : public Layer {
 public:
  ConvStem(const Context& context, const intsam::internal::ConvStem& shape, const LayerPlace& place)
      : context_(context),
        name_(place.path + ".seq"),
        map_(place.output),
        size_(shape.image),
        hidden_(shape.middle()),
        width_(shape.out()),
        weight0_(ChannelLast(context.model.at(name_ + ".0.weight"), hidden_, 3, 3)),
        weight2_(ChannelLast(context.model.at(name_ + ".2.weight"), width_, hidden_, 3)),
        patches_(static_cast<size_t>(context.pool.workers())) {}

  void Run(Stream& stream) override {
    const uint8_t* rgb = stream.rgb;
    const uint32_t height = stream.height, width = stream.width;
    Parallel& pool = context_.pool;
    // out = convolution of the map of `side` and `channels` that `pixel` reads; no bias.
    const auto convolve = [&](size_t side, size_t channels, const auto& pixel, const std::vector<float>& weight,
                              size_t out_channels, float* out) {
      const size_t half = side / 2;
      ParallelItems(pool, half, half * half * out_channels, [&](size_t y, int thread) {
        float* patches = patches_[static_cast<size_t>(thread)].Resize(half * 9 * channels);
        PatchRow(y, side, channels, pixel, patches);
        Product(Transpose::kYes, half, out_channels, 9 * channels, patches, 9 * channels, weight.data(), 9 * channels,
                out + y * half * out_channels, out_channels);
      });
    };
    const size_t half = size_ / 2, quarter = size_ / 4;
    float* hidden = stream.hidden.Resize(half * half * hidden_);
    convolve(
        size_, 3, [&](size_t y, size_t x, float* to) { NormalizedPixel(rgb, height, width, y, x, to); }, weight0_,
        hidden_, hidden);
    const float* bias = context_.Tensor(name_ + ".0.bias");
    if (context_.hook) {
      AddBias(pool, hidden, half * half, hidden_, bias);
      context_.Site(name_, ".0.out", hidden, half * half, hidden_);
      bias = nullptr;
    }
    BiasGelu(pool, hidden, half * half, hidden_, bias);
    context_.Site(name_, ".2.in", hidden, half * half, hidden_);

    float* x = stream.x.Resize(quarter * quarter * width_);
    convolve(
        half, hidden_,
        [&](size_t py, size_t px, float* to) { CopyRow(hidden + (py * half + px) * hidden_, nullptr, hidden_, to); },
        weight2_, width_, x);
    AddBias(pool, x, quarter * quarter, width_, context_.Tensor(name_ + ".2.bias"));
    context_.Site(map_, "", x, quarter * quarter, width_);
  }

 private:
  const Context& context_;
  const std::string name_, map_;
  const size_t size_, hidden_, width_;          // of the input; channels
  const std::vector<float> weight0_, weight2_;  // channel-last
  std::vector<Buffer> patches_;                 // of each thread
};

}  // namespace
}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const ConvStem& stem, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout) {
  return std::make_unique<fp32::ConvStem>(context, stem, place);
}

}  // namespace intsam::internal
