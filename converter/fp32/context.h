// What all parts of the float reference share: the model, the threads, the hook, and grow-only buffers.
// A hook turns fused passes off (bias and GELU become separate), so a run without one pays a null test per site.
#ifndef INTSAM_CONVERTER_FP32_CONTEXT_H_
#define INTSAM_CONVERTER_FP32_CONTEXT_H_

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "converter/fp32/float_sam.h"
#include "runtime/base/thread_pool.h"

namespace intsam::internal::fp32 {

// Floats aligned for any vector unit. Resize keeps no contents and never shrinks, so steady state allocates nothing.
class Buffer {
 public:
  float* Resize(size_t count) {
    if (count > capacity_) {
      data_.reset(static_cast<float*>(::operator new(count * sizeof(float), kAlignment)));
      capacity_ = count;
    }
    return data_.get();
  }
  float* data() const { return data_.get(); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Delete {
    void operator()(float* p) const { ::operator delete(p, kAlignment); }
  };
  std::unique_ptr<float, Delete> data_;
  size_t capacity_ = 0;
};

struct Context {
  Context(const FloatModel& float_model, Parallel& threads, LinearLibrary linear_library)
      : model(float_model), config(float_model.config), pool(threads), library(std::move(linear_library)) {}

  const FloatModel& model;
  const SamConfig& config;
  Parallel& pool;
  const LinearLibrary library;  // empty: oneDNN
  SiteHook hook;
  SoftmaxHook softmax_hook;

  const float* Tensor(const std::string& name) const { return model.at(name).data(); }

  // Shows the hook `rows` rows of the site MODULE + SUFFIX.
  void Site(const std::string& module, const char* suffix, float* values, size_t rows, size_t channels) const {
    if (hook) hook(module + suffix, std::span<float>(values, rows * channels), channels);
  }
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_CONTEXT_H_
