// A class map made sharper by masks, as Semantic-Segment-Anything does it: all pixels of a mask take the class that
// most of them have.
#ifndef INTSAM_APPS_BATCH_CLASS_MAP_H_
#define INTSAM_APPS_BATCH_CLASS_MAP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "apps/common/label_map.h"
#include "apps/common/photo/photo_reader.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// Masks vote with the classes of the map as it was given, the lowest class where two have as many pixels. They are
// painted from the largest to the smallest; pixels without a mask keep their class.
class ClassPainter {
 public:
  explicit ClassPainter(LabelMap map);

  // mask: a byte per pixel of the map, 0 or 1. kResource above LabelPainter::kMaxMasks.
  Status Add(const std::vector<uint8_t>& mask);

  std::vector<uint16_t> Painted() const;
  // A gray PNG, of 8 bits where all classes fit.
  Status Write(const std::string& path) const;

 private:
  LabelMap map_;
  LabelPainter masks_;
  std::vector<uint16_t> classes_;  // of the masks so far
  std::vector<uint32_t> votes_;    // by class, zeros between masks
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_CLASS_MAP_H_
