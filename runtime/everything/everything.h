// Everything mode: all masks of a photo, found from a grid of points and told apart, as the original package's
// automatic mask generator does (docs/numerics.md section 12).
#ifndef INTSAM_RUNTIME_EVERYTHING_EVERYTHING_H_
#define INTSAM_RUNTIME_EVERYTHING_EVERYTHING_H_

#include <vector>

#include "runtime/everything/candidates.h"
#include "runtime/everything/options.h"
#include "runtime/exec/session.h"

namespace intsam::internal {

// Of a photo that the caller holds, or without pixels of the session's image (which has no crops then).
struct Photo {
  const uint8_t* pixels;
  ImageSize size;
  size_t stride;
  PixelFormat format;
};

// The masks in their final order. `photo` may be null: the session's image, which takes crop_n_layers = 0. Afterwards
// the photo is the session's image, as SetImage would leave it, and there are no results; after a failure there is no
// image, or still that of before where `photo` is null. The session's hook is called with the number of points that are
// answered, of all points. kUsage: a bad option or photo. kResource: too many points, no memory. kCancelled.
Status FindEverything(Session& session, const Photo* photo, const EverythingOptions& options,
                      std::vector<FoundMask>& found);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EVERYTHING_EVERYTHING_H_
