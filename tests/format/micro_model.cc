// See micro_model.h.
#include "tests/format/micro_model.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/convert.h"
#include "converter/pack/isam_writer.h"

namespace intsam::internal::testing {
namespace {

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "making a model: %s\n", status.message().c_str());
  std::abort();
}

}  // namespace

std::unique_ptr<QuantizedModel> MakeModel(const SamConfig& config, uint64_t seed, const Quantization& quantization) {
  FloatModel model = SyntheticModel(config, seed);
  ConvertOptions options;
  options.calibration.points_per_side = 2;
  options.bits = ParseBitProfile(quantization.bits).value();
  options.method = MakeMethod(quantization.method, {}, {}, quantization.softmax).value();
  options.threads = 1;
  auto converted = Convert(model, {SyntheticImage(config, seed)}, options, {});
  Check(converted.status());
  return std::move(converted->quantized);
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

}  // namespace intsam::internal::testing
