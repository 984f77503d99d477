// Prompt files. Oracle: what is accepted can be asked of the library as it is: every object says something, and says it
// inside the image.
#include "apps/common/prompt_json.h"

#include "apps/common/limits.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/input_file.h"

namespace intsam::internal::testing {

// `count` times `item` in a list.
static std::string Many(size_t count, const std::string& item) {
  std::string text = "[" + item;
  for (size_t i = 1; i < count; ++i) text += "," + item;
  return text + "]";
}

std::vector<std::string> FuzzSeeds() {
  return {R"([{"type":"point","data":[10,20.5],"label":1},{"type":"point","data":[1e1,2],"label":0}])",
          R"([[{"type":"rectangle","data":[-3,0.25,640,480],"label":2}],[{"type":"box","data":[1,2,3,4]}]])",
          R"([[{"type":"mask","data":"m.png"}],[{"type":"point","data":[3,4]},{"type":"mask","data":"a\u00e9"}]])",
          // Refused: keys, numbers, names, forms and depths.
          R"([{"type":"point","data":[1,2],"size":1}])", R"([{"type":"mask","data":"m","label":1}])",
          R"([{"type":"point","data":[1e9,2]}])", R"([{"type":"point","data":[1,2],"label":"1"}])",
          R"([{"type":"point","data":[1,2],"label":3}])", R"([{"type":"box","data":[1,2,3,4]},
          {"type":"box","data":[1,2,3,4]}])",
          R"([{"type":"mask","data":"a\u0000b"}])", R"([{"type":"mask","data":1}])",
          R"([{"type":"mask","data":"a"},{"type":"mask","data":"b"}])", R"([{"type":"text","data":"cat"}])",
          R"([{"data":[1,2]}])", "[1]", "[[]]", "{}", R"([{"type":"point","type":"box"}])", "[[[[[[[[[1]]]]]]]]]",
          "[1e999]", Many(kMaxPromptsPerObject + 1, "0"), Many(kMaxObjects + 1, "[]")};
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  constexpr ImageSize kImage{640, 480};
  const auto objects = ParsePrompts({reinterpret_cast<const char*>(data), size}, kImage);
  if (!objects.ok()) return 0;
  static testing::InputFile file;
  const std::string& path = file.With({data, size});
  const auto read = ReadPrompts(path, kImage);
  testing::Require(read.ok() && read.value().size() == objects.value().size(), "other prompts in a file");
  testing::Require(!objects.value().empty() && objects.value().size() <= kMaxObjects, "number of objects");
  for (const ObjectPrompt& object : objects.value()) {
    testing::Require(!object.points.empty() || object.box || !object.mask_path.empty(), "an empty object");
    testing::Require(object.points.size() <= kMaxPromptsPerObject, "number of points");
    for (const intsam_point& point : object.points) {
      testing::Require(CheckPoint(point, kImage).ok() && (point.label == 0 || point.label == 1), "a bad point");
    }
    if (object.box) {
      const auto [x0, y0, x1, y1] = *object.box;
      testing::Require(0 <= x0 && x0 < x1 && x1 <= 640 * kPixel, "columns of a box");
      testing::Require(0 <= y0 && y0 < y1 && y1 <= 480 * kPixel, "rows of a box");
    }
    testing::Require(object.mask_path.find('\0') == std::string::npos, "a name that is cut");
  }
  return 0;
}
