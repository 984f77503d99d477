// Each layer is a subgraph of one node: that interface has stayed the same from version to version, and packs the
// weights when the runtime is made. The version in Debian 12 mislays packed weights where `in` is no multiple of 4; in
// SAM it always is one.
#include "apps/bench/xnnpack.h"

#if defined(INTSAM_HAVE_XNNPACK)
#include <pthreadpool.h>
#include <xnnpack.h>

#include <limits>
#include <memory>
#include <stdexcept>

#include "converter/fp32/parallel.h"

namespace intsam::internal {
namespace {

using Pool = std::shared_ptr<pthreadpool>;

void Check(xnn_status status, const char* what) {
  if (status != xnn_status_success)
    throw std::runtime_error(std::string("XNNPACK: ") + what + ": status " + std::to_string(status));
}

class XnnpackLinear : public LinearProduct {
 public:
  XnnpackLinear(const float* weight, size_t in, size_t out, size_t rows, Pool pool) : pool_(std::move(pool)) {
    xnn_subgraph_t graph = nullptr;
    Check(xnn_create_subgraph(2, 0, &graph), "subgraph");
    const std::unique_ptr<xnn_subgraph, decltype(&xnn_delete_subgraph)> graph_owner(graph, xnn_delete_subgraph);
    const auto tensor = [&](size_t height, size_t width, const float* data, uint32_t external, uint32_t flags) {
      const size_t dims[] = {height, width};
      uint32_t id = XNN_INVALID_VALUE_ID;
      Check(xnn_define_tensor_value(graph, xnn_datatype_fp32, 2, dims, data, external, flags, &id), "tensor");
      return id;
    };
    const uint32_t x = tensor(rows, in, nullptr, kX, XNN_VALUE_FLAG_EXTERNAL_INPUT);
    const uint32_t y = tensor(rows, out, nullptr, kY, XNN_VALUE_FLAG_EXTERNAL_OUTPUT);
    const uint32_t w = tensor(out, in, weight, XNN_INVALID_VALUE_ID, 0);
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    Check(xnn_define_fully_connected(graph, -kInfinity, kInfinity, x, w, XNN_INVALID_VALUE_ID, y, 0), "layer");
    xnn_runtime_t runtime = nullptr;
    Check(xnn_create_runtime_v2(graph, pool_.get(), 0, &runtime), "runtime");
    runtime_.reset(runtime);
  }

  void Run(const float* x, float* y) override {
    const xnn_external_value values[] = {{kX, const_cast<float*>(x)}, {kY, y}};  // x is only read
    Check(xnn_setup_runtime(runtime_.get(), 2, values), "setup");
    Check(xnn_invoke_runtime(runtime_.get()), "invoke");
  }

 private:
  static constexpr uint32_t kX = 0, kY = 1;
  struct Delete {
    void operator()(xnn_runtime_t runtime) const { xnn_delete_runtime(runtime); }
  };
  Pool pool_;  // outlives the runtime
  std::unique_ptr<xnn_runtime, Delete> runtime_;
};

}  // namespace

Result<LinearLibrary> XnnpackLinears(int threads) {
  if (xnn_initialize(nullptr) != xnn_status_success)
    return Error(Code::kUnsupported, "--fp32-library: XNNPACK does not support this CPU");
  const auto count = static_cast<size_t>(fp32::ReferenceThreads(threads));
  const Pool pool(pthreadpool_create(count), pthreadpool_destroy);
  return LinearLibrary([pool](const float* weight, size_t in, size_t out, size_t rows) {
    return std::make_unique<XnnpackLinear>(weight, in, out, rows, pool);
  });
}

}  // namespace intsam::internal

#else

namespace intsam::internal {

Result<LinearLibrary> XnnpackLinears(int) {
  return Error(Code::kUnsupported, "--fp32-library: this program was built without XNNPACK");
}

}  // namespace intsam::internal

#endif
