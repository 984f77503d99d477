// The two-pass triangle resampler in integers, equal to Pillow's 8-bit one (docs/numerics.md section 9).
// Per axis every output sample is a weighted sum of at most a few source samples, with weights in units of 2^-22.
// Both passes run together: a ring of horizontally resized rows feeds the vertical pass, so that no image-sized
// intermediate exists. The tables and the ring live in the caller's scratch buffer.
#include "runtime/image/resize.h"

#include <algorithm>
#include <cstring>

namespace intsam::internal {
namespace {

constexpr int kCoefficientBits = 22;
constexpr int32_t kHalf = 1 << (kCoefficientBits - 1);

// One axis of the resampler. Output o is the sum of weights[o * taps + j] * source[first[o] + j], j < count[o].
struct Axis {
  uint32_t from = 0, to = 0;
  uint32_t taps = 0;  // of the widest output
  int32_t* weights = nullptr;
  uint32_t* first = nullptr;
  uint32_t* count = nullptr;

  size_t Words() const { return static_cast<size_t>(to) * (taps + 2); }
};

// The sources of output o: x0 <= x < x1.
void Support(uint32_t from, uint32_t to, uint32_t o, int64_t& x0, int64_t& x1) {
  const int64_t in = from, out = to, reach = 2 * std::max(in, out), centre = (2 * int64_t{o} + 1) * in;
  // The first quotient may be negative; truncation instead of floor then changes nothing, because of the max.
  x0 = std::max<int64_t>(0, (centre - reach + out) / (2 * out));
  x1 = std::min(in, (centre + reach + out) / (2 * out));
}

Axis MakeAxis(uint32_t from, uint32_t to) {
  Axis axis;
  axis.from = from;
  axis.to = to;
  for (uint32_t o = 0; o < to; ++o) {
    int64_t x0, x1;
    Support(from, to, o, x0, x1);
    axis.taps = std::max(axis.taps, static_cast<uint32_t>(x1 - x0));
  }
  return axis;
}

// Fills the tables of `axis` at `words`, which holds axis.Words() of them, and returns the end.
int32_t* FillAxis(Axis& axis, int32_t* words) {
  axis.weights = words;
  axis.first = reinterpret_cast<uint32_t*>(words + static_cast<size_t>(axis.to) * axis.taps);
  axis.count = axis.first + axis.to;
  const int64_t in = axis.from, out = axis.to, reach = 2 * std::max(in, out);
  for (uint32_t o = 0; o < axis.to; ++o) {
    int64_t x0, x1;
    Support(axis.from, axis.to, o, x0, x1);
    const int64_t centre = (2 * int64_t{o} + 1) * in;
    const auto height = [&](int64_t x) {  // of the triangle, unnormalized
      const int64_t distance = (2 * x + 1) * out - centre;
      return std::max<int64_t>(0, reach - (distance < 0 ? -distance : distance));
    };
    int64_t sum = 0;
    for (int64_t x = x0; x < x1; ++x) sum += height(x);
    int32_t* weights = axis.weights + static_cast<size_t>(o) * axis.taps;
    for (int64_t x = x0; x < x1; ++x) {
      weights[x - x0] = static_cast<int32_t>(((height(x) << (kCoefficientBits + 1)) + sum) / (2 * sum));
    }
    axis.first[o] = static_cast<uint32_t>(x0);
    axis.count[o] = static_cast<uint32_t>(x1 - x0);
  }
  return words + axis.Words();
}

// Weights are not negative, so a sum can only leave the range of a byte at the top.
uint8_t ToByte(int32_t sum) { return static_cast<uint8_t>(std::min(sum >> kCoefficientBits, 255)); }

// One row of `to` pixels, or a plain conversion to RGB when the width does not change.
template <int kStep, int kRed, int kGreen, int kBlue>
void HorizontalRow(const uint8_t* row, const Axis& axis, uint8_t* out) {
  if (axis.from == axis.to) {
    if constexpr (kStep == 3 && kRed == 0) {
      std::memcpy(out, row, size_t{3} * axis.to);
    } else {
      for (uint32_t x = 0; x < axis.to; ++x, row += kStep, out += 3) {
        const uint8_t red = row[kRed], green = row[kGreen], blue = row[kBlue];
        out[0] = red, out[1] = green, out[2] = blue;
      }
    }
    return;
  }
  const int32_t* weights = axis.weights;
  for (uint32_t x = 0; x < axis.to; ++x, weights += axis.taps, out += 3) {
    const uint8_t* source = row + static_cast<size_t>(axis.first[x]) * kStep;
    const uint32_t count = axis.count[x];
    int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (uint32_t j = 0; j < count; ++j, source += kStep) {
      const int32_t weight = weights[j];
      red += source[kRed] * weight;
      if constexpr (kStep > 1) {
        green += source[kGreen] * weight;
        blue += source[kBlue] * weight;
      }
    }
    out[0] = ToByte(red);
    out[1] = kStep > 1 ? ToByte(green) : out[0];
    out[2] = kStep > 1 ? ToByte(blue) : out[0];
  }
}

using RowPass = void (*)(const uint8_t*, const Axis&, uint8_t*);

RowPass RowPassOf(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb: return HorizontalRow<3, 0, 1, 2>;
    case PixelFormat::kBgr: return HorizontalRow<3, 2, 1, 0>;
    case PixelFormat::kRgba: return HorizontalRow<4, 0, 1, 2>;
    case PixelFormat::kBgra: return HorizontalRow<4, 2, 1, 0>;
    case PixelFormat::kGray: break;
  }
  return HorizontalRow<1, 0, 0, 0>;
}

// out[i] = byte(sum_j weights[j] * ring[(first + j) % slots][i]), in blocks whose sums stay in registers and L1.
void VerticalRow(const uint8_t* ring, uint32_t slots, uint32_t first, const int32_t* weights, uint32_t count,
                 size_t bytes, uint8_t* out) {
  constexpr size_t kBlock = 1024;
  int32_t sums[kBlock];
  for (size_t begin = 0; begin < bytes; begin += kBlock) {
    const size_t n = std::min(kBlock, bytes - begin);
    std::fill_n(sums, n, kHalf);
    for (uint32_t j = 0; j < count; ++j) {
      const uint8_t* source = ring + (first + j) % slots * bytes + begin;
      const int32_t weight = weights[j];
      for (size_t i = 0; i < n; ++i) sums[i] += source[i] * weight;
    }
    for (size_t i = 0; i < n; ++i) out[begin + i] = ToByte(sums[i]);
  }
}

}  // namespace

ImageSize ResizedSize(ImageSize original, uint32_t longest) {
  const uint64_t side = std::max(original.width, original.height);
  const auto scaled = [&](uint64_t x) {
    return std::max<uint32_t>(1, static_cast<uint32_t>((2 * x * longest + side) / (2 * side)));
  };
  return {scaled(original.width), scaled(original.height)};
}

void ResizeToRgb(const uint8_t* pixels, ImageSize from, size_t stride, PixelFormat format, ImageSize to,
                 std::vector<uint8_t>& out, std::vector<uint8_t>& scratch) {
  const RowPass row_pass = RowPassOf(format);
  const size_t row_bytes = size_t{3} * to.width;
  out.resize(row_bytes * to.height);

  Axis x_axis = MakeAxis(from.width, to.width), y_axis = MakeAxis(from.height, to.height);
  const size_t table_bytes = (x_axis.Words() + y_axis.Words()) * sizeof(int32_t);
  scratch.resize(table_bytes + row_bytes * y_axis.taps);
  FillAxis(y_axis, FillAxis(x_axis, reinterpret_cast<int32_t*>(scratch.data())));

  if (from.height == to.height) {
    for (uint32_t y = 0; y < to.height; ++y) row_pass(pixels + y * stride, x_axis, out.data() + y * row_bytes);
    return;
  }
  uint8_t* ring = scratch.data() + table_bytes;
  const uint32_t slots = y_axis.taps;  // enough for one output row; first[] never goes back
  uint32_t ready = 0;                  // source rows below this one have been through the horizontal pass
  for (uint32_t y = 0; y < to.height; ++y) {
    const uint32_t first = y_axis.first[y], count = y_axis.count[y];
    for (; ready < first + count; ++ready) {
      if (ready >= first) row_pass(pixels + ready * stride, x_axis, ring + size_t{ready % slots} * row_bytes);
    }
    VerticalRow(ring, slots, first, y_axis.weights + static_cast<size_t>(y) * slots, count, row_bytes,
                out.data() + y * row_bytes);
  }
}

}  // namespace intsam::internal
