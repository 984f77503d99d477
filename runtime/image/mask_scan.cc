#include "runtime/image/mask_scan.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace intsam::internal {
namespace {

constexpr int kWeightBits = 12;
constexpr int32_t kOne = 1 << kWeightBits;
constexpr size_t kWordBits = 64;

// Strip and eighths of the second logit of line `y` of the x4 step.
uint32_t StripOf(uint32_t y) { return (y + 2) / 4; }
int32_t EighthsOf(uint32_t y) { return static_cast<int32_t>(2 * ((y + 2) % 4) + 1); }

// The logits on both sides of a strip: clamped to the edge.
uint32_t Before(uint32_t strip) { return strip == 0 ? 0 : strip - 1; }
uint32_t Behind(uint32_t strip, uint32_t side) { return std::min(strip, side - 1); }

// Byte i, 0 or 1, as bit i.
uint64_t PackBytes(const uint8_t* bytes) {
  uint64_t word = 0;
  for (size_t i = 0; i < kWordBits; i += 8) {
    uint64_t eight;
    std::memcpy(&eight, bytes + i, sizeof eight);
    word |= (eight * 0x0102040810204080u >> 56) << i;
  }
  return word;
}

// Each of the lowest 16 bits four times.
uint64_t Quadruple(uint64_t bits) {
  if (bits == 0) return 0;
  bits &= 0xFFFF;
  bits = (bits | bits << 24) & 0x000000FF000000FFu;
  bits = (bits | bits << 12) & 0x000F000F000F000Fu;
  bits = (bits | bits << 6) & 0x0303030303030303u;
  bits = (bits | bits << 3) & 0x1111111111111111u;
  return bits * 15;
}

// Word w of a row of bits moved by one, so that bit i holds what bit i + 1 (i - 1) of the row did.
uint64_t Next(const uint64_t* row, size_t w, size_t words) {
  return row[w] >> 1 | (w + 1 < words ? row[w + 1] << (kWordBits - 1) : 0);
}
uint64_t Previous(const uint64_t* row, size_t w) { return row[w] << 1 | (w > 0 ? row[w - 1] >> (kWordBits - 1) : 0); }

// The bits first..last of a row that lie in word w.
uint64_t BitsBetween(size_t first, size_t last, size_t w) {
  const size_t begin = w * kWordBits;
  if (first > last || first >= begin + kWordBits || last < begin) return 0;
  const uint64_t from = first <= begin ? ~uint64_t{0} : ~uint64_t{0} << (first - begin);
  const uint64_t to = last >= begin + kWordBits - 1 ? ~uint64_t{0} : ~(~uint64_t{0} << (last - begin + 1));
  return from & to;
}

template <class Body>
void ForEachBit(uint64_t word, const Body& body) {
  for (; word != 0; word &= word - 1) body(static_cast<size_t>(std::countr_zero(word)));
}

int32_t Mix(int32_t a, int32_t b, int32_t weight) { return a * (kOne - weight) + b * weight; }
int32_t MixRounded(int32_t a, int32_t b, int32_t weight) { return (Mix(a, b, weight) + kOne / 2) >> kWeightBits; }

}  // namespace

MaskScan::MaskScan(const int16_t* logits, uint32_t side, const MaskSampling& sampling, int32_t threshold)
    : logits_(logits),
      side_(side),
      sampling_(sampling),
      threshold_(threshold),
      floor_(threshold >> kWeightBits),
      words_((side + 2 + kWordBits - 1) / kWordBits),
      inside_((size_t{side} + 1) * words_),
      mixed_((size_t{side} + 1) * words_),
      near_((size_t{side} + 1) * words_),
      empty_(size_t{side} + 1) {
  FindSides(StripOf(sampling.rows.first_used()), StripOf(sampling.rows.last_used()));
}

void MaskScan::FindSides(uint32_t first_strip, uint32_t last_strip) {
  // Of two rows of logits: 0 or 1 per logit, the first and the last one twice, since strips at the edge clamp.
  std::vector<uint8_t> bytes(words_ * kWordBits);
  std::vector<uint64_t> sides(2 * words_);
  uint32_t held[2] = {~0u, ~0u};
  const auto sides_of = [&](uint32_t row) -> const uint64_t* {
    uint64_t* to = &sides[row % 2 * words_];
    if (held[row % 2] == row) return to;
    held[row % 2] = row;
    const int16_t* from = logits_ + size_t{row} * side_;
    for (uint32_t x = 0; x < side_; ++x) bytes[x + 1] = from[x] > floor_;
    bytes[0] = bytes[1], bytes[side_ + 1] = bytes[side_];
    for (size_t w = 0; w < words_; ++w) to[w] = PackBytes(&bytes[w * kWordBits]);
    return to;
  };
  for (uint32_t strip = first_strip; strip <= last_strip; ++strip) {
    const uint64_t* a = sides_of(Before(strip));
    const uint64_t* b = sides_of(Behind(strip, side_));
    empty_[strip] = 1;
    for (size_t w = 0; w < words_; ++w) {
      const uint64_t all = a[w] & Next(a, w, words_) & b[w] & Next(b, w, words_);
      const uint64_t any = a[w] | Next(a, w, words_) | b[w] | Next(b, w, words_);
      inside_[strip * words_ + w] = all;
      mixed_[strip * words_ + w] = any & ~all & BitsBetween(0, side_, w);
      if (any != 0) empty_[strip] = 0;
    }
  }
  std::vector<uint64_t> tall(words_);  // the strip's mixed cells and those above and below
  for (uint32_t strip = first_strip; strip <= last_strip; ++strip) {
    const size_t at = strip * words_;
    for (size_t w = 0; w < words_; ++w) {
      tall[w] = mixed_[at + w] | (strip > first_strip ? mixed_[at - words_ + w] : 0) |
                (strip < last_strip ? mixed_[at + words_ + w] : 0);
    }
    for (size_t w = 0; w < words_; ++w) {
      near_[strip * words_ + w] =
          (tall[w] | Next(tall.data(), w, words_) | Previous(tall.data(), w)) & BitsBetween(0, side_, w);
    }
  }
}

MaskScan::Reader::Reader(const MaskScan& scan)
    : scan_(scan), bits_(4 * scan.words_), runs_(scan.sampling_.columns.lines() / 2 + 1) {
  for (Line& line : lines_) {
    line.bits.resize(4 * scan.words_);
    line.values.resize(4 * (size_t{scan.side_} + 1));
  }
}

// Two neighbouring lines differ in parity, hence never evict each other.
const MaskScan::Reader::Line& MaskScan::Reader::LineAt(uint32_t y) {
  Line& line = lines_[y % 2];
  if (line.y == y) return line;
  line.y = y;
  const uint32_t strip = StripOf(y), side = scan_.side_;
  const int32_t eighths = EighthsOf(y);
  const int16_t* a = scan_.logits_ + size_t{Before(strip)} * side;
  const int16_t* b = scan_.logits_ + size_t{Behind(strip, side)} * side;
  for (size_t w = 0; w < scan_.words_; ++w) {
    const size_t at = strip * scan_.words_ + w;
    for (size_t i = 0; i < 4; ++i) line.bits[4 * w + i] = Quadruple(scan_.inside_[at] >> (16 * i));
    ForEachBit(scan_.near_[at], [&](size_t bit) {
      const auto cell = static_cast<uint32_t>(w * kWordBits + bit);
      const uint32_t left = Before(cell), right = Behind(cell, side);
      const int32_t from = a[left] * (8 - eighths) + b[left] * eighths;
      const int32_t to = a[right] * (8 - eighths) + b[right] * eighths;
      uint64_t inside = 0;
      for (int32_t i = 0; i < 4; ++i) {
        const int32_t second = 2 * i + 1;
        const int32_t value = (from * (8 - second) + to * second + 32) >> 6;
        line.values[4 * cell + static_cast<uint32_t>(i)] = static_cast<int16_t>(value);
        inside |= uint64_t{value > scan_.floor_} << i;
      }
      if (scan_.mixed_[at] >> bit & 1) line.bits[cell / 16] |= inside << (cell % 16 * 4);
    });
  }
  return line;
}

// Where both lines lie on the same side, so does what is between them.
void MaskScan::Reader::MixLines(const Line& a, const Line& b, int32_t weight) {
  const MaskAxis& columns = scan_.sampling_.columns;
  const size_t first = columns.first_used() + 2, last = columns.last_used() + 2;
  for (size_t w = first / kWordBits; w <= last / kWordBits; ++w) {
    bits_[w] = a.bits[w];
    ForEachBit((a.bits[w] ^ b.bits[w]) & BitsBetween(first, last, w), [&](size_t bit) {
      const size_t place = w * kWordBits + bit;
      const uint64_t inside = MixRounded(a.values[place], b.values[place], weight) > scan_.floor_;
      bits_[w] = (bits_[w] & ~(uint64_t{1} << bit)) | inside << bit;
    });
  }
}

// The first pixel right of `column` that is on the side of the next column: between two columns the logit rises or
// falls all the way.
uint32_t MaskScan::Reader::Crossing(const Line& a, const Line& b, int32_t weight, uint32_t column) const {
  const MaskAxis& columns = scan_.sampling_.columns;
  const int32_t left = MixRounded(a.values[column + 2], b.values[column + 2], weight);
  const int32_t right = MixRounded(a.values[column + 3], b.values[column + 3], weight);
  const bool inside = right > scan_.floor_;
  uint32_t begin = columns.begin[column], end = columns.begin[column + 1];
  while (begin < end) {
    const uint32_t middle = (begin + end) / 2;
    if ((Mix(left, right, columns.weight[middle]) > scan_.threshold_) == inside) {
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  return begin;
}

// The side changes before pixel x. Changes come from left to right; two in one place undo each other.
void MaskScan::Reader::Toggle(uint32_t x) {
  open_ = !open_;
  if (!open_) {
    PixelRun& run = runs_[count_ - 1];
    run.end = x;
    if (run.begin == x) --count_;
  } else if (count_ == 0 || runs_[count_ - 1].end != x) {
    runs_[count_++] = {x, x};
  }
}

std::span<const PixelRun> MaskScan::Reader::Row(uint32_t y) {
  const MaskAxis &rows = scan_.sampling_.rows, &columns = scan_.sampling_.columns;
  const uint32_t first_line = rows.first[y], second_line = rows.second(first_line);
  if (scan_.empty_[StripOf(first_line)] && scan_.empty_[StripOf(second_line)]) return {};
  const Line& a = LineAt(first_line);
  const Line& b = LineAt(second_line);
  const int32_t weight = rows.weight[y];
  MixLines(a, b, weight);
  count_ = 0, open_ = false;
  const size_t first = columns.first_used() + 2, last = columns.last_used() + 2;
  if (bits_[first / kWordBits] >> first % kWordBits & 1) Toggle(0);
  for (size_t w = first / kWordBits; w <= last / kWordBits; ++w) {
    const uint64_t next = Next(bits_.data(), w, bits_.size());
    ForEachBit((bits_[w] ^ next) & BitsBetween(first, last - 1, w),
               [&](size_t bit) { Toggle(Crossing(a, b, weight, static_cast<uint32_t>(w * kWordBits + bit - 2))); });
  }
  const uint32_t width = scan_.size().width;
  if (open_) Toggle(width);
  return {runs_.data(), count_};
}

}  // namespace intsam::internal
