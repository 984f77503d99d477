// Prompts from the command line and from JSON files.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "apps/common/prompt_json.h"
#include "apps/common/prompt_text.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

constexpr ImageSize kImage{640, 480};

int32_t Coordinate(const std::string& text) {
  Result<int32_t> value = ParseCoordinate(text);
  EXPECT_TRUE(value.ok()) << value.status().message();
  return value.ok() ? *value : INT32_MIN;
}

TEST(Coordinate, DecimalsTo64ths) {
  EXPECT_EQ(Coordinate("0"), 0);
  EXPECT_EQ(Coordinate("12"), 768);
  EXPECT_EQ(Coordinate("+12.5"), 800);
  EXPECT_EQ(Coordinate(".25"), 16);
  EXPECT_EQ(Coordinate("7."), 448);
  EXPECT_EQ(Coordinate("-3.5"), -224);
  EXPECT_EQ(Coordinate("32767.99"), 2097151);
  EXPECT_EQ(Coordinate("00012.50000000000000000000"), 800);
}

// Ties go up, and a digit however far out decides on which side of a tie a number lies.
TEST(Coordinate, RoundsHalfUp) {
  EXPECT_EQ(Coordinate("0.0078125"), 1);
  EXPECT_EQ(Coordinate("0.0078124999999999999"), 0);
  EXPECT_EQ(Coordinate("-0.0078125"), 0);
  EXPECT_EQ(Coordinate("-0.00781250000000000000001"), -1);
  EXPECT_EQ(Coordinate("-0.0078124999999999999"), 0);
  EXPECT_EQ(Coordinate("-0.0234375"), -1);
  for (int i = -40000; i < 40000; i += 7) {
    const std::string text = std::to_string(i / 1000.0);  // six exact decimals
    EXPECT_EQ(Coordinate(text), static_cast<int32_t>(std::floor(i / 1000.0 * 64 + 0.5))) << text;
  }
}

TEST(Coordinate, TextIsExact) {
  EXPECT_EQ(CoordinateText(800), "12.5");
  EXPECT_EQ(CoordinateText(-1), "-0.015625");
  EXPECT_EQ(CoordinateText(6400), "100");
  for (int32_t c = -3000; c < 3000; ++c) EXPECT_EQ(Coordinate(CoordinateText(c)), c);
}

using Numbers = std::vector<int32_t>;
Numbers Of(const intsam_point& p) { return {p.x, p.y, p.label}; }
Numbers Of(const intsam_box& b) { return {b.x0, b.y0, b.x1, b.y1}; }

TEST(CommandLine, PointsAndBoxes) {
  EXPECT_EQ(Of(*ParsePoint("--point", "10,20")), (Numbers{640, 1280, 1}));
  EXPECT_EQ(Of(*ParsePoint("--point", "10.5,20,0")), (Numbers{672, 1280, 0}));
  EXPECT_EQ(Of(*ParseBox("--box", "1,2,3.25,4")), (Numbers{64, 128, 208, 256}));
  EXPECT_EQ(Of(*ParsePoint("--point", " 10.5,  20 , 0 ")), (Numbers{672, 1280, 0}));
  EXPECT_EQ(Of(*ParseBox("--box", "1, 2, 3.25, 4")), (Numbers{64, 128, 208, 256}));
}

TEST(CommandLine, ErrorsNameOptionAndReason) {
  for (const char* text : {"", "5", "1,2,3,4", "1;2"}) {
    ExpectFailure(ParsePoint("--point", text).status(), Code::kUsage,
                  "--point: '" + std::string(text) + "' is not X,Y");
  }
  for (const char* text :
       {"a,1", "1,", ",1", "1,-", "1,.", "1,1e3", "1 2,3", "1, ", "0x1,2", "1,2.3.4", "nan,1", "--1,1"}) {
    ExpectFailure(ParsePoint("--point", text).status(), Code::kUsage, "is not a decimal number");
  }
  ExpectFailure(ParsePoint("--point", "99999999999999999999999,1").status(), Code::kUsage, "16777216");
  ExpectFailure(ParsePoint("--point", "1,2,2").status(), Code::kUsage, "label");
  ExpectFailure(ParsePoint("--point", "1,2,").status(), Code::kUsage, "label");
  ExpectFailure(ParseBox("--box", "1,2,3").status(), Code::kUsage, "--box: '1,2,3' is not X0,Y0,X1,Y1");
  ExpectFailure(ParseBox("--box", "1,2,3,x").status(), Code::kUsage, "'x' is not a decimal number");
}

TEST(CommandLine, PointsLieInsideTheImage) {
  EXPECT_TRUE(CheckPoint({0, 0, 1}, kImage).ok());
  EXPECT_TRUE(CheckPoint({640 * 64 - 1, 480 * 64 - 1, 1}, kImage).ok());
  for (const intsam_point& p : {intsam_point{-1, 0, 1}, {0, -1, 1}, {640 * 64, 0, 1}, {0, 480 * 64, 1}}) {
    ExpectFailure(CheckPoint(p, kImage), Code::kUsage, "outside the image of 640 x 480");
  }
}

TEST(CommandLine, BoxesAreClippedToTheImage) {
  EXPECT_EQ(Of(*ClipBox({0, 0, 640 * 64, 480 * 64}, kImage)), (Numbers{0, 0, 640 * 64, 480 * 64}));
  EXPECT_EQ(Of(*ClipBox({-26, 640, 300 * 64, 480 * 64 + 1}, kImage)), (Numbers{0, 640, 300 * 64, 480 * 64}));
  EXPECT_EQ(Of(*ClipBox({-1 << 30, -1 << 30, 1 << 30, 1 << 30}, kImage)), (Numbers{0, 0, 640 * 64, 480 * 64}));
  for (const intsam_box& box :
       {intsam_box{-64, 0, 0, 64}, {0, -64, 64, 0}, {640 * 64, 0, 641 * 64, 64}, {0, 480 * 64, 64, 500 * 64}}) {
    ExpectFailure(ClipBox(box, kImage).status(), Code::kUsage, "is outside the image of 640 x 480");
  }
  ExpectFailure(ClipBox({64, 0, 64, 64}, kImage).status(), Code::kUsage, "box 1,0,1,1 is empty");
  ExpectFailure(ClipBox({0, 65, 64, 64}, kImage).status(), Code::kUsage, "empty");
}

TEST(PromptJson, OneObject) {
  Result<std::vector<ObjectPrompt>> objects = ParsePrompts(
      R"([{"type":"point","data":[10,20.5],"label":1},{"type":"point","data":[1,2],"label":0},
          {"type":"point","data":[3,4]},
          {"type":"rectangle","data":[0,0,640,480],"label":2},{"type":"mask","data":"m.png"}])",
      kImage);
  ASSERT_TRUE(objects.ok()) << objects.status().message();
  ASSERT_EQ(objects->size(), 1u);
  const ObjectPrompt& object = objects->front();
  ASSERT_EQ(object.points.size(), 3u);
  EXPECT_EQ(Of(object.points[0]), (Numbers{640, 1312, 1}));
  EXPECT_EQ(Of(object.points[1]), (Numbers{64, 128, 0}));
  EXPECT_EQ(Of(object.points[2]), (Numbers{192, 256, 1}));
  EXPECT_EQ(Of(object.box.value()), (Numbers{0, 0, 40960, 30720}));
  EXPECT_EQ(object.mask_path, "m.png");
}

TEST(PromptJson, SeveralObjectsAndTheBoxSynonym) {
  Result<std::vector<ObjectPrompt>> objects =
      ParsePrompts(R"([[{"type":"point","data":[1,1]}],[{"type":"box","data":[1,2,3,4]}]])", kImage);
  ASSERT_TRUE(objects.ok()) << objects.status().message();
  ASSERT_EQ(objects->size(), 2u);
  EXPECT_TRUE((*objects)[1].points.empty());
  EXPECT_EQ(Of((*objects)[1].box.value()), (Numbers{64, 128, 192, 256}));
}

TEST(PromptJson, ErrorsNameThePlaceAndTheReason) {
  const struct {
    const char* text;
    Code code;
    const char* word;
  } cases[] = {
      {"", Code::kDamaged, "not valid JSON"},
      {"[", Code::kDamaged, "not valid JSON at byte 2"},
      {"[{]", Code::kDamaged, "not valid JSON at byte 3"},
      {"{}", Code::kDamaged, "an array of prompts"},
      {"[]", Code::kDamaged, "not an empty one"},
      {"[[]]", Code::kDamaged, "object 0: an array"},
      {"[1]", Code::kDamaged, "entry 0: an object"},
      {R"([[{"type":"point","data":[1,1]}],{"type":"point","data":[1,1]}])", Code::kDamaged, "object 1: an array"},
      {R"([{"type":"point","data":[1,1]},[]])", Code::kDamaged, "entry 1: an object"},
      {R"([{"data":[1,2]}])", Code::kDamaged, "\"type\" is missing"},
      {R"([{"type":5}])", Code::kDamaged, "\"type\" is missing or no string"},
      {R"([{"type":"text","data":"cat"}])", Code::kUnsupported, "entry 0: type \"text\" is not supported"},
      {R"([{"type":"point"}])", Code::kDamaged, "\"data\" must be [x, y]"},
      {R"([{"type":"point","data":[1]}])", Code::kDamaged, "\"data\" must be [x, y]"},
      {R"([{"type":"point","data":["1",2]}])", Code::kDamaged, "\"data\" must be [x, y]"},
      {R"([{"type":"point","data":[1e300,2]}])", Code::kUsage, "not below 16777216 pixels"},
      {R"([{"type":"point","data":[1e999,2]}])", Code::kDamaged, "number is out of range"},
      {R"([{"type":"point","data":[1,2],"label":2}])", Code::kUsage, "\"label\" of a point must be 1"},
      {R"([{"type":"point","data":[1,2],"label":true}])", Code::kDamaged, "\"label\" must be a number"},
      {R"([{"type":"point","data":[640,2]}])", Code::kUsage, "point 640,2 is outside the image of 640 x 480"},
      {R"([{"type":"box","data":[5,5,2,9]}])", Code::kUsage, "empty"},
      {R"([{"type":"box","data":[640,5,700,9]}])", Code::kUsage, "entry 0: box 640,5,700,9 is outside"},
      {R"([{"type":"box","data":[5,5,9]}])", Code::kDamaged, "[x0, y0, x1, y1]"},
      {R"([{"type":"box","data":[0,0,1,1]},{"type":"rectangle","data":[0,0,1,1]}])", Code::kUsage, "more than one box"},
      {R"([{"type":"mask","data":7}])", Code::kDamaged, "name of a file"},
      {R"([{"type":"mask","data":"a\u0000.png"}])", Code::kDamaged, "NUL"},
      {R"([{"type":"mask","data":"a"},{"type":"mask","data":"b"}])", Code::kUsage, "more than one mask"},
      {R"([{"type":"point","data":[1,1],"labels":0}])", Code::kDamaged, "entry 0: unknown key \"labels\""},
      {R"([{"type":"mask","data":"a","label":1}])", Code::kDamaged, "unknown key \"label\""},
      {R"([{"type":"point","data":[1,1],"label":0,"label":1}])", Code::kDamaged, "the key \"label\" is repeated"},
      {R"([{"type":"point","data":[1,1],"data":[1,2]}])", Code::kDamaged, "the key \"data\" is repeated"},
      {"[[[[[[[[[1]]]]]]]]]", Code::kResource, "deeper than 8"},
      {"[[[[[[[[[]]]]]]]]]", Code::kResource, "deeper than 8"},
  };
  for (const auto& c : cases) ExpectFailure(ParsePrompts(c.text, kImage).status(), c.code, c.word);
}

TEST(PromptJson, Limits) {
  const std::string point = R"({"type":"point","data":[1,1]})";
  const auto list = [](const std::string& item, size_t n) {
    std::string text = "[" + item;
    for (size_t i = 1; i < n; ++i) text += "," + item;
    return text + "]";
  };
  EXPECT_TRUE(ParsePrompts(list(point, 256), kImage).ok());
  ExpectFailure(ParsePrompts(list(point, 257), kImage).status(), Code::kResource, "257 prompts");
  EXPECT_TRUE(ParsePrompts(list("[" + point + "]", 4096), kImage).ok());
  ExpectFailure(ParsePrompts(list("[" + point + "]", 4097), kImage).status(), Code::kResource, "4097 objects");
  ExpectFailure(ParsePrompts(std::string((1 << 20) + 1, ' '), kImage).status(), Code::kResource, "1048576");
  ExpectFailure(ParsePrompts(std::string(1 << 20, '['), kImage).status(), Code::kResource, "deeper");
  // Brackets inside strings are no depth.
  ExpectFailure(ParsePrompts(R"([{"type":"[[[[[[[[[[\"[[["}])", kImage).status(), Code::kUnsupported, "type");
}

// A detector's box over the edge must not cost the whole file.
TEST(PromptJson, BoxesAreClipped) {
  Result<std::vector<ObjectPrompt>> objects =
      ParsePrompts(R"([[{"type":"box","data":[-0.4,10,300,200]}],[{"type":"box","data":[1,2,99999,3]}]])", kImage);
  ASSERT_TRUE(objects.ok()) << objects.status().message();
  EXPECT_EQ(Of((*objects)[0].box.value()), (Numbers{0, 640, 300 * 64, 200 * 64}));
  EXPECT_EQ(Of((*objects)[1].box.value()), (Numbers{64, 128, 640 * 64, 192}));
}

// Readers that stop at a NUL and readers that do not would see two different files.
TEST(PromptJson, NulIsRefused) {
  const std::string good = R"([{"type":"point","data":[1,1]}])";
  ExpectFailure(ParsePrompts(good + std::string("\0garbage {{{", 12), kImage).status(), Code::kDamaged,
                "not valid JSON at byte " + std::to_string(good.size() + 1) + ": a NUL");
  ExpectFailure(ParsePrompts(std::string("\0", 1) + good, kImage).status(), Code::kDamaged, "at byte 1: a NUL");
}

TEST(PromptJson, EveryTruncationIsAnError) {
  const std::string text = R"([[{"type":"point","data":[1,1.5],"label":0},{"type":"mask","data":"a\u00e9"}]])";
  ASSERT_TRUE(ParsePrompts(text, kImage).ok());
  for (size_t n = 0; n < text.size(); ++n) {
    EXPECT_EQ(ParsePrompts(text.substr(0, n), kImage).status().code(), Code::kDamaged) << n;
  }
}

TEST(PromptJson, FilesResolveTheirMasks) {
  const TemporaryFolder folder;
  const std::string text = R"([[{"type":"mask","data":"m.png"}],[{"type":"mask","data":"/m.png"}]])";
  WriteAll(folder / "p.json", {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  Result<std::vector<ObjectPrompt>> objects = ReadPrompts(folder / "p.json", kImage);
  ASSERT_TRUE(objects.ok()) << objects.status().message();
  EXPECT_EQ((*objects)[0].mask_path, folder / "m.png");
  EXPECT_EQ((*objects)[1].mask_path, "/m.png");
  ExpectFailure(ReadPrompts(folder / "none.json", kImage).status(), Code::kIo, "none.json: cannot open");
  WriteAll(folder / "bad.json", std::vector<uint8_t>{0xFF, 0x00, '['});
  ExpectFailure(ReadPrompts(folder / "bad.json", kImage).status(), Code::kDamaged, "bad.json: not valid JSON");
}

}  // namespace
}  // namespace intsam::internal
