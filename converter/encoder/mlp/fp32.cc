#include "converter/encoder/mlp/fp32.h"

#include "converter/encoder/mlp/mlp.h"
#include "converter/fp32/ops.h"
#include "converter/sam_constants.h"

namespace intsam::internal {
namespace fp32 {

Mlp::Mlp(const Context& context, const MlpBlock& shape, const LayerPlace& place, WeightLayout layout)
    : context_(context),
      norm_(place.path + "." + shape.names->norm),
      lin1_name_(place.path + "." + shape.names->lin1),
      lin2_name_(place.path + "." + shape.names->lin2),
      map_(place.output),
      rows_(shape.tokens),
      width_(shape.width()),
      hidden_(shape.hidden()),
      epsilon_(static_cast<float>(place.epsilon)),
      lin1_(context.pool, context.Tensor(lin1_name_ + ".weight"), width_, hidden_,
            layout == WeightLayout::kPacked ? rows_ : 0, context.library),
      lin2_(context.pool, context.Tensor(lin2_name_ + ".weight"), hidden_, width_,
            layout == WeightLayout::kPacked ? rows_ : 0, context.library) {}

void Mlp::Run(Stream& stream) {
  Parallel& pool = context_.pool;
  float* x = stream.x.data();
  float* norm = stream.next.Resize(rows_ * width_);
  LayerNorm(pool, x, rows_, width_, context_.Tensor(norm_ + ".weight"), context_.Tensor(norm_ + ".bias"), epsilon_,
            norm);
  context_.Site(lin1_name_, ".in", norm, rows_, width_);
  float* hidden = stream.hidden.Resize(rows_ * hidden_);
  lin1_.Run(norm, rows_, hidden);
  const float* bias = context_.Tensor(lin1_name_ + ".bias");
  if (context_.hook) {
    AddBias(pool, hidden, rows_, hidden_, bias);
    context_.Site(lin1_name_, ".out", hidden, rows_, hidden_);
    bias = nullptr;
  }
  BiasGelu(pool, hidden, rows_, hidden_, bias);
  context_.Site(lin2_name_, ".in", hidden, rows_, hidden_);
  lin2_.Run(hidden, rows_, norm);
  AddResidual(pool, x, norm, rows_, width_, context_.Tensor(lin2_name_ + ".bias"));
  context_.Site(map_, "", x, rows_, width_);
}

}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const MlpBlock& mlp, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout layout) {
  return std::make_unique<fp32::Mlp>(context, mlp, place, layout);
}

}  // namespace intsam::internal
