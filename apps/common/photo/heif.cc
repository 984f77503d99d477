// HEIC and AVIF through libheif: the primary picture. libheif applies the rotations and mirrorings that the file
// declares; an EXIF orientation beside them says the same and is not applied again.
#include <libheif/heif.h>

#include <memory>

#include "apps/common/limits.h"
#include "apps/common/photo/big_endian.h"
#include "apps/common/photo/decoders.h"

namespace intsam::internal {
namespace {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* thing) const {
    release(thing);
  }
};
using Context = std::unique_ptr<heif_context, Release<heif_context_free>>;
using Handle = std::unique_ptr<heif_image_handle, Release<heif_image_handle_release>>;
using Picture = std::unique_ptr<heif_image, Release<heif_image_release>>;

Status FromError(const heif_error& error) {
  if (error.code == heif_error_Ok) return Status();
  const bool unsupported = error.code == heif_error_Unsupported_filetype ||
                           error.code == heif_error_Unsupported_feature ||
                           error.code == heif_error_Decoder_plugin_error;
  const bool memory = error.code == heif_error_Memory_allocation_error;
  const std::string text = error.message;  // of several lines, now and then
  return Status(unsupported ? Code::kUnsupported
                : memory    ? Code::kResource
                            : Code::kDamaged,
                "cannot decode: " + text.substr(0, text.find('\n')));
}

std::string LibraryFor(heif_compression_format format) {
  return heif_have_decoder_for_format(format) != 0 ? std::string("libheif ") + heif_get_version() : "";
}

}  // namespace

std::string HeicLibrary() { return LibraryFor(heif_compression_HEVC); }
std::string AvifLibrary() { return LibraryFor(heif_compression_AV1); }

Status DecodeHeif(std::span<const uint8_t> file, PixelSink& sink) {
  const Context context(heif_context_alloc());
  heif_context_set_maximum_image_size_limit(context.get(), static_cast<int>(kImageFileSide));
  INTSAM_TRY(FromError(heif_context_read_from_memory_without_copy(context.get(), file.data(), file.size(), nullptr)));
  heif_image_handle* primary = nullptr;
  INTSAM_TRY(FromError(heif_context_get_primary_image_handle(context.get(), &primary)));
  const Handle handle(primary);
  const int width = heif_image_handle_get_width(primary), height = heif_image_handle_get_height(primary);
  const int bits = heif_image_handle_get_luma_bits_per_pixel(primary);
  if (width < 1 || height < 1 || bits < 8 || bits > 16)
    return Error(Code::kDamaged, "the image has %d x %d pixels of %d bits", width, height, bits);
  const bool alpha = heif_image_handle_has_alpha_channel(primary) != 0;
  PixelLayout layout;
  layout.size = {static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
  layout.channels = alpha ? 4 : 3;
  layout.bits = bits;
  layout.lossy = true;
  // The decoder's planes, then the same as interleaved RGB.
  const uint64_t samples = uint64_t{layout.size.width} * layout.size.height * (bits > 8 ? 2 : 1);
  layout.working_bytes = samples * 2 * static_cast<uint64_t>(layout.channels);
  INTSAM_TRY(sink.Begin(layout));

  const heif_chroma eight = alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
  const heif_chroma more = alpha ? heif_chroma_interleaved_RRGGBBAA_BE : heif_chroma_interleaved_RRGGBB_BE;
  heif_image* decoded = nullptr;
  INTSAM_TRY(FromError(heif_decode_image(primary, &decoded, heif_colorspace_RGB, bits > 8 ? more : eight, nullptr)));
  const Picture picture(decoded);
  int stride = 0;
  const uint8_t* pixels = heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
  if (pixels == nullptr || heif_image_get_width(decoded, heif_channel_interleaved) != width ||
      heif_image_get_height(decoded, heif_channel_interleaved) != height) {
    return Error(Code::kDamaged, "the decoded size differs from the header's");
  }
  std::vector<uint16_t> row(bits > 8 ? layout.size.width * static_cast<size_t>(layout.channels) : 0);
  const int most = (1 << bits) - 1;
  for (uint32_t y = 0; y < layout.size.height; ++y, pixels += stride) {
    for (size_t i = 0; i < row.size(); ++i)
      row[i] = static_cast<uint16_t>(Big16(pixels + 2 * i) & static_cast<uint32_t>(most));
    if (bits > 8) {
      sink.Row16(row.data());
    } else {
      sink.Row8(pixels);
    }
  }
  return Status();
}

}  // namespace intsam::internal
