#include "apps/compare/coco_results.h"

#include <cmath>
#include <map>
#include <vector>

#include "apps/common/coco.h"
#include "apps/common/output_files.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/progress.h"
#include "apps/common/prompt_text.h"
#include "converter/verify/evaluate.h"
#include "runtime/image/run_lengths.h"

namespace intsam::internal {
namespace {

// A list of results that grows record by record.
class ResultsWriter {
 public:
  static Result<ResultsWriter> Create(const std::string& path) {
    INTSAM_ASSIGN(OutputFile file, OutputFile::Create(path));
    ResultsWriter writer(std::move(file));
    INTSAM_TRY(writer.Write("["));
    return writer;
  }

  Status Add(const CocoBox& box, int32_t iou_q15, ImageSize size, const MaskRuns& runs) {
    const std::vector<uint32_t> lengths = ColumnRunLengths(runs);
    std::string counts;  // its characters are '0' to 'o', of which JSON escapes the backslash alone
    for (const char c : CocoString(lengths)) counts += c == '\\' ? "\\\\" : std::string(1, c);
    const std::string comma = records_++ == 0 ? "\n" : ",\n";
    return Write(comma + "{\"image_id\": " + std::to_string(box.image_id) +
                 ", \"category_id\": " + std::to_string(box.category_id) + ", \"segmentation\": {\"size\": [" +
                 std::to_string(size.height) + ", " + std::to_string(size.width) + "], \"counts\": \"" + counts +
                 "\"}, \"score\": " + CocoScoreText(box.score, iou_q15) + "}");
  }

  Status Finish() {
    INTSAM_TRY(Write("\n]\n"));
    return file_.Commit();
  }

 private:
  explicit ResultsWriter(OutputFile file) : file_(std::move(file)) {}
  Status Write(const std::string& text) { return file_.Write(text.data(), text.size()); }

  OutputFile file_;
  size_t records_ = 0;
};

MaskRuns RunsOf(const std::vector<uint8_t>& mask, ImageSize size) {
  MaskRuns runs(size);
  std::vector<PixelRun> row;
  for (uint32_t y = 0; y < size.height; ++y) {
    const uint8_t* inside = &mask[size_t{y} * size.width];
    row.clear();
    for (uint32_t x = 0; x < size.width; ++x) {
      if (inside[x] == 0) continue;
      if (!row.empty() && row.back().end == x) {
        ++row.back().end;
      } else {
        row.push_back({x, x + 1});
      }
    }
    runs.Add(row);
  }
  return runs;
}

// The float reference's answers to the boxes of one photo.
class Reference {
 public:
  Reference(FloatSam& sam, const Image& photo, const Frame& frame) : sam_(sam), frame_(frame) {
    std::vector<uint8_t> pixels, scratch;
    ResizeToRgb(photo.rgb.data(), photo.size, size_t{photo.size.width} * 3, PixelFormat::kRgb, frame.resized, pixels,
                scratch);
    embedding_ = sam.EncodeImage(pixels.data(), frame.resized.height, frame.resized.width);
  }

  Status Answer(const CocoBox& box, const intsam_box& clipped, uint32_t side, ResultsWriter& results) {
    const auto scaled = [](int32_t value, uint32_t to, uint32_t from) {
      return static_cast<float>(static_cast<double>(value) * to / from / kPixel);
    };
    FloatPrompt prompt;
    prompt.has_box = true;
    prompt.box[0] = scaled(clipped.x0, frame_.resized.width, frame_.original.width);
    prompt.box[1] = scaled(clipped.y0, frame_.resized.height, frame_.original.height);
    prompt.box[2] = scaled(clipped.x1, frame_.resized.width, frame_.original.width);
    prompt.box[3] = scaled(clipped.y1, frame_.resized.height, frame_.original.height);
    const FloatMasks masks = sam_.Decode(embedding_, prompt);
    const std::vector<uint8_t> mask = FloatMask(masks.low_res.data(), side, frame_.resized, frame_.original);
    const auto iou = static_cast<int32_t>(std::lround(std::ldexp(masks.iou[0], 15)));
    return results.Add(box, iou, frame_.original, RunsOf(mask, frame_.original));
  }

 private:
  FloatSam& sam_;
  const Frame frame_;
  std::vector<float> embedding_;
};

Status AnswerInIntegers(const CocoBox& box, const intsam_box& clipped, Session& session, ResultsWriter& results) {
  const BoxPrompt prompt_box = {clipped.x0, clipped.y0, clipped.x1, clipped.y1};
  Prompt prompt;
  prompt.box = &prompt_box;
  INTSAM_TRY(session.Predict(prompt));
  MaskRuns runs;
  INTSAM_TRY(session.MaskAsRuns(0, 0, MaskView::Whole(session.frame().original), 0, runs));
  return results.Add(box, session.IouQ15(0, 0), session.frame().original, runs);
}

}  // namespace

Status WriteCocoResults(const CocoComparison& comparison, const CommonFlags& flags, Session& session,
                        FloatSam& reference) {
  INTSAM_ASSIGN(const CocoAnnotations annotations, ReadCocoAnnotations(comparison.annotations, /*boxes=*/true));
  INTSAM_ASSIGN(std::vector<CocoPhoto> photos, PhotosOfCoco(comparison.annotations, annotations, comparison.images));
  photos.resize(std::min(photos.size(), comparison.limit));
  std::map<int64_t, std::vector<CocoBox>> boxes;
  for (const CocoBox& box : annotations.boxes) boxes[box.image_id].push_back(box);
  INTSAM_ASSIGN(ResultsWriter fp32, ResultsWriter::Create(comparison.fp32_results));
  INTSAM_ASSIGN(ResultsWriter integer, ResultsWriter::Create(comparison.int_results));
  Progress bar("comparing", flags.progress);
  for (size_t i = 0; i < photos.size(); ++i) {
    bar.Update(i, photos.size(), photos[i].name);
    INTSAM_ASSIGN(const Image photo, ReadImage(photos[i].path, {.stretch = comparison.stretch, .regular_file = true}));
    INTSAM_TRY(session.SetImage(photo.rgb.data(), photo.size, size_t{photo.size.width} * 3, PixelFormat::kRgb));
    Reference answers(reference, photo, session.frame());
    for (const CocoBox& box : boxes[photos[i].id]) {
      const Result<intsam_box> clipped = ClipBox(box.box, photo.size);
      if (!clipped.ok()) continue;
      INTSAM_TRY(answers.Answer(box, clipped.value(), session.config().low_res(), fp32));
      INTSAM_TRY(AnswerInIntegers(box, clipped.value(), session, integer));
    }
  }
  bar.Clear();
  INTSAM_TRY(fp32.Finish());
  return integer.Finish();
}

}  // namespace intsam::internal
