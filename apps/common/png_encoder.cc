// PNG through libpng. Pictures are for reading once or twice, so they are written fast: runs of equal bytes are the
// only repetitions that are looked for, in photos after each row has been subtracted from the next. Of masks this finds
// all there is to find, and for photos it takes a fifth of the time of libpng's own choice at the same size.
#include <png.h>
#include <zlib.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "apps/common/picture_encoders.h"

namespace intsam::internal {
namespace {

// libpng reports errors by longjmp. It stays within Try, whose calls own nothing that would need a destructor.
class Encoder {
 public:
  explicit Encoder(ByteSink write) : write_(write) {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, Fail, Ignore);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~Encoder() { png_destroy_write_struct(&png_, &info_); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  bool ready() const { return info_ != nullptr; }

  Status Start(const PngLayout& layout) {
    return Try([&] {
      constexpr size_t kPiece = 1 << 16;  // the bytes of an IDAT chunk
      const bool flat = layout.channels == 1;
      const int type = flat                   ? PNG_COLOR_TYPE_GRAY
                       : layout.channels == 3 ? PNG_COLOR_TYPE_RGB
                                              : PNG_COLOR_TYPE_RGB_ALPHA;
      png_set_write_fn(png_, this, Write, Flush);
      png_set_compression_buffer_size(png_, kPiece);
      png_set_compression_level(png_, 1);
      png_set_compression_strategy(png_, Z_RLE);
      png_set_filter(png_, PNG_FILTER_TYPE_BASE, flat ? PNG_FILTER_NONE : PNG_FILTER_UP);
      png_set_IHDR(png_, info_, layout.size.width, layout.size.height, layout.bits, type, PNG_INTERLACE_NONE,
                   PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
      png_write_info(png_, info_);
    });
  }
  Status WriteRow(const uint8_t* row) {
    return Try([&] { png_write_row(png_, row); });
  }
  Status End() {
    return Try([&] { png_write_end(png_, info_); });
  }

 private:
  template <class Call>
  Status Try(Call call) {
    if (setjmp(jump_) != 0) {
      if (!status_.ok()) return status_;
      const bool memory = std::strstr(message_, "memory") != nullptr;
      return Error(memory ? Code::kResource : Code::kInternal, "cannot encode: %s", message_);
    }
    call();
    return Status();
  }

  [[noreturn]] static void Fail(png_structp png, png_const_charp message) {
    auto* encoder = static_cast<Encoder*>(png_get_error_ptr(png));
    std::snprintf(encoder->message_, sizeof encoder->message_, "%s", message);
    std::longjmp(encoder->jump_, 1);
  }
  static void Ignore(png_structp, png_const_charp) {}
  static void Write(png_structp png, png_bytep data, size_t size) {
    auto* encoder = static_cast<Encoder*>(png_get_io_ptr(png));
    encoder->status_ = encoder->write_(data, size);
    if (!encoder->status_.ok()) png_error(png, "the output failed");
  }
  static void Flush(png_structp) {}

  ByteSink write_;
  Status status_;  // of `write_`
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf jump_;
  char message_[128] = {};
};

}  // namespace

Status EncodePngByLibpng(const PngLayout& layout, RowSource row, ByteSink write) {
  Encoder encoder(write);
  if (!encoder.ready()) return Error(Code::kResource, "out of memory");
  INTSAM_TRY(encoder.Start(layout));
  for (uint32_t y = 0; y < layout.size.height; ++y) INTSAM_TRY(encoder.WriteRow(row(y)));
  return encoder.End();
}

}  // namespace intsam::internal
