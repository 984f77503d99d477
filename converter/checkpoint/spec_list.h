// A state dict's tensors, named and shaped, in the order in which they are added.
#ifndef INTSAM_CONVERTER_CHECKPOINT_SPEC_LIST_H_
#define INTSAM_CONVERTER_CHECKPOINT_SPEC_LIST_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "converter/checkpoint/sam_checkpoint.h"

namespace intsam::internal {

class SpecList {
 public:
  using Shape = std::vector<uint64_t>;

  void Tensor(const std::string& name, Shape shape) { specs_.push_back({name, std::move(shape)}); }

  void WeightAndBias(const std::string& name, Shape weight, uint64_t bias) {
    Tensor(name + ".weight", std::move(weight));
    Tensor(name + ".bias", {bias});
  }
  void Linear(const std::string& name, uint64_t out, uint64_t in) { WeightAndBias(name, {out, in}, out); }
  void Norm(const std::string& name, uint64_t width) { WeightAndBias(name, {width}, width); }

  // The decoder's attention, whose inner width may be smaller than its outer one.
  void Attention(const std::string& name, uint64_t width, uint64_t inner) {
    for (const char* projection : {".q_proj", ".k_proj", ".v_proj"}) Linear(name + projection, inner, width);
    Linear(name + ".out_proj", width, inner);
  }

  void Mlp(const std::string& name, uint64_t in, uint64_t hidden, uint64_t out, uint32_t depth) {
    for (uint32_t i = 0; i < depth; ++i) {
      Linear(name + ".layers." + std::to_string(i), i + 1 == depth ? out : hidden, i == 0 ? in : hidden);
    }
  }

  // A convolution without bias and the BatchNorm behind it.
  void ConvBn(const std::string& name, uint64_t out, uint64_t in_per_group, uint64_t kernel) {
    Tensor(name + ".c.weight", {out, in_per_group, kernel, kernel});
    for (const char* statistic : {".weight", ".bias", ".running_mean", ".running_var"})
      Tensor(name + ".bn" + statistic, {out});
  }
  void SeparableConv(const std::string& name, uint64_t in, uint64_t hidden, uint64_t out) {
    ConvBn(name + ".conv1", hidden, in, 1);
    ConvBn(name + ".conv2", hidden, 1, 3);
    ConvBn(name + ".conv3", out, hidden, 1);
  }

  std::vector<TensorSpec> Take() { return std::move(specs_); }

 private:
  std::vector<TensorSpec> specs_;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_SPEC_LIST_H_
