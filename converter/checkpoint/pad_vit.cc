// Heads and MLPs: the new rows are zero, and so are the columns that would read them. A head's products are divided by
// the square root of its new width: the queries are multiplied by the square root of new / old, and the tables of
// relative positions, which see the same queries, divided by it.
//
// The stream: a LayerNorm over N channels instead of n must find the same mean and variance. With the mean of the n in
// each new channel the mean stays, and the variance becomes n / N of what it was; so all that is written to the stream
// is multiplied by t = sqrt(N / n), and what reads it divides by t: the gains of the norms, and the neck. The new
// channels of a norm have gain and bias 0. All of it is linear in what the layers write, so it is done to their
// weights.
#include "converter/checkpoint/pad_vit.h"

#include <cmath>
#include <functional>
#include <tuple>
#include <utility>

namespace intsam::internal {
namespace {

uint32_t RoundUp(uint32_t value, uint32_t unit) { return (value + unit - 1) / unit * unit; }

// Where each of the old rows or columns goes.
using Places = std::function<size_t(size_t)>;

struct Matrix {
  size_t rows, columns;
};

class Widener {
 public:
  Widener(const VitConfig& from, const VitConfig& to, FloatModel* model)
      : from_(from),
        to_(to),
        model_(model),
        stream_scale_(std::sqrt(static_cast<double>(to.embed_dim) / from.embed_dim)),
        query_scale_(std::sqrt(static_cast<double>(to.head_dim()) / from.head_dim())) {}

  void Run() {
    const std::string root = "image_encoder.";
    const size_t patch = 3 * size_t{from_.patch_size} * from_.patch_size;
    WriteStream(root + "patch_embed.proj", patch, patch, Same);
    Positions(root + "pos_embed");
    for (uint32_t i = 0; i < from_.depth; ++i) {
      const std::string block = root + "blocks." + std::to_string(i) + ".";
      Norm(block + "norm1");
      Qkv(block + "attn.qkv");
      for (const char* table : {"attn.rel_pos_h", "attn.rel_pos_w"}) {
        const size_t rows = model_->at(block + table).size() / from_.head_dim();
        Move(block + table, {rows, from_.head_dim()}, {rows, to_.head_dim()}, Same, Same, 1 / query_scale_);
      }
      WriteStream(block + "attn.proj", from_.embed_dim, to_.embed_dim, heads_);
      Norm(block + "norm2");
      Move(block + "mlp.lin1.weight", {from_.mlp_dim, from_.embed_dim}, {to_.mlp_dim, to_.embed_dim}, Same, Same, 1);
      Move(block + "mlp.lin1.bias", {from_.mlp_dim, 1}, {to_.mlp_dim, 1}, Same, Same, 1);
      WriteStream(block + "mlp.lin2", from_.mlp_dim, to_.mlp_dim, Same);
    }
    const size_t neck = model_->config.prompt_embed_dim;
    Move(root + "neck.0.weight", {neck, from_.embed_dim}, {neck, to_.embed_dim}, Same, Same, 1 / stream_scale_);
  }

 private:
  static size_t Same(size_t i) { return i; }

  // Puts a matrix into a larger one of zeros.
  void Move(const std::string& name, Matrix from, Matrix to, const Places& row, const Places& column, double factor) {
    std::vector<float>& values = model_->tensors.at(name);
    std::vector<float> widened(to.rows * to.columns);
    for (size_t y = 0; y < from.rows; ++y) {
      for (size_t x = 0; x < from.columns; ++x) {
        widened[row(y) * to.columns + column(x)] = static_cast<float>(values[y * from.columns + x] * factor);
      }
    }
    values = std::move(widened);
  }

  void Norm(const std::string& name) {
    Move(name + ".weight", {from_.embed_dim, 1}, {to_.embed_dim, 1}, Same, Same, 1 / stream_scale_);
    Move(name + ".bias", {from_.embed_dim, 1}, {to_.embed_dim, 1}, Same, Same, 1);
  }

  void Qkv(const std::string& name) {
    for (const auto& [suffix, from, to] :
         {std::tuple(".weight", from_.embed_dim, to_.embed_dim), std::tuple(".bias", 1u, 1u)}) {
      std::vector<float>& values = model_->tensors.at(name + suffix);
      for (size_t i = 0; i < size_t{from_.embed_dim} * from; ++i)  // the queries
        values[i] = static_cast<float>(values[i] * query_scale_);
      Move(name + suffix, {3 * size_t{from_.embed_dim}, from}, {3 * size_t{to_.embed_dim}, to}, heads_, Same, 1);
    }
  }

  // A layer that adds to the stream.
  void WriteStream(const std::string& name, size_t from_columns, size_t to_columns, const Places& column) {
    const Matrix from = {from_.embed_dim, from_columns}, to = {to_.embed_dim, to_columns};
    Move(name + ".weight", from, to, Same, column, stream_scale_);
    FillWithMean(to, 1, &model_->tensors.at(name + ".weight"));
    Move(name + ".bias", {from_.embed_dim, 1}, {to_.embed_dim, 1}, Same, Same, stream_scale_);
    FillWithMean({to_.embed_dim, 1}, 1, &model_->tensors.at(name + ".bias"));
  }

  void Positions(const std::string& name) {
    const size_t cells = model_->at(name).size() / from_.embed_dim;
    Move(name, {cells, from_.embed_dim}, {cells, to_.embed_dim}, Same, Same, stream_scale_);
    FillWithMean({to_.embed_dim, 1}, cells, &model_->tensors.at(name));
  }

  // Sets the new rows of each of `count` matrices to the mean of the old ones.
  void FillWithMean(Matrix size, size_t count, std::vector<float>* values) const {
    for (size_t i = 0; i < count; ++i) {
      float* matrix = values->data() + i * size.rows * size.columns;
      for (size_t x = 0; x < size.columns; ++x) {
        double sum = 0;
        for (size_t y = 0; y < from_.embed_dim; ++y) sum += matrix[y * size.columns + x];
        for (size_t y = from_.embed_dim; y < size.rows; ++y)
          matrix[y * size.columns + x] = static_cast<float>(sum / from_.embed_dim);
      }
    }
  }

  const VitConfig from_, to_;
  FloatModel* const model_;
  const double stream_scale_, query_scale_;
  // Of the values inside attention: head by head.
  const Places heads_ = [this](size_t i) { return i / from_.head_dim() * to_.head_dim() + i % from_.head_dim(); };
};

}  // namespace

SamConfig PaddedConfig(const SamConfig& config) {
  SamConfig padded = config;
  VitConfig& c = padded.vit;
  // Heads that do not divide the width are ValidateConfig's to refuse.
  if (config.family != kVit || c.num_heads == 0 || c.embed_dim % c.num_heads != 0) return config;
  uint32_t head_dim = RoundUp(c.head_dim(), 4);
  while (c.num_heads * head_dim % 16 != 0) head_dim += 4;
  c.embed_dim = c.num_heads * head_dim;
  c.mlp_dim = RoundUp(c.mlp_dim, 16);
  return padded;
}

void PadVit(FloatModel* model) {
  const SamConfig padded = PaddedConfig(model->config);
  if (padded == model->config) return;
  Widener(model->config.vit, padded.vit, model).Run();
  model->config = padded;
}

}  // namespace intsam::internal
