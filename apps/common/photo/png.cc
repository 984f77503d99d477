// PNG through libpng, row by row, so that no second copy of the picture is held.
#include <png.h>

#include <csetjmp>
#include <cstring>

#include "apps/common/photo/containers.h"
#include "apps/common/photo/decoders.h"

namespace intsam::internal {
namespace {

// libpng reports errors by longjmp. It stays within Try, whose calls own nothing that would need a destructor.
class Decoder {
 public:
  explicit Decoder(std::span<const uint8_t> file) : left_(file) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, Fail, Ignore);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  bool ready() const { return info_ != nullptr; }

  // Reads the header and asks for whole bytes, or words of 16 bits, of gray, gray and alpha, RGB or RGBA.
  Status Start() {
    return Try([&] {
      png_set_read_fn(png_, this, Read);
      // Text and profiles are not used, and compressed ones could grow without end.
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
      png_read_info(png_, info_);
      png_set_expand(png_);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
      png_set_swap(png_);
#endif
      passes_ = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    });
  }
  Status ReadRow(void* row) {
    return Try([&] { png_read_row(png_, static_cast<png_bytep>(row), nullptr); });
  }

  int channels() const { return png_get_channels(png_, info_); }
  int bits() const { return png_get_bit_depth(png_, info_); }
  size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  int passes() const { return passes_; }

 private:
  template <class Call>
  Status Try(Call call) {
    if (setjmp(jump_) != 0)
      return Error(std::strstr(message_, "memory") != nullptr ? Code::kResource : Code::kDamaged, "cannot decode: %s",
                   message_);
    call();
    return Status();
  }

  [[noreturn]] static void Fail(png_structp png, png_const_charp message) {
    auto* decoder = static_cast<Decoder*>(png_get_error_ptr(png));
    std::snprintf(decoder->message_, sizeof decoder->message_, "%s", message);
    std::longjmp(decoder->jump_, 1);
  }
  static void Ignore(png_structp, png_const_charp) {}
  static void Read(png_structp png, png_bytep to, size_t size) {
    auto* decoder = static_cast<Decoder*>(png_get_io_ptr(png));
    if (size > decoder->left_.size()) png_error(png, "the data end early");
    std::memcpy(to, decoder->left_.data(), size);
    decoder->left_ = decoder->left_.subspan(size);
  }

  std::span<const uint8_t> left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  std::jmp_buf jump_;
  char message_[128] = {};
};

void HandOver(const std::vector<uint16_t>& row, int bits, PixelSink& sink) {
  if (bits == 16) {
    sink.Row16(row.data());
  } else {
    sink.Row8(reinterpret_cast<const uint8_t*>(row.data()));
  }
}

}  // namespace

std::string PngLibrary() { return std::string("libpng ") + png_get_libpng_ver(nullptr); }

Status DecodePng(std::span<const uint8_t> file, PixelSink& sink) {
  INTSAM_ASSIGN(const PngHeader header, InspectPng(file));
  PixelLayout layout;
  layout.size = header.size;
  layout.orientation = header.orientation;
  Decoder decoder(file);
  if (!decoder.ready()) return Error(Code::kResource, "out of memory");
  INTSAM_TRY(decoder.Start());
  layout.channels = decoder.channels();
  layout.bits = decoder.bits();
  const size_t row_words = (decoder.row_bytes() + 1) / 2;
  if (header.interlaced) layout.working_bytes = uint64_t{2} * row_words * header.size.height;
  INTSAM_TRY(sink.Begin(layout));
  // An interlaced picture is complete only after its last pass, so its rows are held until then.
  std::vector<std::vector<uint16_t>> rows(header.interlaced ? header.size.height : 1, std::vector<uint16_t>(row_words));
  for (int pass = 0; pass < decoder.passes(); ++pass) {
    for (uint32_t y = 0; y < header.size.height; ++y) {
      std::vector<uint16_t>& row = rows[header.interlaced ? y : 0];
      INTSAM_TRY(decoder.ReadRow(row.data()));
      if (pass == decoder.passes() - 1) HandOver(row, layout.bits, sink);
    }
  }
  return Status();
}

}  // namespace intsam::internal
