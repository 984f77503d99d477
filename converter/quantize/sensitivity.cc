#include "converter/quantize/sensitivity.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <utility>

#include "converter/quantize/observers.h"
#include "converter/quantize/round_weights.h"
#include "converter/quantize/softmax_search.h"

namespace intsam::internal {
namespace {

constexpr std::string_view kEncoder = "image_encoder.";

// Exchanges weights of a model for coded ones, and back.
class CodedWeights {
 public:
  CodedWeights(FloatModel& model, const std::map<std::string, const WeightCodes*>& coded) : model_(model) {
    for (const auto& [layer, codes] : coded) {
      Exchange(layer + ".weight", Dequantize(*codes));
      if (!codes->bias.empty()) Exchange(layer + ".bias", codes->bias);
    }
  }
  ~CodedWeights() {
    for (auto& [name, values] : originals_) std::swap(model_.tensors.at(name), values);
  }
  CodedWeights(const CodedWeights&) = delete;
  CodedWeights& operator=(const CodedWeights&) = delete;

 private:
  void Exchange(const std::string& name, std::vector<float> values) {
    std::swap(model_.tensors.at(name), values);
    originals_.emplace_back(name, std::move(values));
  }
  FloatModel& model_;
  std::vector<std::pair<std::string, std::vector<float>>> originals_;
};

double SquareDistance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return sum;
}

}  // namespace

std::vector<std::string> PartsOf(const QuantizationPlan& plan) {
  std::vector<std::string> parts;
  for (const auto& [site, scale] : plan.activations) parts.push_back(site);
  for (const auto& [layer, codes] : plan.weights) parts.push_back(layer + ".weight");
  for (const auto& [attention, coding] : plan.softmax) {
    if (coding.kind != SoftmaxCoding::kExact) parts.push_back(attention + ".softmax");
  }
  return parts;
}

std::string KindOf(const std::string& part) {
  std::string kind;
  for (size_t i = 0; i < part.size(); ++i) {
    const bool number =
        std::isdigit(static_cast<unsigned char>(part[i])) != 0 && i > 0 && (part[i - 1] == '.' || kind.back() == '*');
    if (!number) kind += part[i];
    if (number && kind.back() != '*') kind += '*';
  }
  return kind;
}

double LossWith(int bits, double measured) { return std::ldexp(measured, -2 * (bits - kMeasuredBits)); }

Sensitivity Sensitivity::ForRanking(FloatModel& model, std::span<const CalibrationImage> images, int threads) {
  constexpr size_t kPhotos = 2;
  constexpr int kPointsPerSide = 2;
  return {model, images.first(std::min(images.size(), kPhotos)), kPointsPerSide, threads};
}

Sensitivity::Sensitivity(FloatModel& model, std::span<const CalibrationImage> images, int points_per_side, int threads)
    : model_(model), threads_(threads) {
  FloatSam sam(model, threads, WeightLayout::kAsStored);
  for (const CalibrationImage& image : images) {
    Photo photo{&image, sam.EncodeImage(image.rgb.data(), image.size.height, image.size.width), {}};
    AskPrompts(model.config, image.size, points_per_side, [&](const FloatPrompt& prompt) {
      FloatMasks masks = sam.Decode(photo.embedding, prompt);
      Question question{prompt, {}, Sigmoids(prompt, masks)};
      if (prompt.mask_input != nullptr) {
        const size_t pixels = size_t{model.config.low_res()} * model.config.low_res();
        question.mask_input.assign(prompt.mask_input, prompt.mask_input + pixels);
      }
      photo.questions.push_back(std::move(question));
      return masks;
    });
    for (Question& q : photo.questions) q.prompt.mask_input = q.mask_input.empty() ? nullptr : q.mask_input.data();
    photos_.push_back(std::move(photo));
  }
}

std::vector<float> Sensitivity::Sigmoids(const FloatPrompt& prompt, const FloatMasks& masks) const {
  const size_t pixels = size_t{model_.config.low_res()} * model_.config.low_res();
  const bool point = prompt.labels.size() == 1 && !prompt.has_box;
  const auto first = masks.low_res.begin() + static_cast<std::ptrdiff_t>(point ? pixels : 0);
  const auto end = point ? masks.low_res.end() : masks.low_res.begin() + static_cast<std::ptrdiff_t>(pixels);
  std::vector<float> sigmoids(first, end);
  for (float& x : sigmoids) x = 1 / (1 + std::exp(-x));
  return sigmoids;
}

Loss Sensitivity::LossOf(FloatSam& sam, bool encode) {
  Loss loss;
  size_t questions = 0;
  for (const Photo& photo : photos_) {
    const CalibrationImage& image = *photo.image;
    std::vector<float> embedding = photo.embedding;
    if (encode) {
      embedding = sam.EncodeImage(image.rgb.data(), image.size.height, image.size.width);
      const std::vector<float> zero(embedding.size());
      const double length = SquareDistance(photo.embedding, zero);
      loss.embedding += SquareDistance(embedding, photo.embedding) / std::max(length, 1e-30);
    }
    for (const Question& question : photo.questions) {
      const std::vector<float> sigmoids = Sigmoids(question.prompt, sam.Decode(embedding, question.prompt));
      double area = 0;
      for (const float s : question.sigmoids) area += s;
      loss.masks += SquareDistance(sigmoids, question.sigmoids) / std::max(area, 1.0);
      ++questions;
    }
  }
  loss.embedding /= static_cast<double>(std::max<size_t>(photos_.size(), 1));
  loss.masks /= static_cast<double>(std::max<size_t>(questions, 1));
  return loss;
}

Loss Sensitivity::Measure(const QuantizationPlan& plan, const std::function<bool(const std::string& part)>& coded) {
  std::map<std::string, ActivationScale, std::less<>> activations;
  std::map<std::string, SoftmaxCoding, std::less<>> softmax;
  std::map<std::string, const WeightCodes*> weights;
  bool encode = false;
  const auto wanted = [&](const std::string& part) {
    if (!coded(part)) return false;
    encode = encode || part.starts_with(kEncoder);
    return true;
  };
  for (const auto& [site, scale] : plan.activations) {
    if (wanted(site)) activations.emplace(site, scale);
  }
  for (const auto& [layer, codes] : plan.weights) {
    if (wanted(layer + ".weight")) weights.emplace(layer, &codes);
  }
  for (const auto& [attention, coding] : plan.softmax) {
    if (coding.kind != SoftmaxCoding::kExact && wanted(attention + ".softmax")) softmax.emplace(attention, coding);
  }
  const CodedWeights exchanged(model_, weights);
  // Anew each time: some layers keep their weights in another order.
  FloatSam sam(model_, threads_, WeightLayout::kAsStored);
  if (!activations.empty()) {
    sam.set_hook([&](std::string_view site, std::span<float> values, size_t) {
      const auto found = activations.find(site);
      if (found == activations.end()) return;
      for (float& v : values) v = FakeQuantize(v, found->second);
    });
  }
  if (!softmax.empty()) {
    sam.set_softmax_hook([&](std::string_view attention, std::span<float> probabilities) {
      const auto found = softmax.find(attention);
      if (found == softmax.end()) return;
      const std::vector<float> values = CodedProbabilities(probabilities, found->second);
      std::copy(values.begin(), values.end(), probabilities.begin());
    });
  }
  return LossOf(sam, encode);
}

}  // namespace intsam::internal
