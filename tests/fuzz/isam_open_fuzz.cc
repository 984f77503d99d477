// .isam files. An input is read as it is, and again with its checksums made right, so that the structure, the ranges
// and the proof have to refuse it. Oracle: what opens is rewritten to the same bytes, and a session encodes and
// predicts on it.
#include <algorithm>
#include <cstring>

#include "converter/pack/isam_writer.h"
#include "runtime/exec/session.h"
#include "runtime/format/reader.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/smallest_model.h"

namespace intsam::internal::testing {
namespace {

void Run(const ModelBytes& bytes) {
  const auto model = Model::OpenMemory(bytes);
  if (!model.ok()) return;
  auto session = Session::Create(*model.value(), {1, "scalar", nullptr});
  Require(session.ok(), "session");
  const std::vector<uint8_t> pixels(size_t{20} * 32 * 3, 0x55);
  Require((*session)->SetImage(pixels.data(), {32, 20}, 96, PixelFormat::kRgb).ok(), "image");
  const std::vector<PointPrompt> points = {{640, 640, 1}};
  const BoxPrompt box = {0, 0, 1000, 1000};
  Require((*session)->Predict({points, &box, nullptr}).ok(), "prompt");
}

void Read(const ModelBytes& bytes, bool run) {
  auto opened = ReadModel(bytes);
  if (!opened.ok()) {
    Require(!opened.status().message().empty(), "a refusal without a sentence");
    return;
  }
  const ModelBytes again = FileOf(opened->model, std::string(opened->provenance));
  Require(again.size() == bytes.size(), "rewritten size");
  // The checksum of the data is not read on opening; the rewritten one is right, so it may differ, and with it the
  // header's.
  Require(
      std::equal(again.data() + sizeof(isam::Header), again.data() + again.size(), bytes.data() + sizeof(isam::Header)),
      "rewritten bytes");
  if (run) Run(bytes);
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const ModelBytes bytes = SmallestModel();
  return {std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal::testing;
  ModelBytes bytes({data, size});
  Read(bytes, false);
  Reseal(bytes);
  Read(bytes, size % 4 == 0);
  return 0;
}
