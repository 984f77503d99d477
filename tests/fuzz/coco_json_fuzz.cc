// COCO's annotations and results of detectors. Oracle: what is accepted is not empty, within its limits, unique where
// it has to be, and names photos below their folder.
#include "apps/common/coco.h"

#include <filesystem>
#include <set>

#include "apps/common/prompt_text.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/input_file.h"

namespace intsam::internal::testing {
namespace {

void RequireBoxes(const std::vector<CocoBox>& boxes) {
  constexpr int64_t kMost = kPixel * kCoordinateLimit, kHighest = int64_t{1000} << 30;
  for (const CocoBox& box : boxes) {
    for (const int64_t at : {box.box.x0, box.box.y0, box.box.x1, box.box.y1})
      Require(-kMost <= at && at <= kMost, "a coordinate");
    Require(-kHighest <= box.score && box.score <= kHighest, "a score");
    Require(!CocoScoreText(box.score, 1 << 15).empty(), "a score as text");
  }
}

void ReadAnnotations(const std::string& path) {
  const auto read = ReadCocoAnnotations(path, true);
  if (!read.ok()) return RequireRefusal(read.status(), path);
  const CocoAnnotations& annotations = read.value();
  RequireBoxes(annotations.boxes);
  std::set<int64_t> ids;
  for (const CocoImage& image : annotations.images) Require(ids.insert(image.id).second, "an id twice");
  Require(!ids.empty() && ReadCocoAnnotations(path, false).ok(), "without boxes, which are less to check");
  const auto photos = PhotosOfCoco(path, annotations, "/");
  if (!photos.ok()) return;
  for (const CocoPhoto& photo : photos.value()) {
    for (const std::filesystem::path& part : std::filesystem::path(photo.name))
      Require(part != ".." && part != "/", "a photo that leads out of the folder");
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  return {R"({"info":{"year":2017},"images":[{"id":7,"file_name":"a.jpg"},{"id":8,"file_name":"d/b.jpg"}],
          "annotations":[{"image_id":7,"category_id":1,"bbox":[1,2.5,3e1,4],"iscrowd":0,"segmentation":[[1,2,3,4]]},
          {"image_id":7,"category_id":1,"bbox":[0,0,1,1],"iscrowd":1}],"categories":[{"id":1,"name":"cat"}]})",
          R"([{"image_id":7,"category_id":1,"bbox":[1,2,3,4],"score":0.5},
          {"image_id":7,"category_id":2,"bbox":[-1,-2,3,4],"score":-999}])",
          R"({"images":[{"id":1,"file_name":"../a.jpg"}]})",
          R"({"images":[{"id":1,"file_name":"a"},{"id":2,"file_name":"./a"}]})",
          // Refused.
          R"({"images":[{"id":1,"file_name":"a"},{"id":1,"file_name":"b"}]})",
          R"({"images":[{"id":1,"file_name":"a"},{"id":2,"file_name":"a"}]})",
          R"({"images":[{"id":1,"file_name":"a"}],"categories":[{"id":1,"name":"a"},{"id":1,"name":"b"}]})",
          R"({"images":[{"id":1,"file_name":""}]})", R"({"images":[{"id":1.5,"file_name":"a"}]})",
          R"({"images":[{"id":18446744073709551615,"file_name":"a"}]})", R"({"images":[1]})", R"({"images":[]})",
          R"({"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3]}]})",
          R"({"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3,1e9]}]})",
          R"([{"image_id":7,"category_id":1,"bbox":[16777215,2,16777215.9999999,4],"score":1}])",
          R"([{"image_id":7,"category_id":1,"bbox":[1,2,3,4],"score":1e9}])", "[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]",
          "7", R"({"images":[{"id":1e999}]})"};
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  static testing::InputFile file;
  const std::string& path = file.With({data, size});
  testing::ReadAnnotations(path);
  const auto detections = ReadCocoDetections(path);
  if (detections.ok()) {
    testing::RequireBoxes(detections.value());
  } else {
    testing::RequireRefusal(detections.status(), path);
  }
  return 0;
}
