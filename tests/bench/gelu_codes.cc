// How much codes of another shape than uniform would gain behind GELU, whose outputs are skewed: the relative error of
// the activations of every encoder MLP, each channel weighted by what the layer behind makes of it, for uniform codes
// (range by least error), hybrid log-uniform codes (as AHCPTQ, Zhang et al., ICCV 2025: powers of two up to a knee, a
// uniform grid above) and the best possible table of as many values (Lloyd-Max), all with the same number of codes.
//   gelu_codes CHECKPOINT CALIBRATION_PHOTOS
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "apps/common/calibration_photos.h"
#include "apps/common/tool.h"
#include "converter/quantize/calibrate.h"
#include "converter/quantize/observers.h"

namespace intsam::internal {
namespace {

// Values in ascending order, and what an error of each costs.
struct Weighted {
  std::vector<float> values;
  std::vector<double> costs;
};

double ErrorOf(const Weighted& x, const std::vector<double>& levels) {  // ascending
  double error = 0, norm = 0;
  size_t at = 0;
  for (size_t i = 0; i < x.values.size(); ++i) {
    const double v = x.values[i];
    while (at + 1 < levels.size() && std::fabs(levels[at + 1] - v) <= std::fabs(levels[at] - v)) ++at;
    error += x.costs[i] * (levels[at] - v) * (levels[at] - v), norm += x.costs[i] * v * v;
  }
  return std::sqrt(error / norm);
}

std::vector<double> Uniform(const ActivationScale& s) {
  std::vector<double> levels;
  for (int code = 0; code < 1 << s.bits; ++code) levels.push_back((code - s.zero) * s.scale);
  return levels;
}

// A quarter of the codes below zero, uniform; zero; `logs` powers of two (or of its square root) up to the knee; the
// rest uniform from there to the largest value.
std::vector<double> Hybrid(double lo, double hi, int bits, double knee, int logs, double ratio, int negative) {
  std::vector<double> levels;
  for (int i = negative; i > 0; --i) levels.push_back(lo * i / negative);
  levels.push_back(0);
  for (int i = logs - 1; i >= 0; --i) levels.push_back(knee * std::pow(ratio, i));
  const int rest = (1 << bits) - static_cast<int>(levels.size());
  for (int i = 1; i <= rest; ++i) levels.push_back(knee + (hi - knee) * i / rest);
  return levels;
}

std::vector<double> BestHybrid(const Weighted& x, int bits) {
  const double lo = x.values.front(), hi = x.values.back();
  double least = 1e9;
  std::vector<double> best;
  for (const double top : {1.0, 0.7, 0.5, 0.35}) {
    for (const double knee : {0.03, 0.06, 0.12, 0.25, 0.5}) {
      for (const double ratio : {0.5, 0.7071}) {
        for (const int share : {8, 4, 3, 2}) {
          for (const int negative : {1 << (bits - 4), 1 << (bits - 3), 1 << (bits - 2)}) {
            const int logs = std::max(1, (1 << bits) / share);
            if (negative + 1 + logs >= 1 << bits) continue;
            std::vector<double> levels = Hybrid(lo, hi * top, bits, hi * top * knee, logs, ratio, negative);
            const double error = ErrorOf(x, levels);
            if (error < least) least = error, best = std::move(levels);
          }
        }
      }
    }
  }
  return best;
}

double LloydMax(const Weighted& x, std::vector<double> levels) {
  for (int round = 0; round < 60; ++round) {
    std::vector<double> sums(levels.size()), weights(levels.size());
    size_t at = 0;
    for (size_t i = 0; i < x.values.size(); ++i) {
      const double v = x.values[i];
      while (at + 1 < levels.size() && std::fabs(levels[at + 1] - v) <= std::fabs(levels[at] - v)) ++at;
      sums[at] += x.costs[i] * v, weights[at] += x.costs[i];
    }
    for (size_t l = 0; l < levels.size(); ++l) {
      if (weights[l] > 0) levels[l] = sums[l] / weights[l];
    }
    std::sort(levels.begin(), levels.end());
  }
  return ErrorOf(x, levels);
}

Status Run(int argc, char** argv) {
  if (argc != 3) return Error(Code::kUsage, "two arguments are needed: CHECKPOINT CALIBRATION_PHOTOS");
  INTSAM_ASSIGN(const FloatModel model, LoadFloatModel(argv[1], ""));
  INTSAM_ASSIGN(PhotoFolder folder, PhotoFolder::Open("CALIBRATION_PHOTOS", argv[2], {.limit = 16, .strict = true}));
  INTSAM_ASSIGN(const CalibrationPhotos photos,
                ReadCalibrationPhotos("CALIBRATION_PHOTOS", std::move(folder), model.config.image_size, {}));
  FloatSam sam(model, 0);
  const Observations seen = Calibrate(sam, model.config, photos.images, {}, {}, {});
  std::printf("| block | 6 bits: uniform | hybrid | best table | 4 bits: uniform | hybrid | best table |\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  for (uint32_t block = 0; block < model.config.vit.depth; ++block) {
    const std::string layer = "image_encoder.blocks." + std::to_string(block) + ".mlp.lin2";
    const SiteStatistics& site = seen.statistics.at(layer + ".in");
    const std::vector<float>& weight = model.at(layer + ".weight");
    std::vector<double> columns(site.channels());
    for (size_t i = 0; i < weight.size(); ++i) columns[i % columns.size()] += double{weight[i]} * weight[i];
    const std::span<const float> sample = site.sample();
    std::vector<size_t> order(sample.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sample[a] < sample[b]; });
    Weighted x;
    for (const size_t i : order) x.values.push_back(sample[i]), x.costs.push_back(columns[i % columns.size()]);
    std::printf("| %u |", block);
    for (const int bits : {6, 4}) {
      const std::vector<double> uniform =
          Uniform(LeastErrorScale(sample, site.channels(), columns, site.min(), site.max(), bits, false));
      const std::vector<double> hybrid = BestHybrid(x, bits);
      const double table = std::min(LloydMax(x, uniform), LloydMax(x, hybrid));
      std::printf(" %.4f | %.4f | %.4f |", ErrorOf(x, uniform), ErrorOf(x, hybrid), table);
    }
    std::printf("\n");
  }
  return Status();
}

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) { return intsam::internal::RunTool("gelu_codes", argc, argv, intsam::internal::Run); }
