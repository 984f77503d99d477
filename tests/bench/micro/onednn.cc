// What the products are compared with: oneDNN's matrix product of u8 codes and s8 weights, which it may pack as it
// likes beforehand. For linear layers to u8 codes with a bias, a scale per channel and a zero point; for queries by
// keys and probabilities by values to plain s32 sums, of which intsam's probabilities have 15 bits where these have 8.
#include <algorithm>
#include <unordered_map>

#include "tests/bench/micro/micro.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // in the headers of oneDNN 3
#include <dnnl.hpp>
#pragma GCC diagnostic pop

namespace intsam::internal::micro {
namespace {

using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

constexpr float kScale = 1e-4f;
constexpr int32_t kZero = 128;

struct Product {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::matmul primitive;
  dnnl::memory a, weights, bias, out, scales, zero;
  bool sums;

  enum Output { kCodes, kSums };
  Product(const Shape& s, Output output) : sums(output == kSums) {
    const dnnl::memory::desc a_desc({s.m, s.k}, Type::u8, Tag::ab);
    const dnnl::memory::desc out_desc({s.m, s.n}, sums ? Type::s32 : Type::u8, Tag::ab);
    const dnnl::memory::desc any_weights({s.k, s.n}, Type::s8, Tag::any), plain({s.k, s.n}, Type::s8, Tag::ba);
    const dnnl::memory::desc bias_desc({1, s.n}, Type::f32, Tag::ab);
    dnnl::primitive_attr attributes;
#if DNNL_VERSION_MAJOR >= 3
    if (!sums) {
      attributes.set_scales_mask(DNNL_ARG_WEIGHTS, 1 << 1);
      attributes.set_zero_points_mask(DNNL_ARG_DST, 0);
    }
    const dnnl::matmul::primitive_desc descriptor =
        sums ? dnnl::matmul::primitive_desc(engine, a_desc, any_weights, out_desc, attributes)
             : dnnl::matmul::primitive_desc(engine, a_desc, any_weights, bias_desc, out_desc, attributes);
    scales = dnnl::memory({{s.n}, Type::f32, Tag::a}, engine);
    zero = dnnl::memory({{1}, Type::s32, Tag::a}, engine);
    std::fill_n(static_cast<float*>(scales.get_data_handle()), s.n, kScale);
    *static_cast<int32_t*>(zero.get_data_handle()) = kZero;
#else
    if (!sums) {
      attributes.set_output_scales(1 << 1, std::vector<float>(static_cast<size_t>(s.n), kScale));
      attributes.set_zero_points(DNNL_ARG_DST, 0, {kZero});
    }
    const dnnl::matmul::desc operation = sums ? dnnl::matmul::desc(a_desc, any_weights, out_desc)
                                              : dnnl::matmul::desc(a_desc, any_weights, bias_desc, out_desc);
    const dnnl::matmul::primitive_desc descriptor(operation, attributes, engine);
#endif
    primitive = dnnl::matmul(descriptor);
    a = dnnl::memory(a_desc, engine);
    bias = dnnl::memory(bias_desc, engine);
    out = dnnl::memory(out_desc, engine);
    weights = dnnl::memory(descriptor.weights_desc(), engine);
    dnnl::memory given(plain, engine);
    Fill<uint8_t>(a, 0, 255);
    Fill<int8_t>(given, -127, 127);
    std::fill_n(static_cast<float*>(bias.get_data_handle()), s.n, 0.5f);
    dnnl::reorder(given, weights).execute(stream, given, weights);
    stream.wait();
  }

  template <class T>
  static void Fill(dnnl::memory& memory, int64_t lo, int64_t hi) {
    const size_t count = memory.get_desc().get_size() / sizeof(T);
    const std::vector<T> values = Values<T>(count, lo, hi);
    std::copy_n(values.begin(), count, static_cast<T*>(memory.get_data_handle()));
  }

  void Run() {
    std::unordered_map<int, dnnl::memory> arguments = {
        {DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, out}};
    if (!sums) {
      arguments.insert({DNNL_ARG_BIAS, bias});
#if DNNL_VERSION_MAJOR >= 3
      arguments.insert({DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, scales});
      arguments.insert({DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_DST, zero});
#endif
    }
    primitive.execute(stream, arguments);
    stream.wait();
  }
};

void RegisterProduct(const std::string& name, const Shape& shape, Product::Output output) {
  Register(name + NameOf(shape), [shape, output](benchmark::State& state) {
    Product product(shape, output);
    for ([[maybe_unused]] auto _ : state) product.Run();
    CountMacs(state, double{1} * shape.m * shape.n * shape.k);
  });
}

}  // namespace

void RegisterOneDnn() {
  for (const Shape& shape : LinearShapes(true)) RegisterProduct("linear/onednn/w8a8/", shape, Product::kCodes);
  for (const int keys : {196, 4096}) {
    for (const int rows : {16, keys}) {  // intsam's strip, and all queries at once
      RegisterProduct("qk/onednn/q8k8/", {rows, keys, 64}, Product::kSums);
      RegisterProduct("attention_mix/onednn/p8v8/", {rows, 64, keys}, Product::kSums);
    }
  }
}

}  // namespace intsam::internal::micro
