// Every token exists once, in image order; a window is gathered head by head when it is attended. With a hook the bias
// is added before the site is shown, else while gathering.
#include "converter/reference/image_encoder.h"

#include <algorithm>

#include "converter/reference/ops.h"
#include "converter/reference/parallel.h"

namespace intsam::internal::fp32 {
namespace {

constexpr float kMean[3] = {123.675f, 116.28f, 103.53f};
constexpr float kDeviation[3] = {58.395f, 57.12f, 57.375f};
constexpr size_t kStrip = 64;  // queries of a global block: 64 x 4096 scores are one MiB

std::vector<float> ReversedRows(const std::vector<float>& table, size_t row) {
  std::vector<float> result(table.size());
  for (size_t i = 0; i < table.size(); i += row) {
    std::copy_n(table.data() + i, row, result.data() + (table.size() - row - i));
  }
  return result;
}

}  // namespace

ImageEncoder::ImageEncoder(const Context& context, WeightLayout layout)
    : context_(context),
      grid_(context.config.grid()),
      tokens_(grid_ * grid_),
      width_(context.config.vit.embed_dim),
      dim_(context.config.vit.head_dim()),
      scratch_(static_cast<size_t>(context.pool.workers())),
      heads_(context.config.vit.num_heads) {
  const SamConfig& c = context.config;
  const FloatModel& model = context.model;
  patch_weight_ = ChannelLast(model.at("image_encoder.patch_embed.proj.weight"), width_, 3, c.vit.patch_size);
  patch_ = Linear(context.pool, patch_weight_.data(), 3 * size_t{c.vit.patch_size} * c.vit.patch_size, width_, tokens_,
                  context.library);
  const size_t rows = layout == WeightLayout::kPacked ? tokens_ : 0;
  for (uint32_t i = 0; i < c.vit.depth; ++i) {
    Block b;
    b.prefix = "image_encoder.blocks." + std::to_string(i) + ".";
    const float* qkv = context.Tensor(b.prefix + "attn.qkv.weight");
    b.q = Linear(context.pool, qkv, width_, width_, rows, context.library);
    b.k = Linear(context.pool, qkv + width_ * width_, width_, width_, rows, context.library);
    b.v = Linear(context.pool, qkv + 2 * width_ * width_, width_, width_, rows, context.library);
    b.proj = Linear(context.pool, context.Tensor(b.prefix + "attn.proj.weight"), width_, width_, rows, context.library);
    b.lin1 = Linear(context.pool, context.Tensor(b.prefix + "mlp.lin1.weight"), width_, c.vit.mlp_dim, rows,
                    context.library);
    b.lin2 = Linear(context.pool, context.Tensor(b.prefix + "mlp.lin2.weight"), c.vit.mlp_dim, width_, rows,
                    context.library);
    b.rel_h = ReversedRows(model.at(b.prefix + "attn.rel_pos_h"), dim_);
    b.rel_w = ReversedRows(model.at(b.prefix + "attn.rel_pos_w"), dim_);
    blocks_.push_back(std::move(b));
  }
  const size_t neck = c.prompt_embed_dim;
  neck0_ = Linear(context.pool, context.Tensor("image_encoder.neck.0.weight"), width_, neck, tokens_, context.library);
  neck2_weight_ = ChannelLast(model.at("image_encoder.neck.2.weight"), neck, neck, 3);
  neck2_ = Linear(context.pool, neck2_weight_.data(), 9 * neck, neck, tokens_, context.library);
}

void ImageEncoder::PatchEmbed(const uint8_t* rgb, uint32_t height, uint32_t width) {
  const size_t patch = context_.config.vit.patch_size;
  const size_t row_values = 3 * patch;
  float* patches = hidden_.Resize(tokens_ * patch * row_values);
  ParallelRows(context_.pool, tokens_, patch * row_values, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) {
      for (size_t py = 0; py < patch; ++py) {
        const size_t y = t / grid_ * patch + py;
        const size_t x = t % grid_ * patch;
        float* to = patches + (t * patch + py) * row_values;
        const size_t inside = y < height && x < width ? std::min(patch, width - x) : 0;
        const uint8_t* from = rgb + (y * width + x) * 3;
        for (size_t i = 0; i < inside * 3; ++i)
          to[i] = (static_cast<float>(from[i]) - kMean[i % 3]) / kDeviation[i % 3];
        std::fill(to + inside * 3, to + row_values, 0.0f);  // padding is zero after normalisation
      }
    }
  });
  float* x = x_.Resize(tokens_ * width_);
  patch_.Run(patches, tokens_, x);
  AddResidual(context_.pool, x, context_.Tensor("image_encoder.pos_embed"), tokens_, width_,
              context_.Tensor("image_encoder.patch_embed.proj.bias"));
  context_.Site("image_encoder.x", "", x, tokens_, width_);
}

void ImageEncoder::Residual(const float* y, const float* bias) {
  AddResidual(context_.pool, x_.data(), y, tokens_, width_, bias);
  context_.Site("image_encoder.x", "", x_.data(), tokens_, width_);
}

void ImageEncoder::Attention(uint32_t index, const std::string& name) {
  const Block& b = blocks_[index];
  Parallel& pool = context_.pool;
  float* norm = norm_.Resize(tokens_ * width_);
  LayerNorm(pool, x_.data(), tokens_, width_, context_.Tensor(b.prefix + "norm1.weight"),
            context_.Tensor(b.prefix + "norm1.bias"), kEncoderEpsilon, norm);
  context_.Site(name, ".qkv.in", norm, tokens_, width_);

  // One window is the whole image in a global block.
  const size_t side = context_.config.attention_side(index);
  std::vector<Window> windows;
  for (size_t y = 0; y < grid_; y += side) {
    for (size_t x = 0; x < grid_; x += side) {
      windows.push_back({y, x, side, std::min(side, grid_ - y), std::min(side, grid_ - x)});
    }
  }
  const bool padded = grid_ % side != 0;

  const float* qkv_bias = context_.Tensor(name + ".qkv.bias");
  const Linear* layers[3] = {&b.q, &b.k, &b.v};
  Buffer* results[3] = {&q_, &k_, &v_};
  const char* suffixes[3] = {".q", ".k", ".v"};
  const float* gather_bias[3];
  for (size_t i = 0; i < 3; ++i) {
    float* y = results[i]->Resize((tokens_ + 1) * width_);
    layers[i]->Run(norm, tokens_, y);
    std::fill_n(y + tokens_ * width_, width_, 0.0f);  // the padding token, before the bias
    gather_bias[i] = qkv_bias + i * width_;
    if (context_.hook) {
      // No query is a padding token, so only keys and values show it to the hook.
      const size_t rows = tokens_ + (padded && i > 0 ? 1 : 0);
      AddBias(pool, y, rows, width_, gather_bias[i]);
      context_.Site(name, suffixes[i], y, rows, width_);
      gather_bias[i] = nullptr;
    }
  }

  out_.Resize(tokens_ * width_);
  const size_t heads = context_.config.vit.num_heads;
  const size_t scores = heads * tokens_ * side * side;
  if (windows.size() > 1) {
    ParallelItems(pool, windows.size() * heads, scores, [&](size_t item, int thread) {
      const Window& window = windows[item / heads];
      ThreadScratch& scratch = scratch_[static_cast<size_t>(thread)];
      GatherHead(window, b, item % heads, gather_bias, scratch.head);
      AttendHead(window, item % heads, scratch.head, 0, window.height * window.width, scratch);
    });
  } else {
    ParallelItems(pool, heads, scores, [&](size_t h, int) { GatherHead(windows[0], b, h, gather_bias, heads_[h]); });
    const size_t strips = (tokens_ + kStrip - 1) / kStrip;
    ParallelItems(pool, heads * strips, scores, [&](size_t item, int thread) {
      const size_t first = item % strips * kStrip;
      AttendHead(windows[0], item / strips, heads_[item / strips], first, std::min(kStrip, tokens_ - first),
                 scratch_[static_cast<size_t>(thread)]);
    });
  }

  context_.Site(name, ".proj.in", out_.data(), tokens_, width_);
  b.proj.Run(out_.data(), tokens_, norm);
  Residual(norm, context_.Tensor(name + ".proj.bias"));
}

void ImageEncoder::GatherHead(const Window& window, const Block& block, size_t index, const float* const bias[3],
                              Head& head) const {
  const size_t side = window.side;
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
      copy(k_, row, bias[1], k + (y * side + x) * dim_);
      copy(v_, row, bias[2], v + (y * side + x) * dim_);
      if (real) copy(q_, row, bias[0], q + (y * window.width + x) * dim_);
    }
  }
  // Queries of one row share the table rows of rel_pos_h, queries of one column those of rel_pos_w.
  float* rel_h = head.rel_h.Resize(queries * side);
  float* rel_w = head.rel_w.Resize(queries * side);
  for (size_t y = 0; y < window.height; ++y) {
    Product(Transpose::kYes, window.width, side, dim_, q + y * window.width * dim_, dim_,
            block.rel_h.data() + (side - 1 - y) * dim_, dim_, rel_h + y * window.width * side, side);
  }
  for (size_t x = 0; x < window.width; ++x) {
    Product(Transpose::kYes, window.height, side, dim_, q + x * dim_, window.width * dim_,
            block.rel_w.data() + (side - 1 - x) * dim_, dim_, rel_w + x * side, window.width * side);
  }
}

void ImageEncoder::AttendHead(const Window& window, size_t index, const Head& head, size_t first, size_t count,
                              ThreadScratch& scratch) {
  const size_t side = window.side;
  const RelativeScores relative = {head.rel_h.data() + first * side, head.rel_w.data() + first * side, side};
  float* out = scratch.out.Resize(count * dim_);
  AttendStrip(Rows{head.q.data(), dim_}.From(first), count, {head.k.data(), dim_}, {head.v.data(), dim_}, side * side,
              dim_, relative, scratch.strip, out, dim_);
  for (size_t i = 0; i < count; ++i) {
    const size_t y = (first + i) / window.width;
    const size_t x = (first + i) % window.width;
    const size_t row = (window.y + y) * grid_ + window.x + x;
    ScaleRow(out + i * dim_, 1.0f / scratch.strip.sums.data()[i], dim_, out_.data() + row * width_ + index * dim_);
  }
}

void ImageEncoder::Mlp(uint32_t index, const std::string& name) {
  const Block& b = blocks_[index];
  const size_t inner = context_.config.vit.mlp_dim;
  Parallel& pool = context_.pool;
  float* norm = norm_.Resize(tokens_ * width_);
  LayerNorm(pool, x_.data(), tokens_, width_, context_.Tensor(b.prefix + "norm2.weight"),
            context_.Tensor(b.prefix + "norm2.bias"), kEncoderEpsilon, norm);
  context_.Site(name, ".lin1.in", norm, tokens_, width_);
  float* hidden = hidden_.Resize(tokens_ * inner);
  b.lin1.Run(norm, tokens_, hidden);
  const float* bias = context_.Tensor(name + ".lin1.bias");
  if (context_.hook) {
    AddBias(pool, hidden, tokens_, inner, bias);
    context_.Site(name, ".lin1.out", hidden, tokens_, inner);
    bias = nullptr;
  }
  BiasGelu(pool, hidden, tokens_, inner, bias);
  context_.Site(name, ".lin2.in", hidden, tokens_, inner);
  b.lin2.Run(hidden, tokens_, norm);
  Residual(norm, context_.Tensor(name + ".lin2.bias"));
}

std::vector<float> ImageEncoder::Neck(const std::string& name) {
  const size_t channels = context_.config.prompt_embed_dim;
  Parallel& pool = context_.pool;
  std::vector<float> y(tokens_ * channels);
  context_.Site(name, ".0.in", x_.data(), tokens_, width_);
  neck0_.Run(x_.data(), tokens_, y.data());
  context_.Site(name, ".0.out", y.data(), tokens_, channels);
  LayerNorm(pool, y.data(), tokens_, channels, context_.Tensor(name + ".1.weight"), context_.Tensor(name + ".1.bias"),
            kEncoderEpsilon, y.data());
  context_.Site(name, ".2.in", y.data(), tokens_, channels);
  float* patches = hidden_.Resize(tokens_ * 9 * channels);
  Patches3x3(pool, y.data(), grid_, channels, patches);
  neck2_.Run(patches, tokens_, y.data());
  context_.Site(name, ".2.out", y.data(), tokens_, channels);
  LayerNorm(pool, y.data(), tokens_, channels, context_.Tensor(name + ".3.weight"), context_.Tensor(name + ".3.bias"),
            kEncoderEpsilon, y.data());
  context_.Site(name, ".3.out", y.data(), tokens_, channels);
  return y;
}

}  // namespace intsam::internal::fp32
