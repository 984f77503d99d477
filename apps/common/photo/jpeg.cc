// JPEG through libjpeg, row by row. As Pillow: the accurate integer DCT and smooth upsampling, which are libjpeg's
// defaults. What libjpeg reads with a warning is read, and a note says so.
#include <cstdio>
// jpeglib.h needs it before itself.
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>

#include "apps/common/photo/containers.h"
#include "apps/common/photo/decoders.h"

namespace intsam::internal {
namespace {

// libjpeg reports errors by longjmp. It stays within Try, whose calls own nothing that would need a destructor.
class Decoder {
 public:
  Decoder() {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = Fail;
    errors_.emit_message = Count;
    jpeg_.client_data = this;
  }
  ~Decoder() { jpeg_destroy_decompress(&jpeg_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Up to the first row. `scans`: how many there may be.
  Status Start(std::span<const uint8_t> file, int scans) {
    most_scans_ = scans;
    return Try([&] {
      jpeg_create_decompress(&jpeg_);
      progress_.progress_monitor = CheckScans;
      jpeg_.progress = &progress_;
      jpeg_mem_src(&jpeg_, const_cast<uint8_t*>(file.data()), static_cast<unsigned long>(file.size()));
      jpeg_read_header(&jpeg_, TRUE);
      jpeg_.out_color_space = jpeg_.num_components == 1   ? JCS_GRAYSCALE
                              : jpeg_.num_components == 3 ? JCS_RGB
                                                          : JCS_CMYK;
      jpeg_start_decompress(&jpeg_);
    });
  }
  Status ReadRow(uint8_t* row) {
    return Try([&] { jpeg_read_scanlines(&jpeg_, &row, 1); });
  }

  ImageSize size() const { return {jpeg_.output_width, jpeg_.output_height}; }
  int channels() const { return jpeg_.output_components; }
  long warnings() const { return errors_.num_warnings; }
  const char* first_warning() const { return warning_; }

 private:
  template <class Call>
  Status Try(Call call) {
    if (setjmp(jump_) != 0) {
      const bool memory = errors_.msg_code == JERR_OUT_OF_MEMORY;
      return Error(memory ? Code::kResource : Code::kDamaged, "cannot decode: %s", message_);
    }
    call();
    return Status();
  }

  static Decoder* Of(j_common_ptr jpeg) { return static_cast<Decoder*>(jpeg->client_data); }
  [[noreturn]] static void Fail(j_common_ptr jpeg) {
    jpeg->err->format_message(jpeg, Of(jpeg)->message_);
    std::longjmp(Of(jpeg)->jump_, 1);
  }
  static void Count(j_common_ptr jpeg, int level) {
    if (level >= 0) return;  // a trace
    if (jpeg->err->num_warnings++ == 0) jpeg->err->format_message(jpeg, Of(jpeg)->warning_);
  }
  // The walk has counted the scans and found them affordable; libjpeg must not see more of them.
  static void CheckScans(j_common_ptr jpeg) {
    Decoder* decoder = Of(jpeg);
    if (decoder->jpeg_.input_scan_number <= decoder->most_scans_) return;
    std::snprintf(decoder->message_, sizeof decoder->message_, "more scans than the markers announce");
    std::longjmp(decoder->jump_, 1);
  }

  jpeg_decompress_struct jpeg_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_progress_mgr progress_ = {};
  int most_scans_ = 0;
  std::jmp_buf jump_;
  char message_[JMSG_LENGTH_MAX] = {}, warning_[JMSG_LENGTH_MAX] = {};
};

// CMYK as Adobe writes it, inverted (which is how everybody reads it), to RGB as Pillow does.
void CmykToRgb(const std::vector<uint8_t>& cmyk, std::vector<uint8_t>& rgb) {
  for (size_t x = 0; x < rgb.size() / 3; ++x) {
    const int black = cmyk[4 * x + 3];
    for (size_t c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[4 * x + c]) * black + 128;
      rgb[3 * x + c] = static_cast<uint8_t>(black - (((product >> 8) + product) >> 8));
    }
  }
}

}  // namespace

std::string JpegLibrary() {
#define INTSAM_TEXT_OF(x) #x
#define INTSAM_TEXT(x) INTSAM_TEXT_OF(x)
#ifdef LIBJPEG_TURBO_VERSION
  return "libjpeg-turbo " INTSAM_TEXT(LIBJPEG_TURBO_VERSION);
#else
  return "libjpeg " INTSAM_TEXT(JPEG_LIB_VERSION);
#endif
}

Status DecodeJpeg(std::span<const uint8_t> file, PixelSink& sink) {
  INTSAM_ASSIGN(const JpegHeader header, InspectJpeg(file));
  PixelLayout layout;
  layout.size = header.size;
  layout.channels = header.channels == 1 ? 1 : 3;
  layout.orientation = header.orientation;
  layout.lossy = true;
  layout.working_bytes = header.coefficient_bytes;
  INTSAM_TRY(sink.Begin(layout));
  Decoder decoder;
  INTSAM_TRY(decoder.Start(file, header.scans));
  if (decoder.size() != header.size || decoder.channels() != header.channels)
    return Error(Code::kDamaged, "the decoded size differs from the header's");
  std::vector<uint8_t> row(size_t{header.size.width} * static_cast<size_t>(header.channels));
  std::vector<uint8_t> rgb(header.channels == 4 ? size_t{3} * header.size.width : 0);
  for (uint32_t y = 0; y < header.size.height; ++y) {
    INTSAM_TRY(decoder.ReadRow(row.data()));
    if (header.channels == 4) CmykToRgb(row, rgb);
    sink.Row8(header.channels == 4 ? rgb.data() : row.data());
  }
  if (decoder.warnings() > 0) {
    sink.Note("read with " + std::to_string(decoder.warnings()) + " warning" + (decoder.warnings() == 1 ? "" : "s") +
              " of the decoder, the first: " + decoder.first_warning());
  }
  return Status();
}

}  // namespace intsam::internal
