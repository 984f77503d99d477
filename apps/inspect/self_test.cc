// The fixed picture and prompts of intsam-inspect --self-test. They are part of what its digests mean: never change
// them.
#include "apps/inspect/self_test.h"

#include "runtime/base/cpu.h"
#include "runtime/base/sha256.h"
#include "runtime/exec/select_kernels.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

// Neither side is the model's, so that resizing and padding take part.
constexpr ImageSize kPicture = {301, 200};

// A disc and a ramp under a little noise, in integers.
std::vector<uint8_t> MakePicture() {
  std::vector<uint8_t> rgb;
  uint32_t noise = 1;
  for (uint32_t y = 0; y < kPicture.height; ++y) {
    for (uint32_t x = 0; x < kPicture.width; ++x) {
      const int dx = static_cast<int>(x) - 120, dy = static_cast<int>(y) - 90;
      const bool disc = dx * dx + dy * dy < 55 * 55;
      noise = noise * 1664525 + 1013904223;
      const uint32_t grain = noise >> 28;
      rgb.push_back(static_cast<uint8_t>((disc ? 200 : 40 + x / 4) + grain));
      rgb.push_back(static_cast<uint8_t>((disc ? 60 : 30 + y / 2) + grain));
      rgb.push_back(static_cast<uint8_t>((disc ? 50 : 120) + grain));
    }
  }
  return rgb;
}

// In 1/64 pixel.
constexpr PointPrompt kPoints[] = {{120 * 64, 90 * 64, 1}, {250 * 64 + 17, 150 * 64 + 3, 0}};
constexpr BoxPrompt kBox = {60 * 64, 30 * 64, 180 * 64 + 32, 150 * 64};

Result<Json> RunTier(const Model& model, const char* tier, int threads) {
  SessionOptions options;
  options.threads = threads;
  options.isa = tier;
  INTSAM_ASSIGN(const auto session, Session::Create(model, std::move(options)));
  const std::vector<uint8_t> picture = MakePicture();
  INTSAM_TRY(session->SetImage(picture.data(), kPicture, size_t{kPicture.width} * 3, PixelFormat::kRgb));

  const SamConfig& c = model.config();
  Sha256 logits, scores, masks;
  std::vector<uint8_t> mask(size_t{kPicture.width} * kPicture.height);
  const std::span<const PointPrompt> points(kPoints);
  for (const Prompt& prompt : {Prompt{points.first(1)}, Prompt{points}, Prompt{{}, &kBox}, Prompt{points, &kBox}}) {
    INTSAM_TRY(session->Predict(prompt));
    for (uint32_t i = 0; i < c.num_masks(); ++i) {
      logits.Update(session->LowRes(0, i), c.low_res_values() * sizeof(int16_t));
      const int32_t score = session->IouQ15(0, i);
      scores.Update(&score, sizeof score);
      INTSAM_TRY(session->Mask(0, i, mask.data(), kPicture.width, false));
      masks.Update(mask.data(), mask.size());
    }
  }
  return Json{{"tier", tier},
              {"embedding", ToHex(Sha256Of(session->embedding().data(), session->embedding().size_bytes()))},
              {"logits", ToHex(logits.Finish())},
              {"scores", ToHex(scores.Finish())},
              {"masks", ToHex(masks.Finish())}};
}

}  // namespace

Result<SelfTest> RunSelfTest(const Model& model, int threads) {
  SelfTest test;
  for (const Kernels* tier : BuiltKernels()) {
    if (!CpuSupports(tier->name)) continue;
    INTSAM_ASSIGN(Json digests, RunTier(model, tier->name, threads));
    for (const char* key : {"embedding", "logits", "scores", "masks"}) {
      test.equal &= test.report.empty() || digests[key] == test.report.front()[key];
    }
    test.report.push_back(std::move(digests));
  }
  return test;
}

}  // namespace intsam::internal
