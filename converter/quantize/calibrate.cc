#include "converter/quantize/calibrate.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "runtime/encoder/layers.h"

namespace intsam::internal {
namespace {

// Tight box, in pixels of the resized photo, of the positive logits of a low-resolution mask; false when there are
// none.
bool TightBox(const float* logits, uint32_t side, uint32_t image_size, float box[4]) {
  uint32_t x0 = side, y0 = side, x1 = 0, y1 = 0;
  for (uint32_t y = 0; y < side; ++y) {
    for (uint32_t x = 0; x < side; ++x) {
      if (logits[size_t{y} * side + x] <= 0) continue;
      x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
    }
  }
  if (x0 > x1) return false;
  const float pixel = static_cast<float>(image_size) / static_cast<float>(side);
  const uint32_t corners[4] = {x0, y0, x1 + 1, y1 + 1};
  for (int i = 0; i < 4; ++i) box[i] = static_cast<float>(corners[i]) * pixel;
  return true;
}

// Adds the inputs of a layer to its Gram matrices; a 3x3 convolution sees neighbourhoods.
class GramCollector {
 public:
  GramCollector(const std::vector<LayerSite>& layers, Parallel& pool) : pool_(pool) {
    for (const LayerSite& layer : layers) {
      grams_.emplace(layer.name, std::vector<Gram>(layer.depthwise ? layer.out : 1, Gram(layer.in)));
      layers_.emplace(layer.name + ".in", layer);
    }
  }
  void See(std::string_view site, std::span<const float> values, size_t channels) {
    const auto found = layers_.find(site);
    if (found == layers_.end()) return;
    const LayerSite& layer = found->second;
    std::vector<Gram>& grams = grams_.at(layer.name);
    if (layer.taps == 1) return grams.front().Add(values, pool_);
    const size_t pixels = values.size() / channels, step = layer.depthwise ? std::max<size_t>(1, pixels / 512) : kStep;
    std::vector<float> rows;
    for (size_t at = 0; at < pixels; at += step) AddNeighbourhood(values, channels, layer.grid, at, rows);
    if (!layer.depthwise) return grams.front().Add(rows, pool_);
    for (size_t i = 0; i < rows.size() / 9; ++i)
      grams[i % channels].AddRow(std::span<const float>(rows).subspan(9 * i, 9));
  }
  Grams Take() { return std::move(grams_); }

 private:
  static constexpr size_t kStep = 3;  // every third position

  // Around position `at` of a square map, in the order of official weights: (channel, ky, kx).
  static void AddNeighbourhood(std::span<const float> values, size_t channels, size_t grid, size_t at,
                               std::vector<float>& rows) {
    const float* taps[9];
    for (size_t tap = 0; tap < 9; ++tap) {
      const size_t y = at / grid + tap / 3, x = at % grid + tap % 3;  // both plus one
      const bool inside = y >= 1 && x >= 1 && y <= grid && x <= grid;
      taps[tap] = inside ? values.data() + ((y - 1) * grid + x - 1) * channels : nullptr;
    }
    for (size_t c = 0; c < channels; ++c) {
      for (const float* tap : taps) rows.push_back(tap == nullptr ? 0 : tap[c]);
    }
  }

  Parallel& pool_;
  std::map<std::string, LayerSite, std::less<>> layers_;  // by input site
  Grams grams_;
};

}  // namespace

void AskPrompts(const SamConfig& config, ImageSize size, int points_per_side,
                const std::function<FloatMasks(const FloatPrompt&)>& answer) {
  const uint32_t side = config.low_res();
  const size_t pixels = size_t{side} * side;
  const int n = points_per_side;
  for (int i = 0; i < n * n; ++i) {
    const int row = i / n, column = i % n;
    const float x = (static_cast<float>(column) + 0.5f) * static_cast<float>(size.width) / static_cast<float>(n);
    const float y = (static_cast<float>(row) + 0.5f) * static_cast<float>(size.height) / static_cast<float>(n);
    FloatPrompt point;
    point.points = {x, y};
    point.labels = {1};
    const FloatMasks masks = answer(point);
    const size_t best =
        static_cast<size_t>(std::max_element(masks.iou.begin() + 1, masks.iou.end()) - masks.iou.begin());
    const float* logits = masks.low_res.data() + best * pixels;

    FloatPrompt box;
    box.has_box = TightBox(logits, side, config.image_size, box.box);
    if (box.has_box) answer(box);
    if (i % 3 != 0) continue;
    FloatPrompt refine = point;
    refine.points.insert(refine.points.end(), {8.0f, 8.0f});
    refine.labels.push_back(0);
    refine.mask_input = logits;
    answer(refine);
  }
}

Observations Calibrate(FloatSam& sam, const SamConfig& config, std::span<const CalibrationImage> images,
                       const CalibrationOptions& options, const std::vector<LayerSite>& gram_layers,
                       const StepProgress& progress) {
  Observations seen;
  AttentionCollector attentions(config, options.attention_samples);
  GramCollector grams(gram_layers, sam.pool());
  sam.set_hook([&](std::string_view site, std::span<float> values, size_t channels) {
    seen.statistics.Add(site, values, channels);
    attentions.See(site, values, channels);
    grams.See(site, values, channels);
  });
  const size_t prompts = static_cast<size_t>(options.points_per_side) * static_cast<size_t>(options.points_per_side);
  const size_t per_photo = EncoderLayers(config).size() + prompts;
  for (size_t i = 0; i < images.size(); ++i) {
    const std::string what = "photo " + std::to_string(i + 1) + " of " + std::to_string(images.size());
    size_t done = i * per_photo;
    const auto step = [&] {
      if (progress) progress(done++, images.size() * per_photo, what);
    };
    sam.set_timer([&](const Step&, int64_t) { step(); });
    const CalibrationImage& image = images[i];
    const std::vector<float> embedding = sam.EncodeImage(image.rgb.data(), image.size.height, image.size.width);
    sam.set_timer({});
    AskPrompts(config, image.size, options.points_per_side, [&](const FloatPrompt& prompt) {
      if (!prompt.has_box && prompt.mask_input == nullptr) step();  // a point of the grid
      return sam.Decode(embedding, prompt);
    });
  }
  if (progress) progress(images.size() * per_photo, images.size() * per_photo, "");
  sam.set_hook({});
  seen.attentions = attentions.Take();
  seen.grams = grams.Take();
  return seen;
}

CalibrationImage SyntheticImage(const SamConfig& config, uint64_t seed) {
  CalibrationImage image;
  image.size = {config.image_size, config.image_size * 3 / 4};
  image.rgb.resize(size_t{image.size.width} * image.size.height * 3);
  // Blocks of random colour with fine noise on top: edges and texture.
  uint64_t state = seed * 2 + 1;
  const auto next = [&state] {
    return state = state * 6364136223846793005u + 1442695040888963407u, static_cast<uint32_t>(state >> 40);
  };
  std::vector<uint32_t> colours(size_t{33} * 33 * 3);
  for (uint32_t& colour : colours) colour = next() % 200;
  for (uint32_t y = 0; y < image.size.height; ++y) {
    for (uint32_t x = 0; x < image.size.width; ++x) {
      const size_t block = (size_t{y} * 32 / image.size.height * 33 + size_t{x} * 32 / image.size.width) * 3;
      for (size_t c = 0; c < 3; ++c) {
        image.rgb[(size_t{y} * image.size.width + x) * 3 + c] = static_cast<uint8_t>(colours[block + c] + next() % 56);
      }
    }
  }
  return image;
}

}  // namespace intsam::internal
