// WebP through libwebp. Of an animation the first frame is taken, on a canvas that is transparent black around it.
#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>

#include "apps/common/photo/decoders.h"
#include "apps/common/photo/exif.h"

namespace intsam::internal {
namespace {

struct DemuxerDelete {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, DemuxerDelete>;

struct FrameIterator : WebPIterator {
  FrameIterator() : WebPIterator() {}
  ~FrameIterator() { WebPDemuxReleaseIterator(this); }
};

int OrientationOf(WebPDemuxer* demuxer) {
  WebPChunkIterator chunk = {};
  int orientation = 1;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0)
    orientation = ExifOrientation({chunk.chunk.bytes, chunk.chunk.size});
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

// The frame's pixels, RGB or RGBA without gaps.
Status DecodeFrame(const WebPData& data, ImageSize size, int channels, std::vector<uint8_t>& pixels) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return Error(Code::kInternal, "libwebp is another version than its headers");
  const size_t stride = size_t{size.width} * static_cast<size_t>(channels);
  pixels.resize(stride * size.height);
  config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels.data(), static_cast<int>(stride), pixels.size()};
  const VP8StatusCode status = WebPDecode(data.bytes, data.size, &config);
  WebPFreeDecBuffer(&config.output);
  if (status == VP8_STATUS_OK) return Status();
  if (status == VP8_STATUS_OUT_OF_MEMORY) return Error(Code::kResource, "out of memory");
  return Error(Code::kDamaged, "cannot decode: libwebp reports status %d", static_cast<int>(status));
}

}  // namespace

std::string WebpLibrary() {
  const int version = WebPGetDecoderVersion();
  return "libwebp " + std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 255) + "." +
         std::to_string(version & 255);
}

Status DecodeWebp(std::span<const uint8_t> file, PixelSink& sink) {
  const WebPData data = {file.data(), file.size()};
  WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
  const Demuxer demuxer(WebPDemuxPartial(&data, &state));
  if (state == WEBP_DEMUX_PARSING_HEADER || state == WEBP_DEMUX_PARSED_HEADER)
    return Error(Code::kDamaged, "WebP truncated: the file ends at offset %zu", file.size());
  FrameIterator frame;
  WebPBitstreamFeatures features;
  if (demuxer == nullptr || state != WEBP_DEMUX_DONE || WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0 ||
      WebPGetFeatures(frame.fragment.bytes, frame.fragment.size, &features) != VP8_STATUS_OK) {
    return Error(Code::kDamaged, "WebP container is damaged");
  }
  constexpr int kLossless = 2;
  const ImageSize part = {static_cast<uint32_t>(features.width), static_cast<uint32_t>(features.height)};
  const uint32_t left = static_cast<uint32_t>(frame.x_offset), top = static_cast<uint32_t>(frame.y_offset);
  PixelLayout layout;
  layout.size = {WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH),
                 WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT)};
  if (uint64_t{left} + part.width > layout.size.width || uint64_t{top} + part.height > layout.size.height)
    return Error(Code::kDamaged, "WebP frame outside its canvas");
  layout.channels = features.has_alpha != 0 || part != layout.size ? 4 : 3;
  layout.orientation = OrientationOf(demuxer.get());
  layout.lossy = features.format != kLossless;
  const size_t channels = static_cast<size_t>(layout.channels);
  layout.working_bytes = uint64_t{part.width} * part.height * (channels + (layout.lossy ? 1 : 4));
  INTSAM_TRY(sink.Begin(layout));
  std::vector<uint8_t> pixels;
  INTSAM_TRY(DecodeFrame(frame.fragment, part, layout.channels, pixels));
  const size_t stride = part.width * channels;
  std::vector<uint8_t> row(layout.size.width * channels);
  for (uint32_t y = 0; y < layout.size.height; ++y) {
    std::fill(row.begin(), row.end(), 0);
    if (y >= top && y - top < part.height)
      std::copy_n(pixels.begin() + static_cast<ptrdiff_t>((y - top) * stride), stride,
                  row.begin() + static_cast<ptrdiff_t>(left * channels));
    sink.Row8(row.data());
  }
  return Status();
}

}  // namespace intsam::internal
