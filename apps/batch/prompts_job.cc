// Prompts from a file with a line for each photo. The lines stay text until their photo's turn comes.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "apps/batch/answers.h"
#include "apps/batch/job.h"
#include "apps/common/file_bytes.h"
#include "apps/common/library_call.h"
#include "apps/common/limits.h"
#include "apps/common/prompt_json.h"
#include "apps/common/strict_json.h"

namespace intsam::internal {
namespace {

constexpr int kLineDepth = kPromptFileDepth + 1;  // the object around the prompts

struct PromptLine {
  size_t number;  // from 1
  std::string_view text;
};

Result<nlohmann::json> ParseLine(std::string_view line) {
  if (line.size() > kPromptFileBytes)
    return Error(Code::kResource, "a line of %zu bytes, the limit is %zu", line.size(), kPromptFileBytes);
  INTSAM_ASSIGN(nlohmann::json json, ParseStrictJson(line, kLineDepth));
  const bool form = json.is_object() && json.size() == 2 && json.contains("image") && json["image"].is_string() &&
                    json.contains("prompts");
  if (!form) return Status(Code::kDamaged, "an object of \"image\", a name, and \"prompts\" is expected");
  return json;
}

class PromptsJob : public Job {
 public:
  PromptsJob(const BatchSettings& settings, const intsam_model_info& model) : settings_(settings), model_(model) {}

  Status Read() {
    INTSAM_ASSIGN(bytes_, ReadFileBytes(settings_.prompts, kBatchPromptsBytes));
    std::string_view rest(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    for (size_t number = 1; !rest.empty(); ++number) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      const Result<nlohmann::json> json = ParseLine(line);
      if (!json.ok()) return json.status().WithPrefix(Place(number));
      const std::string name = json.value()["image"].get<std::string>();
      if (const auto [other, is_new] = lines_.emplace(name, PromptLine{number, line}); !is_new) {
        return Status(Code::kUsage, Place(number) + ": '" + name + "' has prompts in line " +
                                        std::to_string(other->second.number) + " already");
      }
    }
    return Status();
  }

  // Keeps the photos with prompts.
  Status Match(BatchWork& work) const {
    const size_t listed = work.photos.size();
    std::erase_if(work.photos, [this](const NamedPhoto& photo) { return !lines_.contains(photo.name); });
    if (work.photos.size() < lines_.size()) return Status(Code::kUsage, Missing(work.photos));
    if (work.photos.empty()) return Status(Code::kUsage, settings_.prompts + ": there are no prompts in it");
    if (work.photos.size() < listed) {
      work.notes.push_back(std::to_string(listed - work.photos.size()) + " of " + std::to_string(listed) +
                           " photos have no prompts and are left out");
    }
    return Status();
  }

  std::string Columns() const override { return AnswerColumns(); }

  Status Run(const NamedPhoto& photo, const Image& image, Session& session, PhotoOutput& output,
             size_t&) const override {
    const PromptLine& line = lines_.at(photo.name);
    // Before the photo is encoded, which takes most of the time.
    Result<std::vector<Object>> objects = ObjectsOf(line, image.size);
    if (!objects.ok()) return objects.status();
    INTSAM_TRY(FromOutcome(session.SetImage(Described(image))));
    const auto text = [](const PromptAnswer& answer, const intsam_mask* mask) { return AnswerText(answer, mask); };
    return AnswerObjects(*objects, false, model_, session, output, text);
  }

 private:
  std::string Place(size_t line) const { return settings_.prompts + ": line " + std::to_string(line); }

  Result<std::vector<Object>> ObjectsOf(const PromptLine& line, ImageSize size) const {
    INTSAM_ASSIGN(const nlohmann::json json, ParseLine(line.text));
    Result<std::vector<ObjectPrompt>> prompts = PromptsOf(json["prompts"], size);
    if (!prompts.ok()) return prompts.status().WithPrefix(Place(line.number));
    ResolveMasks(settings_.prompts, *prompts);
    return MakeObjects(std::move(prompts).value(), settings_.select, Place(line.number), model_, size);
  }

  // Names one that is prompted for and was not listed.
  std::string Missing(const std::vector<NamedPhoto>& photos) const {
    std::map<std::string_view, int> listed;
    for (const NamedPhoto& photo : photos) listed.emplace(photo.name, 0);
    const PromptLine* first = nullptr;
    std::string name;
    for (const auto& [image, line] : lines_) {
      if (listed.contains(image) || (first != nullptr && first->number < line.number)) continue;
      first = &line;
      name = image;
    }
    return Place(first->number) + ": '" + name + "' is not among the photos";
  }

  const BatchSettings& settings_;
  const intsam_model_info model_;
  std::vector<uint8_t> bytes_;
  std::map<std::string, PromptLine> lines_;  // by the names of photos
};

}  // namespace

Status MakePromptsJob(const BatchSettings& settings, const intsam_model_info& model, BatchWork& work) {
  auto job = std::make_unique<PromptsJob>(settings, model);
  INTSAM_TRY(job->Read());
  INTSAM_TRY(job->Match(work));
  work.job = std::move(job);
  return Status();
}

}  // namespace intsam::internal
