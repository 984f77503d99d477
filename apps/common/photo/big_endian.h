// Numbers as PNG, JPEG and ISO media files store them.
#ifndef INTSAM_APPS_COMMON_PHOTO_BIG_ENDIAN_H_
#define INTSAM_APPS_COMMON_PHOTO_BIG_ENDIAN_H_

#include <cstdint>

namespace intsam::internal {

inline uint32_t Big16(const uint8_t* p) { return uint32_t{p[0]} << 8 | p[1]; }
inline uint32_t Big32(const uint8_t* p) { return Big16(p) << 16 | Big16(p + 2); }

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_BIG_ENDIAN_H_
