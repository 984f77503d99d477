#include "apps/common/mask_folder.h"

#include <unistd.h>

#include "apps/common/picture_writer.h"
#include "files/atomic_file.h"

namespace intsam::internal {
namespace {

constexpr const char* kMetadata = "metadata.csv";

std::string PngName(size_t id) { return std::to_string(id) + ".png"; }

Status WriteText(const std::string& path, const std::string& text) {
  INTSAM_ASSIGN(AtomicFile file, AtomicFile::Create(path));
  INTSAM_TRY(file.Write(text.data(), text.size()));
  return file.Commit();
}

}  // namespace

Result<MaskFolder> MaskFolder::Create(const std::string& path, bool overwrite, const std::string& columns) {
  INTSAM_ASSIGN(AtomicFolder folder, AtomicFolder::Create(path, overwrite));
  return MaskFolder(std::move(folder), path, "id," + columns);
}

Status MaskFolder::Add(const uint8_t* mask, ImageSize size, const std::string& values) {
  const size_t id = count_++;
  INTSAM_ASSIGN(const std::string path, folder_.Add(PngName(id)));
  metadata_ += "\n" + std::to_string(id) + "," + values;
  return folder_.Named(WriteMaskPng(path, mask, size));
}

Status MaskFolder::Commit() {
  INTSAM_ASSIGN(const std::string path, folder_.Add(kMetadata));
  INTSAM_TRY(folder_.Named(WriteText(path, metadata_)));
  INTSAM_TRY(folder_.Commit());
  for (size_t id = count_; unlink((path_ + "/" + PngName(id)).c_str()) == 0; ++id) continue;
  return Status();
}

}  // namespace intsam::internal
