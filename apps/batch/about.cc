#include "apps/batch/about.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/common/file_bytes.h"
#include "apps/common/output.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/sha256.h"
#include "runtime/format/isam.h"
#include "runtime/format/limits.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

Result<std::string> HashOf(const std::string& path) {
  Sha256 hash;
  INTSAM_TRY(ReadPieces(path, [&hash](std::span<const uint8_t> piece) {
    hash.Update(piece.data(), piece.size());
    return Status();
  }));
  return ToHex(hash.Finish());
}

// The header has hashes of all else.
Result<std::string> HashOfHeader(const std::string& model) {
  INTSAM_ASSIGN(const MappedFile file, MappedFile::Open(model, limits::kFileBytes));
  return ToHex(Sha256Of(file.bytes().data(), std::min(file.bytes().size(), sizeof(isam::Header))));
}

const char* NameOf(BatchJob job) {
  switch (job) {
    case BatchJob::kEverything: return "auto";
    case BatchJob::kPrompts: return "prompts";
    case BatchJob::kCoco: return "boxes";
    case BatchJob::kEmbeddings: return "embeddings";
  }
  return "";
}

const char* NameOf(BatchFormat format) {
  switch (format) {
    case BatchFormat::kPngs: return "png";
    case BatchFormat::kRle: return "rle";
    case BatchFormat::kCoco: return "coco";
    case BatchFormat::kJsonLines: return "jsonl";
    case BatchFormat::kOriented: return "oriented";
    case BatchFormat::kClassMaps: return "semantic";
    case BatchFormat::kEmbeddings: return "embeddings";
  }
  return "";
}

const char* NameOf(CocoPrompt prompt) {
  switch (prompt) {
    case CocoPrompt::kDetections: return "box";
    case CocoPrompt::kBoxes: return "gt-box";
    case CocoPrompt::kCenters: return "center-point";
  }
  return "";
}

const char* NameOf(CocoScore score) {
  switch (score) {
    case CocoScore::kProduct: return "product";
    case CocoScore::kDetector: return "detector";
    case CocoScore::kIou: return "iou";
  }
  return "";
}

// points_per_batch is not among them: it changes no result. Shares as they are, in their units.
Json EverythingJson(const intsam_everything_options& o) {
  return {{"points_per_side", o.points_per_side},
          {"pred_iou_thresh_q30", o.pred_iou_thresh},
          {"stability_score_thresh_q30", o.stability_score_thresh},
          {"stability_score_offset_q16", o.stability_score_offset},
          {"box_nms_thresh_q30", o.box_nms_thresh},
          {"crop_n_layers", o.crop_n_layers},
          {"crop_nms_thresh_q30", o.crop_nms_thresh},
          {"crop_overlap_ratio_q30", o.crop_overlap_ratio},
          {"crop_n_points_downscale_factor", o.crop_n_points_downscale_factor},
          {"min_mask_region_area", o.min_mask_region_area}};
}

Status AddHash(Json& json, const char* key, const std::string& path) {
  if (path.empty()) return Status();
  INTSAM_ASSIGN(json[key], HashOf(path));
  return Status();
}

}  // namespace

Result<std::string> AboutRun(const BatchSettings& s) {
  Json json = Json::object();
  json["manifest"] = 1;
  json["intsam"] = intsam_version();
  json["model"] = s.model.substr(s.model.rfind('/') + 1);
  INTSAM_ASSIGN(json["model_sha256"], HashOfHeader(s.model));
  json["job"] = NameOf(s.job);
  json["format"] = NameOf(s.format);
  json["shard"] = std::to_string(s.shard.index) + "/" + std::to_string(s.shard.count);
  if (s.stretch) json["stretch"] = true;
  if (s.job == BatchJob::kEverything) json["everything"] = EverythingJson(s.everything);
  if (s.format == BatchFormat::kClassMaps) json["class_maps"] = s.class_maps;
  if (s.job == BatchJob::kPrompts || s.job == BatchJob::kCoco) json["select"] = s.select;
  INTSAM_TRY(AddHash(json, "prompts_sha256", s.prompts));
  INTSAM_TRY(AddHash(json, "detections_sha256", s.detections));
  INTSAM_TRY(AddHash(json, "annotations_sha256", s.annotations));
  if (s.job == BatchJob::kCoco) {
    json["prompt"] = NameOf(s.coco_prompt);
    json["score"] = NameOf(s.score);
    json["cascade"] = s.cascade;
    if (s.min_score != INT64_MIN) json["min_score_q30"] = s.min_score;
    if (s.max_detections != SIZE_MAX) json["max_dets"] = s.max_detections;
  }
  return DumpJson(json, -1);
}

}  // namespace intsam::internal
