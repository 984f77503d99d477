// See golden_cases.h.
#include "tests/golden/golden_cases.h"

#include <cstdio>
#include <cstdlib>

#include "kernels/numerics/requantize.h"
#include "runtime/base/sha256.h"
#include "runtime/base/thread_pool.h"
#include "runtime/exec/reference/reference_executor.h"
#include "tests/image/plain_masks.h"

namespace intsam::internal::testing {
namespace {

uint64_t Next(uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 33;
}

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "golden run: %s\n", status.message().c_str());
  std::abort();
}

// What runs: encodes an image, then answers prompts on it.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::vector<int16_t> Encode(const GoldenImage& image) = 0;
  virtual void Predict(const Prompt& prompt) = 0;
  virtual std::vector<int16_t> LowRes(uint32_t mask) const = 0;
  virtual int32_t IouQ15(uint32_t mask) const = 0;
  virtual std::vector<uint8_t> Mask(uint32_t mask) const = 0;
};

class ReferenceSubject : public Subject {
 public:
  explicit ReferenceSubject(const IntegerModel& model) : model_(model), executor_(MakeReferenceExecutor(model)) {}

  std::vector<int16_t> Encode(const GoldenImage& image) override {
    const SamConfig& c = model_.config;
    frame_ = {image.size, ResizedSize(image.size, c.image_size)};
    std::vector<uint8_t> resized, scratch;
    ResizeToRgb(image.rgb.data(), image.size, size_t{image.size.width} * 3, PixelFormat::kRgb, frame_.resized, resized,
                scratch);
    const size_t values = size_t{c.grid()} * c.grid() * c.prompt_embed_dim;
    embedding_.assign(values + kPadBytes, 0);
    Check(executor_->EncodeImage(resized.data(), frame_.resized, embedding_.data(), {}));
    executor_->SetEmbedding(embedding_.data(), frame_);
    return {embedding_.begin(), embedding_.begin() + static_cast<std::ptrdiff_t>(values)};
  }

  void Predict(const Prompt& prompt) override {
    const SamConfig& c = model_.config;
    low_res_.assign(c.num_masks() * c.low_res_values() + kPadBytes, 0);
    iou_.assign(c.num_masks() + kPadBytes, 0);
    Check(executor_->Decode(prompt, low_res_.data(), iou_.data(), {}));
  }

  std::vector<int16_t> LowRes(uint32_t mask) const override {
    const size_t pixels = size_t{model_.config.low_res()} * model_.config.low_res();
    const int16_t* at = low_res_.data() + mask * pixels;
    return {at, at + pixels};
  }
  int32_t IouQ15(uint32_t mask) const override {
    const Rq32Scalar& rq = model_.mask_decoder.iou_q15;
    return static_cast<int32_t>(Requantize32(iou_[mask], rq.mult, static_cast<int>(rq.shift)));
  }
  std::vector<uint8_t> Mask(uint32_t mask) const override {
    return PlainMask(LowRes(mask), model_.config.low_res(), frame_.resized, frame_.original,
                     MaskView::Whole(frame_.original), model_.mask_decoder.mask_threshold);
  }

 private:
  const IntegerModel& model_;
  std::unique_ptr<Executor> executor_;
  Frame frame_;
  std::vector<int16_t> embedding_, low_res_, iou_;
};

class SessionSubject : public Subject {
 public:
  SessionSubject(const Model& model, const Kernels& kernels, int threads)
      : model_(model), session_(std::make_unique<Session>(model, kernels, std::make_unique<ThreadPool>(threads))) {}

  std::vector<int16_t> Encode(const GoldenImage& image) override {
    Check(session_->SetImage(image.rgb.data(), image.size, size_t{image.size.width} * 3, PixelFormat::kRgb));
    return {session_->embedding().begin(), session_->embedding().end()};
  }
  void Predict(const Prompt& prompt) override { Check(session_->Predict(prompt)); }
  std::vector<int16_t> LowRes(uint32_t mask) const override {
    const size_t pixels = size_t{model_.config().low_res()} * model_.config().low_res();
    return {session_->LowRes(0, mask), session_->LowRes(0, mask) + pixels};
  }
  int32_t IouQ15(uint32_t mask) const override { return session_->IouQ15(0, mask); }
  std::vector<uint8_t> Mask(uint32_t mask) const override {
    const ImageSize size = session_->frame().original;
    std::vector<uint8_t> out(size_t{size.width} * size.height);
    Check(session_->Mask(0, mask, out.data(), size.width, false));
    return out;
  }

 private:
  const Model& model_;
  std::unique_ptr<Session> session_;
};

template <class T>
void Feed(Sha256& hash, const std::vector<T>& values) {
  hash.Update(values.data(), values.size() * sizeof(T));
}

void PredictAndHash(Subject& subject, uint32_t masks, const Prompt& prompt, const std::string& name, Hashes& lines) {
  subject.Predict(prompt);
  Sha256 low_res, iou, mask;
  for (uint32_t i = 0; i < masks; ++i) {
    Feed(low_res, subject.LowRes(i));
    Feed(iou, std::vector<int32_t>{subject.IouQ15(i)});
    Feed(mask, subject.Mask(i));
  }
  lines.push_back(name + " low_res " + ToHex(low_res.Finish()));
  lines.push_back(name + " iou " + ToHex(iou.Finish()));
  lines.push_back(name + " mask " + ToHex(mask.Finish()));
}

Hashes RunAll(Subject& subject, uint32_t masks, const std::vector<GoldenImage>& images) {
  Hashes lines;
  for (const GoldenImage& image : images) {
    const std::string name = std::to_string(image.size.width) + "x" + std::to_string(image.size.height);
    Sha256 embedding;
    Feed(embedding, subject.Encode(image));
    lines.push_back(name + " - embedding " + ToHex(embedding.Finish()));

    const auto w = static_cast<int32_t>(image.size.width), h = static_cast<int32_t>(image.size.height);
    const std::vector<PointPrompt> point = {{w * 32, h * 32, 1}};
    PredictAndHash(subject, masks, {point, nullptr, nullptr}, name + " point", lines);
    const std::vector<int16_t> refined = subject.LowRes(1);

    const BoxPrompt box = {w * 64 / 5, h * 64 / 5, w * 64 * 4 / 5, h * 64 * 4 / 5};
    PredictAndHash(subject, masks, {{}, &box, nullptr}, name + " box", lines);

    const std::vector<PointPrompt> two = {{w * 20, h * 40, 1}, {w * 50, h * 10, 0}};
    PredictAndHash(subject, masks, {two, &box, refined.data()}, name + " points+box+mask", lines);

    // Inside, outside and far outside the image.
    std::vector<PointPrompt> many;
    uint64_t state = 20;
    for (int i = 0; i < 20; ++i) {
      const auto x = static_cast<int32_t>(Next(state) % static_cast<uint64_t>(w * 128)) - w * 32;
      const auto y = static_cast<int32_t>(Next(state) % static_cast<uint64_t>(h * 128)) - h * 32;
      many.push_back({x, y, i % 2});
    }
    many.push_back({(1 << 21) - 1, -(1 << 21) + 1, 1});
    PredictAndHash(subject, masks, {many, nullptr, nullptr}, name + " many_points", lines);
  }
  return lines;
}

}  // namespace

GoldenImage MakeImage(uint32_t width, uint32_t height, uint64_t seed) {
  GoldenImage image{{width, height}, std::vector<uint8_t>(size_t{width} * height * 3)};
  uint64_t state = seed;
  uint8_t colours[8 * 8 * 3];
  for (uint8_t& colour : colours) colour = static_cast<uint8_t>(Next(state) % 200);
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      const size_t block = (size_t{y} * 8 / height * 8 + size_t{x} * 8 / width) * 3;
      for (size_t c = 0; c < 3; ++c) {
        image.rgb[(size_t{y} * width + x) * 3 + c] = static_cast<uint8_t>(colours[block + c] + Next(state) % 56);
      }
    }
  }
  return image;
}

std::vector<GoldenImage> GoldenImages() {
  return {MakeImage(200, 150, 1), MakeImage(100, 61, 2), MakeImage(61, 100, 3), MakeImage(77, 1, 4),
          MakeImage(1, 1, 5)};
}

Hashes RunReference(const IntegerModel& model, const std::vector<GoldenImage>& images) {
  ReferenceSubject subject(model);
  return RunAll(subject, model.config.num_masks(), images);
}

Hashes RunSession(const Model& model, const Kernels& kernels, int threads, const std::vector<GoldenImage>& images) {
  SessionSubject subject(model, kernels, threads);
  return RunAll(subject, model.config().num_masks(), images);
}

std::string GoldenListPath() { return std::string(INTSAM_SOURCE_DIR) + "/tests/golden/data/golden.txt"; }

}  // namespace intsam::internal::testing
