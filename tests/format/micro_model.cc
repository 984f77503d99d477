// See micro_model.h.
#include "tests/format/micro_model.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/pack/isam_writer.h"
#include "converter/quantize/calibrate.h"

namespace intsam::testing {
namespace {

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "making a model: %s\n", status.message().c_str());
  std::abort();
}

}  // namespace

std::unique_ptr<QuantizedModel> MakeModel(const SamConfig& config, uint64_t seed) {
  const FloatModel model = SyntheticModel(config, seed);
  FloatSam sam(model, 1);
  const Statistics statistics = Calibrate(sam, config, {SyntheticImage(config, seed)}, {.points_per_side = 2}, {});
  auto quantized = QuantizeModel(model, statistics, {});
  Check(quantized.status());
  return std::move(quantized).value();
}

ModelBytes FileOf(IntegerModel& model, const std::string& provenance) {
  std::vector<uint8_t> bytes;
  Check(WriteModel(model, provenance, [&](const void* data, size_t size) {
    const auto* begin = static_cast<const uint8_t*>(data);
    bytes.insert(bytes.end(), begin, begin + size);
    return Status();
  }));
  return ModelBytes(bytes);
}

}  // namespace intsam::testing
