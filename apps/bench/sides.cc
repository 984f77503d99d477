#include "apps/bench/sides.h"

#include "apps/bench/xnnpack.h"
#include "converter/convert.h"
#include "converter/pack/isam_writer.h"

namespace intsam::internal {

Work::Work(const SamConfig& config) : image(SyntheticImage(config, 2)) {
  image.size = {config.image_size, config.image_size};
  image.rgb.resize(size_t{config.image_size} * config.image_size * 3, 128);
}

Status WriteSyntheticModel(const Settings& settings) {
  FloatModel weights = SyntheticModel(settings.synthetic, settings.seed);
  ConvertOptions options;
  options.calibration.points_per_side = 1;
  options.bits = settings.bits;
  options.method = settings.method;
  INTSAM_ASSIGN(const ConvertedModel converted, Convert(weights, {SyntheticImage(weights.config, 1)}, options, {}));
  return WriteModelFile(converted.quantized->model, converted.provenance, settings.model).status();
}

Result<FloatModel> LoadWeights(const Settings& settings) {
  if (settings.checkpoint.empty()) return SyntheticModel(settings.synthetic, settings.seed);
  return LoadFloatModel(settings.checkpoint, settings.config);
}

Result<std::unique_ptr<Session>> MakeSession(const Model& model, const Settings& settings) {
  SessionOptions options;
  options.threads = settings.threads;
  options.isa = settings.isa.c_str();
  return Session::Create(model, std::move(options));
}

Result<std::unique_ptr<FloatSam>> MakeFloatSam(const FloatModel& weights, const Settings& settings) {
  LinearLibrary library;
  if (settings.xnnpack) {
    INTSAM_ASSIGN(library, XnnpackLinears(settings.threads));
  }
  return std::make_unique<FloatSam>(weights, settings.threads, WeightLayout::kPacked, std::move(library));
}

std::string Fp32LibraryName(const Settings& settings) {
  return settings.xnnpack ? "XNNPACK, attention on " + FloatSam::MatrixLibrary() : FloatSam::MatrixLibrary();
}

Status Encode(Session& session, const Work& work) {
  return session.SetImage(work.image.rgb.data(), work.image.size, size_t{work.image.size.width} * 3, PixelFormat::kRgb);
}

Status Decode(Session& session, const Work& work, int prompt) {
  const int32_t at = 64 * work.PointOf(prompt);
  const PointPrompt point{at, at, 1};
  Prompt asked;
  asked.points = {&point, 1};
  return session.Predict(asked);
}

std::vector<float> Encode(FloatSam& sam, const Work& work) {
  return sam.EncodeImage(work.image.rgb.data(), work.image.size.height, work.image.size.width);
}

void Decode(FloatSam& sam, const std::vector<float>& embedding, const Work& work, int prompt) {
  const auto at = static_cast<float>(work.PointOf(prompt));
  FloatPrompt asked;
  asked.points = {at, at};
  asked.labels = {1};
  sam.Decode(embedding, asked);
}

Status RunIntegerOnce(const Settings& settings) {
  INTSAM_ASSIGN(const auto model, Model::Open(settings.model));
  INTSAM_ASSIGN(const auto session, MakeSession(*model, settings));
  const Work work(model->config());
  INTSAM_TRY(Encode(*session, work));
  return Decode(*session, work, 0);
}

Status RunFloatOnce(const Settings& settings) {
  INTSAM_ASSIGN(const FloatModel weights, LoadWeights(settings));
  const Work work(weights.config);
  INTSAM_ASSIGN(const auto sam, MakeFloatSam(weights, settings));
  Decode(*sam, Encode(*sam, work), work, 0);
  return Status();
}

}  // namespace intsam::internal
