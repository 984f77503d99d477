#include "tests/fuzz/api_calls.h"

#include <numeric>

namespace intsam::internal::testing {
namespace {

// Sides of pictures and masks: small, but for one long row or column now and then.
constexpr int32_t kSide = 40, kLong = 20000;

size_t Pixels(int32_t width, int32_t height) { return static_cast<size_t>(width) * static_cast<size_t>(height); }
size_t BitBytes(int32_t width) { return (static_cast<size_t>(width) + 7) / 8; }

// A stride that holds a row, or one that does not.
size_t AnyStride(Draw& draw, size_t row) {
  return draw.OneIn(8) ? row - std::min<size_t>(row, 1) : row + draw.Byte() % 3;
}

intsam_mask_info InfoOf(const intsam_mask* mask) {
  intsam_mask_info info{};
  info.size = sizeof info;
  intsam_mask_get_info(mask, &info);
  return info;
}

// All that a mask says of itself agrees with its pixels.
void CheckMask(const intsam_mask* mask) {
  const intsam_mask_info info = InfoOf(mask);
  std::vector<uint8_t> pixels(Pixels(info.width, info.height));
  Require(intsam_mask_pixels(mask, pixels.data(), static_cast<size_t>(info.width)) == INTSAM_OK, "pixels of a mask");
  Require(std::accumulate(pixels.begin(), pixels.end(), int64_t{0}) == info.area, "area");
  size_t count = 0;
  Require(intsam_mask_run_lengths(mask, nullptr, 0, &count) == INTSAM_OK, "number of runs");
  std::vector<uint32_t> runs(count);
  Require(intsam_mask_run_lengths(mask, runs.data(), count, &count) == INTSAM_OK && count == runs.size(), "runs");
  uint64_t all = 0, inside = 0;
  for (size_t i = 0; i < count; ++i) all += runs[i], inside += i % 2 == 1 ? runs[i] : 0;
  Require(all == pixels.size() && inside == static_cast<uint64_t>(info.area), "sums of runs");
}

}  // namespace

ApiMachine::ApiMachine(const intsam_model* model, Draw& draw) : model_(model), draw_(draw), info_{} {
  info_.size = sizeof info_;
  intsam_model_get_info(model, &info_);
  for (Slot& slot : slots_) slot.machine = this;
}

ApiMachine::~ApiMachine() = default;

intsam_status ApiMachine::Checked(intsam_session* session, intsam_status status) {
  switch (status) {
    case INTSAM_OK: break;
    case INTSAM_ERROR_ARGUMENT:
    case INTSAM_ERROR_DAMAGED:
    case INTSAM_ERROR_UNSUPPORTED:
    case INTSAM_ERROR_RESOURCE:
    case INTSAM_CANCELLED: break;
    default: Require(false, "a status that this call has not");
  }
  const std::string sentence = intsam_session_error(session);
  if (session != nullptr) Require(!sentence.empty() || status == INTSAM_OK, "an error without a sentence");
  Require(sentence.empty() || status != INTSAM_OK || refused_, "a sentence without an error");
  Require(sentence.find('\n') == std::string::npos, "one line");
  refused_ = false;
  return status;
}

int32_t ApiMachine::Progress(void* user, int32_t step, int32_t steps, const char* name) {
  Require(step >= 0 && step < steps && name != nullptr, "a step of progress");
  if (user == nullptr) return 0;  // of options that end before it
  const Slot& slot = *static_cast<Slot*>(user);
  intsam_session* session = slot.session.get();
  if (slot.calls_back && session != nullptr) {
    const intsam_prompt none = {nullptr, 0, nullptr, nullptr};
    Require(intsam_session_predict(session, &none) == INTSAM_ERROR_ARGUMENT, "a call from a callback");
    slot.machine->refused_ = true;
    Require(intsam_session_num_results(session) == 0, "results while a call runs");
    Require(intsam_session_embedding(session) == nullptr, "an embedding while a call runs");
  }
  return step == slot.cancel_at;
}

int32_t ApiMachine::Found(void* user, const intsam_found_mask* found, int32_t index, int32_t count) {
  Slot& slot = *static_cast<Slot*>(user);
  Require(index >= 0 && index < count && found->size == sizeof *found, "a found mask");
  if (index < 4) CheckMask(found->mask);
  return index == slot.cancel_at;
}

ApiMachine::Slot& ApiMachine::AnySlot() {
  const size_t at = draw_.Byte();
  Slot& slot = slots_[at % kSessions];
  return slot.session != nullptr || at >= 224 ? slot : slots_[(at + 1) % kSessions];
}

size_t ApiMachine::AnyResult(const intsam_session* session) {
  const size_t results = intsam_session_num_results(session);
  return results > 0 && !draw_.OneIn(8) ? draw_.Byte() % results : static_cast<size_t>(draw_.Number(0, 2));
}

const intsam_mask* ApiMachine::AnyMask() {
  const size_t first = draw_.Byte() % masks_.size();
  for (size_t i = 0; i < masks_.size(); ++i) {
    if (const auto& mask = masks_[(first + i) % masks_.size()]; mask != nullptr) return mask.get();
  }
  return nullptr;
}

intsam_image ApiMachine::AnyImage() {
  intsam_image image{};
  image.width = draw_.OneIn(16) ? kLong : draw_.Number(1, kSide);
  image.height = image.width == kLong ? 1 : draw_.Number(1, kSide);
  const bool sides = image.width >= 1 && image.width <= kLong && image.height >= 1 && image.height <= kLong;
  image.format = static_cast<intsam_pixel_format>(draw_.Number(0, 4));
  const size_t row = sides ? Pixels(image.width, 4) : 4;
  image.stride = AnyStride(draw_, row);
  // Refused before a pixel is read: sides beyond 32768, or rows of the wrong length. Others have all their pixels.
  const size_t rows = sides ? static_cast<size_t>(image.height) : image.height > 1 && image.height <= 32768 ? 32768 : 1;
  if (!sides && (image.width > 1 && image.width <= 32768)) image.width = -image.width;
  pixels_ = draw_.Bytes(rows * (row + 3));
  image.pixels = draw_.OneIn(16) ? nullptr : pixels_.data();
  return image;
}

void ApiMachine::Create() {
  Slot& slot = AnySlot();
  slot.session.reset();
  slot.cancel_at = draw_.OneIn(4) ? draw_.Byte() % 16 : -1;
  slot.calls_back = draw_.OneIn(3);
  static constexpr const char* kTiers[] = {nullptr, nullptr, "scalar", "", "AVX2", "none"};
  intsam_session_options options;
  intsam_session_options_init(&options);
  options.threads = draw_.Number(1, 3);
  if (options.threads > 3 && options.threads <= 256) options.threads = 3;
  const uint8_t tier = draw_.Byte();
  options.isa = tier < 200 ? intsam_isa_name(tier % 8) : kTiers[tier % std::size(kTiers)];
  options.progress = Progress;
  options.progress_user = &slot;
  if (draw_.OneIn(8)) options.size = static_cast<size_t>(draw_.Number(0, sizeof options));
  char error[64] = "";
  intsam_session* session = nullptr;
  const bool whole = !draw_.OneIn(8);
  // What comes behind a struct that says to be longer is not ours to read.
  if (options.size > sizeof options) return;
  const intsam_status status =
      intsam_session_create(model_, whole ? &options : nullptr, &session, error, draw_.OneIn(8) ? 1 : sizeof error);
  Require((status == INTSAM_OK) == (session != nullptr), "a session and a status");
  Require(status == INTSAM_OK || status == INTSAM_ERROR_ARGUMENT || status == INTSAM_ERROR_UNSUPPORTED,
          "status of a session");
  slot.session.reset(session);
}

void ApiMachine::Model() {
  std::vector<uint8_t> bytes(sizeof(intsam_model_info) + 8, 0xee);
  const size_t size = draw_.Byte() % (bytes.size() + 1);
  std::memcpy(bytes.data(), &size, sizeof size);
  intsam_model_get_info(size < sizeof size ? nullptr : model_,
                        reinterpret_cast<intsam_model_info*>(bytes.data()));  // NOLINT: an info of any length
  for (size_t i = std::max(size, sizeof size); i < bytes.size(); ++i)
    Require(bytes[i] == 0xee, "an info beyond its size");
  Require(intsam_isa_supported(intsam_isa_name(draw_.Number(0, 7))) >= 0, "support of a tier");
}

void ApiMachine::Image() {
  intsam_session* session = AnySlot().session.get();
  const intsam_image image = AnyImage();
  if (draw_.OneIn(3)) {
    Checked(session, intsam_session_check_image(session, draw_.OneIn(16) ? nullptr : &image));
    return;
  }
  const intsam_status status = Checked(session, intsam_session_set_image(session, &image));
  int32_t width = -1, height = -1;
  intsam_session_image_size(session, &width, &height);
  Require(width == (status == INTSAM_OK ? image.width : 0), "the width of the image");
  if (status == INTSAM_OK) {
    Require(intsam_session_check_image(session, &image) == INTSAM_OK, "the image that was set");
  }
}

void ApiMachine::Embedding() {
  intsam_session* session = AnySlot().session.get();
  if (draw_.OneIn(2)) {
    const size_t size = intsam_session_embedding_size(session) + (draw_.OneIn(8) ? 1 : 0);
    saved_.assign(size, 0);
    Checked(session, intsam_session_save_embedding(session, size == 0 ? nullptr : saved_.data(), size));
    return;
  }
  std::vector<uint8_t> bytes = saved_;
  if (!bytes.empty() && draw_.OneIn(4)) bytes[static_cast<size_t>(draw_.Word()) % bytes.size()] ^= draw_.Byte();
  if (draw_.OneIn(8)) bytes.resize(bytes.size() / 2);
  const intsam_status status = Checked(session, intsam_session_load_embedding(session, bytes.data(), bytes.size()));
  if (status == INTSAM_OK) Require(intsam_session_embedding(session) != nullptr, "an embedding that was loaded");
}

void ApiMachine::Features() {
  intsam_session* session = AnySlot().session.get();
  const size_t values = Pixels(info_.embedding_size, info_.embedding_size) * Pixels(info_.embedding_channels, 1);
  std::vector<int16_t> features(values);
  for (int16_t& feature : features) feature = static_cast<int16_t>(draw_.Byte() << 8 | draw_.Byte());
  const int32_t width = draw_.Number(1, kSide), height = draw_.Number(1, kSide);
  Checked(session, intsam_session_set_features(session, draw_.OneIn(16) ? nullptr : features.data(), width, height));
}

intsam_prompt ApiMachine::AnyPrompt(intsam_session* session, size_t index) {
  const auto coordinate = [&] { return draw_.OneIn(8) ? draw_.Word() : draw_.Number(-64, 64 * kSide); };
  std::vector<intsam_point>& points = points_.at(index);
  points.resize(draw_.OneIn(16) ? 257 : draw_.Byte() % 4);
  for (intsam_point& point : points) point = {coordinate(), coordinate(), draw_.Number(0, 1)};
  intsam_prompt prompt = {points.empty() ? nullptr : points.data(), points.size(), nullptr, nullptr};
  if (draw_.OneIn(32)) prompt.points = nullptr;
  if (draw_.OneIn(3)) {
    boxes_.at(index) = {coordinate(), coordinate(), coordinate(), coordinate()};
    prompt.box = &boxes_.at(index);
  }
  if (draw_.OneIn(4)) {
    const size_t results = intsam_session_num_results(session);
    if (results > 0) {
      prompt.mask_input = intsam_session_low_res(session, draw_.Byte() % results, draw_.Number(0, info_.num_masks - 1));
    } else {
      logits_.at(index).assign(Pixels(info_.low_res_size, info_.low_res_size), static_cast<int16_t>(draw_.Word()));
      prompt.mask_input = logits_.at(index).data();
    }
  }
  return prompt;
}

void ApiMachine::Predict() {
  intsam_session* session = AnySlot().session.get();
  const intsam_prompt prompt = AnyPrompt(session, 0);
  const intsam_status status = Checked(session, intsam_session_predict(session, draw_.OneIn(32) ? nullptr : &prompt));
  Require(intsam_session_num_results(session) == (status == INTSAM_OK), "results of a prompt");
}

void ApiMachine::PredictBatch() {
  intsam_session* session = AnySlot().session.get();
  const size_t before = intsam_session_num_results(session);
  std::vector<intsam_prompt> prompts;
  const size_t count = draw_.Byte() % 4;
  for (size_t i = 0; i < count; ++i) prompts.push_back(AnyPrompt(session, i));
  const intsam_status status =
      Checked(session, intsam_session_predict_batch(session, prompts.empty() ? nullptr : prompts.data(), count));
  const size_t after = intsam_session_num_results(session);
  if (status == INTSAM_OK) Require(after == count, "results of a batch");
  if (status == INTSAM_ERROR_ARGUMENT) Require(after == before, "a bad argument changes nothing");
}

// Everything that only reads a session, at any index.
void ApiMachine::Read() {
  const Slot& slot = AnySlot();
  const intsam_session* session = slot.session.get();
  const size_t results = intsam_session_num_results(session);
  const size_t result = AnyResult(session);
  const int32_t mask = draw_.Number(0, info_.num_masks - 1);
  const bool there = result < results && mask >= 0 && mask < info_.num_masks;
  const int16_t* logits = intsam_session_low_res(session, result, mask);
  Require((logits != nullptr) == there, "logits of a result");
  if (there) std::vector<int16_t>(logits, logits + Pixels(info_.low_res_size, info_.low_res_size));
  if (!there) Require(intsam_session_iou(session, result, mask) == 0, "IoU of no result");
  const int32_t best = intsam_session_best_mask(session, result);
  Require(best >= 0 && best < info_.num_masks, "the best mask");
  Require(intsam_session_isa(session) != nullptr && intsam_session_threads(session) <= 256, "a session's properties");
  Require(session == nullptr || intsam_session_memory(session) > 0, "memory of a session");
  const int16_t* embedding = intsam_session_embedding(session);
  Require((embedding != nullptr) == (intsam_session_embedding_size(session) > 0), "an embedding and its size");
}

void ApiMachine::SessionMask() {
  intsam_session* session = AnySlot().session.get();
  int32_t width = 0, height = 0;
  intsam_session_image_size(session, &width, &height);
  const bool bits = draw_.OneIn(2);
  const size_t row = bits ? BitBytes(width) : static_cast<size_t>(width), stride = AnyStride(draw_, row);
  std::vector<uint8_t> out(std::max<size_t>(1, height == 0 ? 1 : stride * static_cast<size_t>(height - 1) + row));
  const size_t result = AnyResult(session);
  const int32_t mask = draw_.Number(0, info_.num_masks - 1);
  uint8_t* to = draw_.OneIn(16) ? nullptr : out.data();
  Checked(session, bits ? intsam_session_mask_bits(session, result, mask, to, stride)
                        : intsam_session_mask(session, result, mask, to, stride));
}

intsam_mask_options ApiMachine::AnyMaskOptions() {
  intsam_mask_options options;
  intsam_mask_options_init(&options);
  if (draw_.OneIn(2)) return options;
  options.x = draw_.Number(0, 8), options.y = draw_.Number(0, 8);
  options.region_width = draw_.Number(0, kSide), options.region_height = draw_.Number(0, kSide);
  options.width = draw_.Number(0, kSide), options.height = draw_.Number(0, kSide);
  // So that the pixels, of which CheckMask asks for all, stay few.
  if (options.width > kLong) options.width = INT_MAX;
  if (options.height > kLong) options.height = INT_MAX;
  options.threshold_offset = draw_.Number(-65536, 65536);
  return options;
}

void ApiMachine::MakeMask() {
  intsam_session* session = AnySlot().session.get();
  const intsam_mask_options options = AnyMaskOptions();
  intsam_mask* made = nullptr;
  const size_t result = AnyResult(session);
  const intsam_status status = Checked(
      session, intsam_session_make_mask(session, result, draw_.Number(0, info_.num_masks - 1), &options, &made));
  Require((status == INTSAM_OK) == (made != nullptr), "a mask and a status");
  masks_[draw_.Byte() % masks_.size()].reset(made);
  if (made != nullptr) CheckMask(made);
}

void ApiMachine::Stability() {
  intsam_session* session = AnySlot().session.get();
  const intsam_mask_options options = AnyMaskOptions();
  int32_t stability = -1;
  const size_t result = AnyResult(session);
  const intsam_status status = Checked(
      session, intsam_session_stability(session, result, draw_.Number(0, info_.num_masks - 1),
                                        draw_.OneIn(2) ? nullptr : &options, draw_.Number(0, INT_MAX), &stability));
  if (status == INTSAM_OK) Require(stability >= 0 && stability <= 65536, "a stability");
}

void ApiMachine::MaskPrompt() {
  intsam_session* session = AnySlot().session.get();
  int32_t width = 0, height = 0;
  intsam_session_image_size(session, &width, &height);
  const size_t stride = AnyStride(draw_, static_cast<size_t>(width));
  const std::vector<uint8_t> mask = draw_.Bytes(std::max<size_t>(1, (stride + 1) * static_cast<size_t>(height)));
  std::vector<int16_t> logits(Pixels(info_.low_res_size, info_.low_res_size));
  Checked(session, intsam_session_mask_prompt(session, draw_.OneIn(16) ? nullptr : mask.data(), stride, logits.data()));
}

void ApiMachine::Everything() {
  Slot& slot = AnySlot();
  intsam_everything_options options;
  intsam_everything_options_init(&options);
  // Grids of many points, and crops of crops, are allowed and take their time: small ones, or more than is allowed.
  // Number() may give what lies beside its range, too.
  const auto refused = [](int32_t value, int32_t most) { return value >= 0 && value <= most ? most + 1 : value; };
  options.points_per_side = draw_.OneIn(8) ? refused(draw_.Number(1025, 2000), 1024) : 1 + draw_.Byte() % 3;
  options.points_per_batch = draw_.Number(1, 4);
  options.pred_iou_thresh = draw_.OneIn(2) ? 0 : draw_.Word();
  options.stability_score_thresh = draw_.OneIn(2) ? 0 : draw_.Word();
  options.stability_score_offset = draw_.Number(0, 65536);
  options.box_nms_thresh = draw_.OneIn(2) ? 1 << 30 : draw_.Word();
  options.crop_n_layers = draw_.OneIn(8) ? refused(draw_.Number(6, 100), 5) : draw_.Byte() % 2;
  options.crop_nms_thresh = draw_.OneIn(2) ? 1 << 30 : draw_.Word();
  if (draw_.OneIn(4)) options.crop_overlap_ratio = draw_.Word();
  options.crop_n_points_downscale_factor = draw_.Number(1, 4);
  options.min_mask_region_area = draw_.Number(0, 100);
  const bool keep = draw_.OneIn(2);
  const intsam_image image = keep ? intsam_image{} : AnyImage();
  intsam_session* session = slot.session.get();
  const intsam_status status = Checked(session, intsam_session_everything(session, keep ? nullptr : &image, &options,
                                                                          draw_.OneIn(32) ? nullptr : Found, &slot));
  if (status == INTSAM_OK) Require(intsam_session_num_results(session) == 0, "results behind everything mode");
}

void ApiMachine::AskMask() {
  const intsam_mask* mask = AnyMask();
  const intsam_mask_info info = InfoOf(mask);
  const size_t row = draw_.OneIn(2) ? static_cast<size_t>(info.width) : BitBytes(info.width);
  const bool bits = row != static_cast<size_t>(info.width);
  const size_t stride = AnyStride(draw_, row);
  std::vector<uint8_t> out((stride + 1) * static_cast<size_t>(std::max(1, info.height)));
  const intsam_status status =
      bits ? intsam_mask_bits(mask, out.data(), stride) : intsam_mask_pixels(mask, out.data(), stride);
  Require((status == INTSAM_OK) == (mask != nullptr && stride >= row), "pixels and strides");

  size_t length = 0, corners = 0, rings = 0;
  if (intsam_mask_coco_string(mask, nullptr, 0, &length) == INTSAM_OK) {
    std::vector<char> text(length + (draw_.OneIn(4) ? 0 : 1));
    const bool fits = text.size() > length;
    Require((intsam_mask_coco_string(mask, text.data(), text.size(), &length) == INTSAM_OK) == fits,
            "room of a string");
  }
  if (intsam_mask_outlines(mask, nullptr, 0, &corners, nullptr, 0, &rings) != INTSAM_OK) return;
  std::vector<intsam_corner> at(corners);
  std::vector<intsam_ring> around(rings);
  const size_t short_by = corners > 0 && draw_.OneIn(4) ? 1 : 0;
  const intsam_status drawn =
      intsam_mask_outlines(mask, at.data(), corners - short_by, &corners, around.data(), rings, &rings);
  if (corners == 0) return;
  Require((drawn == INTSAM_OK) == (short_by == 0), "room of outlines");
  if (drawn != INTSAM_OK) return;
  int64_t area = 0;
  for (const intsam_ring& ring : around) {
    for (size_t i = 0; i < ring.count; ++i) {
      const intsam_corner a = at.at(ring.first + i), b = at.at(ring.first + (i + 1) % ring.count);
      area += int64_t{a.x} * b.y - int64_t{b.x} * a.y;
    }
  }
  Require(area == 2 * info.area, "the area inside the outlines");
}

void ApiMachine::NoHandle() {
  intsam_session* none = nullptr;
  const intsam_image image = AnyImage();
  const intsam_prompt prompt = AnyPrompt(none, 0);
  Require(intsam_session_set_image(none, &image) == INTSAM_ERROR_ARGUMENT, "no session");
  Require(intsam_session_predict(none, &prompt) == INTSAM_ERROR_ARGUMENT, "no session");
  Require(intsam_session_everything(none, &image, nullptr, Found, nullptr) == INTSAM_ERROR_ARGUMENT, "no session");
  Require(intsam_session_best_mask(none, 0) == 0 && intsam_session_num_results(none) == 0, "results of no session");
  Require(intsam_mask_pixels(nullptr, pixels_.data(), 0) == INTSAM_ERROR_ARGUMENT, "no mask");
  intsam_model* model = nullptr;
  char error[8] = "";
  Require(intsam_model_open_memory(pixels_.data(), pixels_.size(), &model, error, draw_.Byte() % sizeof error) !=
                  INTSAM_OK &&
              model == nullptr,
          "a model of anything");
}

void ApiMachine::Step() {
  using Call = void (ApiMachine::*)();
  // Those that lead on more often than the others.
  static constexpr Call kCalls[] = {
      &ApiMachine::Create,     &ApiMachine::Image,    &ApiMachine::Image,        &ApiMachine::Predict,
      &ApiMachine::Predict,    &ApiMachine::Predict,  &ApiMachine::MakeMask,     &ApiMachine::MakeMask,
      &ApiMachine::AskMask,    &ApiMachine::AskMask,  &ApiMachine::PredictBatch, &ApiMachine::Embedding,
      &ApiMachine::Everything, &ApiMachine::Read,     &ApiMachine::SessionMask,  &ApiMachine::Stability,
      &ApiMachine::MaskPrompt, &ApiMachine::Features, &ApiMachine::Model,        &ApiMachine::NoHandle};
  (this->*kCalls[draw_.Call() % std::size(kCalls)])();
}

}  // namespace intsam::internal::testing
