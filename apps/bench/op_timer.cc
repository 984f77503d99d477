#include "apps/bench/op_timer.h"

#include <algorithm>
#include <chrono>
#include <list>
#include <map>
#include <mutex>

#include "runtime/format/isam.h"

namespace intsam::internal {
namespace {

using Clock = std::chrono::steady_clock;

// Operations that are one kernel each. Those of gemm_a8w8 follow, one per kind of layer.
enum Op : size_t {
  kQueryKey,
  kSoftmax,
  kAttentionValue,
  kAttentionOutput,
  kRelativePosition,
  kPack,
  kLayerNorm,
  kRequantize,
  kRequantizeGelu,
  kResidual,
  kQuantize,
  kGelu,
  kGemm16,
  kDepthwise,
  kDepthwise16,
  kMaskProduct,
  kOps
};
constexpr const char* kOpNames[] = {"gemm QK",         "softmax",   "attention AV",     "attention output",
                                    "rel-pos",         "pack K, V", "layer norm",       "requantize",
                                    "requantize GELU", "residual",  "quantize",         "GELU",
                                    "gemm 16-bit",     "depthwise", "depthwise 16-bit", "mask product"};
static_assert(std::size(kOpNames) == kOps);
constexpr int kOperandBits[] = {8, 0, 16, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 8, 16, 16};
static_assert(std::size(kOperandBits) == kOps);

struct Counter {
  uint64_t calls = 0, macs = 0, elements = 0;
  Clock::duration time{};
};
using Counters = std::vector<Counter>;  // by operation

struct WeightRange {
  const uint8_t *first, *last;
  size_t op;
};

// "image_encoder.blocks.7.attn.qkv.weight" is "attn.qkv", "patch_embed.weight_high" is "patch_embed".
std::string KindOfLayer(const std::string& path) {
  std::string kind;
  for (size_t at = 0; at < path.size();) {
    const std::string part = path.substr(at, path.find('.', at) - at);
    at += part.size() + 1;
    const bool number = part.find_first_not_of("0123456789") == std::string::npos;
    if (at >= path.size() || part == "image_encoder" || part == "blocks" || (number && kind != "neck")) continue;
    kind += (kind.empty() ? "" : ".") + part;
  }
  return kind;
}

// Where the weights of the layers lie.
class WeightFinder : public isam::PathVisitor<WeightFinder> {
 public:
  template <class T>
  void Field(const char*, T&, int64_t = 0, int64_t = 0) {}
  template <class T>
  void Tensor(const char* name, const View<T>& view, std::initializer_list<uint32_t>, int64_t = 0, int64_t = 0) {
    if (!std::string_view(name).starts_with("weight")) return;
    const std::string kind = KindOfLayer(PathOf(name));
    const auto [found, is_new] = ops.try_emplace(kind, kOps + kinds.size());
    if (is_new) kinds.push_back(kind);
    const auto* first = reinterpret_cast<const uint8_t*>(view.data());
    ranges.push_back({first, first + view.size_bytes(), found->second});
  }

  std::map<std::string, size_t> ops;
  std::vector<std::string> kinds;  // in the order of their operations
  std::vector<WeightRange> ranges;
};

struct State {
  Kernels inner{}, timed{};
  std::vector<std::string> gemm_kinds;
  std::vector<WeightRange> ranges;  // by address
  std::mutex mutex;                 // of `counters`, which threads join when they first time something
  std::list<Counters> counters;     // making an empty one takes no memory, which here nobody would catch
};
State state;
thread_local Counters* own_counters = nullptr;

Counters& OwnCounters() {
  if (own_counters == nullptr) {
    const std::lock_guard lock(state.mutex);
    own_counters = &state.counters.emplace_back(kOps + state.gemm_kinds.size());
  }
  return *own_counters;
}

size_t OpOfWeights(const void* weights) {
  const auto* at = static_cast<const uint8_t*>(weights);
  const auto above = std::upper_bound(state.ranges.begin(), state.ranges.end(), at,
                                      [](const uint8_t* x, const WeightRange& range) { return x < range.first; });
  if (above == state.ranges.begin()) return kQueryKey;
  const WeightRange& range = *std::prev(above);
  return at < range.last ? range.op : kQueryKey;
}

// ---------------------------------------------------------------- what a call does

struct Work {
  size_t op;
  uint64_t macs, elements;
};

template <class... Sizes>
uint64_t Product(Sizes... sizes) {
  return (uint64_t{1} * ... * static_cast<uint64_t>(sizes));
}

Work WorkOf(const GemmA8W8& x) { return {OpOfWeights(x.weights.groups), Product(x.m, x.n, x.k), 0}; }
Work WorkOf(const GemmA16W8& x) { return {kGemm16, Product(x.m, x.n, x.k), 0}; }
Work WorkOf(const DepthwiseCodes& x) { return {kDepthwise, Product(9, x.count, x.channels), 0}; }
Work WorkOf(const DepthwiseS16& x) { return {kDepthwise16, Product(9, x.count, x.channels), 0}; }
Work WorkOf(const RequantizeNarrow& x) { return {kRequantize, 0, Product(x.rows, x.n)}; }
Work WorkOf(const RequantizeGelu& x) { return {kRequantizeGelu, 0, Product(x.rows, x.n)}; }
Work WorkOf(const RequantizeR24& x) {
  return {x.add != nullptr || x.add16 != nullptr ? kResidual : kRequantize, 0, Product(x.rows, x.n)};
}
Work WorkOf(const RequantizeS16& x) { return {kRequantize, 0, Product(x.rows, x.n)}; }
Work WorkOf(const QuantizeCodes& x) { return {kQuantize, 0, x.n}; }
Work WorkOf(const AddS16& x) { return {kResidual, 0, x.n}; }
Work WorkOf(const GeluS16& x) { return {kGelu, 0, x.n}; }
Work WorkOf(const NarrowR24& x) { return {kQuantize, 0, x.n}; }
Work WorkOf(const LayerNormNarrow& x) { return {kLayerNorm, 0, Product(x.rows, x.channels)}; }
Work WorkOf(const LayerNormWide& x) { return {kLayerNorm, 0, Product(x.rows, x.channels)}; }
Work WorkOf(const PackKeys& x) { return {kPack, 0, Product(x.count, x.d)}; }
Work WorkOf(const PackValues& x) { return {kPack, 0, Product(x.count, x.d)}; }
Work WorkOf(const SoftmaxRow& x) { return {kSoftmax, 0, Product(x.count)}; }
Work WorkOf(const SoftmaxHeads& x) { return {kSoftmax, 0, Product(x.rows, x.heads, x.keys)}; }
Work WorkOf(const AttentionMix& x) { return {kAttentionValue, Product(x.rows, x.count, x.d), 0}; }
Work WorkOf(const AttentionOutput& x) { return {kAttentionOutput, 0, Product(x.rows, x.d)}; }
Work WorkOf(const RelativePosition& x) { return {kRelativePosition, Product(x.rows, x.count, x.d), 0}; }
Work WorkOf(const MaskProduct& x) { return {kMaskProduct, Product(x.masks, x.pixels, x.channels), 0}; }

// The entry `member` of the timed table.
template <class Arguments, void (*Kernels::*member)(Arguments&)>
void TimedCall(Arguments& arguments) {
  const Work work = WorkOf(arguments);
  Counter& counter = OwnCounters()[work.op];
  const auto start = Clock::now();
  (state.inner.*member)(arguments);
  counter.time += Clock::now() - start;
  ++counter.calls;
  counter.macs += work.macs;
  counter.elements += work.elements;
}

template <auto member, class Arguments>
void Wrap(void (*&entry)(Arguments&)) {
  entry = TimedCall<Arguments, member>;
}

}  // namespace

const Kernels& TimedKernels(const Model& model, const Kernels& kernels) {
  IntegerModel copy = model.weights();  // a visitor may write, so it wants a model of its own; the tensors are views
  WeightFinder finder;
  copy.Visit(finder);
  std::sort(finder.ranges.begin(), finder.ranges.end(),
            [](const WeightRange& a, const WeightRange& b) { return a.first < b.first; });
  state.ranges = std::move(finder.ranges);
  state.gemm_kinds = std::move(finder.kinds);
  state.inner = state.timed = kernels;
  Kernels::ForEach([]<auto kEntry> { Wrap<kEntry>(state.timed.*kEntry); });
  return state.timed;
}

std::vector<OpTotal> OpTotals() {
  std::vector<OpTotal> totals(kOps + state.gemm_kinds.size());
  for (size_t op = 0; op < totals.size(); ++op) {
    totals[op].op = op < kOps ? kOpNames[op] : "gemm " + state.gemm_kinds[op - kOps];
    totals[op].operand_bits = op < kOps ? kOperandBits[op] : 8;
  }
  const std::lock_guard lock(state.mutex);
  for (const Counters& counters : state.counters) {
    for (size_t op = 0; op < totals.size(); ++op) {
      totals[op].calls += counters[op].calls;
      totals[op].macs += counters[op].macs;
      totals[op].elements += counters[op].elements;
      totals[op].seconds += std::chrono::duration<double>(counters[op].time).count();
    }
  }
  std::erase_if(totals, [](const OpTotal& total) { return total.calls == 0; });
  std::sort(totals.begin(), totals.end(), [](const OpTotal& a, const OpTotal& b) { return a.seconds > b.seconds; });
  return totals;
}

void ResetOpTotals() {
  const std::lock_guard lock(state.mutex);
  for (Counters& counters : state.counters) counters.assign(counters.size(), {});
}

double ClockSeconds() {
  constexpr int kCalls = 1 << 12, kTimings = 20;  // the best timing is the one that nothing interrupted
  auto least = Clock::duration::max();
  for (int timing = 0; timing < kTimings; ++timing) {
    const auto start = Clock::now();
    auto last = start;
    for (int i = 0; i < 2 * kCalls; ++i) last = Clock::now();
    least = std::min(least, last - start);
  }
  return std::chrono::duration<double>(least).count() / kCalls;
}

}  // namespace intsam::internal
