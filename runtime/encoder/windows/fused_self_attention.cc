#include "runtime/encoder/windows/fused_self_attention.h"

#include <cstring>

namespace intsam::internal {

using ops::Rows;

namespace {

// A gap keeps kernels that read past the values of the last head off the next row, which others may be writing.
size_t QkvStride(const Windows& w) { return RowStride(size_t{3} * w.width() + 16); }

// For rows of tokens.
struct RowScratch {
  uint8_t* codes;  // [kMaxRowBlock][RowStride(width)]
  int32_t* acc;    // [kMaxRowBlock][kColumns]
  RowScratch(const SelfAttention& a, Arena& arena)
      : codes(arena.Take<uint8_t>(kMaxRowBlock * RowStride(a.windows.width()))),
        acc(arena.Take<int32_t>(size_t{kMaxRowBlock} * kColumns)) {}
};

// For one head of one window.
struct WindowScratch {
  int8_t* queries;        // [kStrip][head_dim]
  uint8_t* attended;      // likewise
  int8_t *keys, *values;  // [side^2][head_dim]; not where the window is the whole grid
  HeadScratch head;
  Arena positions;
  WindowScratch(const SelfAttention& a, Arena& arena)
      : queries(arena.Take<int8_t>(HeadScratch::kStrip * size_t{a.windows.head_dim})),
        attended(arena.Take<uint8_t>(HeadScratch::kStrip * size_t{a.windows.head_dim})),
        keys(arena.Take<int8_t>(Gathered(a.windows))),
        values(arena.Take<int8_t>(Gathered(a.windows))),
        positions(arena) {
    head.Layout(arena, static_cast<int>(a.windows.keys()), static_cast<int>(a.windows.head_dim));
    positions = arena;
  }
  static size_t Gathered(const Windows& w) { return w.per_side() == 1 ? 0 : size_t{w.keys()} * w.head_dim; }
};

}  // namespace

FusedMemory FusedSelfAttention::Memory(const SelfAttention& a, size_t position_bytes) {
  return {.stream = a.windows.tokens() * a.windows.width() * sizeof(int32_t),
          .spare = a.windows.tokens() * QkvStride(a.windows),
          .worker = std::max(ScratchBytes<RowScratch>(a), ScratchBytes<WindowScratch>(a) + position_bytes)};
}

void FusedSelfAttention::Run(FusedImage& image) const {
  Qkv(image);
  image.parallel.For(static_cast<int>(record_.windows.tasks()), [&](int task, int worker) {
    AttendTask(image, record_.windows.TaskAt(static_cast<uint32_t>(task)), worker);
  });
  Projection(image);
}

void FusedSelfAttention::Qkv(FusedImage& image) const {
  const Kernels& k = kernels_;
  const uint32_t width = record_.windows.width();
  const size_t stride = QkvStride(record_.windows), codes_stride = RowStride(width);
  image.ForRows(record_.windows.tokens(), k.row_block, [&](size_t token, int rows, int worker) {
    const auto s = image.ScratchOf<RowScratch>(record_, worker);
    ops::Norm(k, record_.norm, {image.x() + token * width, width}, rows, {s.codes, codes_stride});
    uint8_t* out = image.spare + token * stride;
    uint32_t part_first = 0;
    for (const Rq16* rq : {&record_.q_rq, &record_.k_rq, &record_.v_rq}) {
      for (uint32_t first = 0; first < rq->n; first += kColumns) {
        const int n = static_cast<int>(std::min<uint32_t>(kColumns, rq->n - first));
        ops::Gemm(k, prepared_.qkv, {s.codes, codes_stride}, rows, {s.acc, kColumns}, part_first + first, n);
        // Flip 0x80 leaves q, k and v as plain s8, whatever operand form the tier's GEMM takes.
        ops::ToCodes(k, *rq, {s.acc, kColumns}, rows, first, n, 0x80, {out + part_first + first, stride});
      }
      part_first += rq->n;
    }
  });
}

void FusedSelfAttention::AttendTask(FusedImage& image, const Windows::Task& task, int worker) const {
  auto s = image.ScratchOf<WindowScratch>(record_, worker);
  const Kernels& k = kernels_;
  const uint32_t grid = record_.windows.grid, side = record_.windows.side, d = record_.windows.head_dim;
  const uint32_t width = record_.windows.width();
  const size_t stride = QkvStride(record_.windows);
  uint8_t* attended = image.spare + (size_t{task.y} * grid + task.x) * stride + task.head * d;
  const int8_t* qkv = reinterpret_cast<const int8_t*>(attended);

  Rows<const int8_t> keys{qkv + width, stride}, values{qkv + 2 * width, stride};
  if (side != grid) {
    // Gather the window; pads are ordinary keys with the constant key and value of a padding token.
    for (uint32_t y = 0; y < side; ++y) {
      for (uint32_t x = 0; x < side; ++x) {
        const bool real = y < task.height && x < task.width;
        const size_t token = size_t{y} * grid + x, key = size_t{y} * side + x;
        std::memcpy(s.keys + key * d, real ? keys[token] : prepared_.pad_k.data() + task.head * d, d);
        std::memcpy(s.values + key * d, real ? values[token] : prepared_.pad_v.data() + task.head * d, d);
      }
    }
    keys = {s.keys, d}, values = {s.values, d};
  }
  PackHead(k, {record_.q_rq.out, record_.k_rq.out, record_.v_rq.out}, keys, values,
           static_cast<int>(record_.windows.keys()), static_cast<int>(d), s.head);

  // The queries that strips are cut from, in equal parts.
  const uint32_t end = task.last_row * task.width;
  const uint32_t run = strips_ == Strips::kInRows ? task.width : (task.last_row - task.first_row) * task.width;
  const uint32_t per_run = (run + HeadScratch::kStrip - 1) / HeadScratch::kStrip;
  for (uint32_t first = task.first_row * task.width; first < end; first += run) {
    for (uint32_t strip = 0; strip < per_run; ++strip) {
      const uint32_t query = first + run * strip / per_run, rows = first + run * (strip + 1) / per_run - query;
      const auto offset = [&](size_t i) {  // in the map, of a query of the strip
        return ((query + i) / task.width * grid + (query + i) % task.width) * stride;
      };
      for (size_t i = 0; i < rows; ++i) std::memcpy(s.queries + i * d, qkv + offset(i), d);
      const Rows<const int8_t> q{s.queries, d};
      ops::RowRelPos positions[HeadScratch::kStrip];
      Positions({task.head, query / task.width, query % task.width, task.width, rows, q}, s.positions, positions);
      AttendStrip(k, record_.softmax, q, static_cast<int>(rows), positions, s.head, {s.attended, d});
      for (size_t i = 0; i < rows; ++i) std::memcpy(attended + offset(i), s.attended + i * d, d);
    }
  }
}

void FusedSelfAttention::Projection(FusedImage& image) const {
  const Kernels& k = kernels_;
  const uint32_t width = record_.windows.width();
  const size_t stride = QkvStride(record_.windows);
  image.ForRows(record_.windows.tokens(), k.row_block, [&](size_t token, int rows, int worker) {
    const auto s = image.ScratchOf<RowScratch>(record_, worker);
    for (uint32_t first = 0; first < width; first += kColumns) {
      const int n = static_cast<int>(std::min<uint32_t>(kColumns, width - first));
      ops::Gemm(k, prepared_.proj, {image.spare + token * stride, stride}, rows, {s.acc, kColumns}, first, n);
      ops::AddToR24(k, record_.proj_rq, {s.acc, kColumns}, rows, first, n, {image.x() + token * width + first, width});
    }
  });
}

}  // namespace intsam::internal
