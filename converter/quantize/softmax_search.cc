#include "converter/quantize/softmax_search.h"

#include <algorithm>
#include <cmath>

namespace intsam::internal {
namespace {

constexpr double kPower = 2.4;
constexpr double kExactError = 2e-4;  // E16's own (docs/numerics.md 6.3)
constexpr double kTolerance = 1.01;

// One sample with what does not depend on the coding.
struct Problem {
  const AttentionSample* sample;
  std::vector<float> probabilities, mixed;
  float most;
};

struct Errors {
  double objective = 0;         // mean |difference|^2.4, summed over samples
  double square = 0, norm = 0;  // for the relative L2 error
  double relative() const { return std::sqrt(square / std::max(norm, 1e-30)); }
};

Errors Measure(const AttentionSite& site, const Problem& p, const SoftmaxCoding& coding) {
  const std::vector<float> mixed = Mix(site, *p.sample, CodedProbabilities(p.probabilities, coding), p.sample->v);
  Errors e;
  for (size_t i = 0; i < mixed.size(); ++i) {
    const double difference = double{mixed[i]} - p.mixed[i];
    e.objective += std::pow(std::fabs(difference), kPower);
    e.square += difference * difference, e.norm += double{p.mixed[i]} * p.mixed[i];
  }
  e.objective /= static_cast<double>(std::max<size_t>(mixed.size(), 1));
  return e;
}

// The least objective over log-spaced scales of lo..hi, refined around the best: the objective repeats itself with
// every octave / tau, so a search from one starting point would stop in the nearest dip.
double SearchScale(const AttentionSite& site, const Problem& p, SoftmaxCoding coding, double lo, double hi) {
  double best = hi, least = -1;
  const auto consider = [&](double scale) {
    coding.scale = scale;
    const double error = Measure(site, p, coding).objective;
    if (least < 0 || error < least) least = error, best = scale;
  };
  constexpr int kSteps = 14;
  const double ratio = std::pow(lo / hi, 1.0 / kSteps);
  for (int i = 0; i <= kSteps; ++i) consider(hi * std::pow(ratio, i));
  for (double step = std::sqrt(ratio); step < 0.99; step = std::sqrt(step)) {
    const double centre = best;
    consider(std::min(centre / step, hi));
    consider(std::max(centre * step, lo));
  }
  return best;
}

Errors Total(const AttentionSite& site, const std::vector<Problem>& problems, const SoftmaxCoding& coding) {
  Errors total;
  for (const Problem& p : problems) {
    const Errors e = Measure(site, p, coding);
    total.objective += e.objective, total.square += e.square, total.norm += e.norm;
  }
  return total;
}

}  // namespace

float CodedProbability(float p, const SoftmaxCoding& coding) { return CodedProbabilities({&p, 1}, coding)[0]; }

// Decoded values of all codes, largest first, so that coding one probability is a table walk only for the powers.
std::vector<float> CodedProbabilities(std::span<const float> probabilities, const SoftmaxCoding& c) {
  std::vector<float> out(probabilities.begin(), probabilities.end());
  if (c.kind == SoftmaxCoding::kExact) return out;
  if (c.kind == SoftmaxCoding::kUniform) {
    const auto inverse = static_cast<float>(1 / c.scale), step = static_cast<float>(c.scale);
    const auto most = static_cast<float>((1 << c.bits) - 1);
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = std::min(std::floor(probabilities[i] * inverse + 0.5f), most) * step;
    return out;
  }
  const auto tau = static_cast<float>(c.tau), offset = static_cast<float>(c.tau * std::log2(c.scale));
  const int levels = 1 << c.bits;
  std::vector<float> values;
  for (int code = 0; code < levels; ++code)
    values.push_back(static_cast<float>(c.scale * std::exp2(-double(code) / c.tau)));
  for (size_t i = 0; i < out.size(); ++i) {
    const float code = std::floor(offset - tau * std::log2(std::max(probabilities[i], 1e-20f)) + 0.5f);
    out[i] = code >= static_cast<float>(levels) ? 0 : values[static_cast<size_t>(std::max(code, 0.0f))];
  }
  return out;
}

SoftmaxChoice ChooseSoftmax(const AttentionSite& site, const FloatModel& model,
                            const std::vector<AttentionSample>& samples, int bits, SoftmaxPolicy policy,
                            bool search_uniform, double output_error) {
  std::vector<Problem> problems;
  float most = 0;
  for (const AttentionSample& s : samples) {
    Problem p{&s, Probabilities(site, model, s, s.q, s.k), {}, 0};
    p.mixed = Mix(site, s, p.probabilities, s.v);
    for (const float x : p.probabilities) p.most = std::max(p.most, x);
    most = std::max(most, p.most);
    problems.push_back(std::move(p));
  }

  SoftmaxChoice choice;
  const double levels = (1 << bits) - 1;
  choice.uniform = {SoftmaxCoding::kUniform, bits, 1, 0};
  for (const Problem& p : problems) {
    const double step = search_uniform ? SearchScale(site, p, choice.uniform, 0.05 * p.most / levels, p.most / levels)
                                       : p.most / levels;
    choice.uniform.scale += step / static_cast<double>(problems.size());
  }
  choice.uniform_error = Total(site, problems, choice.uniform).relative();

  double least = -1;
  for (int tau = 1; tau <= (bits == 8 ? 16 : 4); tau *= 2) {
    SoftmaxCoding coding{SoftmaxCoding::kAgq, bits, tau, 1};
    double objective = 0, mean = 0;
    for (const Problem& p : problems) {
      coding.scale = SearchScale(site, p, coding, std::min(0.1, 0.01 * p.most), p.most);
      objective += Measure(site, p, coding).objective;
      mean += coding.scale / static_cast<double>(problems.size());
    }
    coding.scale = mean;
    if (least >= 0 && objective >= least) continue;
    least = objective;
    choice.agq = coding;
  }
  choice.agq_error = Total(site, problems, choice.agq).relative();

  const SoftmaxCoding exact{SoftmaxCoding::kExact, 16, 1, 1};
  choice.coding = policy == SoftmaxPolicy::kUniform ? choice.uniform
                  : policy == SoftmaxPolicy::kAgq   ? choice.agq
                                                    : exact;
  if (policy != SoftmaxPolicy::kAuto) return choice;
  const auto with_output = [&](double error) { return std::hypot(error, output_error); };
  const double best = kTolerance * with_output(std::min({kExactError, choice.uniform_error, choice.agq_error}));
  if (with_output(choice.agq_error) <= best) choice.coding = choice.agq;
  if (with_output(choice.uniform_error) <= best) choice.coding = choice.uniform;
  return choice;
}

}  // namespace intsam::internal
