#include "converter/quantize/attention_sample.h"

#include <algorithm>
#include <cmath>

#include "converter/fp32/matmul.h"

namespace intsam::internal {
namespace {

constexpr size_t kQueries = 40;        // of one sample
constexpr size_t kDecoderStride = 31;  // calls between two samples: another photo and another kind of prompt each time

}  // namespace

AttentionCollector::AttentionCollector(const SamConfig& config, size_t per_site) : per_site_(per_site) {
  for (const AttentionSite& site : QuantizedAttentions(config)) {
    const char* suffixes[] = {".q", ".k", ".v"};
    for (int part = 0; part < 3; ++part) parts_[site.name + suffixes[part]] = {pending_.size(), part};
    pending_.push_back({site, 0, false, {}, {}});
  }
}

bool AttentionCollector::Wants(const Pending& p) const {
  if (p.site.side == 0 && p.calls % kDecoderStride != 0) return false;
  const auto kept = samples_.find(p.site.name);
  return kept == samples_.end() || kept->second.size() < per_site_;
}

// Which window, and which rows of q: windows in the middle and at the padded corner take turns.
std::vector<size_t> AttentionCollector::Select(Pending& p, size_t rows) const {
  const size_t side = p.site.side, grid = p.site.grid;
  std::vector<size_t> candidates;
  std::vector<uint32_t> places;
  p.sample = {};
  p.sample.call = p.calls;
  p.key_rows.clear();
  for (size_t i = 0; side == 0 && i < rows; ++i) candidates.push_back(i);
  const size_t windows = side == 0 ? 0 : (grid + side - 1) / side;
  const size_t window = p.calls % 2 == 0 ? windows / 2 : windows - 1;
  for (size_t key = 0; key < side * side; ++key) {
    const size_t y = window * side + key / side, x = window * side + key % side;
    const bool real = y < grid && x < grid;
    p.key_rows.push_back(real ? y * grid + x : grid * grid);  // the last row is the padding token's
    if (real) candidates.push_back(y * grid + x), places.push_back(static_cast<uint32_t>(key));
  }
  p.sample.queries = std::min(kQueries, candidates.size());
  p.sample.keys = p.key_rows.size();
  std::vector<size_t> chosen;
  for (size_t i = 0; i < p.sample.queries; ++i) {
    const size_t at = (2 * i + 1) * candidates.size() / (2 * p.sample.queries);
    chosen.push_back(candidates[at]);
    if (side != 0) p.sample.place.push_back(places[at]);
  }
  return chosen;
}

void AttentionCollector::See(std::string_view name, std::span<const float> values, size_t channels) {
  const auto found = parts_.find(name);
  if (found == parts_.end()) return;
  Pending& p = pending_[found->second.first];
  const int part = found->second.second;
  const size_t rows = values.size() / channels;
  const auto row = [&](size_t r) { return values.subspan(r * channels, channels); };
  if (part == 0) {
    p.open = Wants(p);
    if (p.open) {
      for (const size_t r : Select(p, rows)) p.sample.q.insert(p.sample.q.end(), row(r).begin(), row(r).end());
    }
  } else if (p.open) {
    std::vector<float>& to = part == 1 ? p.sample.k : p.sample.v;
    if (p.site.side == 0) {
      p.sample.keys = rows;
      to.assign(values.begin(), values.end());
    } else {
      for (const size_t r : p.key_rows) to.insert(to.end(), row(r).begin(), row(r).end());
    }
  }
  if (part != 2) return;
  ++p.calls;
  if (p.open) samples_[p.site.name].push_back(std::move(p.sample));
  p.open = false;
}

std::vector<float> Probabilities(const AttentionSite& site, const FloatModel& model, const AttentionSample& sample,
                                 std::span<const float> q, std::span<const float> k) {
  const size_t dim = site.head_dim, stride = site.heads * dim, side = site.side;
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  const bool relative = site.has_relative_positions();
  const float* rel_h = relative ? model.at(site.name + ".rel_pos_h").data() : nullptr;
  const float* rel_w = relative ? model.at(site.name + ".rel_pos_w").data() : nullptr;
  const float* biases = site.biases.empty() ? nullptr : model.at(site.biases).data();
  const auto distance = [](size_t a, size_t b) { return a < b ? b - a : a - b; };
  const auto dot = [&](const float* a, const float* b) {
    float sum = 0;
    for (size_t d = 0; d < dim; ++d) sum += a[d] * b[d];
    return sum;
  };
  std::vector<float> out(site.heads * sample.queries * sample.keys), h(side), w(side);
  for (size_t head = 0; head < site.heads; ++head) {
    float* scores = out.data() + head * sample.queries * sample.keys;
    fp32::Product(fp32::Transpose::kYes, sample.queries, sample.keys, dim, q.data() + head * dim, stride,
                  k.data() + head * dim, stride, scores, sample.keys);
    for (size_t i = 0; i < sample.queries; ++i) {
      float* row = scores + i * sample.keys;
      for (size_t j = 0; j < sample.keys; ++j) row[j] *= scale;
      if (biases != nullptr) {
        const size_t y = sample.place[i] / side, x = sample.place[i] % side;
        for (size_t j = 0; j < sample.keys; ++j)
          row[j] += biases[(head * side + distance(y, j / side)) * side + distance(x, j % side)];
      }
      if (relative) {
        const float* query = q.data() + i * stride + head * dim;
        const size_t y = sample.place[i] / side, x = sample.place[i] % side;
        for (size_t t = 0; t < side; ++t) {
          h[t] = dot(query, rel_h + (y + side - 1 - t) * dim);
          w[t] = dot(query, rel_w + (x + side - 1 - t) * dim);
        }
        for (size_t j = 0; j < sample.keys; ++j) row[j] += h[j / side] + w[j % side];
      }
      const float most = *std::max_element(row, row + sample.keys);
      double sum = 0;
      for (size_t j = 0; j < sample.keys; ++j) sum += row[j] = std::exp(row[j] - most);
      const auto reciprocal = static_cast<float>(1 / sum);
      for (size_t j = 0; j < sample.keys; ++j) row[j] *= reciprocal;
    }
  }
  return out;
}

std::vector<float> Mix(const AttentionSite& site, const AttentionSample& sample, std::span<const float> probabilities,
                       std::span<const float> v) {
  const size_t dim = site.head_dim, stride = site.heads * dim;
  std::vector<float> out(sample.queries * stride);
  for (size_t head = 0; head < site.heads; ++head) {
    fp32::Product(fp32::Transpose::kNo, sample.queries, dim, sample.keys,
                  probabilities.data() + head * sample.queries * sample.keys, sample.keys, v.data() + head * dim,
                  stride, out.data() + head * dim, stride);
  }
  return out;
}

}  // namespace intsam::internal
