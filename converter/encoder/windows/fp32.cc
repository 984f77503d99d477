#include "converter/encoder/windows/fp32.h"

#include <algorithm>

#include "converter/fp32/ops.h"

namespace intsam::internal::fp32 {

SelfAttention::SelfAttention(const Context& context, const Windows& windows, const LayerPlace& place,
                             const std::string& norm, Padding padding, WeightLayout layout)
    : context_(context),
      windows_(windows),
      name_(place.path + ".attn"),
      grid_(windows.grid),
      tokens_(windows.tokens()),
      width_(windows.width()),
      dim_(windows.head_dim),
      norm_(norm),
      map_(place.output),
      epsilon_(static_cast<float>(place.epsilon)),
      padding_(padding) {
  const size_t rows = layout == WeightLayout::kPacked ? tokens_ : 0;
  const float* qkv = context.Tensor(name_ + ".qkv.weight");
  q_ = Linear(context.pool, qkv, width_, width_, rows, context.library);
  k_ = Linear(context.pool, qkv + width_ * width_, width_, width_, rows, context.library);
  v_ = Linear(context.pool, qkv + 2 * width_ * width_, width_, width_, rows, context.library);
  proj_ = Linear(context.pool, context.Tensor(name_ + ".proj.weight"), width_, width_, rows, context.library);
}

void SelfAttention::Run(Stream& s) {
  Parallel& pool = context_.pool;
  const size_t padding = windows_.padded() ? 1 : 0;
  const float* norm_bias = context_.Tensor(norm_ + ".bias");
  float* norm = s.next.Resize((tokens_ + 1) * width_);
  LayerNorm(pool, s.x.data(), tokens_, width_, context_.Tensor(norm_ + ".weight"), norm_bias, epsilon_, norm);
  // A padding token that is zero here is not computed: its key and value are the bias.
  const size_t computed_padding = padding_ == Padding::kNormBias ? padding : 0;
  if (computed_padding != 0) std::copy_n(norm_bias, width_, norm + tokens_ * width_);
  context_.Site(name_, ".qkv.in", norm, tokens_ + computed_padding, width_);

  const float* qkv_bias = context_.Tensor(name_ + ".qkv.bias");
  const Linear* layers[3] = {&q_, &k_, &v_};
  Buffer* results[3] = {&s.q, &s.k, &s.v};
  const char* suffixes[3] = {".q", ".k", ".v"};
  const float* bias[3];
  for (size_t i = 0; i < 3; ++i) {
    float* y = results[i]->Resize((tokens_ + 1) * width_);
    layers[i]->Run(norm, tokens_, y);
    // No query is a padding token, so only keys and values have it and show it to the hook.
    const size_t rows = tokens_ + (i > 0 ? padding : 0);
    if (rows > tokens_) {
      float* pad = y + tokens_ * width_;
      if (computed_padding != 0) {
        layers[i]->Run(norm + tokens_ * width_, 1, pad);
      } else {
        std::fill_n(pad, width_, 0.0f);
      }
    }
    bias[i] = qkv_bias + i * width_;
    if (context_.hook) {
      AddBias(pool, y, rows, width_, bias[i]);
      context_.Site(name_, suffixes[i], y, rows, width_);
      bias[i] = nullptr;
    }
  }

  s.attended.Resize(tokens_ * width_);
  s.threads.resize(static_cast<size_t>(pool.workers()));
  Attend(s, bias);

  context_.Site(name_, ".proj.in", s.attended.data(), tokens_, width_);
  proj_.Run(s.attended.data(), tokens_, norm);
  AddResidual(pool, s.x.data(), norm, tokens_, width_, context_.Tensor(name_ + ".proj.bias"));
  context_.Site(map_, "", s.x.data(), tokens_, width_);
}

SelfAttention::Window SelfAttention::WindowAt(size_t index) const {
  const size_t side = windows_.side, y = index / windows_.per_side() * side, x = index % windows_.per_side() * side;
  return {y, x, std::min(side, grid_ - y), std::min(side, grid_ - x)};
}

void SelfAttention::GatherHead(const Stream& s, const Window& window, size_t index, const float* const bias[3],
                               HeadBuffers& head) const {
  const size_t side = windows_.side, column = index * dim_;
  const auto copy = [&](const Buffer& from, size_t row, const float* added, float* to) {
    CopyRow(from.data() + row * width_ + column, added == nullptr ? nullptr : added + column, dim_, to);
  };
  float* q = head.q.Resize(window.queries() * dim_);
  float* k = head.k.Resize(keys() * dim_);
  float* v = head.v.Resize(keys() * dim_);
  for (size_t y = 0; y < side; ++y) {
    for (size_t x = 0; x < side; ++x) {
      const bool real = y < window.height && x < window.width;
      const size_t row = real ? (window.y + y) * grid_ + window.x + x : tokens_;
      copy(s.k, row, bias[1], k + (y * side + x) * dim_);
      copy(s.v, row, bias[2], v + (y * side + x) * dim_);
      if (real) copy(s.q, row, bias[0], q + (y * window.width + x) * dim_);
    }
  }
}

void SelfAttention::Scatter(Stream& s, const Window& window, size_t index, size_t first, size_t count, const float* out,
                            const float* sums) const {
  for (size_t i = 0; i < count; ++i) {
    const size_t y = (first + i) / window.width, x = (first + i) % window.width;
    const size_t row = (window.y + y) * grid_ + window.x + x;
    ScaleRow(out + i * dim_, 1.0f / sums[i], dim_, s.attended.data() + row * width_ + index * dim_);
  }
}

}  // namespace intsam::internal::fp32
