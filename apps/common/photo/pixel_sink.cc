// What becomes of decoded rows. Orientation costs no second copy: every row is written to the place where it is seen.
#include "apps/common/photo/pixel_sink.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "apps/common/photo/photo_limits.h"

namespace intsam::internal {

Status PixelSink::Begin(const PixelLayout& layout) {
  INTSAM_TRY(CheckSides(layout.size));
  INTSAM_TRY(CheckMemory(layout.size, layout.working_bytes));
  layout_ = layout;
  size_ = layout.orientation >= 5 ? ImageSize{layout.size.height, layout.size.width} : layout.size;
  row_ = 0;
  return Prepare();
}

PixelSink::Place PixelSink::PlaceOf(uint32_t y) const {
  const int orientation = layout_.orientation;
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const ptrdiff_t width = layout_.size.width, height = layout_.size.height;
  const ptrdiff_t row = mirror_y ? height - 1 - y : y, column = mirror_x ? width - 1 : 0;
  const bool transposed = orientation >= 5;
  const ptrdiff_t step = transposed ? height : 1;
  return {transposed ? column * height + row : row * width + column, mirror_x ? -step : step};
}

template <class T>
void RangeSink::Put(const T* samples) {
  for (uint32_t x = 0; x < layout().size.width; ++x, samples += layout().channels) {
    for (int c = 0; c < colours(); ++c) {
      range_.darkest = std::min<int>(range_.darkest, samples[c]);
      range_.brightest = std::max<int>(range_.brightest, samples[c]);
    }
  }
}

void RangeSink::Put8(const uint8_t* samples, uint32_t) { Put(samples); }
void RangeSink::Put16(const uint16_t* samples, uint32_t) { Put(samples); }

Status RgbSink::Prepare() {
  level_.resize(size_t{1} << layout().bits);
  for (int v = 0; v < static_cast<int>(level_.size()); ++v) {
    int level = v >> (layout().bits - 8);
    // A picture of one value has nothing to stretch.
    if (stretch_ != nullptr && stretch_->brightest > stretch_->darkest) {
      const int span = stretch_->brightest - stretch_->darkest;
      level = ((std::clamp(v, stretch_->darkest, stretch_->brightest) - stretch_->darkest) * 255 + span / 2) / span;
    }
    level_[static_cast<size_t>(v)] = static_cast<uint8_t>(level);
  }
  rgb_.resize(3 * pixels());
  return Status();
}

template <class T>
void RgbSink::Put(const T* samples, uint32_t y) {
  const Place place = PlaceOf(y);
  const int channels = layout().channels;
  if (sizeof(T) == 1 && channels == 3 && place.step == 1 && stretch_ == nullptr) {
    std::memcpy(&rgb_[3 * static_cast<size_t>(place.first)], samples, size_t{3} * layout().size.width);
    return;
  }
  const int green = channels >= 3 ? 1 : 0, blue = channels >= 3 ? 2 : 0;
  uint8_t* to = rgb_.data() + 3 * place.first;
  int seen = 0;
  for (uint32_t x = 0; x < layout().size.width; ++x, samples += channels, to += 3 * place.step) {
    seen |= samples[0] | samples[green] | samples[blue];
    to[0] = level_[samples[0]];
    to[1] = level_[samples[green]];
    to[2] = level_[samples[blue]];
  }
  seen_ |= seen;
}

void RgbSink::Put8(const uint8_t* samples, uint32_t y) { Put(samples, y); }
void RgbSink::Put16(const uint16_t* samples, uint32_t y) { Put(samples, y); }

Image RgbSink::Take() {
  // A photo that uses a quarter of its range or less throughout: data of 14 bits or fewer, as cameras and microscopes
  // write them.
  const int used = std::bit_width(static_cast<unsigned>(seen_));
  if (layout().bits == 16 && stretch_ == nullptr && used > 0 && used <= 14) {
    Note("only the low " + std::to_string(used) +
         " of 16 bits are used, so the picture is dark; --stretch spreads them");
  }
  return {size(), std::move(rgb_), TakeNotes()};
}

Status MaskSink::Prepare() {
  inside_.resize(pixels());
  return Status();
}

template <class T>
void MaskSink::Put(const T* samples, uint32_t y) {
  constexpr int kNearlyBlack = 16;
  const Place place = PlaceOf(y);
  const int channels = layout().channels;
  uint8_t* to = inside_.data() + place.first;
  for (uint32_t x = 0; x < layout().size.width; ++x, samples += channels, to += place.step) {
    const int brightest = *std::max_element(samples, samples + colours());
    *to = brightest != 0 && !(has_alpha() && samples[channels - 1] == 0);
    nearly_black_ += *to != 0 && brightest < kNearlyBlack;
  }
}

void MaskSink::Put8(const uint8_t* samples, uint32_t y) { Put(samples, y); }
void MaskSink::Put16(const uint16_t* samples, uint32_t y) { Put(samples, y); }

Mask MaskSink::Take() {
  if (layout().lossy && nearly_black_ > 0) {
    Note(std::to_string(nearly_black_) +
         " pixels are nearly black and count as inside: lossy compression blurs black, a PNG mask is exact");
  }
  return {size(), std::move(inside_), TakeNotes()};
}

Status LabelSink::Prepare() {
  if (layout().channels != 1) return Error(Code::kUnsupported, "a region map must be gray");
  labels_.resize(pixels());
  return Status();
}

template <class T>
void LabelSink::Put(const T* samples, uint32_t y) {
  const Place place = PlaceOf(y);
  uint16_t* to = labels_.data() + place.first;
  for (uint32_t x = 0; x < layout().size.width; ++x, to += place.step) *to = samples[x];
}

void LabelSink::Put8(const uint8_t* samples, uint32_t y) { Put(samples, y); }
void LabelSink::Put16(const uint16_t* samples, uint32_t y) { Put(samples, y); }

}  // namespace intsam::internal
