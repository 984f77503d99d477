// The command line of intsam-segment, as far as it can be judged without the model and the photo.
#ifndef INTSAM_APPS_SEGMENT_SETTINGS_H_
#define INTSAM_APPS_SEGMENT_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "apps/common/options.h"

namespace intsam::internal {

// Files are as the user named them, "-" for standard input or output, and empty where an option was not given.
struct SegmentSettings {
  CommonFlags flags;
  std::string model, image;
  std::vector<std::string> points, boxes;  // as typed
  std::string prompts, mask_input;
  std::string select;  // auto, best or an index
  std::string output, overlay, cutout, label_map, logits;
  uint32_t overlay_size = 0;  // pixels of the longer side at most; 0: those of the photo
  std::string embedding, save_embedding;
  bool stretch = false;  // ReadOptions of the photo
  std::string isa;       // empty: the library's choice
  bool sandbox = false;

  bool has_prompt() const { return !points.empty() || !boxes.empty() || !prompts.empty() || !mask_input.empty(); }
  // A file that shows masks, besides the words and the JSON about them.
  bool writes_masks() const {
    return !output.empty() || !overlay.empty() || !cutout.empty() || !label_map.empty() || !logits.empty();
  }
};

const ToolHelp& SegmentHelp();
cxxopts::Options SegmentOptions();

// kUsage for options that do not go together, and for names of outputs whose ending is no format for them.
Result<SegmentSettings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_SEGMENT_SETTINGS_H_
