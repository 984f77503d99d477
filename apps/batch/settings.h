// The command line of intsam-batch, as far as it can be judged without the model and the photos.
#ifndef INTSAM_APPS_BATCH_SETTINGS_H_
#define INTSAM_APPS_BATCH_SETTINGS_H_

#include <cstddef>
#include <cstdint>
#include <cxxopts.hpp>
#include <string>
#include <vector>

#include "apps/batch/photo_list.h"
#include "apps/batch/shard.h"
#include "apps/common/options.h"
#include "intsam/intsam.h"
#include "runtime/base/status.h"

namespace intsam::internal {

enum class BatchJob { kEverything, kPrompts, kCoco, kEmbeddings };

enum class BatchFormat { kPngs, kRle, kCoco, kJsonLines, kOriented, kClassMaps, kEmbeddings };

// What a COCO file prompts with: boxes of --detections, or of --annotations the boxes or the points in their middle.
enum class CocoPrompt { kDetections, kBoxes, kCenters };

enum class CocoScore { kProduct, kDetector, kIou };

struct BatchSettings {
  CommonFlags flags;
  std::string model;
  PhotoSources sources;
  std::string out;
  BatchJob job = BatchJob::kEverything;
  BatchFormat format = BatchFormat::kPngs;

  int jobs = 1, threads = 1;  // of each job
  Shard shard;
  size_t limit = SIZE_MAX;  // photos, before they are divided into shards
  bool resume = false, keep_going = false;
  bool stretch = false;  // ReadOptions
  std::string isa;       // empty: the library's choice
  bool sandbox = false;

  intsam_everything_options everything;  // of kEverything
  std::string class_maps;                // of kClassMaps: a folder
  std::string prompts;                   // of kPrompts
  std::string select;                    // of kPrompts and kCoco
  std::string detections, annotations;   // of kCoco; either may be empty
  CocoPrompt coco_prompt = CocoPrompt::kDetections;
  CocoScore score = CocoScore::kProduct;
  bool cascade = false;
  int64_t min_score = INT64_MIN;  // Q30
  size_t max_detections = SIZE_MAX;

  bool uses_coco_ids() const { return job == BatchJob::kCoco; }
};

const ToolHelp& BatchHelp();
cxxopts::Options BatchOptions();

// kUsage for options that do not go together.
Result<BatchSettings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_SETTINGS_H_
