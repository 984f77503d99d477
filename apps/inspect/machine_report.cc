// Sections of intsam-inspect about this build and this machine.
#include "apps/inspect/machine_report.h"

#include "apps/common/limits.h"
#include "converter/checkpoint/limits.h"
#include "runtime/base/cpu.h"
#include "runtime/exec/select_kernels.h"
#include "runtime/format/limits.h"

namespace intsam::internal {

using Json = nlohmann::ordered_json;

Result<Json> KernelsReport() {
  INTSAM_ASSIGN(const Kernels* chosen, SelectKernels(nullptr));
  Json json = Json::array();
  for (const Kernels* tier : BuiltKernels()) {
    json.push_back({{"tier", tier->name}, {"supported", CpuSupports(tier->name)}, {"chosen", tier == chosen}});
  }
  return json;
}

Json LimitsReport() {
  using Checkpoint = CheckpointLimits;
  struct Limit {
    const char* thing;
    uint64_t value;
    const char* unit;
  };
  const Limit table[] = {
      {"model file", limits::kFileBytes, "bytes"},
      {"model section but the data", limits::kSectionBytes, "bytes"},
      {"model tensors", limits::kTensors, ""},
      {"model tensor name", limits::kNameBytes, "bytes"},
      {"model alignment", limits::kAlignment, "bytes, exactly"},
      {"image side", limits::kImageSide, "pixels"},
      {"image in memory", limits::kImageBytes, "bytes"},
      {"points per prompt", limits::kPointsPerPrompt, ""},
      {"prompts per call", limits::kPromptsPerBatch, ""},
      {"points of a grid per side", limits::kPointsPerSide, ""},
      {"points of all grids", limits::kGridPoints, ""},
      {"layers of crops", limits::kCropLayers, ""},
      {"hidden width of an MLP on 16 bits", limits::kHiddenDim, "channels"},
      {"threads", limits::kThreads, ""},
      {"image file", kImageFileBytes, "bytes"},
      {"image file side", kImageFileSide, "pixels"},
      {"image file decoded, with its decoder", kDecodedImageBytes, "bytes"},
      {"JPEG pixels times scans", kJpegScanPixels, "pixels"},
      {"prompt file", kPromptFileBytes, "bytes"},
      {"prompt file depth", kPromptFileDepth, "levels"},
      {"prompts per object", kMaxPromptsPerObject, ""},
      {"objects", kMaxObjects, ""},
      {"objects times pixels of the photo", kMaskPixels, "pixels"},
      {"masks kept for prompts, and for an overlay", kKeptMaskBytes, "bytes"},
      {"COCO file", kCocoFileBytes, "bytes"},
      {"COCO file depth", kCocoFileDepth, "levels"},
      {"COCO file entries", kCocoEntries, "of a list"},
      {"batch photos", kBatchPhotos, ""},
      {"batch list of photos", kBatchListBytes, "bytes"},
      {"batch prompt file", kBatchPromptsBytes, "bytes"},
      {"batch photos at a time", kBatchJobs, ""},
      {"batch parts", kBatchShards, ""},
      {"checkpoint file", Checkpoint::kFileBytes, "bytes"},
      {"checkpoint tensors", Checkpoint::kTensors, ""},
      {"checkpoint tensor name", Checkpoint::kNameBytes, "bytes"},
      {"checkpoint tensor rank", Checkpoint::kRank, ""},
      {"checkpoint tensor dimension", Checkpoint::kDimension, ""},
      {"checkpoint tensor elements", Checkpoint::kElements, ""},
      {"zip entries", Checkpoint::kZipEntries, ""},
      {"zip directory", Checkpoint::kZipDirectoryBytes, "bytes"},
      {"zip entry name", Checkpoint::kZipNameBytes, "bytes"},
      {"pickle stream", Checkpoint::kPickleBytes, "bytes"},
      {"pickle opcodes", Checkpoint::kPickleOpcodes, ""},
      {"pickle stack", Checkpoint::kPickleStack, "values"},
      {"pickle memo", Checkpoint::kPickleMemo, "values"},
      {"pickle depth", Checkpoint::kPickleDepth, "levels"},
      {"pickle string", Checkpoint::kPickleStringBytes, "bytes"},
      {"pickle global name", Checkpoint::kPickleGlobalBytes, "bytes"},
      {"safetensors header", Checkpoint::kSafetensorsHeaderBytes, "bytes"},
      {"checkpoint configuration file", Checkpoint::kConfigBytes, "bytes"},
      {"checkpoint configuration depth", Checkpoint::kConfigDepth, "levels"},
  };
  Json json = Json::array();
  for (const Limit& limit : table)
    json.push_back({{"limit", limit.thing}, {"value", limit.value}, {"unit", limit.unit}});
  return json;
}

}  // namespace intsam::internal
