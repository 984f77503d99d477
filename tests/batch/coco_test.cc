#include <gtest/gtest.h>

#include <string>

#include "apps/common/coco.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

class Coco : public testing::Test {
 protected:
  Result<std::vector<CocoBox>> Detections(const std::string& text) {
    Write(text);
    return ReadCocoDetections(path_);
  }
  Result<CocoAnnotations> Annotations(const std::string& text, bool boxes = true) {
    Write(text);
    return ReadCocoAnnotations(path_, boxes);
  }

  const TemporaryFolder scratch_;
  const std::string path_ = scratch_ / "coco.json";

 private:
  void Write(const std::string& text) { WriteAll(path_, std::vector<uint8_t>(text.begin(), text.end())); }
};

TEST_F(Coco, DetectionsAsDetectorsWriteThem) {
  const auto boxes = Detections(R"([
    {"image_id": 42, "category_id": 18, "bbox": [258.15, 41.29, 348.26, 243.78], "score": 0.236, "more": {"x": [1]}},
    {"score": 1, "bbox": [-0.5, -1, 0, -3], "category_id": -1, "image_id": -7}])");
  ASSERT_TRUE(boxes.ok()) << boxes.status().message();
  ASSERT_EQ(boxes.value().size(), 2u);
  const CocoBox& first = boxes.value()[0];
  EXPECT_EQ(first.image_id, 42);
  EXPECT_EQ(first.category_id, 18);
  EXPECT_EQ(first.box.x0, 16522);
  EXPECT_EQ(first.box.y1, 18244);
  EXPECT_EQ(first.score, 253403070);
  const CocoBox& second = boxes.value()[1];
  EXPECT_EQ(second.image_id, -7);
  EXPECT_EQ(second.box.x0, second.box.x1);
  EXPECT_GT(second.box.y0, second.box.y1);
  EXPECT_EQ(second.score, 1 << 30);
  EXPECT_EQ(Detections("[]").value().size(), 0u);
}

TEST_F(Coco, BadDetections) {
  const std::string good = R"({"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5})";
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return "[" + good + "," + text + "]";
  };
  struct {
    std::string text;
    const char* word;
  } const cases[] = {
      {"", "not valid JSON at byte"},
      {"[" + good, "not valid JSON"},
      {"[" + good + "] x", "not valid JSON"},
      {with("0.5", "NaN"), "NaN and Infinity are not JSON"},
      {with("[1, 1, 2, 2]", "[1, 1, Infinity, 2]"), "not valid JSON"},
      {with("0.5", "1e999"), "out of range"},
      {good, "not a list of results"},
      {"3", "not a list of results"},
      {"{\"images\": [], \"annotations\": []}", "not a list of results"},
      {"[[" + good + "]]", "entry 0: is no object"},
      {"[" + good + ", 7]", "entry 1: is no object"},
      {with("\"image_id\": 1", "\"image_id\": \"1\""), "entry 1: \"image_id\""},
      {with("\"image_id\": 1", "\"image_id\": 1.5"), "\"image_id\""},
      {with("\"image_id\": 1", "\"image_id\": 9223372036854775808"), "\"image_id\""},
      {with("\"image_id\": 1", "\"image\": 1"), "\"image_id\""},
      {with("\"category_id\": 1", "\"category_id\": null"), "\"category_id\""},
      {with("[1, 1, 2, 2]", "[1, 1, 2]"), "\"bbox\""},
      {with("[1, 1, 2, 2]", "[1, 1, 2, \"2\"]"), "\"bbox\""},
      {with("[1, 1, 2, 2]", "[1, 1, 2, 1e8]"), "\"bbox\""},
      {with("[1, 1, 2, 2]", "[16777215, 1, 16777215.9999999, 2]"), "\"bbox\""},  // ends outside of 32 bits
      {with("[1, 1, 2, 2]", "{}"), "\"bbox\""},
      {with("0.5", "\"0.5\""), "\"score\""},
      {with("0.5", "1001"), "\"score\""},
      {with("\"score\"", "\"sc0re\""), "\"score\""},
      {"[" + good + std::string(1, '\0') + "]", "a NUL"},
  };
  for (const auto& [text, word] : cases) {
    const Status status = Detections(text).status();
    ExpectFailure(status, Code::kDamaged, word);
    EXPECT_TRUE(status.message().starts_with(path_)) << status.message();
  }
  ExpectFailure(Detections("[{\"a\": " + std::string(100'000, '[')).status(), Code::kResource, "deeper");
  ExpectFailure(ReadCocoDetections(scratch_ / "none").status(), Code::kIo, "none");
}

TEST_F(Coco, Annotations) {
  const std::string text = R"({"info": {"a": [1]}, "licenses": [{"id": 1}], "images": [
      {"id": 9, "file_name": "b.jpg", "width": 3}, {"id": 2, "file_name": "x/a.jpg"}],
    "annotations": [
      {"id": 1, "image_id": 2, "category_id": 5, "bbox": [1, 2, 3, 4], "iscrowd": 0, "segmentation": [[1, 1, 2, 2]]},
      {"id": 2, "image_id": 9, "category_id": 5, "bbox": [0, 0, 9, 9], "iscrowd": 1}],
    "categories": [{"id": 5, "name": "cat", "supercategory": "animal"}]})";
  const auto annotations = Annotations(text);
  ASSERT_TRUE(annotations.ok()) << annotations.status().message();
  const CocoAnnotations& read = annotations.value();
  ASSERT_EQ(read.images.size(), 2u);
  EXPECT_EQ(read.images[0].id, 9);
  EXPECT_EQ(read.images[1].file_name, "x/a.jpg");
  ASSERT_EQ(read.boxes.size(), 1u);
  EXPECT_EQ(read.boxes[0].image_id, 2);
  EXPECT_EQ(read.boxes[0].box.x1, 4 * 64);
  EXPECT_EQ(read.categories.at(5), "cat");
  EXPECT_EQ(Annotations(text, false).value().boxes.size(), 0u);
}

TEST_F(Coco, BadAnnotations) {
  const auto fails = [&](const std::string& text, const char* word) {
    ExpectFailure(Annotations(text).status(), Code::kDamaged, word);
  };
  const std::string image = R"({"id": 1, "file_name": "a.jpg"})";
  fails("[]", "not an object with images");
  fails("{}", "there are no images");
  fails("{\"images\": []}", "there are no images");
  fails("{\"images\": [3]}", "images: entry 0: is no object");
  fails("{\"images\": [{\"id\": 1}]}", "images: entry 0: \"file_name\"");
  fails("{\"images\": [{\"id\": 1, \"file_name\": \"\"}]}", "\"file_name\"");
  fails("{\"images\": [" + image + ", " + image + "]}", "images: entry 1: the id 1 is there twice");
  fails("{\"images\": [" + image + R"(, {"id": 2, "file_name": "a.jpg"}]})", "'a.jpg' is there twice");
  fails("{\"images\": [" + image + "], \"annotations\": [{\"image_id\": 1}]}", "annotations: entry 0: \"category_id\"");
  fails("{\"images\": [" + image + R"(], "categories": [{"id": 1, "name": "x"}, {"id": 1, "name": "y"}]})", "twice");
}

TEST_F(Coco, PhotosStayInTheirFolder) {
  const auto photos = [&](const std::vector<std::string>& names) {
    CocoAnnotations annotations;
    for (const std::string& name : names) annotations.images.push_back({7, name});
    return PhotosOfCoco("a.json", annotations, scratch_.path());
  };
  const auto good = photos({"a.jpg", "x/./y//..b.jpg", "x/../c..jpg"});
  ASSERT_TRUE(good.ok()) << good.status().message();
  EXPECT_EQ(good.value()[1].name, "x/y/..b.jpg");
  EXPECT_EQ(good.value()[2].path, scratch_ / "c..jpg");
  for (const std::string& name : {std::string("/a.jpg"), std::string("../a.jpg"), std::string("x/../../a.jpg"),
                                  std::string("x/"), std::string("."), std::string("a\0.jpg", 6)}) {
    ExpectFailure(photos({"b.jpg", name}).status(), Code::kDamaged, "leads out of the folder");
  }
  ExpectFailure(photos({"a.jpg", "./a.jpg"}).status(), Code::kDamaged, "is there twice");
  ExpectFailure(PhotosOfCoco("a.json", {}, scratch_ / "none").status(), Code::kUsage, "is not a folder");
}

TEST(CocoScore, Texts) {
  constexpr int64_t kOne = int64_t{1} << 30;
  EXPECT_EQ(CocoScoreText(kOne, 32768), "1.00000000");
  EXPECT_EQ(CocoScoreText(kOne / 2, 16384), "0.25000000");
  EXPECT_EQ(CocoScoreText(-kOne, 8192), "-0.25000000");
  EXPECT_EQ(CocoScoreText(-1, 1), "0.00000000");
  EXPECT_EQ(CocoScoreText(kOne - 1, 32768), "1.00000000");
  EXPECT_EQ(CocoScoreText(1000 * kOne, 40000), "1220.70312500");
  EXPECT_EQ(CocoScoreText(253403070, 31000), "0.22326660");
}

}  // namespace
}  // namespace intsam::internal
