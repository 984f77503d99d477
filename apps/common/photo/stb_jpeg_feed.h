// A JPEG as stb_image is to see it. stb takes whatever stands between the end of a scan and the next marker for a
// marker, and gives up where it is none (up to version 2.27). It asks for the end of the file when it has decoded a
// scan, and at no other time that matters: then the rest of the scan's data is passed over. A scan that ends too early
// goes on with zeros, as in libjpeg.
#ifndef INTSAM_APPS_COMMON_PHOTO_STB_JPEG_FEED_H_
#define INTSAM_APPS_COMMON_PHOTO_STB_JPEG_FEED_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "apps/common/photo/big_endian.h"
#include "apps/common/photo/containers.h"

namespace intsam::internal {

class StbJpegFeed {
 public:
  // `essence`: of InspectJpeg.
  explicit StbJpegFeed(std::span<const uint8_t> essence) : rest_(essence.subspan(2)), segment_(essence.first(2)) {}

  // A segment, or a part of it; of a scan's data a single byte, so that stb holds nothing that is to be passed over.
  // 0 at the end.
  int Read(char* to, int size) {
    if (in_scan_) {
      *to = scan_.empty() ? 0 : static_cast<char>(scan_[0]);
      if (!scan_.empty()) scan_ = scan_.subspan(1);
      return 1;
    }
    if (segment_.empty()) NextSegment();
    const size_t n = std::min(segment_.size(), static_cast<size_t>(size));
    std::memcpy(to, segment_.data(), n);
    Pass(n);
    return static_cast<int>(n);
  }

  void Skip(int n) { Pass(std::min(segment_.size(), static_cast<size_t>(n))); }

  bool AtEnd() {
    in_scan_ = false;
    return segment_.empty() && rest_.empty();
  }

 private:
  static constexpr uint8_t kStartOfScan = 0xDA, kEndOfImage = 0xD9;

  void Pass(size_t n) {
    segment_ = segment_.subspan(n);
    if (!segment_.empty() || !scan_follows_) return;
    scan_follows_ = false;
    in_scan_ = true;
  }

  void NextSegment() {
    if (rest_.empty()) return;
    const bool last = rest_[1] == kEndOfImage;
    scan_follows_ = rest_[1] == kStartOfScan;
    segment_ = rest_.first(last ? 2 : 2 + Big16(&rest_[2]));
    rest_ = rest_.subspan(segment_.size());
    if (!scan_follows_) return;
    scan_ = rest_.first(NextMarker(rest_, 0) - 1);
    rest_ = rest_.subspan(scan_.size());
  }

  std::span<const uint8_t> rest_;     // from the next segment on
  std::span<const uint8_t> segment_;  // of the current segment, what has not been read
  std::span<const uint8_t> scan_;     // the same of the data behind a start of scan
  bool scan_follows_ = false, in_scan_ = false;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_STB_JPEG_FEED_H_
