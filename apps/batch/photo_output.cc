#include "apps/batch/photo_output.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "apps/batch/class_map.h"
#include "apps/batch/min_area_rect.h"
#include "apps/common/mask_folder.h"
#include "apps/common/mask_records.h"
#include "apps/common/output.h"
#include "apps/common/output_files.h"

namespace intsam::internal {
namespace {

std::string JsonText(const std::string& text) {
  std::string dumped = DumpJson(text, -1);
  dumped.pop_back();  // its newline
  return dumped;
}

Result<std::string> Segmentation(const intsam_mask* mask) { return SegmentationText(mask, RunLengthForm::kCompressed); }

// DIR/NAME without its ending, with the folders that lead to it.
Result<std::string> PlaceOf(const OutputPlace& place, const NamedPhoto& photo) {
  const std::string path = place.settings->out + "/" + Stem(photo.name);
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::filesystem::create_directories(folder, error);
  if (error) return Status(Code::kIo, folder.string() + ": cannot create: " + error.message());
  return path;
}

Status Pixels(const intsam_mask* mask, ImageSize size, std::vector<uint8_t>& pixels) {
  pixels.resize(size_t{size.width} * size.height);
  return intsam_mask_pixels(mask, pixels.data(), size.width) == INTSAM_OK
             ? Status()
             : Status(Code::kInternal, "a mask does not have the size of the photo");
}

Status WriteFile(const std::string& path, const void* data, size_t size) {
  INTSAM_ASSIGN(AtomicFile file, AtomicFile::Create(path));
  INTSAM_TRY(file.Write(data, size));
  return file.Commit();
}

// A folder of PNGs with metadata.csv.
class PngOutput : public PhotoOutput {
 public:
  PngOutput(const OutputPlace& place, const NamedPhoto& photo) : place_(place), photo_(photo) {}

  Status Prepare(const Image& photo) override {
    size_ = photo.size;
    return Status();
  }

 private:
  Status Begin() {
    permit_.emplace(place_.permits->Take());
    INTSAM_ASSIGN(const std::string path, PlaceOf(place_, photo_));
    std::error_code ignored;
    if (!place_.overwrite && std::filesystem::exists(path, ignored))
      return Status(Code::kUsage, path + ": exists already, and no manifest says that it belongs to this run");
    INTSAM_ASSIGN(MaskFolder folder, MaskFolder::Create(path, place_.overwrite, place_.columns));
    folder_.emplace(std::move(folder));
    return Status();
  }
  Status Add(const intsam_mask* mask, const MaskText& text) override {
    if (!folder_) INTSAM_TRY(Begin());
    INTSAM_TRY(Pixels(mask, size_, pixels_));
    ++masks_;
    return folder_->Add(pixels_.data(), size_, text.values);
  }
  Status End(Session&) override {
    if (!folder_) INTSAM_TRY(Begin());
    return folder_->Commit();
  }

  const OutputPlace& place_;
  const NamedPhoto& photo_;
  ImageSize size_;
  std::optional<WritePermits::Permit> permit_;  // goes after what is written under it
  std::optional<MaskFolder> folder_;
  std::vector<uint8_t> pixels_;
};

// A file of records.
class RleOutput : public PhotoOutput {
 public:
  RleOutput(const OutputPlace& place, const NamedPhoto& photo) : place_(place), photo_(photo) {}
  Status Prepare(const Image&) override { return Status(); }

 private:
  Status Add(const intsam_mask* mask, const MaskText& text) override {
    INTSAM_ASSIGN(const std::string segmentation, Segmentation(mask));
    records_ += (masks_++ > 0 ? ", " : "") + (R"({"segmentation": )" + segmentation) + ", " + text.members + "}";
    return Status();
  }
  Status End(Session&) override {
    const WritePermits::Permit permit = place_.permits->Take();
    INTSAM_ASSIGN(const std::string path, PlaceOf(place_, photo_));
    const std::string text = "[" + records_ + "]";
    return WriteFile(path + ".json", text.data(), text.size());
  }

  const OutputPlace& place_;
  const NamedPhoto& photo_;
  std::string records_;
};

// A record of COCO's results for each mask.
class CocoOutput : public PhotoOutput {
 public:
  CocoOutput(const OutputPlace& place, const NamedPhoto& photo)
      : image_id_(place.settings->uses_coco_ids() ? std::to_string(photo.coco_id) : JsonText(photo.name)) {}
  Status Prepare(const Image&) override { return Status(); }

 private:
  Status Add(const intsam_mask* mask, const MaskText& text) override {
    INTSAM_ASSIGN(const std::string segmentation, Segmentation(mask));
    ++masks_;
    text_ += ",\n{\"image_id\": " + image_id_ + ", \"category_id\": " + std::to_string(text.category_id) +
             ", \"segmentation\": " + segmentation + ", \"score\": " + text.score + "}";
    return Status();
  }
  Status End(Session&) override { return Status(); }

  std::string image_id_;
};

// A line of JSON for the photo.
class JsonLineOutput : public PhotoOutput {
 public:
  JsonLineOutput(const OutputPlace& place, const NamedPhoto& photo) {
    head_ = "{\"image\": " + JsonText(photo.name);
    if (place.settings->uses_coco_ids()) head_ += ", \"image_id\": " + std::to_string(photo.coco_id);
  }
  Status Prepare(const Image& photo) override {
    head_ += ", \"size\": [" + std::to_string(photo.size.width) + ", " + std::to_string(photo.size.height) + "]";
    return Status();
  }

 private:
  Status Add(const intsam_mask* mask, const MaskText& text) override {
    INTSAM_ASSIGN(const std::string segmentation, Segmentation(mask));
    records_ += (masks_++ > 0 ? ", " : "") + (R"({"segmentation": )" + segmentation) + ", " + text.members + "}";
    return Status();
  }
  Status End(Session&) override {
    text_ = head_ + ", \"masks\": [" + records_ + "]}\n";
    return Status();
  }

  std::string head_, records_;
};

// A line of DOTA's results for each mask, with its category before it.
class OrientedOutput : public PhotoOutput {
 public:
  explicit OrientedOutput(const NamedPhoto& photo) : name_(Stem(photo.name.substr(photo.name.rfind('/') + 1))) {}
  Status Prepare(const Image&) override { return Status(); }

 private:
  Status Add(const intsam_mask* mask, const MaskText& text) override {
    size_t num_corners = 0, num_rings = 0;
    if (intsam_mask_outlines(mask, nullptr, 0, &num_corners, nullptr, 0, &num_rings) != INTSAM_OK)
      return Status(Code::kResource, "out of memory for the outline of a mask");
    if (num_corners == 0) return Status();  // an empty mask has no rectangle
    std::vector<intsam_corner> corners(num_corners);
    std::vector<intsam_ring> rings(num_rings);
    if (intsam_mask_outlines(mask, corners.data(), num_corners, &num_corners, rings.data(), num_rings, &num_rings) !=
        INTSAM_OK)
      return Status(Code::kResource, "out of memory for the outline of a mask");
    ++masks_;
    text_ += std::to_string(text.category_id) + "\t" + name_ + " " + text.score;
    for (const HundredthsPoint& corner : MinAreaRect(corners))
      text_ += " " + HundredthsText(corner.x) + " " + HundredthsText(corner.y);
    text_ += '\n';
    return Status();
  }
  Status End(Session&) override { return Status(); }

  std::string name_;
};

// The photo's class map, with the classes of masks.
class ClassMapOutput : public PhotoOutput {
 public:
  ClassMapOutput(const OutputPlace& place, const NamedPhoto& photo) : place_(place), photo_(photo) {}

  Status Prepare(const Image& photo) override {
    const std::string path = place_.settings->class_maps + "/" + Stem(photo_.name) + ".png";
    INTSAM_ASSIGN(LabelMap map, ReadLabels(path));
    if (map.size != photo.size) {
      return Error(Code::kUsage, "%s: a class map of %u x %u pixels, and the photo has %u x %u", path.c_str(),
                   map.size.width, map.size.height, photo.size.width, photo.size.height);
    }
    size_ = photo.size;
    painter_.emplace(std::move(map));
    return Status();
  }

 private:
  Status Add(const intsam_mask* mask, const MaskText&) override {
    INTSAM_TRY(Pixels(mask, size_, pixels_));
    ++masks_;
    return painter_->Add(pixels_);
  }
  Status End(Session&) override {
    const WritePermits::Permit permit = place_.permits->Take();
    INTSAM_ASSIGN(const std::string path, PlaceOf(place_, photo_));
    return painter_->Write(path + ".png");
  }

  const OutputPlace& place_;
  const NamedPhoto& photo_;
  ImageSize size_;
  std::optional<ClassPainter> painter_;
  std::vector<uint8_t> pixels_;
};

class EmbeddingOutput : public PhotoOutput {
 public:
  EmbeddingOutput(const OutputPlace& place, const NamedPhoto& photo) : place_(place), photo_(photo) {}
  Status Prepare(const Image&) override { return Status(); }

 private:
  Status Add(const intsam_mask*, const MaskText&) override {
    return Status(Code::kInternal, "a mask without a prompt");
  }
  Status End(Session& session) override {
    std::vector<uint8_t> bytes;
    const Outcome saved = session.SaveEmbedding(bytes);
    if (!saved) return Status(static_cast<Code>(saved.status), saved.message);
    const WritePermits::Permit permit = place_.permits->Take();
    INTSAM_ASSIGN(const std::string path, PlaceOf(place_, photo_));
    return WriteFile(path + ".isemb", bytes.data(), bytes.size());
  }

  const OutputPlace& place_;
  const NamedPhoto& photo_;
};

}  // namespace

std::unique_ptr<PhotoOutput> MakePhotoOutput(const OutputPlace& place, const NamedPhoto& photo) {
  switch (place.settings->format) {
    case BatchFormat::kPngs: return std::make_unique<PngOutput>(place, photo);
    case BatchFormat::kRle: return std::make_unique<RleOutput>(place, photo);
    case BatchFormat::kCoco: return std::make_unique<CocoOutput>(place, photo);
    case BatchFormat::kJsonLines: return std::make_unique<JsonLineOutput>(place, photo);
    case BatchFormat::kOriented: return std::make_unique<OrientedOutput>(photo);
    case BatchFormat::kClassMaps: return std::make_unique<ClassMapOutput>(place, photo);
    case BatchFormat::kEmbeddings: return std::make_unique<EmbeddingOutput>(place, photo);
  }
  return nullptr;
}

}  // namespace intsam::internal
