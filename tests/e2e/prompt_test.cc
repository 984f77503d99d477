// Prompts from the command line and from JSON files, and their picture in the overlay.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "apps/common/overlay.h"
#include "apps/common/prompt_json.h"
#include "apps/common/prompt_text.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

constexpr ImageSize kImage{640, 480};

void ExpectFailure(const Status& status, Code code, const std::string& word) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(word), std::string::npos) << status.message();
}

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

TEST(CommandLine, PointsAndBoxes) {
  EXPECT_EQ(*ParsePoint("--point", "10,20"), (PointPrompt{640, 1280, 1}));
  EXPECT_EQ(*ParsePoint("--point", "10.5,20,0"), (PointPrompt{672, 1280, 0}));
  EXPECT_EQ(*ParseBox("--box", "1,2,3.25,4"), (BoxPrompt{64, 128, 208, 256}));
}

TEST(CommandLine, ErrorsNameOptionAndReason) {
  for (const char* text : {"", "5", "1,2,3,4", "1;2"}) {
    ExpectFailure(ParsePoint("--point", text).status(), Code::kUsage,
                  "--point: '" + std::string(text) + "' is not X,Y");
  }
  for (const char* text : {"a,1", "1,", ",1", "1,-", "1,.", "1,1e3", "1, 2", "0x1,2", "1,2.3.4", "nan,1", "--1,1"}) {
    ExpectFailure(ParsePoint("--point", text).status(), Code::kUsage, "is not a decimal number");
  }
  ExpectFailure(ParsePoint("--point", "99999999999999999999999,1").status(), Code::kUsage, "32768");
  ExpectFailure(ParsePoint("--point", "1,2,2").status(), Code::kUsage, "label");
  ExpectFailure(ParsePoint("--point", "1,2,").status(), Code::kUsage, "label");
  ExpectFailure(ParseBox("--box", "1,2,3").status(), Code::kUsage, "--box: '1,2,3' is not X0,Y0,X1,Y1");
  ExpectFailure(ParseBox("--box", "1,2,3,x").status(), Code::kUsage, "'x' is not a decimal number");
}

TEST(CommandLine, MustLieInsideTheImage) {
  EXPECT_TRUE(CheckPoint({0, 0, 1}, kImage, Code::kUsage).ok());
  EXPECT_TRUE(CheckPoint({640 * 64 - 1, 480 * 64 - 1, 1}, kImage, Code::kUsage).ok());
  for (const PointPrompt& p : {PointPrompt{-1, 0}, {0, -1}, {640 * 64, 0}, {0, 480 * 64}}) {
    ExpectFailure(CheckPoint(p, kImage, Code::kUsage), Code::kUsage, "outside the image of 640 x 480");
  }
  EXPECT_TRUE(CheckBox({0, 0, 640 * 64, 480 * 64}, kImage, Code::kUsage).ok());
  ExpectFailure(CheckBox({0, 0, 640 * 64 + 1, 480 * 64}, kImage, Code::kDamaged), Code::kDamaged, "outside");
  ExpectFailure(CheckBox({-64, 0, 64, 64}, kImage, Code::kUsage), Code::kUsage, "box -1,0,1,1 is outside");
  ExpectFailure(CheckBox({64, 0, 64, 64}, kImage, Code::kUsage), Code::kUsage, "empty");
  ExpectFailure(CheckBox({0, 65, 64, 64}, kImage, Code::kUsage), Code::kUsage, "empty");
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
  EXPECT_EQ(object.points, (std::vector<PointPrompt>{{640, 1312, 1}, {64, 128, 0}, {192, 256, 1}}));
  EXPECT_EQ(object.box, (BoxPrompt{0, 0, 40960, 30720}));
  EXPECT_EQ(object.mask_path, "m.png");
}

TEST(PromptJson, SeveralObjectsAndTheBoxSynonym) {
  Result<std::vector<ObjectPrompt>> objects =
      ParsePrompts(R"([[{"type":"point","data":[1,1]}],[{"type":"box","data":[1,2,3,4]}]])", kImage);
  ASSERT_TRUE(objects.ok()) << objects.status().message();
  ASSERT_EQ(objects->size(), 2u);
  EXPECT_TRUE((*objects)[1].points.empty());
  EXPECT_EQ((*objects)[1].box, (BoxPrompt{64, 128, 192, 256}));
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
      {R"([{"type":"point","data":[1e300,2]}])", Code::kDamaged, "beyond 32768"},
      {R"([{"type":"point","data":[1e999,2]}])", Code::kDamaged, "number is out of range"},
      {R"([{"type":"point","data":[1,2],"label":2}])", Code::kDamaged, "\"label\""},
      {R"([{"type":"point","data":[1,2],"label":true}])", Code::kDamaged, "\"label\""},
      {R"([{"type":"point","data":[640,2]}])", Code::kDamaged, "point 640,2 is outside the image of 640 x 480"},
      {R"([{"type":"box","data":[5,5,2,9]}])", Code::kDamaged, "empty"},
      {R"([{"type":"box","data":[5,5,9]}])", Code::kDamaged, "[x0, y0, x1, y1]"},
      {R"([{"type":"box","data":[0,0,1,1]},{"type":"rectangle","data":[0,0,1,1]}])", Code::kUnsupported,
       "more than one"},
      {R"([{"type":"mask","data":7}])", Code::kDamaged, "name of a file"},
      {R"([{"type":"mask","data":"a"},{"type":"mask","data":"b"}])", Code::kUnsupported, "more than one mask"},
      {"[[[[[[[[[1]]]]]]]]]", Code::kResource, "deeper than 8"},
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

TEST(Overlay, DimsLightsAndDraws) {
  Image photo{{100, 80}, std::vector<uint8_t>(3 * 100 * 80, 100)};
  std::vector<uint8_t> mask(100 * 80, 0);
  for (size_t y = 20; y < 60; ++y) std::fill_n(&mask[y * 100 + 30], 40, 1);
  ObjectPrompt prompt;
  prompt.points = {{50 * 64, 40 * 64, 1}, {10 * 64, 10 * 64, 0}};
  prompt.box = BoxPrompt{28 * 64, 18 * 64, 100 * 64, 62 * 64};
  const uint8_t* masks[] = {mask.data()};
  const Image out = RenderOverlay(photo, masks, {&prompt, 1});
  const auto at = [&](size_t x, size_t y) {
    const uint8_t* p = &out.rgb[3 * (y * 100 + x)];
    return Rgb{p[0], p[1], p[2]};
  };
  const Rgb colour = MaskColour(0);
  EXPECT_EQ(out.size, photo.size);
  EXPECT_EQ(at(90, 5), (Rgb{50, 50, 50}));
  EXPECT_EQ(at(60, 30),
            (Rgb{uint8_t(50 + colour.red / 2), uint8_t(50 + colour.green / 2), uint8_t(50 + colour.blue / 2)}));
  EXPECT_EQ(at(30, 40), colour);  // contour
  EXPECT_EQ(at(69, 25), colour);
  EXPECT_EQ(at(50, 40), (Rgb{0, 200, 0}));
  EXPECT_EQ(at(10, 10), (Rgb{220, 0, 0}));
  EXPECT_EQ(at(28, 50), (Rgb{255, 220, 0}));
  EXPECT_EQ(at(99, 50), (Rgb{255, 220, 0}));  // a box up to the edge stays visible
  EXPECT_EQ(at(60, 18), (Rgb{255, 220, 0}));
}

TEST(Overlay, PromptsAtCornersAreClipped) {
  Image photo{{9, 7}, std::vector<uint8_t>(3 * 9 * 7, 10)};
  ObjectPrompt prompt;
  prompt.points = {{0, 0, 1}, {9 * 64 - 1, 7 * 64 - 1, 0}};
  prompt.box = BoxPrompt{0, 0, 9 * 64, 7 * 64};
  const std::vector<uint8_t> mask(9 * 7, 1);
  const uint8_t* masks[] = {mask.data(), mask.data(), mask.data()};
  EXPECT_EQ(RenderOverlay(photo, masks, {&prompt, 1}).rgb.size(), photo.rgb.size());
}

}  // namespace
}  // namespace intsam::internal
