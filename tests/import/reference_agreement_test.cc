// The imported plan, run as fake quantization by the float reference, against what PyTorch simulated from the same
// file: site names, weights and zero points mean the same on both sides. The reference's softmax is exact, and so it is
// in the outputs that this takes.
#include <cmath>

#include "converter/import/ptq4sam.h"
#include "tests/import/contract_file.h"
#include "tests/reference/goldens.h"

namespace intsam::internal::testing {
namespace {

constexpr double kTolerance = 1e-3;

void FakeQuantize(const ActivationScale& a, std::span<float> values) {
  const auto scale = static_cast<float>(a.scale);
  const auto top = static_cast<float>((1 << a.bits) - 1);
  for (float& value : values) {
    const float code = std::nearbyint(value / scale) + static_cast<float>(a.zero);
    value = (std::clamp(code, 0.0f, top) - static_cast<float>(a.zero)) * scale;
  }
}

void ExpectSimulated(const std::string& name, const std::vector<std::string>& photos) {
  const auto imported = ImportPtq4Sam(ImportData(name));
  ASSERT_TRUE(imported.ok()) << imported.status().message();
  const Golden simulated = LoadGolden(ImportData(name + "_simulated"));
  const QuantizationPlan& plan = imported.value().plan;
  for (const std::string& photo : photos) {
    SCOPED_TRACE(photo);
    const Golden golden = MicroGolden(photo);
    const auto expected = [&](const char* output) {
      return simulated.f32.at("micro_" + photo + "_exact_softmax." + output);
    };
    FloatSam sam(imported.value().model, 1);
    size_t quantized = 0;
    sam.set_hook([&](std::string_view site, std::span<float> values, size_t) {
      const auto found = plan.activations.find(site);
      if (found == plan.activations.end()) return;
      ++quantized;
      FakeQuantize(found->second, values);
    });
    const auto embedding = sam.EncodeImage(golden.rgb.data(), golden.height, golden.width);
    // PyTorch's is channel-first.
    const size_t channels = imported.value().model.config.prompt_embed_dim, pixels = embedding.size() / channels;
    std::vector<float> turned(embedding.size());
    for (size_t i = 0; i < embedding.size(); ++i) turned[i % channels * pixels + i / channels] = embedding[i];
    EXPECT_LT(RelativeError(turned, expected("embedding")), kTolerance);
    const FloatMasks masks = sam.Decode(embedding, GoldenPrompt(golden, "box"));
    EXPECT_LT(RelativeError(masks.low_res, expected("box.low_res")), kTolerance);
    EXPECT_LT(RelativeError(masks.iou, expected("box.iou")), kTolerance);
    EXPECT_EQ(quantized, plan.activations.size());
  }
}

TEST(Ptq4SamReference, SixBits) { ExpectSimulated("micro_w6a6", {"astronaut", "chelsea"}); }
// Not chelsea: there one value lies so close to a rounding boundary that the order of a sum decides, and that moves the
// embedding by 1.2 %, in PyTorch as well.
TEST(Ptq4SamReference, EightBits) { ExpectSimulated("micro_w8a8", {"astronaut"}); }

}  // namespace
}  // namespace intsam::internal::testing
