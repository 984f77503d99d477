// Where decoders put their pixels. A decoder says once what is coming (Begin, which checks it against the limits and
// makes room for the result), then hands over each row once, from top to bottom. What becomes of the rows is the
// sink's: RGB bytes, a mask, labels, or the range of the values.
#ifndef INTSAM_APPS_COMMON_PHOTO_PIXEL_SINK_H_
#define INTSAM_APPS_COMMON_PHOTO_PIXEL_SINK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "apps/common/photo/photo_reader.h"

namespace intsam::internal {

struct PixelLayout {
  ImageSize size;              // as stored, before `orientation`
  int channels = 3;            // 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha
  int bits = 8;                // per sample: 8, or 9 to 16 in uint16_t of which the low bits are used
  int orientation = 1;         // EXIF tag 0x0112, 1..8: where the stored top left corner is meant to be seen
  bool lossy = false;          // black may have become nearly black
  uint64_t working_bytes = 0;  // what the decoder holds at most besides the result, apart from a few rows
};

class PixelSink {
 public:
  virtual ~PixelSink() = default;

  // The samples handed over must live until the call returns. Row8 for 8 bits, Row16 for more.
  Status Begin(const PixelLayout& layout);
  void Row8(const uint8_t* samples) { Put8(samples, row_++); }
  void Row16(const uint16_t* samples) { Put16(samples, row_++); }
  void Note(std::string sentence) { notes_.push_back(std::move(sentence)); }

  ImageSize size() const { return size_; }  // as seen
  std::vector<std::string> TakeNotes() { return std::move(notes_); }

 protected:
  virtual Status Prepare() = 0;  // makes room; called by Begin
  virtual void Put8(const uint8_t* samples, uint32_t y) = 0;
  virtual void Put16(const uint16_t* samples, uint32_t y) = 0;

  const PixelLayout& layout() const { return layout_; }
  int colours() const { return layout_.channels >= 3 ? 3 : 1; }
  bool has_alpha() const { return layout_.channels % 2 == 0; }
  size_t pixels() const { return size_t{size_.width} * size_.height; }

  // The pixels of stored row y lie at first, first + step, first + 2 * step, ... of the picture as it is seen.
  struct Place {
    ptrdiff_t first, step;
  };
  Place PlaceOf(uint32_t y) const;

 private:
  PixelLayout layout_;
  ImageSize size_;
  uint32_t row_ = 0;
  std::vector<std::string> notes_;
};

// The values of a picture's colours, without alpha.
struct SampleRange {
  int darkest = 65535, brightest = 0;
};

// Finds the range of the values, for a second run that stretches them.
class RangeSink : public PixelSink {
 public:
  const SampleRange& range() const { return range_; }

 protected:
  Status Prepare() override { return Status(); }
  void Put8(const uint8_t* samples, uint32_t y) override;
  void Put16(const uint16_t* samples, uint32_t y) override;

 private:
  template <class T>
  void Put(const T* samples);

  SampleRange range_;
};

// RGB of 8 bits. `stretch`: null, or the range that becomes 0 to 255.
class RgbSink : public PixelSink {
 public:
  explicit RgbSink(const SampleRange* stretch) : stretch_(stretch) {}
  Image Take();  // notes on what was seen included

 protected:
  Status Prepare() override;
  void Put8(const uint8_t* samples, uint32_t y) override;
  void Put16(const uint16_t* samples, uint32_t y) override;

 private:
  template <class T>
  void Put(const T* samples, uint32_t y);

  const SampleRange* stretch_;
  std::vector<uint8_t> level_;  // of every value
  std::vector<uint8_t> rgb_;
  int seen_ = 0;  // all values, or-ed
};

// 1 where any colour is above 0 and the pixel is not fully transparent.
class MaskSink : public PixelSink {
 public:
  Mask Take();

 protected:
  Status Prepare() override;
  void Put8(const uint8_t* samples, uint32_t y) override;
  void Put16(const uint16_t* samples, uint32_t y) override;

 private:
  template <class T>
  void Put(const T* samples, uint32_t y);

  std::vector<uint8_t> inside_;
  uint64_t nearly_black_ = 0;  // pixels
};

// Gray values as they are.
class LabelSink : public PixelSink {
 public:
  LabelMap Take() { return {size(), std::move(labels_)}; }

 protected:
  Status Prepare() override;
  void Put8(const uint8_t* samples, uint32_t y) override;
  void Put16(const uint16_t* samples, uint32_t y) override;

 private:
  template <class T>
  void Put(const T* samples, uint32_t y);

  std::vector<uint16_t> labels_;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_PIXEL_SINK_H_
