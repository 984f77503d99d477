// Every kernel of every tier that this CPU runs, at the shapes of SAM and of MobileSAM, on one thread.
#include <omp.h>

#include "tests/bench/micro/micro.h"

namespace intsam::internal::micro {

std::string NameOf(const Shape& shape) {
  return std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" + std::to_string(shape.k);
}

std::vector<Shape> LinearShapes(bool whole_images) {
  std::vector<Shape> shapes;
  for (const int m : {64, 1024, 4096}) {
    if (m > 64 && !whole_images) break;
    for (const auto& [n, k] : {std::pair{768, 768}, {2304, 768}, {3072, 768}, {768, 3072}}) shapes.push_back({m, n, k});
  }
  return shapes;
}

}  // namespace intsam::internal::micro

int main(int argc, char** argv) {
  using namespace intsam::internal;
  omp_set_num_threads(1);  // for oneDNN; the kernels have no threads
  for (const Kernels* kernels : BuiltKernels()) {
    if (!CpuSupports(kernels->name)) continue;
    micro::RegisterGemm(*kernels);
    micro::RegisterAttention(*kernels);
    micro::RegisterRows(*kernels);
    micro::RegisterDepthwise(*kernels);
  }
  micro::RegisterResize();
  micro::RegisterMasks();
  micro::RegisterOneDnn();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const size_t ran = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return ran == 0 ? 1 : 0;  // a filter that matches nothing
}
