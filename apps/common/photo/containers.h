// What PNG and JPEG files say about themselves, read without decoding any pixel: the container is walked from start to
// end, so that truncation and (for PNG) every flipped bit is found before the decoder sees the data. Pure functions.
#ifndef INTSAM_APPS_COMMON_PHOTO_CONTAINERS_H_
#define INTSAM_APPS_COMMON_PHOTO_CONTAINERS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

struct PngHeader {
  ImageSize size;    // as stored, before `orientation` is applied
  int channels = 0;  // as stored; a palette counts as one
  int bits = 8;      // per channel
  bool palette = false;
  bool interlaced = false;
  int orientation = 1;  // of the eXIf chunk
};

struct JpegHeader {
  ImageSize size;
  int channels = 0;  // components: 1, 3 or 4
  bool arithmetic = false;
  bool adobe = false;              // has the Adobe marker, which says how four components are coded
  int scans = 0;                   // passes over the picture
  uint64_t coefficient_bytes = 0;  // what decoders hold until the last scan; 0 where one scan has everything
  int orientation = 1;             // of the first readable EXIF block
};

// Signature, chunk lengths, CRCs, IHDR, bytes in IDAT, IEND; sides against their limits, and whether so few bytes can
// hold so many pixels. kDamaged with the offset, kResource.
Result<PngHeader> InspectPng(std::span<const uint8_t> file);

// Markers up to the end of the image, frame header, tables, EXIF. Surplus bytes between the scans' data and the next
// marker are skipped, as libjpeg does. Sides and scans are checked against their limits. kDamaged with the offset,
// kUnsupported, kResource.
// `essence`: is appended a JPEG of the same pixels that holds nothing but the segments that were checked and the data
// of the scans, for decoders that would look into bytes that are skipped here. Where the picture is refused it is worth
// nothing.
Result<JpegHeader> InspectJpeg(std::span<const uint8_t> file, std::vector<uint8_t>* essence = nullptr);

// The first marker of a JPEG at or after `at`: FF and a byte that is neither a stuffed zero, nor fill, nor a restart
// marker. Returns the offset of that byte, or file.size().
size_t NextMarker(std::span<const uint8_t> file, size_t at);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_CONTAINERS_H_
