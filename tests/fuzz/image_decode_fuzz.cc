// Photos of every format that is built in. Oracle: a decoder that succeeds has announced a picture within the limits
// and handed over every row of it; the tools' results have the announced size; a refusal is one sentence on one line.
#include "apps/common/photo/photo_format.h"
#include "tests/e2e/photo_encoders.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {
namespace {

constexpr const char* kLarge = "large";

// Reads every sample. Refuses pictures that would only take time.
class TouchingSink : public PixelSink {
 public:
  uint64_t rows = 0, sum = 0;
  bool small = false;

  uint32_t stored_rows() const { return layout().size.height; }

 private:
  Status Prepare() override {
    small = pixels() <= 1 << 16;
    Require(layout().channels >= 1 && layout().channels <= 4 && layout().bits >= 8 && layout().bits <= 16, "layout");
    return small ? Status() : Status(Code::kResource, kLarge);
  }
  void Put8(const uint8_t* samples, uint32_t y) override { Touch(samples, y); }
  void Put16(const uint16_t* samples, uint32_t y) override { Touch(samples, y); }

  template <class T>
  void Touch(const T* samples, uint32_t y) {
    Require(y == rows++ && (sizeof(T) == 1) == (layout().bits == 8), "rows");
    for (size_t i = 0; i < size_t{layout().size.width} * static_cast<size_t>(layout().channels); ++i) {
      Require(samples[i] >> layout().bits == 0, "a sample of more bits than announced");
      sum += samples[i];
    }
  }
};

void RequireSentence(const Status& status) {
  Require(!status.message().empty() && status.message().find('\n') == std::string::npos, "a refusal is one line");
}

// False of a picture that would only take time.
bool Decode(DecodeFunction* decode, std::span<const uint8_t> file) {
  TouchingSink sink;
  const Status status = decode(file, sink);
  if (!status.ok()) {
    RequireSentence(status);
    return status.message() != kLarge;
  }
  Require(sink.rows == sink.stored_rows(), "a row is missing");
  const auto image = DecodeImage(file);
  Require(image.ok() && image.value().size == sink.size(), "the same decoder on the same bytes");
  Require(DecodeImage(file, {.stretch = true}).ok() && DecodeMask(file).ok(), "every use of the pixels");
  return true;
}

std::string Text(const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); }

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const ImageSize size = {19, 13};
  const Bytes rgb = Gradient(size.width, size.height);
  std::vector<std::string> seeds = {
      Text(WithOrientation(MakeJpeg(rgb, size.width, size.height), 6, true, 1)),
      Text(WithChunk(MakePng(3, 2, 16, 2, {Bytes(18, 1), Bytes(18, 2)}), "eXIf", ExifWithOrientation(5, false, 1))),
      Text(WithChunk(MakePng(8, 1, 2, 3, {{1, 2}}), "PLTE", Bytes(12, 7)))};
  for (const JpegStyle& style : {JpegStyle{.progressive = true}, JpegStyle{.restart_interval = 1}}) {
    seeds.push_back(Text(EncodeJpeg(rgb, size, style)));
  }
  std::string surplus = Text(MakeJpeg(rgb, size.width, size.height));  // a Huffman table between its scan and its end
  surplus.insert(surplus.size() - 2, std::string("\xFF\xC4\0\x16\0\x03", 6) + std::string(15, '\0') + "abc");
  seeds.push_back(surplus);
  seeds.push_back(Text(EncodeJpeg(Bytes(19 * 13 * 4, 99), size, {.channels = 4, .adobe_marker = false})));
  seeds.push_back(Text(EncodeWebp(rgb, size, 3)));
  for (bool little : {false, true}) {
    seeds.push_back(Text(MakeTiff({{4, 3}, 8, 3, 2, little, 2, {Bytes(24, 1), Bytes(12, 2)}, {}})));
    seeds.push_back(Text(MakeTiff({{5, 2}, 12, 2, 0, little, 1, {Bytes(15, 9), Bytes(15, 8)}, {{338, 3, {2}}}})));
    seeds.push_back(Text(MakeTiff({{3, 2}, 8, 4, 5, little, 2, {Bytes(24, 70)}, {}})));
  }
  seeds.push_back("\xFF");
  seeds.push_back("\x89");
  std::erase_if(seeds, [](const std::string& seed) { return seed.empty(); });
  return seeds;
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  namespace fuzz = intsam::internal::testing;  // GoogleTest has a namespace of this name, too
  const std::span<const uint8_t> file(data, size);
  const auto format = RecognisePhoto(file);
  if (!format.ok()) {
    fuzz::RequireSentence(format.status());
    return 0;
  }
  if (!fuzz::Decode(format.value()->decode, file)) return 0;
  // The decoders of builds without libraries, which read a picture whole before they hand over any of it.
  fuzz::TouchingSink sink;
  const std::string name = format.value()->name;
  if (name == "PNG" || name == "JPEG") {
    const Status status = (name == "PNG" ? DecodePngByStb : DecodeJpegByStb)(file, sink);
    if (!status.ok()) fuzz::RequireSentence(status);
  }
  return 0;
}
