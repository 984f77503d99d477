#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "apps/bench/peak_loops.h"

namespace intsam {
namespace {

constexpr uint64_t kSums = 4;                 // tiles 0 to 3; 4 and 5 hold rows, 6 and 7 weights
constexpr uint64_t kTileMacs = 16 * 16 * 64;  // rows, columns, products of bytes
constexpr long kRequestPermission = 0x1023;   // ARCH_REQ_XCOMP_PERM of arch_prctl
constexpr unsigned long kTileData = 18;       // XFEATURE_XTILEDATA

// Leaf 7, EDX: bit 24 tiles, bit 25 products of bytes. Linux wants to be asked before a process uses tiles.
bool Supported() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 24 & 3) == 3 &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

void Bytes(uint64_t iterations) {
  const TileConfig config;
  _tile_loadconfig(&config);
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

}  // namespace intsam
