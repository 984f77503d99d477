// The promise of the import: integer masks agree with those that PyTorch simulated from the same file. Nothing is
// calibrated here but what PTQ4SAM leaves in floating point.
#include <cmath>

#include "converter/convert.h"
#include "converter/import/ptq4sam.h"
#include "converter/verify/regions.h"
#include "runtime/exec/session.h"
#include "tests/format/micro_model.h"
#include "tests/import/contract_file.h"
#include "tests/reference/goldens.h"

namespace intsam::internal::testing {
namespace {

// The mean over masks must agree; a single mask of random weights is noisy: moving every value of the simulation itself
// by 0.3 % of a code step leaves single masks at 0.955 (6 bits).
constexpr double kAgreement = 0.98, kLeastAgreement = 0.93;

// A coordinate of the resized photo in 1/64 pixel; the photo is given at that size.
int32_t Sixtyfourths(float coordinate) { return static_cast<int32_t>(std::lround(coordinate * 64)); }

void ExpectAgreement(const std::string& name) {
  auto imported = ImportPtq4Sam(ImportData(name));
  ASSERT_TRUE(imported.ok()) << imported.status().message();
  const Golden simulated = LoadGolden(ImportData(name + "_simulated"));
  const std::vector<std::string> photos = {"astronaut", "chelsea"};
  std::vector<CalibrationImage> images;
  for (const std::string& photo : photos) {
    const Golden golden = MicroGolden(photo);
    images.push_back({{golden.width, golden.height}, golden.rgb});
  }
  ConvertOptions options;
  options.threads = 1;
  auto converted = Convert(imported->model, images, options, std::move(imported->plan));
  ASSERT_TRUE(converted.ok()) << converted.status().message();
  const ModelBytes bytes = FileOf(converted->quantized->model, converted->provenance);
  auto opened = Model::OpenMemory(bytes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const std::unique_ptr<Model> model = std::move(opened).value();
  auto created = Session::Create(*model, {1, nullptr, nullptr});
  ASSERT_TRUE(created.ok()) << created.status().message();
  const std::unique_ptr<Session> session = std::move(created).value();

  double sum = 0;
  int masks = 0;
  for (size_t i = 0; i < photos.size(); ++i) {
    const Golden golden = MicroGolden(photos[i]);
    const ImageSize size = images[i].size;
    ASSERT_TRUE(session->SetImage(golden.rgb.data(), size, size_t{size.width} * 3, PixelFormat::kRgb).ok());
    for (const std::string prompt_name : {"point", "box"}) {
      SCOPED_TRACE(photos[i] + " " + prompt_name);
      const FloatPrompt given = GoldenPrompt(golden, prompt_name);
      std::vector<PointPrompt> points;
      for (size_t p = 0; p < given.labels.size(); ++p) {
        points.push_back({Sixtyfourths(given.points[2 * p]), Sixtyfourths(given.points[2 * p + 1]), given.labels[p]});
      }
      const BoxPrompt box{Sixtyfourths(given.box[0]), Sixtyfourths(given.box[1]), Sixtyfourths(given.box[2]),
                          Sixtyfourths(given.box[3])};
      ASSERT_TRUE(session->Predict({points, given.has_box ? &box : nullptr, nullptr}).ok());
      const std::vector<float>& expected = simulated.f32.at("micro_" + photos[i] + "." + prompt_name + ".low_res");
      const size_t pixels = expected.size() / session->config().num_masks();
      for (uint32_t m = 0; m < session->config().num_masks(); ++m) {
        std::vector<uint8_t> a(pixels), b(pixels);
        for (size_t at = 0; at < pixels; ++at) {
          a[at] = session->LowRes(0, m)[at] > 0, b[at] = expected[m * pixels + at] > 0;
        }
        const double iou = MaskIou(a, b);
        EXPECT_GE(iou, kLeastAgreement) << "mask " << m;
        sum += iou, ++masks;
      }
    }
  }
  EXPECT_GE(sum / masks, kAgreement) << masks << " masks";
}

TEST(Ptq4SamIntegers, SixBitsWithAgqAndFoldedSigns) { ExpectAgreement("micro_w6a6"); }
TEST(Ptq4SamIntegers, EightBitsWithUniformSoftmax) { ExpectAgreement("micro_w8a8"); }

}  // namespace
}  // namespace intsam::internal::testing
