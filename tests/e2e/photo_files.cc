#include "tests/e2e/photo_files.h"

#include <algorithm>
#include <map>

#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace intsam::internal {
namespace {

void Append(void* context, void* data, int size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  static_cast<Bytes*>(context)->insert(static_cast<Bytes*>(context)->end(), bytes, bytes + size);
}

void AppendNumber(Bytes& out, uint32_t value, int bytes, bool little) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> 8 * (little ? i : bytes - 1 - i)));
}

}  // namespace

Bytes Gradient(uint32_t width, uint32_t height) {
  Bytes rgb;
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      for (uint32_t v : {x * 255 / width, y * 255 / height, (x ^ y) & 255}) rgb.push_back(static_cast<uint8_t>(v));
    }
  }
  return rgb;
}

Bytes MakeJpeg(const Bytes& rgb, uint32_t width, uint32_t height) {
  Bytes jpeg;
  stbi_write_jpg_to_func(Append, &jpeg, int(width), int(height), 3, rgb.data(), 95);
  return jpeg;
}

Bytes ExifWithOrientation(int value, bool little, int decoys) {
  Bytes tiff = little ? Bytes{'I', 'I', 42, 0, 8, 0, 0, 0} : Bytes{'M', 'M', 0, 42, 0, 0, 0, 8};
  const auto add16 = [&](int v) { AppendNumber(tiff, static_cast<uint32_t>(v), 2, little); };
  add16(decoys + 1);
  for (int i = 0; i <= decoys; ++i) {
    add16(i < decoys ? 0x0100 + i : 0x0112);
    add16(3);
    AppendNumber(tiff, 1, 4, little);
    add16(i < decoys ? 4 : value);
    add16(0);
  }
  return tiff;
}

Bytes WithOrientation(Bytes jpeg, int value, bool little, int decoys) {
  const Bytes tiff = ExifWithOrientation(value, little, decoys);
  Bytes segment = {0xFF, 0xE1, 0, 0, 'E', 'x', 'i', 'f', 0, 0};
  segment.insert(segment.end(), tiff.begin(), tiff.end());
  segment[2] = static_cast<uint8_t>((segment.size() - 2) >> 8);
  segment[3] = static_cast<uint8_t>(segment.size() - 2);
  jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
  return jpeg;
}

Bytes WithChunk(const Bytes& png, const std::string& type, const Bytes& data) {
  constexpr size_t kHeader = 8 + 25;  // signature and IHDR
  Bytes out(png.begin(), png.begin() + kHeader);
  AppendChunk(out, type, data);
  out.insert(out.end(), png.begin() + kHeader, png.end());
  return out;
}

Bytes MakeTiff(const TiffPicture& picture) {
  constexpr uint16_t kShort = 3, kLong = 4;  // those before a short have one byte
  Bytes file = picture.little ? Bytes{'I', 'I', 42, 0} : Bytes{'M', 'M', 0, 42};
  AppendNumber(file, 0, 4, picture.little);  // where the directory is; set below
  const auto pad = [&] { file.resize((file.size() + 1) / 2 * 2); };
  std::vector<uint32_t> offsets, counts;
  for (const Bytes& strip : picture.strips) {
    offsets.push_back(static_cast<uint32_t>(file.size()));
    counts.push_back(static_cast<uint32_t>(strip.size()));
    file.insert(file.end(), strip.begin(), strip.end());
    pad();
  }
  std::map<uint16_t, TiffTag> tags;
  const auto add = [&](uint16_t tag, uint16_t type, std::vector<uint32_t> values) {
    tags[tag] = {tag, type, std::move(values)};
  };
  const auto word = [](auto v) { return static_cast<uint32_t>(v); };
  add(256, kLong, {picture.size.width}), add(257, kLong, {picture.size.height});
  add(258, kShort, std::vector<uint32_t>(word(picture.samples), word(picture.bits)));
  add(259, kShort, {1}), add(262, kShort, {word(picture.photometric)});
  add(273, kLong, offsets), add(277, kShort, {word(picture.samples)});
  add(278, kLong, {std::min(picture.rows_per_strip, picture.size.height)}), add(279, kLong, counts);
  for (const TiffTag& tag : picture.more) tags[tag.tag] = tag;

  std::map<uint16_t, uint32_t> places;  // of values that do not fit into four bytes
  for (const auto& [number, tag] : tags) {
    const int width = tag.type == kShort ? 2 : tag.type < kShort ? 1 : 4;
    if (tag.values.size() * word(width) <= 4) continue;
    places[number] = static_cast<uint32_t>(file.size());
    for (uint32_t v : tag.values) AppendNumber(file, v, width, picture.little);
    pad();
  }
  Bytes at;
  AppendNumber(at, static_cast<uint32_t>(file.size()), 4, picture.little);
  std::copy(at.begin(), at.end(), file.begin() + 4);
  AppendNumber(file, static_cast<uint32_t>(tags.size()), 2, picture.little);
  for (const auto& [number, tag] : tags) {
    const int width = tag.type == kShort ? 2 : tag.type < kShort ? 1 : 4;
    AppendNumber(file, number, 2, picture.little), AppendNumber(file, tag.type, 2, picture.little);
    AppendNumber(file, word(tag.values.size()), 4, picture.little);
    const size_t end = file.size() + 4;
    if (places.contains(number)) {
      AppendNumber(file, places[number], 4, picture.little);
    } else {
      for (uint32_t v : tag.values) AppendNumber(file, v, width, picture.little);
    }
    file.resize(end);
  }
  AppendNumber(file, 0, 4, picture.little);
  return file;
}

size_t FindMarker(const Bytes& jpeg, uint16_t marker) {
  const Bytes bytes = {static_cast<uint8_t>(marker >> 8), static_cast<uint8_t>(marker)};
  const auto at = std::search(jpeg.begin(), jpeg.end(), bytes.begin(), bytes.end());
  return static_cast<size_t>(at - jpeg.begin());
}

}  // namespace intsam::internal
