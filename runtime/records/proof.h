// The proof, at load, that no accumulator can overflow for any image and any prompt (docs/numerics.md 3.4): what it
// says about each record. It bounds every partial sum in every order, so that any blocking, thread count and
// instruction set is exact.
#ifndef INTSAM_RUNTIME_RECORDS_PROOF_H_
#define INTSAM_RUNTIME_RECORDS_PROOF_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/records/records.h"
#include "runtime/records/weight_sums.h"

namespace intsam::internal {

// No accumulator may be able to reach more: the rest of s32 is for the half that requantization adds before its shift.
inline constexpr int64_t kAccumulatorMax = INT32_MAX - (1 << 23);

inline int64_t Abs(int64_t x) { return x < 0 ? -x : x; }

// No value of such codes is larger in magnitude. lo <= zero <= hi.
inline int64_t Reach(const Codes& codes) {
  return std::max(int64_t{codes.zero} - codes.lo, int64_t{codes.hi} - codes.zero);
}

// What the mix of at most `keys` values can reach, before and behind their zero point (docs/numerics.md 6.4).
inline int64_t MixBound(const Softmax& softmax, const Codes& values, uint32_t keys) {
  return ProbabilityMax(softmax) * std::max<int64_t>(128, Reach(values)) * keys;
}

// The channel of one layer that comes nearest to that: |accumulator| <= bound.
struct LayerBound {
  std::string site;
  uint32_t channel = 0;
  int64_t bound = 0;
};

// Collects what is proved. Sites are named below `prefix`, "" being the prefix itself; the first one that cannot be
// proved is in `status`, and what follows changes it no more.
class Proof {
 public:
  // `report`, unless null, receives the bound of every layer in the order of the proof.
  explicit Proof(std::vector<LayerBound>* report) : report_(report) {}

  Status status;
  std::string prefix;

  // Of a layer over such codes. Proves that no partial sum overflows, whichever form the operands take, and returns
  // what the whole sum can reach per channel: codes are inside lo..hi, however wide the operands are. Reads every
  // weight once: also fills Linear::column_sums.
  std::vector<int64_t> CodesLayer(const char* site, Linear& linear, const Codes& codes);
  std::vector<int64_t> CodesLayer(const char* site, Depthwise& conv, const Codes& codes);
  std::vector<int64_t> S16Layer(const char* site, Linear& linear);
  std::vector<int64_t> S16Layer(const char* site, const Linear12& linear);
  std::vector<int64_t> S16Layer(const char* site, const Depthwise12& conv);
  std::vector<int64_t> StreamLayer(const char* site, Linear& linear, const StreamInput& input);

  // bounds: of one layer, per channel; not empty.
  void Accumulators(const char* site, const std::vector<int64_t>& bounds);
  // Accumulators that are multiplied by 2^up before they are requantized.
  void Lifted(const char* site, const std::vector<int64_t>& bounds, uint32_t up);
  void Requantized(const char* site, const Rq32& rq, const std::vector<int64_t>& bounds);
  void Requantized(const char* site, const Rq32Scalar& rq, int64_t bound);

  void CodesRange(const char* site, const Codes& codes);
  // Zero point 128 and values of at least -127, on which the forms of the decoder's attention rely that do not project
  // image rows.
  void SignedCodes(const char* site, const Codes& codes);
  void Narrow(const char* site, const NormNarrow& norm);
  void Quantize(const char* site, const QuantizeSite& quantize, int64_t bound);
  void Stream(const char* site, const StreamInput& input);  // with or without a positional encoding
  // values: what is mixed. keys: the most that a row can have.
  void Attention(const char* site, const Softmax& softmax, const Codes& values, uint32_t keys);

  void Fail(const char* site, uint32_t channel, const char* what, int64_t value);

 private:
  std::string PathOf(const char* site) const;
  // Of a layer with such weights and biases per channel; shift: empty, or of each channel, for `in` weights.
  std::vector<int64_t> OverCodes(const char* site, const WeightSums& sums, View<int32_t> biases, View<int16_t> shift,
                                 uint32_t in, const Codes& codes);
  std::vector<int64_t> OverS16(const char* site, const WeightSums& sums, View<int32_t> biases);
  void Product(const char* site, uint32_t channel, int64_t bound, int32_t mult, uint32_t shift);

  std::vector<LayerBound>* report_;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_RECORDS_PROOF_H_
