// Every token exists once, in image order; a window is gathered head by head when it is attended. With a hook the bias
// is added before the site is shown, else while gathering. Tokens that only pad a window are not computed: the norm
// makes them zero, so their key and value are the bias.
#include <algorithm>
#include <vector>

#include "converter/encoder/window_attention/window_attention.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"
#include "converter/fp32/ops.h"
#include "converter/fp32/parallel.h"
#include "converter/sam_constants.h"

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

class WindowAttention : public Layer {
 public:
  WindowAttention(const Context& context, const Windows& windows, const LayerPlace& place, WeightLayout layout)
      : context_(context),
        windows_(windows),
        norm_(place.path + ".norm1"),
        name_(place.path + ".attn"),
        map_(place.output),
        epsilon_(static_cast<float>(place.epsilon)),
        grid_(windows.grid),
        tokens_(windows.tokens()),
        width_(windows.width()),
        dim_(windows.head_dim),
        rel_h_(ReversedRows(context.model.at(name_ + ".rel_pos_h"), dim_)),
        rel_w_(ReversedRows(context.model.at(name_ + ".rel_pos_w"), dim_)) {
    const size_t rows = layout == WeightLayout::kPacked ? tokens_ : 0;
    const float* qkv = context.Tensor(name_ + ".qkv.weight");
    q_ = Linear(context.pool, qkv, width_, width_, rows, context.library);
    k_ = Linear(context.pool, qkv + width_ * width_, width_, width_, rows, context.library);
    v_ = Linear(context.pool, qkv + 2 * width_ * width_, width_, width_, rows, context.library);
    proj_ = Linear(context.pool, context.Tensor(name_ + ".proj.weight"), width_, width_, rows, context.library);
  }

  void Run(Stream& s) override {
    Parallel& pool = context_.pool;
    float* norm = s.next.Resize(tokens_ * width_);
    LayerNorm(pool, s.x.data(), tokens_, width_, context_.Tensor(norm_ + ".weight"), context_.Tensor(norm_ + ".bias"),
              epsilon_, norm);
    context_.Site(name_, ".qkv.in", norm, tokens_, width_);

    const size_t side = windows_.side;
    std::vector<Window> windows;  // one is the whole image in a global block
    for (size_t y = 0; y < grid_; y += side) {
      for (size_t x = 0; x < grid_; x += side)
        windows.push_back({y, x, std::min(side, grid_ - y), std::min(side, grid_ - x)});
    }

    const float* qkv_bias = context_.Tensor(name_ + ".qkv.bias");
    const Linear* layers[3] = {&q_, &k_, &v_};
    Buffer* results[3] = {&s.q, &s.k, &s.v};
    const char* suffixes[3] = {".q", ".k", ".v"};
    const float* gather_bias[3];
    for (size_t i = 0; i < 3; ++i) {
      float* y = results[i]->Resize((tokens_ + 1) * width_);
      layers[i]->Run(norm, tokens_, y);
      std::fill_n(y + tokens_ * width_, width_, 0.0f);  // the padding token, before the bias
      gather_bias[i] = qkv_bias + i * width_;
      if (context_.hook) {
        // No query is a padding token, so only keys and values show it to the hook.
        const size_t rows = tokens_ + (windows_.padded() && i > 0 ? 1 : 0);
        AddBias(pool, y, rows, width_, gather_bias[i]);
        context_.Site(name_, suffixes[i], y, rows, width_);
        gather_bias[i] = nullptr;
      }
    }

    s.attended.Resize(tokens_ * width_);
    s.threads.resize(static_cast<size_t>(pool.workers()));
    const size_t heads = windows_.heads;
    const size_t scores = heads * tokens_ * side * side;
    if (windows.size() > 1) {
      ParallelItems(pool, windows.size() * heads, scores, [&](size_t item, int thread) {
        const Window& window = windows[item / heads];
        Stream::Thread& scratch = s.threads[static_cast<size_t>(thread)];
        GatherHead(s, window, item % heads, gather_bias, scratch.head);
        AttendHead(s, window, item % heads, scratch.head, 0, window.height * window.width, scratch);
      });
    } else {
      s.heads.resize(std::max(s.heads.size(), heads));
      ParallelItems(pool, heads, scores, [&](size_t h, int) { GatherHead(s, windows[0], h, gather_bias, s.heads[h]); });
      const size_t strips = (tokens_ + kStrip - 1) / kStrip;
      ParallelItems(pool, heads * strips, scores, [&](size_t item, int thread) {
        const size_t first = item % strips * kStrip;
        AttendHead(s, windows[0], item / strips, s.heads[item / strips], first, std::min(kStrip, tokens_ - first),
                   s.threads[static_cast<size_t>(thread)]);
      });
    }

    context_.Site(name_, ".proj.in", s.attended.data(), tokens_, width_);
    proj_.Run(s.attended.data(), tokens_, norm);
    AddResidual(pool, s.x.data(), norm, tokens_, width_, context_.Tensor(name_ + ".proj.bias"));
    context_.Site(map_, "", s.x.data(), tokens_, width_);
  }

 private:
  // At (y, x) of the grid, of which height by width are real tokens, which are the queries.
  struct Window {
    size_t y, x, height, width;
  };

  void GatherHead(const Stream& s, const Window& window, size_t index, const float* const bias[3],
                  HeadBuffers& head) const {
    const size_t side = windows_.side;
    const size_t column = index * dim_;
    const auto copy = [&](const Buffer& from, size_t row, const float* added, float* to) {
      CopyRow(from.data() + row * width_ + column, added == nullptr ? nullptr : added + column, dim_, to);
    };
    const size_t queries = window.height * window.width;
    float* q = head.q.Resize(queries * dim_);
    float* k = head.k.Resize(side * side * dim_);
    float* v = head.v.Resize(side * side * dim_);
    for (size_t y = 0; y < side; ++y) {
      for (size_t x = 0; x < side; ++x) {
        const bool real = y < window.height && x < window.width;
        const size_t row = real ? (window.y + y) * grid_ + window.x + x : tokens_;
        copy(s.k, row, bias[1], k + (y * side + x) * dim_);
        copy(s.v, row, bias[2], v + (y * side + x) * dim_);
        if (real) copy(s.q, row, bias[0], q + (y * window.width + x) * dim_);
      }
    }
    // Queries of one row share the table rows of rel_pos_h, queries of one column those of rel_pos_w.
    float* rel_h = head.rel_h.Resize(queries * side);
    float* rel_w = head.rel_w.Resize(queries * side);
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
    AttendStrip(Rows{head.q.data(), dim_}.From(first), count, {head.k.data(), dim_}, {head.v.data(), dim_}, side * side,
                dim_, relative, scratch.strip, out, dim_);
    for (size_t i = 0; i < count; ++i) {
      const size_t y = (first + i) / window.width;
      const size_t x = (first + i) % window.width;
      const size_t row = (window.y + y) * grid_ + window.x + x;
      ScaleRow(out + i * dim_, 1.0f / scratch.strip.sums.data()[i], dim_,
               s.attended.data() + row * width_ + index * dim_);
    }
  }

  const Context& context_;
  const Windows windows_;
  const std::string norm_, name_, map_;
  const float epsilon_;
  const size_t grid_, tokens_, width_, dim_;  // dim_: of one head
  Linear q_, k_, v_, proj_;
  std::vector<float> rel_h_, rel_w_;  // rows reversed: for a query at i, the keys' rows start at side - 1 - i
};

}  // namespace
}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const WindowAttention& attention, const LayerPlace& place,
                                       const fp32::Context& context, WeightLayout layout) {
  return std::make_unique<fp32::WindowAttention>(context, attention.windows, place, layout);
}

}  // namespace intsam::internal
