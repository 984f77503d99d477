#include "tests/e2e/photo_encoders.h"

#include <cstdlib>

#ifdef INTSAM_HAVE_LIBJPEG
#include <cstdio>
// jpeglib.h needs it before itself.
#include <jpeglib.h>
#endif
#ifdef INTSAM_HAVE_LIBWEBP
#include <webp/encode.h>
#endif
#ifdef INTSAM_HAVE_LIBHEIF
#include <libheif/heif.h>
#endif

namespace intsam::internal {

#ifdef INTSAM_HAVE_LIBJPEG
Bytes EncodeJpeg(const Bytes& samples, ImageSize size, const JpegStyle& style) {
  jpeg_compress_struct jpeg = {};
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* data = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&jpeg, &data, &bytes);
  jpeg.image_width = size.width, jpeg.image_height = size.height;
  jpeg.input_components = style.channels;
  jpeg.in_color_space = style.channels == 1 ? JCS_GRAYSCALE : style.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  if (style.ycck) jpeg_set_colorspace(&jpeg, JCS_YCCK);
  jpeg_set_quality(&jpeg, 95, TRUE);
  if (!style.subsampled) jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
  if (style.progressive) jpeg_simple_progression(&jpeg);
  if (style.channels == 4) jpeg.write_Adobe_marker = style.adobe_marker ? TRUE : FALSE;
  jpeg.arith_code = style.arithmetic ? TRUE : FALSE;
  jpeg.restart_interval = static_cast<unsigned>(style.restart_interval);
  jpeg_start_compress(&jpeg, TRUE);
  const size_t stride = size.width * static_cast<size_t>(style.channels);
  while (jpeg.next_scanline < size.height) {
    auto* row = const_cast<uint8_t*>(&samples[jpeg.next_scanline * stride]);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  const Bytes file(data, data + bytes);
  std::free(data);
  return file;
}
#else
Bytes EncodeJpeg(const Bytes&, ImageSize, const JpegStyle&) { return {}; }
#endif

#ifdef INTSAM_HAVE_LIBWEBP
Bytes EncodeWebp(const Bytes& samples, ImageSize size, int channels) {
  WebPConfig config;
  WebPPicture picture;
  WebPMemoryWriter writer;
  if (!WebPConfigInit(&config) || !WebPPictureInit(&picture)) return {};
  config.lossless = config.exact = 1;
  picture.use_argb = 1;
  picture.width = static_cast<int>(size.width), picture.height = static_cast<int>(size.height);
  const int stride = picture.width * channels;
  if (channels == 4) {
    WebPPictureImportRGBA(&picture, samples.data(), stride);
  } else {
    WebPPictureImportRGB(&picture, samples.data(), stride);
  }
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite, picture.custom_ptr = &writer;
  const bool encoded = WebPEncode(&config, &picture) != 0;
  WebPPictureFree(&picture);
  const Bytes file(writer.mem, writer.mem + writer.size);
  WebPMemoryWriterClear(&writer);
  return encoded ? file : Bytes();
}
#else
Bytes EncodeWebp(const Bytes&, ImageSize, int) { return {}; }
#endif

Bytes MakeWebp(const std::vector<std::pair<std::string, Bytes>>& chunks) {
  const auto add32 = [](Bytes& out, size_t v) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<uint8_t>(v >> shift));
  };
  Bytes body = {'W', 'E', 'B', 'P'};
  for (const auto& [name, data] : chunks) {
    body.insert(body.end(), name.begin(), name.end());
    add32(body, data.size());
    body.insert(body.end(), data.begin(), data.end());
    if (data.size() % 2 != 0) body.push_back(0);
  }
  Bytes file = {'R', 'I', 'F', 'F'};
  add32(file, body.size());
  file.insert(file.end(), body.begin(), body.end());
  return file;
}

Bytes WebpChunk(const Bytes& file) { return Bytes(file.begin() + 12, file.end()); }

#ifdef INTSAM_HAVE_LIBHEIF
Bytes EncodeHeif(const Bytes& rgb, ImageSize size, bool avif) {
  const heif_compression_format format = avif ? heif_compression_AV1 : heif_compression_HEVC;
  if (!heif_have_encoder_for_format(format)) return {};
  heif_context* context = heif_context_alloc();
  heif_encoder* encoder = nullptr;
  heif_image* image = nullptr;
  Bytes file;
  const int width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  if (heif_context_get_encoder_for_format(context, format, &encoder).code == heif_error_Ok &&
      heif_image_create(width, height, heif_colorspace_RGB, heif_chroma_interleaved_RGB, &image).code ==
          heif_error_Ok &&
      heif_image_add_plane(image, heif_channel_interleaved, width, height, 8).code == heif_error_Ok) {
    int stride = 0;
    uint8_t* plane = heif_image_get_plane(image, heif_channel_interleaved, &stride);
    for (size_t y = 0; y < size.height; ++y)
      std::copy_n(rgb.begin() + static_cast<ptrdiff_t>(3 * y * size.width), 3 * size.width,
                  plane + y * static_cast<size_t>(stride));
    heif_encoder_set_lossy_quality(encoder, 100);
    heif_encoder_set_parameter_string(encoder, "chroma", "444");
    heif_writer writer = {};
    writer.writer_api_version = 1;
    writer.write = [](heif_context*, const void* data, size_t bytes, void* to) {
      const auto* begin = static_cast<const uint8_t*>(data);
      static_cast<Bytes*>(to)->assign(begin, begin + bytes);
      return heif_error{heif_error_Ok, heif_suberror_Unspecified, ""};
    };
    if (heif_context_encode_image(context, image, encoder, nullptr, nullptr).code == heif_error_Ok)
      heif_context_write(context, &writer, &file);
  }
  heif_image_release(image);
  heif_encoder_release(encoder);
  heif_context_free(context);
  return file;
}
#else
Bytes EncodeHeif(const Bytes&, ImageSize, bool) { return {}; }
#endif

}  // namespace intsam::internal
