// TIFF through libtiff: the first page. Gray, palette and RGB of up to 16 bits are read as they are stored, row by row
// (by rows of tiles, or of strips where each channel has its own); the other colour spaces through libtiff's RGBA.
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <memory>
#include <mutex>

#include "apps/common/photo/decoders.h"
#include "apps/common/photo/photo_limits.h"

namespace intsam::internal {
namespace {

// libtiff's handlers are global; what they hear belongs to the thread that decodes.
thread_local char tiff_message[160];

void KeepFirst(const char*, const char* format, va_list arguments) {
  if (tiff_message[0] != '\0') return;
  std::vsnprintf(tiff_message, sizeof tiff_message, format, arguments);
  std::replace(tiff_message, tiff_message + std::strlen(tiff_message), '\n', ' ');  // some are of several lines
}

Status TiffFailure(const char* action) {
  return Error(Code::kDamaged, "%s: %s", action, tiff_message[0] == '\0' ? "unknown reason" : tiff_message);
}

// The file in memory, as libtiff wants to read it. It may look at the bytes in place.
struct Source {
  std::span<const uint8_t> file;
  uint64_t at = 0;

  static Source& Of(thandle_t handle) { return *static_cast<Source*>(handle); }
  static tmsize_t Read(thandle_t handle, void* to, tmsize_t size) {
    Source& source = Of(handle);
    const uint64_t left = source.at < source.file.size() ? source.file.size() - source.at : 0;
    const size_t n = static_cast<size_t>(std::min<uint64_t>(left, static_cast<uint64_t>(std::max<tmsize_t>(size, 0))));
    if (n > 0) std::memcpy(to, source.file.data() + source.at, n);
    source.at += n;
    return static_cast<tmsize_t>(n);
  }
  static tmsize_t Write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t Seek(thandle_t handle, toff_t offset, int whence) {
    Source& source = Of(handle);
    const uint64_t base = whence == SEEK_CUR ? source.at : whence == SEEK_END ? source.file.size() : 0;
    return source.at = base + offset;
  }
  static int Close(thandle_t) { return 0; }
  static toff_t Size(thandle_t handle) { return Of(handle).file.size(); }
  static int Map(thandle_t handle, void** base, toff_t* size) {
    *base = const_cast<uint8_t*>(Of(handle).file.data());
    *size = Of(handle).file.size();
    return 1;
  }
  static void Unmap(thandle_t, void*, toff_t) {}
};

struct TiffClose {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Tiff = std::unique_ptr<TIFF, TiffClose>;

// What the first page says, with the standard's defaults.
struct Page {
  ImageSize size;
  uint16_t bits = 1, samples = 1, photometric = 0, format = 1, planar = 1, compression = 1, orientation = 1;
  bool alpha = false;
  bool tiled = false;
};

template <class T>
T FieldOf(TIFF* tiff, uint32_t tag) {
  T value = 0;
  TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

bool IsRaw(TIFF* tiff, const Page& page) {
  constexpr uint32_t kDngVersion = 50706, kReducedPicture = 1;
  constexpr uint16_t kFilterArray = 32803, kLinearRaw = 34892;
  uint16_t count = 0;
  const void* data = nullptr;
  const bool preview = (FieldOf<uint32_t>(tiff, TIFFTAG_SUBFILETYPE) & kReducedPicture) != 0 &&
                       TIFFGetField(tiff, TIFFTAG_SUBIFD, &count, &data) == 1;
  return preview || page.photometric == kFilterArray || page.photometric == kLinearRaw ||
         TIFFGetField(tiff, kDngVersion, &data) == 1;
}

Result<Page> ReadPage(TIFF* tiff) {
  Page page;
  page.size = {FieldOf<uint32_t>(tiff, TIFFTAG_IMAGEWIDTH), FieldOf<uint32_t>(tiff, TIFFTAG_IMAGELENGTH)};
  page.bits = FieldOf<uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE);
  page.samples = FieldOf<uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL);
  page.format = FieldOf<uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT);
  page.planar = FieldOf<uint16_t>(tiff, TIFFTAG_PLANARCONFIG);
  page.compression = FieldOf<uint16_t>(tiff, TIFFTAG_COMPRESSION);
  const uint16_t orientation = FieldOf<uint16_t>(tiff, TIFFTAG_ORIENTATION);
  page.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  page.tiled = TIFFIsTiled(tiff) != 0;
  if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &page.photometric) == 0)
    page.photometric = page.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  uint16_t extras = 0;
  const uint16_t* kinds = nullptr;
  if (TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extras, &kinds) == 1 && extras > 0)
    page.alpha = kinds[0] == EXTRASAMPLE_ASSOCALPHA || kinds[0] == EXTRASAMPLE_UNASSALPHA;
  if (IsRaw(tiff, page)) return Error(Code::kUnsupported, "a camera's raw file, whose picture is not developed yet");
  const bool whole = page.format == SAMPLEFORMAT_UINT || page.format == SAMPLEFORMAT_VOID;
  if (!whole || page.bits < 1 || page.bits > 16) {
    return Error(Code::kUnsupported, "TIFF of %d-bit %s samples (unsigned integers of up to 16 bits are supported)",
                 page.bits,
                 page.format == SAMPLEFORMAT_IEEEFP ? "floating-point"
                 : whole                            ? "unsigned"
                                                    : "signed");
  }
  return page;
}

// Pieces of a page: tiles, strips of one channel, or single rows; `across` x `planes` of them make a band of rows.
class Bands {
 public:
  Bands(TIFF* tiff, const Page& page)
      : tiff_(tiff), page_(page), planes_(page.planar == PLANARCONFIG_SEPARATE ? page.samples : 1) {
    rows_ = 1, width_ = page.size.width;
    if (page.tiled) {
      rows_ = FieldOf<uint32_t>(tiff, TIFFTAG_TILELENGTH), width_ = FieldOf<uint32_t>(tiff, TIFFTAG_TILEWIDTH);
      piece_bytes_ = TIFFTileSize64(tiff), row_bytes_ = TIFFTileRowSize64(tiff);
    } else if (planes_ > 1) {
      rows_ = std::min(FieldOf<uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP), page.size.height);
      piece_bytes_ = TIFFVStripSize64(tiff, rows_), row_bytes_ = TIFFScanlineSize64(tiff);
    } else {
      piece_bytes_ = row_bytes_ = TIFFScanlineSize64(tiff);
    }
    across_ = width_ == 0 ? 0 : (page.size.width + width_ - 1) / width_;
  }

  // kDamaged where the sizes do not fit each other. Without this, nothing may be read.
  Status Check() const {
    const uint64_t needed = (uint64_t{width_} * samples() * page_.bits + 7) / 8;
    const bool fits = width_ > 0 && rows_ > 0 && row_bytes_ >= needed && piece_bytes_ / rows_ >= row_bytes_;
    return fits ? Status() : Error(Code::kDamaged, "TIFF with tiles or strips that hold no rows");
  }
  uint64_t bytes() const {  // saturating: the limit is far below
    const uint64_t pieces = uint64_t{across_} * planes_;
    return piece_bytes_ > (uint64_t{1} << 40) / std::max<uint64_t>(pieces, 1) ? uint64_t{1} << 40
                                                                              : piece_bytes_ * pieces;
  }

  // The samples of row y, [x][sample]. Rows are asked for in order.
  Status ReadRow(uint32_t y, std::vector<uint16_t>& row) {
    if (y % rows_ == 0) INTSAM_TRY(Load(y));
    for (uint32_t plane = 0; plane < planes_; ++plane) {
      for (uint32_t column = 0; column < across_; ++column) {
        const uint8_t* packed = Piece(plane, column) + (y % rows_) * row_bytes_;
        const uint32_t x = column * width_, pixels = std::min(width_, page_.size.width - x);
        Unpack(packed, size_t{pixels} * samples(), &row[size_t{x} * page_.samples + plane], planes_);
      }
    }
    return Status();
  }

 private:
  uint32_t samples() const { return planes_ > 1 ? 1 : page_.samples; }  // of a pixel in one plane
  uint8_t* Piece(uint32_t plane, uint32_t column) {
    return band_.data() + (size_t{plane} * across_ + column) * static_cast<size_t>(piece_bytes_);
  }

  Status Load(uint32_t y) {
    band_.resize(static_cast<size_t>(bytes()));
    for (uint32_t plane = 0; plane < planes_; ++plane) {
      for (uint32_t column = 0; column < across_; ++column) {
        const tmsize_t size = static_cast<tmsize_t>(piece_bytes_);
        const auto sample = static_cast<uint16_t>(plane);
        uint8_t* piece = Piece(plane, column);
        const bool read =
            page_.tiled
                ? TIFFReadEncodedTile(tiff_, TIFFComputeTile(tiff_, column * width_, y, 0, sample), piece, size) >= 0
            : planes_ > 1 ? TIFFReadEncodedStrip(tiff_, TIFFComputeStrip(tiff_, y, sample), piece, size) >= 0
                          : TIFFReadScanline(tiff_, piece, y, 0) == 1;
        if (!read) return TiffFailure("cannot decode");
      }
    }
    return Status();
  }

  // `count` samples, of which every one goes `step` further.
  void Unpack(const uint8_t* packed, size_t count, uint16_t* to, size_t step) const {
    const int bits = page_.bits;
    uint32_t held = 0;
    int left = 0;
    for (size_t i = 0; i < count; ++i, to += step) {
      if (bits == 8) {
        *to = packed[i];
      } else if (bits == 16) {
        std::memcpy(to, packed + 2 * i, 2);  // libtiff has made them the machine's
      } else {
        for (; left < bits; left += 8) held = held << 8 | *packed++;
        left -= bits;
        *to = static_cast<uint16_t>(held >> left & ((1u << bits) - 1));
      }
    }
  }

  TIFF* tiff_;
  const Page& page_;
  uint32_t planes_, rows_, width_, across_;
  uint64_t piece_bytes_ = 0, row_bytes_ = 0;
  std::vector<uint8_t> band_;
};

// From stored samples to what the sink takes: white made bright, palettes looked up, fewer than 8 bits spread over 8.
class Colours {
 public:
  Colours(TIFF* tiff, const Page& page) : page_(page) {
    const int colours = page.photometric == PHOTOMETRIC_RGB || page.photometric == PHOTOMETRIC_YCBCR ? 3 : 1;
    taken_ = page.alpha && page.samples > colours ? colours + 1 : colours;
    const int most = (1 << page.bits) - 1;
    value_.resize(size_t{1} << page.bits);
    for (int v = 0; v <= most; ++v) {
      const int bright = page.photometric == PHOTOMETRIC_MINISWHITE ? most - v : v;
      value_[static_cast<size_t>(v)] = static_cast<uint16_t>(page.bits < 8 ? bright * 255 / most : bright);
    }
    if (page.photometric != PHOTOMETRIC_PALETTE) return;
    palette_ = TIFFGetField(tiff, TIFFTAG_COLORMAP, &map_[0], &map_[1], &map_[2]) == 1;
    bool wide = false;
    for (size_t v = 0; palette_ && v < value_.size(); ++v) wide |= (map_[0][v] | map_[1][v] | map_[2][v]) > 255;
    shift_ = wide ? 8 : 0;  // some writers store 8 bits where 16 belong
  }

  bool ready() const {
    return page_.samples >= taken_ && (page_.photometric != PHOTOMETRIC_PALETTE || (palette_ && page_.bits <= 8));
  }
  int channels() const { return palette_ ? taken_ + 2 : taken_; }
  int bits() const { return std::max<int>(page_.bits, 8); }

  void Convert(const std::vector<uint16_t>& from, std::vector<uint16_t>& to) const {
    const size_t stored = page_.samples, taken = static_cast<size_t>(taken_);
    size_t out = 0;
    for (size_t at = 0; at + stored <= from.size(); at += stored) {
      for (size_t c = 0; c < taken; ++c) {
        const uint16_t v = from[at + c];
        const bool is_alpha = page_.alpha && c == taken - 1 && taken % 2 == 0;
        if (palette_ && c == 0) {
          for (const uint16_t* map : map_) to[out++] = static_cast<uint16_t>(map[v] >> shift_);
        } else {
          to[out++] = is_alpha && page_.photometric == PHOTOMETRIC_MINISWHITE ? v : value_[v];
        }
      }
    }
  }

 private:
  const Page& page_;
  int taken_ = 1;  // samples of a pixel
  std::vector<uint16_t> value_;
  bool palette_ = false;
  const uint16_t* map_[3] = {};
  int shift_ = 0;
};

void HandOver(const std::vector<uint16_t>& samples, std::vector<uint8_t>& bytes, int bits, PixelSink& sink) {
  if (bits > 8) return sink.Row16(samples.data());
  std::transform(samples.begin(), samples.end(), bytes.begin(), [](uint16_t v) { return static_cast<uint8_t>(v); });
  sink.Row8(bytes.data());
}

Status DecodeStored(TIFF* tiff, const Page& page, PixelLayout layout, PixelSink& sink) {
  const Colours colours(tiff, page);
  Bands bands(tiff, page);
  if (!colours.ready())
    return Error(Code::kDamaged, "TIFF with %d samples per pixel or without its palette", page.samples);
  INTSAM_TRY(bands.Check());
  layout.channels = colours.channels();
  layout.bits = colours.bits();
  layout.working_bytes = bands.bytes();
  INTSAM_TRY(sink.Begin(layout));
  std::vector<uint16_t> row(size_t{page.size.width} * page.samples);
  std::vector<uint16_t> converted(size_t{page.size.width} * static_cast<size_t>(layout.channels));
  std::vector<uint8_t> bytes(layout.bits > 8 ? 0 : converted.size());
  for (uint32_t y = 0; y < page.size.height; ++y) {
    INTSAM_TRY(bands.ReadRow(y, row));
    colours.Convert(row, converted);
    HandOver(converted, bytes, layout.bits, sink);
  }
  return Status();
}

// CMYK, YCbCr, Lab and the like, as libtiff turns them into RGB: one strip or row of tiles at a time, lower row first.
Status DecodeAsRgba(TIFF* tiff, const Page& page, PixelLayout layout, PixelSink& sink) {
  char reason[1024] = "";
  if (TIFFRGBAImageOK(tiff, reason) == 0) return Error(Code::kUnsupported, "TIFF of this kind: %.120s", reason);
  // Orientation is the sink's.
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  uint32_t rows = 0, width = page.size.width;
  if (page.tiled) {
    rows = FieldOf<uint32_t>(tiff, TIFFTAG_TILELENGTH), width = FieldOf<uint32_t>(tiff, TIFFTAG_TILEWIDTH);
  } else {
    rows = std::min(FieldOf<uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP), page.size.height);
  }
  INTSAM_TRY(CheckSides({width, rows}).WithPrefix("TIFF tile or strip"));
  const uint32_t across = (page.size.width + width - 1) / width;
  layout.working_bytes = uint64_t{4} * rows * width * across;
  INTSAM_TRY(sink.Begin(layout));
  const size_t piece = size_t{rows} * width;
  std::vector<uint32_t> band(piece * across);
  std::vector<uint8_t> row(size_t{3} * page.size.width);
  for (uint32_t y = 0; y < page.size.height; ++y) {
    for (uint32_t column = 0; column < across && y % rows == 0; ++column) {
      uint32_t* to = band.data() + column * piece;
      const int read =
          page.tiled ? TIFFReadRGBATileExt(tiff, column * width, y, to, 1) : TIFFReadRGBAStripExt(tiff, y, to, 1);
      if (read == 0) return TiffFailure("cannot decode");
    }
    // A last strip is shorter; a last tile is not.
    const uint32_t held = page.tiled ? rows : std::min(rows, page.size.height - y / rows * rows);
    for (uint32_t x = 0; x < page.size.width; ++x) {
      const uint32_t pixel = band[x / width * piece + size_t{held - 1 - y % rows} * width + x % width];
      row[3 * x] = TIFFGetR(pixel), row[3 * x + 1] = TIFFGetG(pixel), row[3 * x + 2] = TIFFGetB(pixel);
    }
    sink.Row8(row.data());
  }
  return Status();
}

}  // namespace

std::string TiffLibrary() {
  const std::string text = TIFFGetVersion();  // "LIBTIFF, Version 4.5.0", then the copyright
  const size_t number = text.find_first_of("0123456789");
  return "libtiff " + (number == std::string::npos ? "" : text.substr(number, text.find('\n') - number));
}

Status DecodeTiff(std::span<const uint8_t> file, PixelSink& sink) {
  static std::once_flag once;
  std::call_once(once, [] {
    TIFFSetErrorHandler(KeepFirst);
    TIFFSetWarningHandler(nullptr);
  });
  tiff_message[0] = '\0';
  Source source{file};
  const Tiff tiff(TIFFClientOpen("TIFF", "r", &source, Source::Read, Source::Write, Source::Seek, Source::Close,
                                 Source::Size, Source::Map, Source::Unmap));
  if (tiff == nullptr) return TiffFailure("cannot read the TIFF's directory");
  INTSAM_ASSIGN(const Page page, ReadPage(tiff.get()));
  PixelLayout layout;
  layout.size = page.size;
  layout.orientation = page.orientation;
  layout.lossy = page.compression == COMPRESSION_JPEG || page.compression == COMPRESSION_OJPEG;
  INTSAM_TRY(CheckSides(layout.size));
  const bool jpeg = page.photometric == PHOTOMETRIC_YCBCR && page.compression == COMPRESSION_JPEG && page.bits == 8;
  if (jpeg) TIFFSetField(tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  const bool stored = jpeg || page.photometric <= PHOTOMETRIC_PALETTE;
  return stored ? DecodeStored(tiff.get(), page, layout, sink) : DecodeAsRgba(tiff.get(), page, layout, sink);
}

}  // namespace intsam::internal
