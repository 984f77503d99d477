// Everything mode through the C API: against a plain walk over the same steps on whole maps of pixels, over threads,
// batches and crops; cancelled, misused, and out of date.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "intsam/intsam.hpp"
#include "tests/unit/api_fixture.h"

namespace intsam::internal::testing {
namespace {

constexpr double kOne = 1 << 30;

struct Found {
  std::vector<uint8_t> pixels;  // of the photo
  int32_t iou = 0, stability = 0, x = 0, y = 0;
  std::vector<int32_t> crop, box;
  int64_t area = 0;
  bool operator==(const Found&) const = default;
};

class EverythingTest : public ApiTest {
 protected:
  // Thresholds in the middle of what the micro model gives, so that each filter has something to do.
  static intsam_everything_options Options() {
    intsam_everything_options options;
    intsam_everything_options_init(&options);
    options.points_per_side = 6;
    options.points_per_batch = 7;
    options.pred_iou_thresh = 1;
    options.stability_score_thresh = static_cast<int32_t>(0.6 * kOne);
    options.stability_score_offset = 65536 / 16;
    return options;
  }

  static int32_t Collect(void* user, const intsam_found_mask* found, int32_t index, int32_t count) {
    auto& list = *static_cast<std::vector<Found>*>(user);
    EXPECT_EQ(found->size, sizeof *found);
    EXPECT_EQ(static_cast<size_t>(index), list.size());
    EXPECT_LT(index, count);
    intsam_mask_info info = {};
    info.size = sizeof info;
    intsam_mask_get_info(found->mask, &info);
    Found& one = list.emplace_back();
    one.pixels.resize(static_cast<size_t>(info.width) * static_cast<size_t>(info.height));
    EXPECT_EQ(intsam_mask_pixels(found->mask, one.pixels.data(), static_cast<size_t>(info.width)), INTSAM_OK);
    one.iou = found->predicted_iou, one.stability = found->stability;
    one.x = found->point_x, one.y = found->point_y;
    one.crop = {found->crop_x0, found->crop_y0, found->crop_x1, found->crop_y1};
    one.box = {info.x0, info.y0, info.x1, info.y1};
    one.area = info.area;
    return 0;
  }
  std::vector<Found> Everything(intsam_session* session, const intsam_image* image,
                                const intsam_everything_options& options) const {
    std::vector<Found> found;
    EXPECT_EQ(intsam_session_everything(session, image, &options, Collect, &found), INTSAM_OK)
        << intsam_session_error(session);
    return found;
  }
  intsam_session* CreateWith(int32_t threads) {
    intsam_session_options options;
    intsam_session_options_init(&options);
    options.threads = threads;
    return Create(model_, &options);
  }

  // ---- the same in steps that a reader of the original package knows, without runs of pixels

  static double Iou(const Found& a, const Found& b) {
    const double width = std::min(a.box[2], b.box[2]) - std::max(a.box[0], b.box[0]);
    const double height = std::min(a.box[3], b.box[3]) - std::max(a.box[1], b.box[1]);
    const double common = std::max(width, 0.0) * std::max(height, 0.0);
    const auto area = [](const Found& f) { return double(f.box[2] - f.box[0]) * (f.box[3] - f.box[1]); };
    return common / (area(a) + area(b) - common);
  }
  template <class Better>
  static void Nms(double threshold, const Better& better, std::vector<Found>& found) {
    std::stable_sort(found.begin(), found.end(), better);
    std::vector<Found> kept;
    for (const Found& one : found) {
      const auto overlaps = [&](const Found& k) { return Iou(one, k) > threshold; };
      if (std::none_of(kept.begin(), kept.end(), overlaps)) kept.push_back(one);
    }
    found = std::move(kept);
  }
  static std::vector<int32_t> BoxOf(const std::vector<uint8_t>& pixels, int32_t width) {
    std::vector<int32_t> box;
    for (int32_t i = 0; i < static_cast<int32_t>(pixels.size()); ++i) {
      if (pixels[static_cast<size_t>(i)] == 0) continue;
      const int32_t x = i % width, y = i / width;
      if (box.empty()) box = {x, y, x, y};
      box = {std::min(box[0], x), box[1], std::max(box[2], x), y};
    }
    return box.empty() ? std::vector<int32_t>(4) : box;
  }
  std::vector<Found> WalkCrop(const intsam_image& photo, const intsam_everything_options& options,
                              const std::vector<int32_t>& crop, int32_t per_side) {
    intsam_session* session = CreateWith(1);
    const int32_t w = crop[2] - crop[0], h = crop[3] - crop[1];
    const intsam_image cut = {photo.pixels + static_cast<size_t>(crop[1]) * photo.stride + 3 * crop[0], w, h,
                              photo.stride, photo.format};
    EXPECT_EQ(intsam_session_set_image(session, &cut), INTSAM_OK);
    std::vector<Found> found;
    for (int32_t i = 0; i < per_side * per_side; ++i) {
      const double x = (i % per_side + 0.5) / per_side * w, y = (i / per_side + 0.5) / per_side * h;
      const intsam_point point = {static_cast<int32_t>(std::floor(x * 64 + 0.5)),
                                  static_cast<int32_t>(std::floor(y * 64 + 0.5)), 1};
      const intsam_prompt prompt = {&point, 1, nullptr, nullptr};
      EXPECT_EQ(intsam_session_predict(session, &prompt), INTSAM_OK);
      for (int32_t m = 1; m < 4; ++m) {
        Found one;
        one.iou = intsam_session_iou(session, 0, m);
        if (options.pred_iou_thresh > 0 && one.iou / 32768.0 <= options.pred_iou_thresh / kOne) continue;
        EXPECT_EQ(intsam_session_stability(session, 0, m, nullptr, options.stability_score_offset, &one.stability),
                  INTSAM_OK);
        if (one.stability / 65536.0 < options.stability_score_thresh / kOne) continue;
        std::vector<uint8_t> mask(static_cast<size_t>(w) * static_cast<size_t>(h));
        EXPECT_EQ(intsam_session_mask(session, 0, m, mask.data(), static_cast<size_t>(w)), INTSAM_OK);
        one.box = BoxOf(mask, w);
        bool near = false;
        const int32_t ends[4] = {0, 0, photo.width, photo.height};
        for (size_t side = 0; side < 4; ++side) {
          one.box[side] += crop[side % 2];
          near |= std::abs(one.box[side] - crop[side]) <= 20 && std::abs(one.box[side] - ends[side]) > 20;
        }
        if (near) continue;
        one.x = point.x + 64 * crop[0], one.y = point.y + 64 * crop[1], one.crop = crop;
        one.area = std::count(mask.begin(), mask.end(), 1);
        one.pixels.assign(static_cast<size_t>(photo.width) * static_cast<size_t>(photo.height), 0);
        for (int32_t row = 0; row < h; ++row) {
          std::copy_n(&mask[static_cast<size_t>(row * w)], w,
                      &one.pixels[static_cast<size_t>((row + crop[1]) * photo.width + crop[0])]);
        }
        found.push_back(one);
      }
    }
    Nms(
        options.box_nms_thresh / kOne, [](const Found& a, const Found& b) { return a.iou > b.iou; }, found);
    return found;
  }
};

TEST_F(EverythingTest, EqualsAWalkOverAllPixels) {
  const intsam_image photo = image();
  for (const int variant : {0, 1, 2, 3}) {
    intsam_everything_options options = Options();
    if (variant == 1) options.stability_score_thresh = 0, options.box_nms_thresh = 1 << 29;
    if (variant == 2) options.pred_iou_thresh = 0, options.stability_score_thresh = static_cast<int32_t>(0.7 * kOne);
    if (variant == 3) options.box_nms_thresh = 1 << 30, options.points_per_side = 3;
    const std::vector<Found> expected = WalkCrop(photo, options, {0, 0, 100, 61}, options.points_per_side);
    ASSERT_FALSE(expected.empty()) << variant;
    EXPECT_EQ(Everything(CreateWith(1), &photo, options), expected) << variant;
  }
}

TEST_F(EverythingTest, CropsToo) {
  // So small that what the crops cut off is near the edge of the photo too: the micro model's masks fill what they see.
  const GoldenImage pixels = MakeImage(46, 40, 9);
  const intsam_image photo = {pixels.rgb.data(), 46, 40, 138, INTSAM_RGB};
  intsam_everything_options options = Options();
  options.crop_n_layers = 1;
  options.crop_n_points_downscale_factor = 2;
  options.stability_score_thresh = static_cast<int32_t>(0.5 * kOne);
  options.crop_overlap_ratio = 1 << 28;  // 10 pixels
  std::vector<Found> expected = WalkCrop(photo, options, {0, 0, 46, 40}, 6);
  size_t in_crops = 0;
  for (const std::vector<int32_t>& crop :
       {std::vector{0, 0, 28, 25}, {0, 15, 28, 40}, {18, 0, 46, 25}, {18, 15, 46, 40}}) {
    const std::vector<Found> more = WalkCrop(photo, options, crop, 3);
    in_crops += more.size();
    expected.insert(expected.end(), more.begin(), more.end());
  }
  EXPECT_GT(in_crops, 0u) << "the crops have nothing to show";
  const auto area = [](const Found& f) { return (f.crop[2] - f.crop[0]) * (f.crop[3] - f.crop[1]); };
  Nms(
      options.crop_nms_thresh / kOne, [&](const Found& a, const Found& b) { return area(a) < area(b); }, expected);
  intsam_session* session = CreateWith(2);
  EXPECT_EQ(Everything(session, &photo, options), expected);
  // The photo, and not the last crop, is the session's image.
  int32_t width = 0, height = 0;
  intsam_session_image_size(session, &width, &height);
  EXPECT_EQ(width, 46);
  EXPECT_EQ(height, 40);
  EXPECT_EQ(intsam_session_check_image(session, &photo), INTSAM_OK);
  EXPECT_EQ(intsam_session_num_results(session), 0u);
  const intsam_prompt object = prompt();
  intsam_session* fresh = CreateWith(1);
  ASSERT_EQ(intsam_session_set_image(fresh, &photo), INTSAM_OK);
  for (intsam_session* s : {session, fresh}) {
    ASSERT_EQ(intsam_session_predict(s, &object), INTSAM_OK);
  }
  EXPECT_EQ(HashOf(session, model_), HashOf(fresh, model_));
}

TEST_F(EverythingTest, SmallRegions) {
  const intsam_image photo = image();
  intsam_everything_options options = Options();
  options.stability_score_thresh = 0;
  const std::vector<Found> before = Everything(CreateWith(2), &photo, options);
  options.min_mask_region_area = 60;
  const std::vector<Found> after = Everything(CreateWith(2), &photo, options);
  ASSERT_FALSE(after.empty());
  EXPECT_LE(after.size(), before.size());
  bool changed_before = false;
  size_t changed = 0;
  for (const Found& one : after) {
    const auto same_prompt = [&](const Found& f) { return f.x == one.x && f.y == one.y && f.iou == one.iou; };
    const auto old = std::find_if(before.begin(), before.end(), same_prompt);
    ASSERT_NE(old, before.end());
    const bool is_changed = old->pixels != one.pixels;
    changed += is_changed;
    if (changed_before) {
      EXPECT_TRUE(is_changed || old->area < 60) << "masks left alone come first";
    }
    changed_before |= is_changed;
    EXPECT_EQ(one.area, std::count(one.pixels.begin(), one.pixels.end(), 1));
    EXPECT_EQ(one.box, BoxOf(one.pixels, 100));
    EXPECT_EQ(one.stability, old->stability);
  }
  EXPECT_GT(changed, 0u);
}

TEST_F(EverythingTest, SameForThreadsAndBatches) {
#ifdef __EMSCRIPTEN__
  GTEST_SKIP() << "more threads at a time than there are workers";
#endif
  const intsam_image photo = image();
  intsam_everything_options options = Options();
  options.crop_n_layers = 1, options.min_mask_region_area = 9;
  const std::vector<Found> expected = Everything(CreateWith(1), &photo, options);
  ASSERT_FALSE(expected.empty());
  for (const int32_t threads : {1, 2, 3, 9}) {
    for (const int32_t batch : {1, 5, 36, 4096}) {
      options.points_per_batch = batch;
      EXPECT_EQ(Everything(CreateWith(threads), &photo, options), expected) << threads << ", " << batch;
    }
  }
}

TEST_F(EverythingTest, OnTheImageOfTheSession) {
  intsam_session* session = CreateWith(2);
  const intsam_image photo = image();
  SetImageAndPredict(session);
  EXPECT_EQ(Everything(session, nullptr, Options()), Everything(CreateWith(1), &photo, Options()));
  EXPECT_EQ(intsam_session_num_results(session), 0u);
  EXPECT_EQ(intsam_session_check_image(session, &photo), INTSAM_OK);
}

TEST_F(EverythingTest, ProgressCountsPoints) {
  struct Seen {
    std::vector<int32_t> steps;
    int32_t total = 0;
  } seen;
  intsam_session_options session_options;
  intsam_session_options_init(&session_options);
  session_options.threads = 2;
  session_options.progress_user = &seen;
  session_options.progress = [](void* user, int32_t step, int32_t steps, const char* name) -> int32_t {
    auto& to = *static_cast<Seen*>(user);
    EXPECT_NE(name, nullptr);
    EXPECT_TRUE(to.steps.empty() || step >= to.steps.back()) << "goes back";
    EXPECT_LT(step, steps);
    EXPECT_TRUE(to.total == 0 || to.total == steps);
    to.steps.push_back(step), to.total = steps;
    return 0;
  };
  intsam_session* session = Create(model_, &session_options);
  const intsam_image photo = image();
  intsam_everything_options options = Options();
  options.crop_n_layers = 1, options.crop_n_points_downscale_factor = 3;
  Everything(session, &photo, options);
  EXPECT_EQ(seen.total, 36 + 4 * 4);
  EXPECT_GT(seen.steps.back(), 36);
  // Afterwards the callback is what it was.
  seen = {};
  ASSERT_EQ(intsam_session_set_image(session, &photo), INTSAM_OK);
  EXPECT_NE(seen.total, 36 + 4 * 4);
}

// At every step where the callbacks can stop it; afterwards the session goes on.
TEST_F(EverythingTest, Cancelled) {
  int32_t left = 0;
  intsam_session_options session_options;
  intsam_session_options_init(&session_options);
  session_options.threads = 2;
  session_options.progress_user = &left;
  session_options.progress = [](void* user, int32_t, int32_t, const char*) -> int32_t {
    return (*static_cast<int32_t*>(user))-- == 0;
  };
  intsam_session* session = Create(model_, &session_options);
  const intsam_image photo = image();
  intsam_everything_options options = Options();
  options.points_per_side = 3, options.crop_n_layers = 1;
  options.pred_iou_thresh = options.stability_score_thresh = 0;
  options.box_nms_thresh = options.crop_nms_thresh = 1 << 30;
  std::vector<Found> found;
  int32_t stop = 0;
  for (;; ++stop) {
    left = stop;
    const intsam_status status = intsam_session_everything(session, &photo, &options, Collect, &found);
    if (status == INTSAM_OK) break;
    ASSERT_EQ(status, INTSAM_CANCELLED) << intsam_session_error(session);
    ASSERT_TRUE(found.empty());
    ASSERT_EQ(intsam_session_embedding(session), nullptr);
  }
  EXPECT_GT(stop, 20);
  EXPECT_EQ(found, Everything(CreateWith(1), &photo, options));
  ASSERT_GT(found.size(), 1u);

  left = INT32_MAX;
  int32_t calls = 0;
  const auto second = [](void* user, const intsam_found_mask*, int32_t, int32_t) -> int32_t {
    return ++*static_cast<int32_t*>(user) == 2;
  };
  EXPECT_EQ(intsam_session_everything(session, &photo, &options, second, &calls), INTSAM_CANCELLED);
  EXPECT_EQ(calls, 2);
  EXPECT_NE(intsam_session_embedding(session), nullptr) << "the image had been worked through";
}

TEST_F(EverythingTest, TheCallbackCannotCallTheSession) {
  intsam_session* session = CreateWith(1);
  const intsam_image photo = image();
  const intsam_everything_options options = Options();
  const auto calls = [](void* user, const intsam_found_mask*, int32_t, int32_t) -> int32_t {
    auto* inner = static_cast<intsam_session*>(user);
    EXPECT_EQ(intsam_session_num_results(inner), 0u);
    intsam_mask* mask = nullptr;
    EXPECT_EQ(intsam_session_make_mask(inner, 0, 0, nullptr, &mask), INTSAM_ERROR_ARGUMENT);
    return 0;
  };
  EXPECT_EQ(intsam_session_everything(session, &photo, &options, calls, session), INTSAM_OK);
}

TEST_F(EverythingTest, Misuse) {
  intsam_session* session = CreateWith(1);
  const intsam_image photo = image();
  intsam_everything_options options = Options();
  std::vector<Found> found;
  const auto refuse = [&](const intsam_image* given, intsam_status status, const char* word) {
    SetImageAndPredict(session);
    ExpectError(session, intsam_session_everything(session, given, &options, Collect, &found), status, word);
    EXPECT_TRUE(found.empty());
    EXPECT_EQ(intsam_session_num_results(session), 0u) << word;
    EXPECT_EQ(intsam_session_embedding(session) != nullptr, given == nullptr) << word;
    options = Options();
  };
  options.size = 5, refuse(&photo, INTSAM_ERROR_ARGUMENT, "options: size 5");
  for (const int32_t bad : {0, -1, 1025, INT32_MAX, INT32_MIN})
    options.points_per_side = bad, refuse(&photo, INTSAM_ERROR_ARGUMENT, "points_per_side");
  for (const int32_t bad : {0, -1, 4097})
    options.points_per_batch = bad, refuse(&photo, INTSAM_ERROR_ARGUMENT, "points_per_batch");
  options.pred_iou_thresh = -1, refuse(&photo, INTSAM_ERROR_ARGUMENT, "pred_iou_thresh -1");
  options.stability_score_thresh = -1, refuse(&photo, INTSAM_ERROR_ARGUMENT, "stability_score_thresh");
  options.stability_score_offset = -1, refuse(&photo, INTSAM_ERROR_ARGUMENT, "stability_score_offset");
  options.box_nms_thresh = -1, refuse(&photo, INTSAM_ERROR_ARGUMENT, "box_nms_thresh");
  options.crop_nms_thresh = -1, refuse(&photo, INTSAM_ERROR_ARGUMENT, "crop_nms_thresh");
  for (const int32_t bad : {-1, 6, INT32_MAX})
    options.crop_n_layers = bad, refuse(&photo, INTSAM_ERROR_ARGUMENT, "crop_n_layers");
  for (const int32_t bad : {-1, (1 << 30) + 1})
    options.crop_overlap_ratio = bad, refuse(&photo, INTSAM_ERROR_ARGUMENT, "crop_overlap_ratio");
  for (const int32_t bad : {0, -1, 1025})
    options.crop_n_points_downscale_factor = bad,
    refuse(&photo, INTSAM_ERROR_ARGUMENT, "crop_n_points_downscale_factor");
  options.crop_n_layers = 2, options.crop_n_points_downscale_factor = 3;  // 6 / 9
  refuse(&photo, INTSAM_ERROR_ARGUMENT, "leaves no point in layer 2");
  options.min_mask_region_area = -1, refuse(&photo, INTSAM_ERROR_ARGUMENT, "min_mask_region_area");
  options.crop_n_layers = 5, options.points_per_side = 1024;
  refuse(&photo, INTSAM_ERROR_RESOURCE, "points in all are more than 4194304");
  options.crop_n_layers = 1, refuse(nullptr, INTSAM_ERROR_ARGUMENT, "which crop_n_layers needs");

  intsam_image bad = photo;
  bad.width = -1, refuse(&bad, INTSAM_ERROR_ARGUMENT, "negative");
  bad = photo, bad.stride = 1, refuse(&bad, INTSAM_ERROR_ARGUMENT, "stride");
  bad = photo, bad.pixels = nullptr, refuse(&bad, INTSAM_ERROR_ARGUMENT, "no pixels");
  ExpectError(session, intsam_session_everything(session, &photo, nullptr, nullptr, nullptr), INTSAM_ERROR_ARGUMENT,
              "found: is NULL");
  EXPECT_EQ(intsam_session_everything(nullptr, &photo, nullptr, Collect, &found), INTSAM_ERROR_ARGUMENT);
  intsam_session* fresh = CreateWith(1);
  ExpectError(fresh, intsam_session_everything(fresh, nullptr, nullptr, Collect, &found), INTSAM_ERROR_ARGUMENT,
              "none has been set");
  intsam_everything_options_init(nullptr);
}

TEST_F(EverythingTest, Wrapper) {
  intsam::Model model;
  intsam::Session session;
  ASSERT_TRUE(intsam::Model::Open(GoldenModelPath("micro"), model));
  ASSERT_TRUE(intsam::Session::Create(model, nullptr, session));
  const intsam_image photo = image();
  const intsam_everything_options options = Options();
  const std::vector<Found> expected = Everything(CreateWith(1), &photo, options);
  std::vector<int32_t> ious;
  ASSERT_TRUE(session.Everything(&photo, &options, [&](const intsam_found_mask& found, int index, int count) {
    EXPECT_EQ(index, static_cast<int>(ious.size()));
    EXPECT_EQ(count, static_cast<int>(expected.size()));
    ious.push_back(found.predicted_iou);
    return true;
  }));
  ASSERT_EQ(ious.size(), expected.size());
  for (size_t i = 0; i < ious.size(); ++i) EXPECT_EQ(ious[i], expected[i].iou);
  const auto stop = [](const intsam_found_mask&, int, int) { return false; };
  EXPECT_EQ(session.Everything(nullptr, &options, stop).status, INTSAM_CANCELLED);
}

TEST_F(EverythingTest, DefaultsAreTheOriginals) {
  intsam_everything_options options;
  intsam_everything_options_init(&options);
  EXPECT_EQ(options.size, sizeof options);
  EXPECT_EQ(options.points_per_side, 32);
  EXPECT_EQ(options.points_per_batch, 64);
  EXPECT_EQ(options.pred_iou_thresh, static_cast<int32_t>(std::floor(0.88 * kOne)));
  EXPECT_EQ(options.stability_score_thresh, static_cast<int32_t>(std::floor(0.95 * kOne)));
  EXPECT_EQ(options.stability_score_offset, 65536);
  EXPECT_EQ(options.box_nms_thresh, static_cast<int32_t>(std::ceil(0.7 * kOne)));
  EXPECT_EQ(options.crop_n_layers, 0);
  EXPECT_EQ(options.crop_nms_thresh, options.box_nms_thresh);
  EXPECT_EQ(options.crop_overlap_ratio, static_cast<int32_t>(std::ceil(512.0 / 1500 * kOne)));
  EXPECT_EQ(options.crop_n_points_downscale_factor, 1);
  EXPECT_EQ(options.min_mask_region_area, 0);
}

}  // namespace
}  // namespace intsam::internal::testing
