#include "runtime/image/masks.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "runtime/base/run_tasks.h"

namespace intsam::internal {
namespace {

constexpr uint32_t kRowsPerTask = 256;  // enough to be worth a task, and few enough to spread

size_t TaskCount(const MaskScan& scan) { return (size_t{scan.size().height} + kRowsPerTask - 1) / kRowsPerTask; }

// body(task, reader, first row, end) for the rows of each task, with the reader of its worker.
template <class Body>
Status ForRows(const MaskScan& scan, Parallel& parallel, const Body& body) {
  const size_t tasks = TaskCount(scan);
  std::vector<std::optional<MaskScan::Reader>> readers(static_cast<size_t>(parallel.workers()));
  return RunTasks(parallel, static_cast<int>(tasks), [&](int index, int worker) {
    const auto task = static_cast<size_t>(index);
    std::optional<MaskScan::Reader>& reader = readers[static_cast<size_t>(worker)];
    if (!reader) reader.emplace(scan);
    const uint32_t first = static_cast<uint32_t>(task) * kRowsPerTask;
    body(task, *reader, first, std::min(first + kRowsPerTask, scan.size().height));
  });
}

}  // namespace

Status DrawMask(const MaskScan& scan, MaskFormat format, uint8_t* out, size_t stride, Parallel& parallel) {
  const auto draw = format == MaskFormat::kBytes ? DrawBytes : DrawBits;
  return ForRows(scan, parallel, [&](size_t, MaskScan::Reader& reader, uint32_t first, uint32_t end) {
    for (uint32_t y = first; y < end; ++y) draw(reader.Row(y), scan.size().width, out + y * stride);
  });
}

Result<MaskRuns> CollectRuns(const MaskScan& scan, Parallel& parallel) {
  std::vector<MaskRuns> parts(TaskCount(scan));
  INTSAM_TRY(ForRows(scan, parallel, [&](size_t task, MaskScan::Reader& reader, uint32_t first, uint32_t end) {
    for (uint32_t y = first; y < end; ++y) parts[task].Add(reader.Row(y));
  }));
  MaskRuns runs(scan.size());
  for (const MaskRuns& part : parts) {
    for (uint32_t y = 0; y < part.rows(); ++y) runs.Add(part.Row(y));
  }
  return runs;
}

MaskRuns CollectRuns(const MaskScan& scan) {
  MaskScan::Reader reader(scan);
  MaskRuns runs(scan.size());
  for (uint32_t y = 0; y < scan.size().height; ++y) runs.Add(reader.Row(y));
  return runs;
}

uint64_t CountPixels(const MaskScan& scan) {
  MaskScan::Reader reader(scan);
  uint64_t count = 0;
  for (uint32_t y = 0; y < scan.size().height; ++y) {
    for (const PixelRun& run : reader.Row(y)) count += run.end - run.begin;
  }
  return count;
}

void MaskPromptLogits(const uint8_t* mask, size_t stride, ImageSize original, ImageSize resized, uint32_t image_size,
                      uint32_t side, int16_t inside, int16_t* logits) {
  // The pixel of the original that the middle of logit i shows along one axis; beyond the photo a position >= `from`.
  const auto pixel_of = [&](uint32_t i, uint32_t from, uint32_t to) {
    const uint64_t middle = (2 * uint64_t{i} + 1) * image_size / (2 * uint64_t{side});  // of the encoder input
    return middle * from / to;
  };
  const int16_t outside = static_cast<int16_t>(-inside);
  for (uint32_t y = 0; y < side; ++y) {
    const uint64_t from_y = pixel_of(y, original.height, resized.height);
    for (uint32_t x = 0; x < side; ++x) {
      const uint64_t from_x = pixel_of(x, original.width, resized.width);
      const bool drawn = from_y < original.height && from_x < original.width && mask[from_y * stride + from_x] != 0;
      logits[size_t{y} * side + x] = drawn ? inside : outside;
    }
  }
}

}  // namespace intsam::internal
