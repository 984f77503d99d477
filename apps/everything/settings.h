// The command line of intsam-everything, as far as it can be judged without the model and the photo.
#ifndef INTSAM_APPS_EVERYTHING_SETTINGS_H_
#define INTSAM_APPS_EVERYTHING_SETTINGS_H_

#include <cstdint>
#include <cxxopts.hpp>
#include <string>

#include "apps/common/options.h"
#include "intsam/intsam.h"
#include "runtime/base/status.h"

namespace intsam::internal {

enum class MaskForm { kPngs, kCompressedRle, kPlainRle };

// Files are as the user named them, "-" for standard input or output, and empty where an option was not given.
struct EverythingSettings {
  CommonFlags flags;
  std::string model, image;
  std::string output;  // a folder for kPngs, else a JSON file; made of --output and the name of the photo
  MaskForm form = MaskForm::kPngs;
  bool overwrite = false;
  bool sandbox = false;
  std::string overlay, label_map;
  uint32_t overlay_size = 0;  // pixels of the longer side at most; 0: those of the photo
  bool stretch = false;       // ReadOptions of the photo
  std::string isa;            // empty: the library's choice
  intsam_everything_options options;
};

const ToolHelp& EverythingHelp();
cxxopts::Options EverythingToolOptions();

// kUsage for options that do not go together, and for names of outputs whose ending is no format for them.
Result<EverythingSettings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_EVERYTHING_SETTINGS_H_
