// Masks one by one; metadata, overlay and label map at the end.
#include "apps/everything/outputs.h"

#include <unistd.h>

#include "apps/common/limits.h"
#include "apps/common/picture_writer.h"

namespace intsam::internal {
namespace {

Status WriteText(OutputFile& file, const std::string& text) { return file.Write(text.data(), text.size()); }

}  // namespace

MaskOutputs::MaskOutputs(const EverythingSettings& settings, ImageSize photo)
    : settings_(settings), size_(photo), overlay_size_(OverlaySize(photo, settings.overlay_size)) {
  const std::string folder = settings.output.substr(0, settings.output.rfind('/') + 1);
  if (writes_json() && !folder.empty() && access(folder.c_str(), F_OK) != 0) json_folder_ = folder;
}

Status MaskOutputs::Check() const {
  std::vector<NamedFile> outputs;
  if (writes_json() && json_folder_.empty()) outputs.push_back({"--output", settings_.output});
  if (!settings_.overlay.empty()) outputs.push_back({"--overlay", settings_.overlay});
  if (!settings_.label_map.empty()) outputs.push_back({"--label-map", settings_.label_map});
  if (writes_folder()) INTSAM_TRY(CheckPictureSize(settings_.output, size_, 1));
  if (!settings_.label_map.empty()) INTSAM_TRY(CheckPictureSize(settings_.label_map, size_, 2));
  if (!settings_.overlay.empty()) INTSAM_TRY(CheckPictureSize(settings_.overlay, overlay_size_, 3));
  INTSAM_TRY(CheckOutputs(settings_.flags, {{"MODEL", settings_.model}, {"IMAGE", settings_.image}}, outputs));
  // Made and removed again: whether it can be made is better known now than after minutes of work.
  if (writes_folder()) return AtomicFolder::Create(settings_.output, settings_.overwrite).status();
  return json_folder_.empty() ? Status() : AtomicFolder::Create(json_folder_, true).status();
}

Status MaskOutputs::Begin(size_t count) {
  if (!settings_.label_map.empty()) {
    if (count > LabelPainter::kMaxMasks) {
      return Error(Code::kResource, "--label-map: %zu masks, and there are numbers for %zu", count,
                   LabelPainter::kMaxMasks);
    }
    labels_.emplace(size_);
  }
  const uint64_t bytes = count * BitMask::Bytes(overlay_size_);
  if (!settings_.overlay.empty() && bytes > kKeptMaskBytes) {
    return Error(Code::kResource,
                 "--overlay: %zu masks on %u x %u pixels need %llu bytes, the limit is %llu; see --overlay-size", count,
                 overlay_size_.width, overlay_size_.height, static_cast<unsigned long long>(bytes),
                 static_cast<unsigned long long>(kKeptMaskBytes));
  }
  if (writes_folder()) {
    INTSAM_ASSIGN(MaskFolder folder, MaskFolder::Create(settings_.output, settings_.overwrite, MetadataColumns()));
    folder_.emplace(std::move(folder));
  }
  if (writes_json()) {
    std::string path = settings_.output;
    if (!json_folder_.empty()) {
      INTSAM_ASSIGN(AtomicFolder folder, AtomicFolder::Create(json_folder_, true));
      new_json_folder_.emplace(std::move(folder));
      INTSAM_ASSIGN(path, new_json_folder_->Add(path.substr(path.rfind('/') + 1)));
    }
    INTSAM_ASSIGN(OutputFile file, OutputFile::Create(path));
    json_.emplace(std::move(file));
    INTSAM_TRY(WriteText(*json_, "["));
  }
  return Status();
}

Status MaskOutputs::WriteRle(const FoundRecord& record, const intsam_mask* mask) {
  const bool plain = settings_.form == MaskForm::kPlainRle;
  INTSAM_ASSIGN(const std::string segmentation,
                SegmentationText(mask, plain ? RunLengthForm::kPlain : RunLengthForm::kCompressed));
  const std::string comma = records_.size() > 1 ? ", " : "";
  return WriteText(*json_, comma + R"({"segmentation": )" + segmentation + ", " + RecordMembers(record) + "}");
}

Status MaskOutputs::Add(const intsam_found_mask& found) {
  records_.push_back(RecordOf(found));
  const FoundRecord& record = records_.back();
  if (json_) INTSAM_TRY(WriteRle(record, found.mask));
  if (!writes_folder() && !labels_ && settings_.overlay.empty()) return Status();
  std::vector<uint8_t> mask(size_t{size_.width} * size_.height);
  if (intsam_mask_pixels(found.mask, mask.data(), size_.width) != INTSAM_OK)
    return Status(Code::kInternal, "a mask does not have the size of the photo");
  if (folder_) INTSAM_TRY(folder_->Add(mask.data(), size_, MetadataValues(record)));
  if (labels_) labels_->Add(mask, static_cast<uint64_t>(record.area));
  if (!settings_.overlay.empty()) shown_.push_back({PackMask(mask.data(), size_, overlay_size_), {}, std::nullopt});
  return Status();
}

Status MaskOutputs::Finish(Image& photo) {
  if (labels_) INTSAM_TRY(labels_->Write(settings_.label_map));
  if (!settings_.overlay.empty()) {
    Image shrunk;
    if (overlay_size_ != size_) shrunk = ShrinkPhoto(photo, overlay_size_);
    Image& picture = overlay_size_ != size_ ? shrunk : photo;
    DrawOverlay(picture, size_, shown_);
    INTSAM_TRY(WritePicture(settings_.overlay, picture.rgb.data(), picture.size));
  }
  if (json_) {
    INTSAM_TRY(WriteText(*json_, "]"));
    INTSAM_TRY(json_->Commit());
    if (new_json_folder_) INTSAM_TRY(new_json_folder_->Commit());
  }
  return folder_ ? folder_->Commit() : Status();
}

}  // namespace intsam::internal
