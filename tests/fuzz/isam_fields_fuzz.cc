// Models with fields and tensor elements changed under right checksums. Oracle: what opens has every value inside the
// range of its place, and is written again as the same bytes; what is unchanged opens.
#include <cstddef>
#include <cstring>
#include <iterator>

#include "converter/pack/isam_writer.h"
#include "runtime/format/reader.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/model_edits.h"

namespace intsam::internal::testing {
namespace {

// Models whose decoder projects the image and its tokens, and an imported one, whose layers have shifts.
EditedModel& Chosen(const uint8_t* data, size_t size) {
  static EditedModel models[] = {EditedModel(GoldenModel("micro")), EditedModel(GoldenModel("imported")),
                                 EditedModel(GoldenModel("tokens"))};
  return models[size < sizeof(ModelEdit) ? 0 : data[offsetof(ModelEdit, model)] % std::size(models)];
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds = {""};
  for (const int64_t value : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{128}, int64_t{1} << 31}) {
    for (const uint8_t model : {uint8_t{0}, uint8_t{1}, uint8_t{2}}) {
      std::vector<ModelEdit> edits;
      for (uint16_t i = 0; i < 16; ++i) edits.push_back({static_cast<uint8_t>(i & 1), model, i, 7u * i, value});
      seeds.push_back(EditText(edits));
      seeds.push_back(EditText({edits.front()}));
      seeds.push_back(EditText({edits.back()}));
    }
  }
  return seeds;
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  testing::EditedModel& model = testing::Chosen(data, size);
  const testing::ModelBytes& bytes = model.Apply({data, size});
  auto opened = ReadModel(bytes);
  if (!opened.ok()) {
    testing::Require(model.changed(), "the good model is refused");
    testing::Require(!opened.status().message().empty(), "a refusal without a sentence");
    return 0;
  }
  testing::Require(model.inside(), "a value outside its range");
  std::vector<uint8_t> again;
  const Status written =
      WriteModel(opened->model, std::string(opened->provenance), [&](const void* from, size_t count) {
        const auto* begin = static_cast<const uint8_t*>(from);
        again.insert(again.end(), begin, begin + count);
        return Status();
      });
  testing::Require(written.ok() && again.size() == bytes.size(), "the writer refuses what the reader takes");
  // The checksum of the data is not read on opening; the rewritten one is right, and with it the header's differs.
  constexpr size_t kHeader = sizeof(isam::Header);
  testing::Require(std::memcmp(again.data() + kHeader, bytes.data() + kHeader, again.size() - kHeader) == 0,
                   "rewritten bytes");
  return 0;
}
