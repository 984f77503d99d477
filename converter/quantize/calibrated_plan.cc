#include "converter/quantize/calibrated_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "converter/fp32/matmul.h"
#include "converter/fp32/parallel.h"
#include "converter/quantize/big.h"
#include "converter/quantize/round_weights.h"
#include "runtime/format/decoder_attention.h"

namespace intsam::internal {
namespace {

constexpr size_t kHistogramBins = 64;
constexpr int kUndecided = 0;
constexpr int kTokenBits = 8;   // of what few tokens are turned into, in every profile
constexpr int kValueBits = 16;  // of a stream, and of s16 queries, values and results

class Planner {
 public:
  Planner(const FloatModel& model, Observations& seen, const BitProfile& bits, const QuantizeMethod& method,
          QuantizationPlan& plan, QuantizeReport& report)
      : model_(model), seen_(seen), bits_(bits), method_(method), plan_(plan), report_(report) {}

  // Every entry that the tasks below decide, so that they change no map while others read it. Those of the plan that
  // are decided already have bits.
  Status Prepare(const QuantizedSites& sites) {
    const auto need = [&](const std::string& site) {
      ActivationScale& scale = plan_.activations.try_emplace(site, ActivationScale{1, 0, kUndecided}).first->second;
      return scale.bits != kUndecided ? Status() : seen_.statistics.Require(site);
    };
    const bool imported = !plan_.weights.empty();  // and its sites are those of projected image rows
    for (const AttentionSite& site : sites.attentions) {
      for (const char* part : {".q", ".k", ".v"}) INTSAM_TRY(need(site.name + part));
      INTSAM_TRY(need(site.output + ".in"));
      if (!seen_.attentions.contains(site.name))
        return Error(Code::kInternal, "calibration never observed %s", site.name.c_str());
      if (!imported && TakesForm(site, method_)) TakeForm(site);
      plan_.softmax.try_emplace(site.name, SoftmaxCoding{SoftmaxCoding::kExact, kUndecided, 1, 1});
      report_.attentions.try_emplace(site.name);
    }
    for (const std::string& site : sites.signed_bytes) INTSAM_TRY(need(site));
    for (const LayerSite& layer : sites.layers) {
      // Image rows that are keys and values themselves are codes.
      if (!imported && layer.reads_stream && method_.stream_values && !image_rows_.contains(layer.name)) {
        plan_.as_values.insert(layer.name + ".in");
      } else {
        INTSAM_TRY(need(layer.name + ".in"));
      }
      INTSAM_TRY(seen_.statistics.Require(layer.name + ".in"));
      if (!IsMoved(layer.name)) plan_.weights.try_emplace(layer.name);
      report_.layers.try_emplace(layer.name);
    }
    return Status();
  }

  void SignedByte(const std::string& site) { Activation(site, 8, true, {}); }

  void Attention(const AttentionSite& site) {
    const BitWidths widths = bits_.Of(site);
    const AttentionBits bits = BitsOf(site, widths.activations);
    // An error in q costs what the keys make of it, and the other way round; one in v what the output layer does.
    Activation(site.name + ".q", bits.q, bits.q >= 8, Moments(site.name + ".k"));
    Activation(site.name + ".k", bits.k, bits.k >= 8, Moments(site.name + ".q"));
    Activation(site.name + ".v", bits.v, bits.v >= 8, ColumnMoments(site.output, 1));
    Activation(site.output + ".in", bits.out, bits.out >= 8, ColumnMoments(site.output, 1));
    AttentionReport& report = report_.attentions.at(site.name);
    const std::vector<AttentionSample>& samples = seen_.attentions.at(site.name);
    report.key_step = plan_.activations.at(site.name + ".k").scale;
    report.score_error = ScoreError(site, samples);
    SoftmaxCoding& coding = plan_.softmax.at(site.name);
    if (coding.bits == kUndecided) {
      const SoftmaxPolicy policy = plan_.forms.contains(site.name) ? SoftmaxPolicy::kExact : method_.softmax;
      report.softmax = ChooseSoftmax(site, model_, samples, widths.activations, policy,
                                     method_.observer == Observer::kMse, OutputError(site));
      coding = report.softmax.coding;
    }
    report.softmax.coding = coding;
  }

  void Layer(const LayerSite& layer) {
    const BitWidths widths = bits_.Of(layer);
    const bool centred = widths.activations == 8 && image_rows_.contains(layer.name);
    const bool as_values = plan_.as_values.contains(layer.name + ".in");
    if (!as_values) Activation(layer.name + ".in", widths.activations, centred, ColumnMoments(layer.name, layer.taps));
    LayerReport& report = report_.layers.at(layer.name);
    const auto token_layer = token_layers_.find(layer.name);
    const std::string input = token_layer == token_layers_.end() ? layer.name + ".in" : token_layer->second.input;
    report.widths = {widths.weights, as_values ? kValueBits : plan_.activations.at(input).bits};
    if (IsMoved(layer.name)) {
      report.widths.weights = kTokenBits;
      return;
    }
    WeightCodes& codes = plan_.weights.at(layer.name);
    if (codes.codes.empty()) {
      // What comes from a padded window is zero, whose output a bias would change as well.
      const bool correct = method_.bias_correction && layer.has_bias && (layer.input_norm.empty() || layer.may_shift);
      codes = Rounded(layer, widths.weights, correct);
      Outputs(layer, codes, correct, report);
    } else {
      report.widths.weights = codes.bits;
      Outputs(layer, codes, false, report);
    }
  }

 private:
  // Bits of what is coded. Tokens are few, so that what belongs to them takes no time worth saving.
  struct AttentionBits {
    int q, k, v, out;
  };
  AttentionBits BitsOf(const AttentionSite& site, int bits) const {
    const auto form = plan_.forms.find(site.name);
    if (form == plan_.forms.end()) return {bits, bits, bits, bits};
    if (form->second == DecoderAttention::kInWords) return {kValueBits, kTokenBits, kValueBits, kValueBits};
    if (!site.token_to_image) return {kValueBits, kTokenBits, kTokenBits, bits};
    return {kTokenBits, bits, bits, kTokenBits};
  }

  // Of an attention that projects tokens.
  struct TokenLayer {
    std::string input;   // the site that it reads there
    bool moved = false;  // its weights are not those of the plan (converter/quantize/mask_decoder.cc)
  };

  // The Gram matrices are gone afterwards. `corrected`: the bias will make up for the mean error of each output.
  WeightCodes Rounded(const LayerSite& layer, int bits, bool corrected) {
    const std::vector<float>& weight = model_.at(layer.name + ".weight");
    std::vector<Gram> grams;
    if (const auto found = seen_.grams.find(layer.name); found != seen_.grams.end()) {
      grams = seen_.keep_grams ? found->second : std::move(found->second);
    }
    if (corrected) std::for_each(grams.begin(), grams.end(), [](Gram& gram) { gram.Centre(); });
    if (layer.depthwise) return RoundDepthwise(weight, layer.out, {bits, method_.weight_search, {}, nullptr}, grams);
    std::vector<double> moment;
    if (method_.observer == Observer::kMse) moment = Moments(layer.name + ".in");
    return RoundWeights(weight, layer.out, layer.in,
                        {bits, method_.weight_search, moment, grams.empty() ? nullptr : &grams.front()});
  }

  void TakeForm(const AttentionSite& site) {
    plan_.forms[site.name] = site.form;
    if (site.form == DecoderAttention::kInWords) return;
    token_layers_[MovedLayer(site)] = {site.name + (site.token_to_image ? ".q" : ".v"), true};
    if (!site.token_to_image) return;
    const std::string &k = site.projections[1].layer, &v = site.projections[2].layer;
    image_rows_.insert({k, v});
    token_layers_[v] = {site.name + ".mix", false};
  }

  bool IsMoved(const std::string& layer) const {
    const auto found = token_layers_.find(layer);
    return found != token_layers_.end() && found->second.moved;
  }

  void Activation(const std::string& site, int bits, bool centred, std::span<const double> importance) {
    ActivationScale& scale = plan_.activations.at(site);
    if (scale.bits != kUndecided) return;
    scale = Observe(seen_.statistics.at(site), method_.observer, bits, centred, importance);
  }

  // Mean square of every channel of a site.
  std::vector<double> Moments(const std::string& site) const {
    if (!seen_.statistics.Has(site)) return {};
    const SiteStatistics& s = seen_.statistics.at(site);
    std::vector<double> moments(s.channels(), 1e-12);
    for (size_t i = 0; i < s.sample().size(); ++i) moments[i % s.channels()] += double{s.sample()[i]} * s.sample()[i];
    return moments;
  }
  // Sum of squares of every column of a layer's weight; of all taps of a convolution.
  std::vector<double> ColumnMoments(const std::string& layer, size_t taps) const {
    const std::vector<float>& weight = model_.at(layer + ".weight");
    const size_t channels = seen_.statistics.Has(layer + ".in") ? seen_.statistics.at(layer + ".in").channels() : 1;
    std::vector<double> moments(channels, 1e-12);
    for (size_t i = 0; i < weight.size(); ++i) moments[i / taps % channels] += double{weight[i]} * weight[i];
    return moments;
  }

  double ScoreError(const AttentionSite& site, const std::vector<AttentionSample>& samples) const {
    const ActivationScale &q = plan_.activations.at(site.name + ".q"), &k = plan_.activations.at(site.name + ".k");
    double error = 0, norm = 0;
    for (const AttentionSample& s : samples) {
      const std::vector<float> exact = Mix(site, s, Probabilities(site, model_, s, s.q, s.k), s.v);
      const std::vector<float> coded =
          Mix(site, s, Probabilities(site, model_, s, FakeQuantize(s.q, q), FakeQuantize(s.k, k)), s.v);
      for (size_t i = 0; i < exact.size(); ++i) {
        error += (double{exact[i]} - coded[i]) * (double{exact[i]} - coded[i]), norm += double{exact[i]} * exact[i];
      }
    }
    return std::sqrt(error / std::max(norm, 1e-30));
  }

  // Relative error of coding the attention's output.
  double OutputError(const AttentionSite& site) const {
    const SiteStatistics& s = seen_.statistics.at(site.output + ".in");
    const ActivationScale& scale = plan_.activations.at(site.output + ".in");
    double error = 0, norm = 0;
    for (const float v : s.sample()) {
      const double e = double{FakeQuantize(v, scale)} - v;
      error += e * e, norm += double{v} * v;
    }
    return std::sqrt(error / std::max(norm, 1e-30));
  }

  // Over the sample of its inputs: the error of the layer's output, and its mean per channel into the bias.
  void Outputs(const LayerSite& layer, WeightCodes& codes, bool correct, LayerReport& report) const {
    const SiteStatistics& s = seen_.statistics.at(layer.name + ".in");
    const size_t channels = s.channels(), rows = s.sample_rows(), out = layer.out;
    const std::vector<float> weight = Collapsed(model_.at(layer.name + ".weight"), layer.taps);
    const std::vector<float> rounded = Collapsed(Dequantize(codes), layer.taps);
    const std::string input = layer.name + ".in";
    const std::vector<float> coded = plan_.as_values.contains(input)
                                         ? std::vector<float>(s.sample().begin(), s.sample().end())
                                         : FakeQuantize(s.sample(), plan_.activations.at(input));
    std::vector<float> y(rows * out), y_coded(rows * out);
    const auto multiply = [&](std::span<const float> x, const std::vector<float>& w, std::vector<float>& to) {
      for (size_t i = 0; i < to.size() && layer.depthwise; ++i) to[i] = x[i] * w[i % out];
      if (layer.depthwise) return;
      fp32::Product(fp32::Transpose::kYes, rows, out, channels, x.data(), channels, w.data(), channels, to.data(), out);
    };
    multiply(s.sample(), weight, y);
    multiply(coded, rounded, y_coded);
    std::vector<double> mean(out);
    double error = 0, norm = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      const double difference = double{y[i]} - y_coded[i];
      mean[i % out] += difference / static_cast<double>(rows);
      error += difference * difference, norm += double{y[i]} * y[i];
    }
    report.output_error = std::sqrt(error / std::max(norm, 1e-30));
    if (!correct) return;
    codes.bias = model_.at(layer.name + ".bias");
    for (size_t n = 0; n < out; ++n) codes.bias[n] += static_cast<float>(mean[n]);
  }

  // A convolution over a constant neighbourhood: the sum of its taps.
  static std::vector<float> Collapsed(const std::vector<float>& weight, size_t taps) {
    std::vector<float> sums(weight.size() / taps);
    for (size_t i = 0; i < weight.size(); ++i) sums[i / taps] += weight[i];
    return sums;
  }

  const FloatModel& model_;
  Observations& seen_;
  const BitProfile& bits_;
  const QuantizeMethod& method_;
  QuantizationPlan& plan_;
  QuantizeReport& report_;
  std::set<std::string, std::less<>> image_rows_;  // layers whose inputs are keys or values as they are
  std::map<std::string, TokenLayer, std::less<>> token_layers_;
};

Histogram HistogramOf(const SiteStatistics& site) {
  Histogram h{site.min(), site.max(), std::vector<uint32_t>(kHistogramBins)};
  const double width = std::max(h.hi - h.lo, 1e-12) / kHistogramBins;
  for (const float v : site.sample()) {
    ++h.counts[std::min(kHistogramBins - 1, static_cast<size_t>(std::max(0.0, (v - h.lo) / width)))];
  }
  return h;
}

}  // namespace

Status CompletePlan(const FloatModel& model, Observations& seen, const BitProfile& bits, const QuantizeMethod& method,
                    int threads, const StageProgress& progress, QuantizationPlan& plan, QuantizeReport& report) {
  Planner planner(model, seen, bits, method, plan, report);
  const QuantizedSites sites = SitesOf(model.config);
  const std::vector<AttentionSite>& attentions = sites.attentions;
  const std::vector<LayerSite>& layers = sites.layers;
  INTSAM_TRY(planner.Prepare(sites));
  for (const std::string& site : sites.signed_bytes) planner.SignedByte(site);
  ThreadPool pool(fp32::ReferenceThreads(threads));
  StepCounter coded(Stage(progress, "coding attentions"), attentions.size());
  fp32::ParallelItems(pool, attentions.size(), fp32::kMinimumParallelWork,
                      [&](size_t i, int) { planner.Attention(attentions[i]), coded.Done(attentions[i].name); });
  StepCounter rounded(Stage(progress, "rounding layers"), layers.size());
  fp32::ParallelItems(pool, layers.size(), fp32::kMinimumParallelWork,
                      [&](size_t i, int) { planner.Layer(layers[i]), rounded.Done(layers[i].name); });
  return Status();
}

bool TakesForm(const AttentionSite& site, const QuantizeMethod& method) {
  switch (site.form) {
    case DecoderAttention::kOnTokens: return method.token_projections && method.exact_softmax();
    case DecoderAttention::kInWords: return method.stream_values && method.exact_softmax();
    default: return false;
  }
}

std::vector<LayerSite> RoundedLayers(const SamConfig& config, const QuantizeMethod& method) {
  QuantizedSites sites = SitesOf(config);
  for (const AttentionSite& site : sites.attentions) {
    if (site.form != DecoderAttention::kOnTokens || !TakesForm(site, method)) continue;
    std::erase_if(sites.layers, [&](const LayerSite& layer) { return layer.name == MovedLayer(site); });
  }
  return std::move(sites.layers);
}

std::vector<LayerSite> GramLayers(const SamConfig& config, const QuantizeMethod& method) {
  return method.error_feedback ? RoundedLayers(config, method) : std::vector<LayerSite>();
}

void ReportKeys(const SamConfig& config, const Observations& seen, bool after, QuantizeReport& report) {
  for (const AttentionSite& site : QuantizedAttentions(config)) {
    const auto sample = seen.attentions.find(site.name);
    if (sample == seen.attentions.end() || !seen.statistics.Has(site.name + ".k")) continue;
    AttentionReport& r = report.attentions[site.name];
    // The test is over the keys of one prompt (ptq4sam/solver/test_quant.py); the encoder has windows instead.
    (after ? r.key_peaks_after : r.key_peaks) = CountPeaks(sample->second.front().k);
    (after ? r.keys_after : r.keys_before) = HistogramOf(seen.statistics.at(site.name + ".k"));
  }
}

}  // namespace intsam::internal
