// Embeddings, mask logits and predicted IoU equal those of the original package up to float noise. The noise is below
// 2e-6; the tolerance is far under what a wrong epsilon, a lost half pixel or a masked padding token would cause.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/reference/goldens.h"

namespace intsam::internal {
namespace {

using testing::Golden;

constexpr double kTolerance = 2e-5;

// [pixel][channel] to the goldens' [channel][pixel].
std::vector<float> ChannelFirst(const std::vector<float>& x, size_t channels) {
  std::vector<float> result(x.size());
  const size_t pixels = x.size() / channels;
  for (size_t i = 0; i < x.size(); ++i) result[i % channels * pixels + i / channels] = x[i];
  return result;
}

void Check(FloatSam& sam, const SamConfig& config, const Golden& golden) {
  const std::vector<float> embedding = sam.EncodeImage(golden.rgb.data(), golden.height, golden.width);
  EXPECT_LE(testing::RelativeError(ChannelFirst(embedding, config.prompt_embed_dim), golden.f32.at("embedding")),
            kTolerance);
  for (const std::string name : {"point", "box", "refine"}) {
    const FloatMasks masks = sam.Decode(embedding, testing::GoldenPrompt(golden, name));
    EXPECT_LE(testing::RelativeError(masks.low_res, golden.f32.at(name + ".low_res")), kTolerance) << name;
    EXPECT_LE(testing::RelativeError(masks.iou, golden.f32.at(name + ".iou")), kTolerance) << name;
  }
}

class MicroGoldens : public ::testing::TestWithParam<int> {};

TEST_P(MicroGoldens, EqualThePyTorchPackage) {
  FloatSam sam(testing::MicroModel(), GetParam());
  for (const char* photo : {"astronaut", "chelsea"}) {
    SCOPED_TRACE(photo);
    Check(sam, testing::MicroModel().config, testing::MicroGolden(photo));
  }
}

TEST_P(MicroGoldens, EqualTheMobileSamPackage) {
  FloatSam sam(testing::MicroMobileModel(), GetParam());
  for (const char* photo : {"mobile_astronaut", "mobile_chelsea"}) {
    SCOPED_TRACE(photo);
    Check(sam, testing::MicroMobileModel().config, testing::MicroGolden(photo));
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, MicroGoldens, ::testing::Values(1, 3));

// Large enough for every loop to use its threads.
TEST(Threads, ChangeNothing) {
  for (SamConfig config : {testing::MicroModel().config, testing::MicroMobileModel().config}) {
    config.image_size = 512;
    SCOPED_TRACE(config.family);
    const FloatModel model = SyntheticModel(config, 1);
    std::vector<uint8_t> rgb(size_t{400} * 512 * 3);
    for (size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<uint8_t>(i * i >> 8);
    const std::vector<float> mask(size_t{config.low_res()} * config.low_res(), 0.5f);
    const FloatPrompt prompt = {.points = {100, 200}, .labels = {1}, .mask_input = mask.data()};
    FloatSam one(model, 1), three(model, 3);
    const std::vector<float> expected = one.EncodeImage(rgb.data(), 400, 512);
    EXPECT_EQ(three.EncodeImage(rgb.data(), 400, 512), expected);
    const FloatMasks masks = one.Decode(expected, prompt);
    const FloatMasks found = three.Decode(expected, prompt);
    EXPECT_EQ(found.low_res, masks.low_res);
    EXPECT_EQ(found.iou, masks.iou);
  }
}

// Each `every`-th row and column of [maps][side][side].
std::vector<float> Sampled(const std::vector<float>& x, size_t side, size_t every) {
  std::vector<float> result;
  for (size_t row = 0; row < x.size() / side; ++row) {
    if (row % side % every != 0) continue;
    for (size_t column = 0; column < side; column += every) result.push_back(x[row * side + column]);
  }
  return result;
}

// data/sam_tiny_mobile_chelsea: each fourth row and column of what MobileSAM's modules compute.
TEST(SmallMobileSam, EqualsTheMobileSamPackage) {
  const FloatModel model =
      testing::LoadModel(std::string(INTSAM_SOURCE_DIR) + "/models/sam_tiny_mobile.safetensors", "");
  const Golden golden =
      testing::LoadGolden(std::string(INTSAM_SOURCE_DIR) + "/tests/reference/data/sam_tiny_mobile_chelsea.safetensors");
  FloatSam sam(model, 2);
  const SamConfig& c = model.config;
  const std::vector<float> embedding = sam.EncodeImage(golden.rgb.data(), golden.height, golden.width);
  const std::vector<float> sampled = Sampled(ChannelFirst(embedding, c.prompt_embed_dim), c.grid(), 4);
  EXPECT_LE(testing::RelativeError(sampled, golden.f32.at("embedding")), kTolerance);
  for (const std::string name : {"point", "box"}) {
    const FloatMasks masks = sam.Decode(embedding, testing::GoldenPrompt(golden, name));
    EXPECT_LE(testing::RelativeError(Sampled(masks.low_res, c.low_res(), 4), golden.f32.at(name + ".low_res")),
              kTolerance)
        << name;
    EXPECT_LE(testing::RelativeError(masks.iou, golden.f32.at(name + ".iou")), kTolerance) << name;
  }
}

class SmallSamGoldens : public ::testing::TestWithParam<const char*> {};

TEST_P(SmallSamGoldens, EqualThePyTorchPackage) {
  const std::string name = GetParam();
  const std::filesystem::path root = INTSAM_SOURCE_DIR;
  const char* folder = std::getenv("INTSAM_GOLDENS");
  const std::filesystem::path goldens = (folder != nullptr ? folder : root / "../shared/goldens") / name;
  const std::filesystem::path checkpoint = root / "models" / (name + ".safetensors");
  if (!std::filesystem::exists(checkpoint)) GTEST_SKIP() << "no " << checkpoint;
  if (!std::filesystem::exists(goldens))
    GTEST_SKIP() << "no " << goldens << "; set INTSAM_GOLDENS to the folder of " << name;
  const FloatModel model = testing::LoadModel(checkpoint, "");
  FloatSam sam(model, 1);
  for (const char* photo : {"astronaut", "chelsea", "coffee"}) {
    SCOPED_TRACE(photo);
    Check(sam, model.config, testing::LoadGolden(goldens / (std::string(photo) + ".safetensors")));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SmallSamGoldens, ::testing::Values("sam_tiny", "sam_tiny_mobile"));

}  // namespace
}  // namespace intsam::internal
