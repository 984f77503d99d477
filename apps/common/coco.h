// COCO's files, as far as prompts and scores need them. Entries are taken one by one, so that memory does not grow with
// what is passed over, such as the polygons of annotations.
// Errors: kIo, kResource (larger than kCocoFileBytes, too deep, too many entries: limits.h), kDamaged for what is not
// JSON of this form; messages start with the path and name the entry.
#ifndef INTSAM_APPS_COMMON_COCO_H_
#define INTSAM_APPS_COMMON_COCO_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "intsam/intsam.h"
#include "runtime/base/status.h"

namespace intsam::internal {

struct CocoImage {
  int64_t id;
  std::string file_name;  // as it stands there: nobody has looked whether it stays in its folder
};

// Of an object. 1/64 pixel; not cut at the image, and without an inside where a width was not above 0.
struct CocoBox {
  int64_t image_id, category_id;
  intsam_box box;
  int64_t score;  // Q30, at most 1000 in size; 1 for annotations
};

struct CocoAnnotations {
  std::vector<CocoImage> images;  // in the order of the file; ids and names are each there once
  std::vector<CocoBox> boxes;     // but for those of crowds
  std::map<int64_t, std::string> categories;
};

// An object with "images" and, where `boxes`, "annotations"; "categories" may be missing.
Result<CocoAnnotations> ReadCocoAnnotations(const std::string& path, bool boxes);

struct CocoPhoto {
  int64_t id;
  std::string name, path;  // the name is relative to its folder and stays below it
};

// The photos that the annotations of file `path` name, in `folder` and in their order; whether they are there is not
// looked at. kUsage when it is no folder, kDamaged for names that lead out of it or are there twice.
Result<std::vector<CocoPhoto>> PhotosOfCoco(const std::string& path, const CocoAnnotations& annotations,
                                            const std::string& folder);

// A list of results with boxes: image_id, category_id, bbox (x, y, width, height) and score. Other keys are passed
// over. Boxes that are there twice stay twice.
Result<std::vector<CocoBox>> ReadCocoDetections(const std::string& path);

// A score in Q30 times one in Q15, or the first one alone for 32768, with eight decimals.
std::string CocoScoreText(int64_t score_q30, int32_t factor_q15);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_COCO_H_
