// Windows, or in a global block one window that is the whole image, which all threads work on in strips of queries.
#include <algorithm>
#include <vector>

#include "converter/encoder/window_attention/window_attention.h"
#include "converter/encoder/windows/fp32.h"
#include "converter/fp32/ops.h"
#include "converter/fp32/parallel.h"

namespace intsam::internal {
namespace fp32 {
namespace {

constexpr size_t kStrip = 64;  // queries of a global block: 64 x 4096 scores are one MiB

std::vector<float> ReversedRows(const std::vector<float>& table, size_t row) {
  std::vector<float> result(table.size());
  for (size_t i = 0; i < table.size(); i += row) {
    std::copy_n(table.data() + i, row, result.data() + (table.size() - row - i));
  }
  return result;
}

class WindowAttention : public SelfAttention {
 public:
  WindowAttention(const Context& context, const Windows& windows, const LayerPlace& place, WeightLayout layout)
      : SelfAttention(context, windows, place, place.path + ".norm1", Padding::kZero, layout),
        rel_h_(ReversedRows(context.model.at(name_ + ".rel_pos_h"), dim_)),
        rel_w_(ReversedRows(context.model.at(name_ + ".rel_pos_w"), dim_)) {}

 private:
  void Attend(Stream& s, const float* const bias[3]) override {
    Parallel& pool = context_.pool;
    const size_t heads = windows_.heads, windows = window_count();
    const size_t scores = heads * tokens_ * keys();
    if (windows > 1) {
      ParallelItems(pool, windows * heads, scores, [&](size_t item, int thread) {
        const Window window = WindowAt(item / heads);
        Stream::Thread& scratch = s.threads[static_cast<size_t>(thread)];
        Gather(s, window, item % heads, bias, scratch.head);
        AttendHead(s, window, item % heads, scratch.head, 0, window.queries(), scratch);
      });
      return;
    }
    const Window window = WindowAt(0);
    s.heads.resize(std::max(s.heads.size(), heads));
    ParallelItems(pool, heads, scores, [&](size_t h, int) { Gather(s, window, h, bias, s.heads[h]); });
    const size_t strips = (tokens_ + kStrip - 1) / kStrip;
    ParallelItems(pool, heads * strips, scores, [&](size_t item, int thread) {
      const size_t first = item % strips * kStrip;
      AttendHead(s, window, item / strips, s.heads[item / strips], first, std::min(kStrip, tokens_ - first),
                 s.threads[static_cast<size_t>(thread)]);
    });
  }

  // A head and its relative positions.
  void Gather(const Stream& s, const Window& window, size_t index, const float* const bias[3],
              HeadBuffers& head) const {
    GatherHead(s, window, index, bias, head);
    const size_t side = windows_.side;
    const float* q = head.q.data();
    // Queries of one row share the table rows of rel_pos_h, queries of one column those of rel_pos_w.
    float* rel_h = head.rel_h.Resize(window.queries() * side);
    float* rel_w = head.rel_w.Resize(window.queries() * side);
    for (size_t y = 0; y < window.height; ++y) {
      Product(Transpose::kYes, window.width, side, dim_, q + y * window.width * dim_, dim_,
              rel_h_.data() + (side - 1 - y) * dim_, dim_, rel_h + y * window.width * side, side);
    }
    for (size_t x = 0; x < window.width; ++x) {
      Product(Transpose::kYes, window.height, side, dim_, q + x * dim_, window.width * dim_,
              rel_w_.data() + (side - 1 - x) * dim_, dim_, rel_w + x * side, window.width * side);
    }
  }

  void AttendHead(Stream& s, const Window& window, size_t index, const HeadBuffers& head, size_t first, size_t count,
                  Stream::Thread& scratch) const {
    const size_t side = windows_.side;
    const RelativeScores relative = {head.rel_h.data() + first * side, head.rel_w.data() + first * side, side};
    float* out = scratch.out.Resize(count * dim_);
    AttendStrip(context_.softmax_hook, name_, Rows{head.q.data(), dim_}.From(first), count, {head.k.data(), dim_},
                {head.v.data(), dim_}, keys(), dim_, relative, scratch.strip, out, dim_);
    Scatter(s, window, index, first, count, out, scratch.strip.sums.data());
  }

  const std::vector<float> rel_h_, rel_w_;  // rows reversed: for a query at i, the keys' rows start at side - 1 - i
};

}  // namespace
}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const WindowAttention& attention, const LayerPlace& place,
                                       const fp32::Context& context, WeightLayout layout) {
  return std::make_unique<fp32::WindowAttention>(context, attention.windows, place, layout);
}

}  // namespace intsam::internal
