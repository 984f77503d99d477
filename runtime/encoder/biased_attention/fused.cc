#include "runtime/encoder/biased_attention/biased_attention.h"
#include "runtime/encoder/windows/fused_self_attention.h"

namespace intsam::internal {
namespace {

class FusedBiasedAttention : public FusedSelfAttention {
 public:
  FusedBiasedAttention(const BiasedAttention& record, const Kernels& kernels)
      : FusedSelfAttention(record, PaddingToken(record), kernels),
        biases_(record.windows.heads * size_t{record.windows.keys()} * record.windows.keys()) {
    const uint32_t keys = record.windows.keys();
    for (uint32_t head = 0; head < record.windows.heads; ++head) {
      for (uint32_t place = 0; place < keys; ++place) BiasRow(record, head, place, Biases(head, place));
    }
  }

 private:
  int32_t* Biases(uint32_t head, uint32_t place) {
    const size_t keys = record_.windows.keys();
    return biases_.data() + (head * keys + place) * keys;
  }

  StripRelPos Positions(const Strip& strip, Arena) const override {
    static constexpr int32_t kNone = 0;
    const size_t keys = record_.windows.keys(), place = size_t{strip.y} * record_.windows.side + strip.x;
    return {{&kNone, 0}, {biases_.data() + (strip.head * keys + place) * keys, keys}, 1, static_cast<int>(keys)};
  }

  std::vector<int32_t> biases_;  // [heads][queries][keys]
};

}  // namespace

FusedMemory MemoryOf(const BiasedAttention& attention) { return FusedSelfAttention::Memory(attention, 0); }

std::unique_ptr<FusedLayer> MakeFused(const BiasedAttention& attention, const Kernels& kernels) {
  return std::make_unique<FusedBiasedAttention>(attention, kernels);
}

}  // namespace intsam::internal
