// AMX-INT8 as the manual describes it: eight tiles of a thread, of the shapes that LDTILECFG gave them. What a CPU
// would answer with a fault (no configuration, shapes that do not match) ends the process.
#ifndef INTSAM_TESTS_KERNELS_EMULATION_AMX_H_
#define INTSAM_TESTS_KERNELS_EMULATION_AMX_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace intsam::internal::emulation {

struct Tile {
  int rows = 0, row_bytes = 0;
  alignas(64) uint8_t data[16][64] = {};
};
static thread_local Tile tiles[8];

static inline void FaultUnless(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "emulated AMX: %s\n", what);
  std::abort();
}

static inline void TileLoadConfig(const void* configuration) {
  uint8_t bytes[64];
  std::memcpy(bytes, configuration, sizeof bytes);
  FaultUnless(bytes[0] == 1 && bytes[1] == 0, "palette");
  for (int i = 0; i < 8; ++i) {
    Tile tile;
    tile.row_bytes = bytes[16 + 2 * i] + 256 * bytes[17 + 2 * i], tile.rows = bytes[48 + i];
    FaultUnless(tile.rows <= 16 && tile.row_bytes <= 64, "shape");
    tiles[i] = tile;
  }
}

static inline void TileRelease() {
  for (Tile& tile : tiles) tile = {};
}

static inline void TileLoad(Tile& tile, const void* base, size_t stride) {
  FaultUnless(tile.rows > 0, "not configured");
  std::memset(tile.data, 0, sizeof tile.data);
  for (int r = 0; r < tile.rows; ++r) {
    std::memcpy(tile.data[r], static_cast<const uint8_t*>(base) + static_cast<size_t>(r) * stride,
                static_cast<size_t>(tile.row_bytes));
  }
}

static inline void TileStore(const Tile& tile, void* base, size_t stride) {
  FaultUnless(tile.rows > 0, "not configured");
  for (int r = 0; r < tile.rows; ++r) {
    std::memcpy(static_cast<uint8_t*>(base) + static_cast<size_t>(r) * stride, tile.data[r],
                static_cast<size_t>(tile.row_bytes));
  }
}

// sums[m][n] += the four products u8 x s8 of each a[m][k] and b[k][n], without saturation.
static inline void TileDotUnsignedSigned(Tile& sums, const Tile& a, const Tile& b) {
  FaultUnless(&sums != &a && &sums != &b && &a != &b, "a tile in two places");
  FaultUnless(sums.rows == a.rows && sums.row_bytes == b.row_bytes && a.row_bytes == 4 * b.rows && sums.rows > 0,
              "shapes of a product");
  for (int m = 0; m < sums.rows; ++m) {
    uint32_t row[16];
    std::memcpy(row, sums.data[m], sizeof row);
    for (int k = 0; k < a.row_bytes; ++k) {
      const int8_t* const weights = reinterpret_cast<const int8_t*>(b.data[k / 4]);
      for (int n = 0; n < sums.row_bytes / 4; ++n)
        row[n] += static_cast<uint32_t>(a.data[m][k] * weights[4 * n + k % 4]);
    }
    std::memcpy(sums.data[m], row, static_cast<size_t>(sums.row_bytes));
  }
}

}  // namespace intsam::internal::emulation

#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbusd
#define _tile_loadconfig intsam::internal::emulation::TileLoadConfig
#define _tile_release intsam::internal::emulation::TileRelease
#define _tile_loadd(tile, base, stride) intsam::internal::emulation::TileLoad(intsam::internal::emulation::tiles[tile], base, stride)
#define _tile_stored(tile, base, stride) intsam::internal::emulation::TileStore(intsam::internal::emulation::tiles[tile], base, stride)
#define _tile_dpbusd(sums, a, b)                                                                        \
  intsam::internal::emulation::TileDotUnsignedSigned(intsam::internal::emulation::tiles[sums], intsam::internal::emulation::tiles[a], \
                                           intsam::internal::emulation::tiles[b])

#endif  // INTSAM_TESTS_KERNELS_EMULATION_AMX_H_
