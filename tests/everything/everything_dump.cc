// What parity_test.py compares with the original package.
//
//   everything_dump MODEL PIXELS WIDTH HEIGHT OUT logits X0 Y0 X1 Y1 POINTS   answers the grid on a crop: OUT receives,
//       for each point and each of masks 1.., the predicted IoU (s32, Q15) and the low-resolution logits (s16). Prints
//       image size, threshold (logit units / 4096), mantissa and shift of the logit unit.
//   everything_dump MODEL PIXELS WIDTH HEIGHT OUT everything OPTION...        the options in the order of the struct,
//       for "." the default. OUT receives one line per mask: predicted IoU, stability, point, crop, box, area, and the
//       lengths of its runs.
//
// PIXELS is RGB without a header.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/everything/crops.h"
#include "runtime/everything/everything.h"
#include "runtime/image/run_lengths.h"

namespace intsam::internal {
namespace {

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "everything_dump: %s\n", status.message().c_str());
  std::exit(static_cast<int>(status.code()));
}

struct Input {
  std::unique_ptr<Model> model;
  std::unique_ptr<Session> session;
  std::vector<uint8_t> rgb;
  ImageSize size;

  Photo photo() const { return {rgb.data(), size, size_t{size.width} * 3, PixelFormat::kRgb}; }
};

uint32_t Number(const char* text) { return static_cast<uint32_t>(std::strtoul(text, nullptr, 10)); }

Input Read(char** argv) {
  Input input;
  auto model = Model::Open(argv[1]);
  Check(model.status());
  input.model = std::move(model).value();
  auto session = Session::Create(*input.model, {});
  Check(session.status());
  input.session = std::move(session).value();
  input.size = {Number(argv[3]), Number(argv[4])};
  input.rgb.resize(size_t{input.size.width} * input.size.height * 3);
  std::FILE* file = std::fopen(argv[2], "rb");
  if (file == nullptr || std::fread(input.rgb.data(), 1, input.rgb.size(), file) != input.rgb.size())
    Check(Error(Code::kIo, "%s: cannot be read", argv[2]));
  std::fclose(file);
  return input;
}

void DumpLogits(Input& input, char** argv, std::FILE* out) {
  Session& session = *input.session;
  const Crop crop{Number(argv[0]), Number(argv[1]), Number(argv[2]), Number(argv[3]), 0};
  const Photo photo = input.photo();
  Check(session.SetImage(photo.pixels + crop.y0 * photo.stride + size_t{crop.x0} * 3, crop.size(), photo.stride,
                         photo.format));
  for (const PointPrompt& point : GridOf(crop.size(), Number(argv[4]))) {
    Check(session.Predict({{&point, 1}, nullptr, nullptr}));
    for (uint32_t mask = 1; mask < session.config().num_masks(); ++mask) {
      const int32_t iou = session.IouQ15(0, mask);
      std::fwrite(&iou, sizeof iou, 1, out);
      std::fwrite(session.LowRes(0, mask), sizeof(int16_t), session.config().low_res_values(), out);
    }
  }
  const Unit& unit = input.model->weights().mask_decoder.logit_unit;
  std::printf("%u %d %d %d\n", session.config().image_size, session.Threshold(0), unit.mantissa, unit.shift);
}

void DumpEverything(Input& input, int count, char** argv, std::FILE* out) {
  EverythingOptions options{32, 64, 944892805, 1020054732, 65536, 751619277, 0, 751619277, 366503876, 1, 0};
  int32_t* const fields[] = {&options.points_per_side,        &options.points_per_batch,
                             &options.pred_iou_thresh,        &options.stability_score_thresh,
                             &options.stability_score_offset, &options.box_nms_thresh,
                             &options.crop_n_layers,          &options.crop_nms_thresh,
                             &options.crop_overlap_ratio,     &options.crop_n_points_downscale_factor,
                             &options.min_mask_region_area};
  for (int i = 0; i < count && i < 11; ++i) {
    if (std::strcmp(argv[i], ".") != 0) *fields[i] = static_cast<int32_t>(Number(argv[i]));
  }
  std::vector<FoundMask> found;
  const Photo photo = input.photo();
  Check(FindEverything(*input.session, &photo, options, found));
  for (const FoundMask& mask : found) {
    std::fprintf(out, "%d %d %d %d %u %u %u %u %u %u %u %u %llu", mask.iou_q15, mask.stability_q16, mask.point.x,
                 mask.point.y, mask.crop.x0, mask.crop.y0, mask.crop.x1, mask.crop.y1, mask.box.x0, mask.box.y0,
                 mask.box.x1, mask.box.y1, static_cast<unsigned long long>(mask.rows.Area()));
    for (const uint32_t length : ColumnRunLengths(mask.Whole(input.size))) std::fprintf(out, " %u", length);
    std::fprintf(out, "\n");
  }
}

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) {
  using namespace intsam::internal;
  const bool logits = argc == 12 && std::strcmp(argv[6], "logits") == 0;
  if (!logits && (argc < 7 || std::strcmp(argv[6], "everything") != 0)) return 2;
  Input input = Read(argv);
  std::FILE* out = std::fopen(argv[5], "wb");
  if (out == nullptr) return 3;
  if (logits) {
    DumpLogits(input, argv + 7, out);
  } else {
    DumpEverything(input, argc - 7, argv + 7, out);
  }
  return std::fclose(out) == 0 ? 0 : 3;
}
