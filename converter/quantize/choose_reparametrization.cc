#include "converter/quantize/choose_reparametrization.h"

#include <algorithm>
#include <cmath>

#include "converter/fp32/matmul.h"
#include "converter/fp32/parallel.h"
#include "converter/quantize/big.h"
#include "converter/quantize/reparametrize.h"
#include "converter/quantize/round_weights.h"

namespace intsam::internal {
namespace {

constexpr double kGain = 0.97;    // a change must leave less than this share of the error without it
constexpr size_t kRows = 256;     // of a sample, for layer outputs
constexpr double kAlike[] = {1};  // candidates round their weights by plain squared error

double SquareDistance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return sum;
}

// A candidate change of a site's channels: value' = (value - centre) / factor.
struct Change {
  std::string name;
  std::vector<float> centre, factors;
};

// Codes of the changed values, brought back to the old coordinates.
class ChangedSite {
 public:
  ChangedSite(const SiteStatistics& site, const Change& change, const QuantizeMethod& method, int bits, bool centred)
      : change_(change) {
    const size_t channels = site.channels();
    double lo = 0, hi = 0;
    for (size_t c = 0; c < channels; ++c) {
      lo = std::min<double>(lo, Forth(site.channel_min()[c], c));
      hi = std::max<double>(hi, Forth(site.channel_max()[c], c));
    }
    if (method.observer != Observer::kMse) {
      scale_ = centred ? CentredScale(std::max(-lo, hi), bits) : RangeScale(lo, hi, bits);
      return;
    }
    std::vector<float> changed(site.sample().begin(), site.sample().end());
    for (size_t i = 0; i < changed.size(); ++i) changed[i] = Forth(changed[i], i % channels);
    scale_ = LeastErrorScale(changed, channels, {}, lo, hi, bits, centred);
  }
  std::vector<float> Quantized(std::span<const float> values) const {
    std::vector<float> out;
    out.reserve(values.size());
    const size_t channels = std::max(change_.centre.size(), change_.factors.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t c = channels == 0 ? 0 : i % channels;
      const float coded = FakeQuantize(Forth(values[i], c), scale_);
      out.push_back(coded * (change_.factors.empty() ? 1 : change_.factors[c]) +
                    (change_.centre.empty() ? 0 : change_.centre[c]));
    }
    return out;
  }

 private:
  float Forth(float v, size_t c) const {
    if (!change_.centre.empty()) v -= change_.centre[c];
    return change_.factors.empty() ? v : v / change_.factors[c];
  }
  const Change& change_;
  ActivationScale scale_;
};

std::vector<float> Means(const SiteStatistics& site) {
  const std::vector<double> means = site.ChannelMeans();
  return {means.begin(), means.end()};
}
std::vector<float> Middles(const SiteStatistics& site) {
  std::vector<float> middles;
  for (size_t c = 0; c < site.channels(); ++c) middles.push_back((site.channel_min()[c] + site.channel_max()[c]) / 2);
  return middles;
}

// none, mean, middle, each with and without these factors.
std::vector<Change> Candidates(const SiteStatistics& site, bool centring, const std::vector<float>& factors) {
  std::vector<Change> changes = {{"none", {}, {}}};
  if (centring) changes.push_back({"mean", Means(site), {}}), changes.push_back({"middle", Middles(site), {}});
  for (size_t i = 0, n = changes.size(); i < n && !factors.empty(); ++i) {
    changes.push_back({changes[i].name, changes[i].centre, factors});
  }
  return changes;
}

// Largest distance from its middle, per channel.
std::vector<float> Spreads(const SiteStatistics& site) {
  std::vector<float> spreads;
  for (size_t c = 0; c < site.channels(); ++c) {
    spreads.push_back(std::max((site.channel_max()[c] - site.channel_min()[c]) / 2, 1e-6f));
  }
  return spreads;
}

// Factors f with q * f and k / f equally wide; the encoder's are alike in all heads, because the tables are.
std::vector<float> QueryFactors(const AttentionSite& a, const SiteStatistics& q, const SiteStatistics& k) {
  std::vector<float> factors(q.channels());
  const std::vector<float> wide_q = Spreads(q), wide_k = Spreads(k);
  for (size_t c = 0; c < factors.size(); ++c) {
    float most_q = wide_q[c], most_k = wide_k[c];
    for (size_t h = 0; a.has_relative_positions() && h < a.heads; ++h) {
      most_q = std::max(most_q, wide_q[h * a.head_dim + c % a.head_dim]);
      most_k = std::max(most_k, wide_k[h * a.head_dim + c % a.head_dim]);
    }
    factors[c] = std::sqrt(most_k / most_q);
  }
  return factors;
}

// Changes are judged as NormMigration's below: by photos that they were not made from. Those of one half of the calls
// are judged by samples of the other half, and the other way round.
class AttentionChooser {
 public:
  AttentionChooser(FloatModel& model, const Observations& seen, const BitProfile& bits, const QuantizeMethod& method,
                   const AttentionSite& site, AttentionReport& report)
      : model_(model),
        seen_(seen),
        method_(method),
        site_(site),
        report_(report),
        widths_(bits.Of(site)),
        centred_(widths_.activations == 8) {
    const uint64_t calls = Stats(".v").calls();
    for (const AttentionSample& sample : seen.attentions.at(site.name)) {
      judges_[2 * sample.call < calls ? kLater : kEarlier].push_back(&sample);
    }
  }

  // Query and key changes by the error of probabilities * V.
  void Scores() {
    std::vector<Change> changes = KeyChanges(Stats(".q"), Stats(".k"));
    std::vector<double> errors(changes.size());
    for (const Half half : {kEarlier, kLater}) {
      const SiteStatistics q = HalfOf(".q", half), k = HalfOf(".k", half);
      const std::vector<Change> of_half = KeyChanges(q, k);
      for (size_t i = 0; i < of_half.size(); ++i) {
        Change of_queries{"", {}, of_half[i].factors};
        for (float& f : of_queries.factors) f = 1 / f;
        errors[i] += ScoreError({q, of_queries, method_, widths_.activations, centred_},
                                {k, of_half[i], method_, widths_.activations, centred_}, half);
      }
    }
    const Change chosen = std::move(changes[Best(errors)]);
    report_.key_centre = chosen.name;
    if (!chosen.centre.empty()) CentreKeys(model_, site_, chosen.centre);
    if (chosen.factors.empty()) return;
    if (*std::min_element(chosen.factors.begin(), chosen.factors.end()) < 0) return Fold(chosen.factors);
    report_.queries_scaled = true;
    ScaleQueries(model_, site_, chosen.factors);
  }

  void Fold(std::span<const float> signs) {
    FoldSigns(model_, site_, signs);
    report_.flipped_channels = static_cast<size_t>(std::count(signs.begin(), signs.end(), -1.0f));
  }

  // Value changes by the error of the output layer's result, its weights rounded to nearest.
  void Values() {
    std::vector<Change> changes = ValueChanges(Stats(".v"));
    std::vector<double> errors(changes.size());
    for (const Half half : {kEarlier, kLater}) {
      const SiteStatistics v = HalfOf(".v", half), attended = HalfOf(seen_.statistics.at(site_.output + ".in"), half);
      const std::vector<Change> of_half = ValueChanges(v);
      for (size_t i = 0; i < of_half.size(); ++i) errors[i] += ValueError(v, attended, of_half[i], half);
    }
    const Change chosen = std::move(changes[Best(errors)]);
    report_.value_centre = chosen.name;
    report_.values_scaled = !chosen.factors.empty();
    if (!chosen.centre.empty()) CentreValues(model_, site_, chosen.centre);
    if (report_.values_scaled) ScaleValues(model_, site_, chosen.factors);
  }

 private:
  const SiteStatistics& Stats(const char* suffix) const { return seen_.statistics.at(site_.name + suffix); }

  // Of the calls, whose rows are in the order of the photos; a single one is both.
  enum Half { kEarlier, kLater };
  static SiteStatistics HalfOf(const SiteStatistics& site, Half half) {
    const size_t middle = site.sample_rows() / 2 * site.channels();
    SiteStatistics out;
    const auto sample = site.sample();
    out.Add(site.calls() < 2   ? sample
            : half == kEarlier ? sample.first(middle)
                               : sample.subspan(middle),
            site.channels());
    return out;
  }
  SiteStatistics HalfOf(const char* suffix, Half half) const { return HalfOf(Stats(suffix), half); }

  // Nothing is changed for a gain that may be chance.
  static size_t Best(const std::vector<double>& errors) {
    size_t best = 0;
    for (size_t i = 1; i < errors.size(); ++i) {
      if (errors[i] < errors[best] * (best == 0 ? kGain : 1)) best = i;
    }
    return best;
  }

  // The candidates for such queries and keys, and for such values.
  std::vector<Change> KeyChanges(const SiteStatistics& q, const SiteStatistics& k) const {
    std::vector<Change> changes =
        Candidates(k, method_.key_centring, method_.channel_scaling ? QueryFactors(site_, q, k) : std::vector<float>());
    if (method_.big && report_.key_peaks == 2 && site_.token_to_image) changes.push_back({"none", {}, KeySigns(k)});
    return changes;
  }
  std::vector<Change> ValueChanges(const SiteStatistics& v) const {
    std::vector<float> factors;
    for (const float spread : Spreads(v)) factors.push_back(std::sqrt(spread));
    return Candidates(v, method_.value_centring, method_.channel_scaling ? factors : std::vector<float>());
  }

  // What changes made from one half cost in the other.
  double ScoreError(const ChangedSite& q, const ChangedSite& k, Half made_from) const {
    double error = 0;
    for (const AttentionSample* judge : judges_[made_from]) {
      const AttentionSample& s = *judge;
      const std::vector<float> exact = Mix(site_, s, Probabilities(site_, model_, s, s.q, s.k), s.v);
      const std::vector<float> coded =
          Mix(site_, s, Probabilities(site_, model_, s, q.Quantized(s.q), k.Quantized(s.k)), s.v);
      error += SquareDistance(exact, coded);
    }
    return error;
  }

  double ValueError(const SiteStatistics& v, const SiteStatistics& attended, const Change& change,
                    Half made_from) const {
    const std::vector<float>& weight = model_.at(site_.output + ".weight");
    const size_t in = size_t{site_.heads} * site_.head_dim, out = weight.size() / in;
    const ChangedSite coded_v(v, change, method_, widths_.activations, centred_);
    const ChangedSite coded_out(attended, change, method_, widths_.activations, centred_);
    std::vector<float> scaled = weight;
    for (size_t i = 0; i < scaled.size() && !change.factors.empty(); ++i) scaled[i] *= change.factors[i % in];
    std::vector<float> rounded =
        Dequantize(RoundWeights(scaled, out, in, {widths_.weights, method_.weight_search, kAlike, nullptr}));
    for (size_t i = 0; i < rounded.size() && !change.factors.empty(); ++i) rounded[i] /= change.factors[i % in];
    double error = 0;
    for (const AttentionSample* judge : judges_[made_from]) {
      const AttentionSample& s = *judge;
      const std::vector<float> p = Probabilities(site_, model_, s, s.q, s.k);
      const std::vector<float> exact = Mix(site_, s, p, s.v);
      const std::vector<float> coded = coded_out.Quantized(Mix(site_, s, p, coded_v.Quantized(s.v)));
      std::vector<float> y(s.queries * out), y_coded(s.queries * out);
      fp32::Product(fp32::Transpose::kYes, s.queries, out, in, exact.data(), in, weight.data(), in, y.data(), out);
      fp32::Product(fp32::Transpose::kYes, s.queries, out, in, coded.data(), in, rounded.data(), in, y_coded.data(),
                    out);
      error += SquareDistance(y, y_coded);
    }
    return error;
  }

  FloatModel& model_;
  const Observations& seen_;
  const QuantizeMethod& method_;
  const AttentionSite& site_;
  AttentionReport& report_;
  const BitWidths widths_;
  const bool centred_;
  std::vector<const AttentionSample*> judges_[2];  // of what was made from a half: samples of the other
};

// Scales (and channel middles) move from a norm into the layer behind it: factors a[c]^e / w[c]^(1-e), a the largest
// activation and w the largest weight of a channel (SmoothQuant, Xiao et al., ICML 2023; Outlier Suppression+, Wei et
// al., EMNLP 2023). The exponent is the one with the least error of the layer's output, for rows that its factors were
// not made from: where photos differ more than the tokens of one do, factors that fit those seen clip all others.
class NormMigration {
 public:
  NormMigration(FloatModel& model, const Observations& seen, const BitProfile& bits, const QuantizeMethod& method)
      : model_(model), seen_(seen), bits_(bits), method_(method) {}

  void Choose(const LayerSite& layer, LayerReport& report) {
    const SiteStatistics& site = seen_.statistics.at(layer.name + ".in");
    const size_t channels = site.channels(), taps = layer.taps;
    const std::vector<float>& weight = model_.at(layer.name + ".weight");
    std::vector<float> widest(channels, 1e-9f);
    for (size_t i = 0; i < weight.size(); ++i) {
      float& w = widest[i % layer.in / taps];
      w = std::max(w, std::fabs(weight[i]));
    }
    // Rows of the sample are in the order of the photos.
    const size_t half = std::max<size_t>(1, site.sample_rows() / 2) * channels;
    SiteStatistics fitted;
    fitted.Add(site.sample().first(half), channels);
    const std::span<const float> others = site.sample().subspan(site.sample_rows() > 1 ? half : 0);
    double least = OutputError(fitted, others, layer, {"none", {}, std::vector<float>(channels, 1.0f)}) * kGain;
    for (const bool shift : {false, true}) {
      if (shift && !layer.may_shift) continue;
      for (const double exponent : {0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85}) {
        if (exponent == 0 && !shift) continue;
        const double error = OutputError(fitted, others, layer, ChangeOf(fitted, widest, shift, exponent));
        if (error >= least) continue;
        least = error;
        report.migration = exponent, report.shifted = shift;
      }
    }
    if (report.migration == 0 && !report.shifted) return;
    const Change chosen = ChangeOf(site, widest, report.shifted, report.migration);
    MigrateNorm(model_, layer, chosen.factors, chosen.centre);
  }

 private:
  static Change ChangeOf(const SiteStatistics& site, const std::vector<float>& widest, bool shift, double exponent) {
    const std::vector<float> centre = shift ? Middles(site) : std::vector<float>();
    return {"", centre, Factors(site, widest, centre, exponent)};
  }

  static std::vector<float> Factors(const SiteStatistics& site, const std::vector<float>& widest,
                                    const std::vector<float>& centre, double exponent) {
    std::vector<float> factors(widest.size(), 1.0f);
    if (exponent == 0) return factors;
    double mean = 0;
    for (size_t c = 0; c < factors.size(); ++c) {
      const float middle = centre.empty() ? 0 : centre[c];
      const double a = std::max({middle - site.channel_min()[c], site.channel_max()[c] - middle, 1e-5f});
      factors[c] = static_cast<float>(std::pow(a, exponent) / std::pow(double{widest[c]}, 1 - exponent));
      mean += std::log(factors[c]) / static_cast<double>(factors.size());
    }
    // The common factor means nothing; kept near one so that no table leaves its range. Nor does any channel by far.
    for (float& f : factors) f = std::clamp(f / static_cast<float>(std::exp(mean)), 1.0f / 64, 64.0f);
    return factors;
  }

  // Of some of these rows of inputs, with ranges of `site`.
  double OutputError(const SiteStatistics& site, std::span<const float> inputs, const LayerSite& layer,
                     const Change& change) const {
    const BitWidths widths = bits_.Of(layer);
    const size_t channels = site.channels(), count = inputs.size() / channels, rows = std::min(kRows, count);
    const size_t step = count / std::max<size_t>(rows, 1);
    std::vector<float> x;
    for (size_t r = 0; r < rows; ++r) {
      const auto row = inputs.subspan(r * step * channels, channels);
      x.insert(x.end(), row.begin(), row.end());
    }
    const ChangedSite coded(site, change, method_, widths.activations, false);
    std::vector<float> x_coded = coded.Quantized(x);
    const size_t taps = layer.taps, out = layer.out;
    const std::vector<float>& weight = model_.at(layer.name + ".weight");
    std::vector<float> scaled = weight;
    for (size_t i = 0; i < scaled.size(); ++i) scaled[i] *= change.factors[i % layer.in / taps];
    std::vector<float> rounded =
        Dequantize(RoundWeights(scaled, out, layer.in, {widths.weights, method_.weight_search, kAlike, nullptr}));
    for (size_t i = 0; i < rounded.size(); ++i) rounded[i] /= change.factors[i % layer.in / taps];
    // A 3x3 convolution is judged by its middle tap.
    std::vector<float> y(rows * out), y_coded(rows * out);
    const auto multiply = [&](const std::vector<float>& in, const std::vector<float>& w, std::vector<float>& to) {
      std::vector<float> tap;
      if (taps > 1) {
        for (size_t i = taps / 2; i < w.size(); i += taps) tap.push_back(w[i]);
      }
      fp32::Product(fp32::Transpose::kYes, rows, out, channels, in.data(), channels, taps > 1 ? tap.data() : w.data(),
                    channels, to.data(), out);
    };
    multiply(x, weight, y);
    multiply(x_coded, rounded, y_coded);
    return SquareDistance(y, y_coded);
  }

  FloatModel& model_;
  const Observations& seen_;
  const BitProfile& bits_;
  const QuantizeMethod& method_;
};

// Channels between a layer and the one behind its ReLU, which may be scaled freely: to equal width.
void ScaleHidden(FloatModel& model, const Observations& seen, const LayerSite& layer) {
  std::vector<float> factors, inverse;
  for (const float most : seen.statistics.at(layer.relu_reader + ".in").channel_max()) {
    factors.push_back(std::clamp(std::sqrt(std::max(most, 1e-4f)), 0.05f, 20.0f));
    inverse.push_back(1 / factors.back());
  }
  ScaleRows(model, layer.name, 0, inverse);
  ScaleColumns(model, layer.relu_reader, 1, factors);
}

}  // namespace

void Reparametrize(FloatModel& model, const Observations& seen, const BitProfile& bits, const QuantizeMethod& method,
                   int threads, const StageProgress& progress, QuantizeReport& report) {
  const std::vector<AttentionSite> attentions = QuantizedAttentions(model.config);
  const std::vector<LayerSite> layers = QuantizedLayers(model.config);
  for (const AttentionSite& site : attentions) report.attentions.try_emplace(site.name);
  for (const LayerSite& layer : layers) report.layers.try_emplace(layer.name);
  ThreadPool pool(fp32::ReferenceThreads(threads));

  StepCounter changed_attentions(Stage(progress, "changing attentions"), attentions.size());
  fp32::ParallelItems(pool, attentions.size(), fp32::kMinimumParallelWork, [&](size_t i, int) {
    const AttentionSite& site = attentions[i];
    AttentionReport& r = report.attentions.at(site.name);
    AttentionChooser chooser(model, seen, bits, method, site, r);
    // Values first: they are judged with the queries that were seen, which need the relative positions as they were.
    if (method.value_centring || method.channel_scaling) chooser.Values();
    if (method.key_centring || method.channel_scaling) {
      chooser.Scores();  // signs are one of the candidates
    } else if (method.big && site.token_to_image && r.key_peaks == 2) {
      chooser.Fold(KeySigns(seen.statistics.at(site.name + ".k")));
    }
    changed_attentions.Done(site.name);
  });

  NormMigration migration(model, seen, bits, method);
  StepCounter changed_layers(Stage(progress, "changing layers"), layers.size());
  fp32::ParallelItems(pool, layers.size(), fp32::kMinimumParallelWork, [&](size_t i, int) {
    const LayerSite& layer = layers[i];
    LayerReport& r = report.layers.at(layer.name);
    if (method.migration && !layer.input_norm.empty()) migration.Choose(layer, r);
    if (method.channel_scaling && !layer.relu_reader.empty()) ScaleHidden(model, seen, layer);
    changed_layers.Done(layer.name);
  });
}

}  // namespace intsam::internal
