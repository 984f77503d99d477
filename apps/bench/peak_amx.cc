#include <immintrin.h>

#include "apps/bench/peak_loops.h"
#include "runtime/base/cpu.h"

namespace intsam::internal {
namespace {

constexpr uint64_t kSums = 4;                 // tiles 0 to 3; 4 and 5 hold rows, 6 and 7 weights
constexpr uint64_t kTileMacs = 16 * 16 * 64;  // rows, columns, products of bytes

bool Supported() { return CpuSupports("amx"); }

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
// No local variable: GCC does not know that loading it reads memory, and drops what sets it.
constexpr TileConfig kConfig;

void Bytes(uint64_t iterations) {
  _tile_loadconfig(&kConfig);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (uint64_t i = 0; i < iterations; ++i) {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  _tile_release();
}

constexpr PeakLoop kLoops[] = {{"amx", "tdpbusd", 8, kSums* kTileMacs, Supported, Bytes}};

}  // namespace

std::span<const PeakLoop> AmxPeakLoops() { return kLoops; }

}  // namespace intsam::internal
