// Masks one by one; overlay, cut-out and label map at the end.
#include "apps/segment/outputs.h"

#include <algorithm>

#include "apps/common/limits.h"
#include "apps/common/output_files.h"
#include "apps/common/picture_writer.h"

namespace intsam::internal {

Outputs::Outputs(const SegmentSettings& settings, ImageSize photo, size_t objects, const LogitForm& logits)
    : settings_(settings),
      size_(photo),
      overlay_size_(OverlaySize(photo, settings.overlay_size)),
      count_(objects),
      logits_(logits) {}

std::string Outputs::Numbered(const std::string& path, size_t index) const {
  if (count_ == 1) return path;
  const size_t dot = path.rfind('.');  // endings have been checked
  return path.substr(0, dot) + "_" + std::to_string(index) + path.substr(dot);
}

std::vector<std::pair<std::string, std::string>> Outputs::Pictures() const {
  std::vector<std::pair<std::string, std::string>> pictures;
  if (!settings_.overlay.empty()) pictures.emplace_back("overlay", settings_.overlay);
  if (!settings_.cutout.empty()) pictures.emplace_back("cutout", settings_.cutout);
  if (!settings_.label_map.empty()) pictures.emplace_back("label_map", settings_.label_map);
  return pictures;
}

Status Outputs::CheckSizes() const {
  if (!settings_.output.empty()) INTSAM_TRY(CheckPictureSize(settings_.output, size_, 1));
  if (!settings_.label_map.empty()) INTSAM_TRY(CheckPictureSize(settings_.label_map, size_, 2));
  if (!settings_.cutout.empty()) INTSAM_TRY(CheckPictureSize(settings_.cutout, size_, 4));
  if (settings_.overlay.empty()) return Status();
  INTSAM_TRY(CheckPictureSize(settings_.overlay, overlay_size_, 3));
  const uint64_t bytes = count_ * BitMask::Bytes(overlay_size_);
  if (bytes <= kKeptMaskBytes) return Status();
  return Error(Code::kResource,
               "--overlay: %zu objects on %u x %u pixels need %llu bytes, the limit is %llu; see --overlay-size",
               count_, overlay_size_.width, overlay_size_.height, static_cast<unsigned long long>(bytes),
               static_cast<unsigned long long>(kKeptMaskBytes));
}

Status Outputs::Check(const std::vector<Object>& objects) const {
  std::vector<NamedFile> inputs = {{"MODEL", settings_.model}};
  if (!settings_.image.empty()) inputs.push_back({"IMAGE", settings_.image});
  if (!settings_.prompts.empty()) inputs.push_back({"--prompts", settings_.prompts});
  if (!settings_.embedding.empty()) inputs.push_back({"--embedding", settings_.embedding});
  for (const Object& object : objects) {
    if (!object.prompt.mask_path.empty()) inputs.push_back({"the mask of a prompt", object.prompt.mask_path});
  }
  std::vector<NamedFile> outputs;
  const std::pair<const char*, const std::string&> numbered[] = {{"--output", settings_.output},
                                                                 {"--logits", settings_.logits}};
  for (const auto& [option, path] : numbered) {
    if (path.empty()) continue;
    if (path == "-" && count_ > 1) {
      return Error(Code::kUsage, "%s: - is one stream, and there are %zu objects", option, count_);
    }
    for (size_t i = 0; i < count_; ++i) outputs.push_back({option, Numbered(path, i)});
  }
  const std::pair<const char*, const std::string&> single[] = {{"--overlay", settings_.overlay},
                                                               {"--cutout", settings_.cutout},
                                                               {"--label-map", settings_.label_map},
                                                               {"--save-embedding", settings_.save_embedding}};
  for (const auto& [option, path] : single) {
    if (!path.empty()) outputs.push_back({option, path});
  }
  INTSAM_TRY(CheckSizes());
  return CheckOutputs(settings_.flags, inputs, outputs);
}

void Outputs::Keep(Image photo) {
  const bool shrunk = overlay_size_ != size_;
  if (!settings_.overlay.empty() && shrunk) small_photo_ = ShrinkPhoto(photo, overlay_size_);
  if (!settings_.label_map.empty()) labels_.emplace(size_);
  if (!settings_.cutout.empty()) all_ = {size_, std::vector<uint8_t>(BitMask::Bytes(size_))};
  if (!settings_.cutout.empty() || (!settings_.overlay.empty() && !shrunk)) photo_ = std::move(photo);
}

Status Outputs::Add(const Object& object, const std::vector<uint8_t>& mask, std::span<const int16_t> logits,
                    Answer& answer) {
  const size_t index = added_++;
  answer.extent = MeasureMask(mask.data(), size_);
  if (!settings_.output.empty()) {
    answer.file = Numbered(settings_.output, index);
    INTSAM_TRY(WriteMaskPng(answer.file, mask.data(), size_));
  }
  if (!settings_.logits.empty()) {
    answer.logits_file = Numbered(settings_.logits, index);
    const std::vector<uint8_t> npy = EncodeLogits(logits, logits_);
    INTSAM_ASSIGN(OutputFile file, OutputFile::Create(answer.logits_file));
    INTSAM_TRY(file.Write(npy.data(), npy.size()));
    INTSAM_TRY(file.Commit());
  }
  if (!settings_.overlay.empty()) {
    const int iou = answer.ious_q15[static_cast<size_t>(answer.mask)];
    shown_.push_back({PackMask(mask.data(), size_, overlay_size_), object.prompt, iou});
  }
  if (labels_) labels_->Add(mask, answer.extent.area);
  if (!settings_.cutout.empty()) {
    const BitMask packed = PackMask(mask.data(), size_, size_);
    for (size_t i = 0; i < all_.bits.size(); ++i) all_.bits[i] |= packed.bits[i];
  }
  return Status();
}

Status Outputs::WriteCutout() const {
  std::vector<uint8_t> rgba(size_t{4} * size_.width);
  return WritePng(settings_.cutout, {size_, 4}, [&](uint32_t y) {
    const uint8_t* rgb = &photo_.rgb[size_t{3} * size_.width * y];
    for (uint32_t x = 0; x < size_.width; ++x) {
      std::copy_n(rgb + size_t{3} * x, 3, &rgba[size_t{4} * x]);
      rgba[size_t{4} * x + 3] = all_.At(x, y) ? 255 : 0;
    }
    return rgba.data();
  });
}

Status Outputs::WriteOverlay() {
  Image& picture = overlay_size_ == size_ ? photo_ : small_photo_;
  DrawOverlay(picture, size_, shown_);
  return WritePicture(settings_.overlay, picture.rgb.data(), picture.size);
}

Status Outputs::Finish() {
  if (labels_) INTSAM_TRY(labels_->Write(settings_.label_map));
  if (!settings_.cutout.empty()) INTSAM_TRY(WriteCutout());
  return settings_.overlay.empty() ? Status() : WriteOverlay();  // last: it may draw on the photo
}

}  // namespace intsam::internal
