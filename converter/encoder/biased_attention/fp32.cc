#include <cmath>
#include <vector>

#include "converter/encoder/biased_attention/biased_attention.h"
#include "converter/encoder/windows/fp32.h"
#include "converter/fp32/attention.h"
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

class BiasedAttention : public SelfAttention {
 public:
  BiasedAttention(const Context& context, const Windows& windows, const LayerPlace& place, WeightLayout layout)
      : SelfAttention(context, windows, place, place.path + ".attn.norm", Padding::kNormBias, layout),
        biases_(MirroredBiases(context.model.at(name_ + ".attention_biases"), windows.side)) {}

 private:
  void Attend(Stream& s, const float* const bias[3]) override {
    const size_t heads = windows_.heads;
    ParallelItems(context_.pool, window_count() * heads, heads * tokens_ * keys(), [&](size_t item, int thread) {
      Stream::Thread& scratch = s.threads[static_cast<size_t>(thread)];
      const Window window = WindowAt(item / heads);
      GatherHead(s, window, item % heads, bias, scratch.head);
      AttendHead(s, window, item % heads, scratch);
    });
  }

  void AttendHead(Stream& s, const Window& window, size_t index, Stream::Thread& scratch) const {
    const size_t side = windows_.side, queries = window.queries(), count = keys();
    float* scores = scratch.strip.scores.Resize(queries * count);
    float* sums = scratch.strip.sums.Resize(queries);
    float* out = scratch.out.Resize(queries * dim_);
    Product(Transpose::kYes, queries, count, dim_, scratch.head.q.data(), dim_, scratch.head.k.data(), dim_, scores,
            count);
    SoftmaxWindow(scores, window.height, window.width, side, 1.0f / std::sqrt(static_cast<float>(dim_)),
                  biases_.data() + index * side * (2 * side - 1), sums);
    ShowProbabilities(context_.softmax_hook, name_, scores, queries, count, sums);
    Product(Transpose::kNo, queries, dim_, count, scores, count, scratch.head.v.data(), dim_, out, dim_);
    Scatter(s, window, index, 0, queries, out, sums);
  }

  // Of each head, a row for each |dy|: the biases of dx from -(side - 1) to side - 1.
  const std::vector<float> biases_;
};

}  // namespace
}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const BiasedAttention& attention, const LayerPlace& place,
                                       const fp32::Context& context, WeightLayout layout) {
  return std::make_unique<fp32::BiasedAttention>(context, attention.windows, place, layout);
}

}  // namespace intsam::internal
