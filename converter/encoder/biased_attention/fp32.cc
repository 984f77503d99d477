// As the ViT's windows (converter/encoder/window_attention/fp32.cc): every cell exists once, in image order, and one
// head of one window is gathered when it is attended. A cell that only pads a window is zero before the norm: its key
// and value are those of the norm's bias, and it is not masked.
#include <algorithm>
#include <cmath>
#include <vector>

#include "converter/encoder/biased_attention/biased_attention.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"
#include "converter/fp32/ops.h"
#include "converter/fp32/parallel.h"

namespace intsam::internal {
namespace fp32 {
namespace {

std::vector<float> MirroredBiases(const std::vector<float>& biases, size_t window) {
  const size_t row = 2 * window - 1, rows = biases.size() / window;
  std::vector<float> mirrored(rows * row);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t dx = 0; dx < window; ++dx) {
      mirrored[i * row + window - 1 - dx] = mirrored[i * row + window - 1 + dx] = biases[i * window + dx];
    }
  }
  return mirrored;
}

class BiasedAttention : public Layer {
 public:
  BiasedAttention(const Context& context, const Windows& windows, const LayerPlace& place, WeightLayout layout)
      : context_(context),
        name_(place.path + ".attn"),
        map_(place.output),
        epsilon_(static_cast<float>(place.epsilon)),
        side_(windows.grid),
        width_(windows.width()),
        heads_(windows.heads),
        dim_(windows.head_dim),
        window_(windows.side),
        biases_(MirroredBiases(context.model.at(name_ + ".attention_biases"), window_)),
        scratch_(static_cast<size_t>(context.pool.workers())) {
    const size_t rows = layout == WeightLayout::kPacked ? windows.tokens() : 0;
    const float* qkv = context.Tensor(name_ + ".qkv.weight");
    q_ = Linear(context.pool, qkv, width_, width_, rows, context.library);
    k_ = Linear(context.pool, qkv + width_ * width_, width_, width_, rows, context.library);
    v_ = Linear(context.pool, qkv + 2 * width_ * width_, width_, width_, rows, context.library);
    proj_ = Linear(context.pool, context.Tensor(name_ + ".proj.weight"), width_, width_, rows, context.library);
  }

  void Run(Stream& stream) override {
    Parallel& pool = context_.pool;
    const size_t cells = side_ * side_;
    const size_t padding = side_ % window_ != 0 ? 1 : 0;
    const float* norm_bias = context_.Tensor(name_ + ".norm.bias");
    float* norm = stream.next.Resize((cells + 1) * width_);
    LayerNorm(pool, stream.x.data(), cells, width_, context_.Tensor(name_ + ".norm.weight"), norm_bias, epsilon_, norm);
    std::copy_n(norm_bias, width_, norm + cells * width_);
    context_.Site(name_, ".qkv.in", norm, cells + padding, width_);

    const float* qkv_bias = context_.Tensor(name_ + ".qkv.bias");
    const Linear* layers[3] = {&q_, &k_, &v_};
    Buffer* results[3] = {&q_rows_, &k_rows_, &v_rows_};
    const char* suffixes[3] = {".q", ".k", ".v"};
    const float* gather_bias[3];
    for (size_t i = 0; i < 3; ++i) {
      float* y = results[i]->Resize((cells + 1) * width_);
      layers[i]->Run(norm, cells, y);
      // No query is a padding cell.
      const size_t rows = cells + (i > 0 ? padding : 0);
      if (rows > cells) layers[i]->Run(norm + cells * width_, 1, y + cells * width_);
      gather_bias[i] = qkv_bias + i * width_;
      if (context_.hook) {
        AddBias(pool, y, rows, width_, gather_bias[i]);
        context_.Site(name_, suffixes[i], y, rows, width_);
        gather_bias[i] = nullptr;
      }
    }

    float* out = out_.Resize(cells * width_);
    const size_t windows = (side_ + window_ - 1) / window_;
    ParallelItems(pool, windows * windows * heads_, heads_ * cells * window_ * window_, [&](size_t item, int thread) {
      const size_t window = item / heads_;
      AttendHead(window / windows * window_, window % windows * window_, item % heads_, gather_bias,
                 scratch_[static_cast<size_t>(thread)]);
    });
    context_.Site(name_, ".proj.in", out, cells, width_);
    proj_.Run(out, cells, norm);
    AddResidual(pool, stream.x.data(), norm, cells, width_, context_.Tensor(name_ + ".proj.bias"));
    context_.Site(map_, "", stream.x.data(), cells, width_);
  }

 private:
  struct ThreadScratch {
    Buffer q, k, v, scores, sums, out;
  };

  void AttendHead(size_t window_y, size_t window_x, size_t head, const float* const bias[3], ThreadScratch& scratch) {
    const size_t height = std::min(window_, side_ - window_y), width = std::min(window_, side_ - window_x);
    const size_t queries = height * width, keys = window_ * window_;
    const size_t column = head * dim_;
    const auto copy = [&](const Buffer& from, size_t row, const float* added, float* to) {
      CopyRow(from.data() + row * width_ + column, added == nullptr ? nullptr : added + column, dim_, to);
    };
    float* q = scratch.q.Resize(queries * dim_);
    float* k = scratch.k.Resize(keys * dim_);
    float* v = scratch.v.Resize(keys * dim_);
    for (size_t y = 0; y < window_; ++y) {
      for (size_t x = 0; x < window_; ++x) {
        const bool real = y < height && x < width;
        const size_t row = real ? (window_y + y) * side_ + window_x + x : side_ * side_;
        copy(k_rows_, row, bias[1], k + (y * window_ + x) * dim_);
        copy(v_rows_, row, bias[2], v + (y * window_ + x) * dim_);
        if (real) copy(q_rows_, row, bias[0], q + (y * width + x) * dim_);
      }
    }
    float* scores = scratch.scores.Resize(queries * keys);
    float* sums = scratch.sums.Resize(queries);
    float* out = scratch.out.Resize(queries * dim_);
    Product(Transpose::kYes, queries, keys, dim_, q, dim_, k, dim_, scores, keys);
    SoftmaxWindow(scores, height, width, window_, 1.0f / std::sqrt(static_cast<float>(dim_)),
                  biases_.data() + head * window_ * (2 * window_ - 1), sums);
    Product(Transpose::kNo, queries, dim_, keys, scores, keys, v, dim_, out, dim_);
    for (size_t i = 0; i < queries; ++i) {
      const size_t row = (window_y + i / width) * side_ + window_x + i % width;
      ScaleRow(out + i * dim_, 1.0f / sums[i], dim_, out_.data() + row * width_ + column);
    }
  }

  const Context& context_;
  const std::string name_, map_;
  const float epsilon_;
  const size_t side_, width_, heads_, dim_, window_;
  // Of each head, a row for each |dy|: the biases of dx from -(window - 1) to window - 1.
  const std::vector<float> biases_;
  Linear q_, k_, v_, proj_;
  Buffer q_rows_, k_rows_, v_rows_, out_;  // one more row of keys and values, the padding cell's
  std::vector<ThreadScratch> scratch_;
};

}  // namespace
}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const BiasedAttention& attention, const LayerPlace& place,
                                       const fp32::Context& context, WeightLayout layout) {
  return std::make_unique<fp32::BiasedAttention>(context, attention.windows, place, layout);
}

}  // namespace intsam::internal
