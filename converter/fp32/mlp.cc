#include "converter/fp32/mlp.h"

#include <utility>

#include "converter/fp32/ops.h"

namespace intsam::internal::fp32 {

Mlp::Mlp(const Context& context, MlpNames names, size_t rows, size_t width, size_t hidden, float epsilon,
         WeightLayout layout)
    : context_(context),
      names_(std::move(names)),
      rows_(rows),
      width_(width),
      hidden_(hidden),
      epsilon_(epsilon),
      lin1_(context.pool, context.Tensor(names_.lin1 + ".weight"), width, hidden,
            layout == WeightLayout::kPacked ? rows : 0, context.library),
      lin2_(context.pool, context.Tensor(names_.lin2 + ".weight"), hidden, width,
            layout == WeightLayout::kPacked ? rows : 0, context.library) {}

void Mlp::Run(float* x, Buffer& norm_buffer, Buffer& hidden_buffer) const {
  Parallel& pool = context_.pool;
  float* norm = norm_buffer.Resize(rows_ * width_);
  LayerNorm(pool, x, rows_, width_, context_.Tensor(names_.norm + ".weight"), context_.Tensor(names_.norm + ".bias"),
            epsilon_, norm);
  context_.Site(names_.lin1, ".in", norm, rows_, width_);
  float* hidden = hidden_buffer.Resize(rows_ * hidden_);
  lin1_.Run(norm, rows_, hidden);
  const float* bias = context_.Tensor(names_.lin1 + ".bias");
  if (context_.hook) {
    AddBias(pool, hidden, rows_, hidden_, bias);
    context_.Site(names_.lin1, ".out", hidden, rows_, hidden_);
    bias = nullptr;
  }
  BiasGelu(pool, hidden, rows_, hidden_, bias);
  context_.Site(names_.lin2, ".in", hidden, rows_, hidden_);
  lin2_.Run(hidden, rows_, norm);
  AddResidual(pool, x, norm, rows_, width_, context_.Tensor(names_.lin2 + ".bias"));
  context_.Site(names_.stream, "", x, rows_, width_);
}

}  // namespace intsam::internal::fp32
