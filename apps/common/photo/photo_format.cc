// Signatures: of what is read, and of what people try, so that a refusal names it.
#include "apps/common/photo/photo_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "apps/common/photo/photo_reader.h"

namespace intsam::internal {
namespace {

using namespace std::string_view_literals;

#ifdef INTSAM_HAVE_LIBPNG
constexpr PhotoFormat kPng = {"PNG", DecodePng, PngLibrary};
#else
constexpr PhotoFormat kPng = {"PNG", DecodePngByStb, [] { return std::string("stb_image"); }};
#endif
#ifdef INTSAM_HAVE_LIBJPEG
constexpr PhotoFormat kJpeg = {"JPEG", DecodeJpeg, JpegLibrary};
#else
constexpr PhotoFormat kJpeg = {"JPEG", DecodeJpegByStb, [] { return std::string("stb_image"); }};
#endif

constexpr std::array kBuilt = {
    kPng,
    kJpeg,
#ifdef INTSAM_HAVE_LIBWEBP
    PhotoFormat{"WebP", DecodeWebp, WebpLibrary},
#endif
#ifdef INTSAM_HAVE_LIBTIFF
    PhotoFormat{"TIFF", DecodeTiff, TiffLibrary},
#endif
#ifdef INTSAM_HAVE_LIBHEIF
    PhotoFormat{"HEIC", DecodeHeif, HeicLibrary},
    PhotoFormat{"AVIF", DecodeHeif, AvifLibrary},
#endif
};

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n"sv;

bool Has(std::string_view text, size_t at, std::string_view bytes) {
  return text.size() >= at + bytes.size() && text.substr(at, bytes.size()) == bytes;
}

struct Signature {
  size_t at;
  std::string_view bytes;
  const char* what;  // the name of a format in kBuilt, or what else it is
};

// The brands of ISO media files stand behind "ftyp"; those of raw files before the TIFFs they resemble.
constexpr Signature kSignatures[] = {
    {0, "\xFF\xD8"sv, "JPEG"},
    {8, "WEBP"sv, "WebP"},
    {4, "ftypavif"sv, "AVIF"},
    {4, "ftypavis"sv, "AVIF"},
    {4, "ftyphei"sv, "HEIC"},
    {4, "ftyphev"sv, "HEIC"},
    {4, "ftypmif1"sv, "HEIC"},
    {4, "ftypmsf1"sv, "HEIC"},
    {4, "ftypcrx "sv, "a camera's raw file (CR3)"},
    {4, "ftyp"sv, "a video"},
    {0, "II*\0\x10\0\0\0CR"sv, "a camera's raw file (CR2)"},
    {0, "II*\0"sv, "TIFF"},
    {0, "MM\0*"sv, "TIFF"},
    {0, "II+\0"sv, "TIFF"},
    {0, "MM\0+"sv, "TIFF"},
    {0, "IIU\0"sv, "a camera's raw file (RW2)"},
    {0, "IIRO"sv, "a camera's raw file (ORF)"},
    {0, "FUJIFILMCCD-RAW"sv, "a camera's raw file (RAF)"},
    {0, "GIF8"sv, "a GIF picture"},
    {0, "8BPS"sv, "a Photoshop document"},
    {0, "%PDF-"sv, "a PDF document"},
    {0, "\0\0\0\x0CjP  "sv, "a JPEG 2000 picture"},
    {0, "\xFF\x4F\xFF\x51"sv, "a JPEG 2000 picture"},
    {0, "\0\0\0\x0CJXL "sv, "a JPEG XL picture"},
    {0, "\xFF\x0A"sv, "a JPEG XL picture"},
    {0, "v/1\x01"sv, "an OpenEXR picture"},
    {0, "#?RADIANCE"sv, "a Radiance HDR picture"},
    {0, "qoif"sv, "a QOI picture"},
    {0, "DDS "sv, "a DDS texture"},
    {0, "\0\0\x01\0"sv, "an icon"},
    {128, "DICM"sv, "a DICOM file"},
    {0, "\x93NUMPY"sv, "a NumPy array"},
    {0, "\x89HDF\r\n"sv, "an HDF5 file"},
    {0, "PK\x03\x04"sv, "a zip archive"},
    {0, "\x1F\x8B"sv, "a gzip archive"},
    {0, "version https://git-lfs"sv, "a Git LFS pointer, not the picture itself (git lfs pull fetches it)"},
};

bool IsPnm(std::string_view text) {
  return text.size() > 2 && text[0] == 'P' && std::string_view("1234567Ff").find(text[1]) != std::string_view::npos &&
         (std::isspace(static_cast<unsigned char>(text[2])) || text[2] == '#');
}

// Four bytes behind the size are reserved, and the headers that exist are short.
bool IsBmp(std::string_view text) {
  return Has(text, 0, "BM") && Has(text, 6, "\0\0\0\0"sv) && Has(text, 15, "\0\0\0"sv);
}

// SVG or HTML behind a byte order mark, spaces and an XML declaration.
const char* MarkupOf(std::string_view text) {
  std::string start;
  for (const char c : text.substr(0, 1024)) start += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const size_t first = start.find_first_not_of("\xEF\xBB\xBF \t\r\n");
  if (first == std::string::npos || start[first] != '<') return nullptr;
  if (start.find("<svg") != std::string::npos) return "an SVG drawing";
  if (start.find("<html") != std::string::npos || start.find("<!doctype html") != std::string::npos)
    return "an HTML page, perhaps of a download that failed";
  return start.find("<?xml") == first ? "an XML document" : nullptr;
}

const char* KindOf(std::string_view text) {
  for (const Signature& s : kSignatures) {
    if (Has(text, s.at, s.bytes)) return s.what;
  }
  if (IsBmp(text)) return "a BMP picture";
  if (IsPnm(text)) return "a PPM, PGM or PBM picture";
  const char* markup = MarkupOf(text);
  return markup != nullptr ? markup : "no picture of a known format";
}

}  // namespace

std::span<const PhotoFormat> BuiltPhotoFormats() {
  static const std::vector<PhotoFormat> formats = [] {
    std::vector<PhotoFormat> usable;
    for (const PhotoFormat& format : kBuilt) {
      if (!format.library().empty()) usable.push_back(format);
    }
    return usable;
  }();
  return formats;
}

bool IsPng(std::span<const uint8_t> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  return !text.empty() && kPngSignature.starts_with(text.substr(0, kPngSignature.size()));
}

Result<const PhotoFormat*> RecognisePhoto(std::span<const uint8_t> file) {
  if (file.empty()) return Error(Code::kDamaged, "the file is empty");
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  // Beginnings of the two that are always read count as them, so that truncation is found where they are walked.
  const std::string what = IsPng(file) ? "PNG" : text == "\xFF" ? "JPEG" : KindOf(text);
  for (const PhotoFormat& format : BuiltPhotoFormats()) {
    if (format.name == what) return &format;
  }
  const bool picture = what == "WebP" || what == "TIFF" || what == "HEIC" || what == "AVIF";
  const std::string named = picture ? (what == "AVIF" ? "an " : "a ") + what + " picture" : what;
  return Status(Code::kUnsupported, named + "; this build reads " + PhotoFormats());
}

}  // namespace intsam::internal
