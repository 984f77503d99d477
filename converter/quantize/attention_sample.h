// A few heads' worth of real queries, keys and values of every attention, kept from calibration, and the float formula
// of attention over them: what the search for softmax codes and the choice of reparametrizations are measured on.
#ifndef INTSAM_CONVERTER_QUANTIZE_ATTENTION_SAMPLE_H_
#define INTSAM_CONVERTER_QUANTIZE_ATTENTION_SAMPLE_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/sites.h"

namespace intsam::internal {

// Some queries of one window (encoder) or one prompt (decoder) and all of their keys, pads included.
struct AttentionSample {
  size_t call = 0;  // which one of its attention
  size_t queries = 0, keys = 0;
  std::vector<float> q, k, v;   // [queries or keys][heads * head_dim]
  std::vector<uint32_t> place;  // encoder: of each query in the square of keys, row-major
};

using AttentionSamples = std::map<std::string, std::vector<AttentionSample>, std::less<>>;

// Sees every site of the float reference and keeps what it needs of q, k and v.
class AttentionCollector {
 public:
  // per_site: samples of one attention, at most.
  AttentionCollector(const SamConfig& config, size_t per_site);
  void See(std::string_view site, std::span<const float> values, size_t channels);
  AttentionSamples Take() { return std::move(samples_); }

 private:
  struct Pending {
    AttentionSite site;
    size_t calls = 0;
    bool open = false;
    AttentionSample sample;
    std::vector<size_t> key_rows;  // encoder: of the window, in key order
  };
  bool Wants(const Pending& p) const;
  std::vector<size_t> Select(Pending& p, size_t rows) const;

  const size_t per_site_;
  std::map<std::string, std::pair<size_t, int>, std::less<>> parts_;  // site name: pending, q (0), k (1) or v (2)
  std::vector<Pending> pending_;
  AttentionSamples samples_;
};

// softmax(q k^T / sqrt(d) + relative positions) of all heads, [heads][queries][keys]. q and k as in the sample, perhaps
// quantized; the tables are the model's.
std::vector<float> Probabilities(const AttentionSite& site, const FloatModel& model, const AttentionSample& sample,
                                 std::span<const float> q, std::span<const float> k);
// probabilities * v: [queries][heads * head_dim].
std::vector<float> Mix(const AttentionSite& site, const AttentionSample& sample, std::span<const float> probabilities,
                       std::span<const float> v);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_ATTENTION_SAMPLE_H_
