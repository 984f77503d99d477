// What is measured, in which order. Rounds alternate between the two sides in one process, so that both see the same
// machine; the first round of each warms up and is not counted.
#ifndef INTSAM_APPS_BENCH_ROUNDS_H_
#define INTSAM_APPS_BENCH_ROUNDS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/bench/measure.h"
#include "apps/bench/op_timer.h"
#include "apps/bench/peak.h"
#include "apps/bench/settings.h"
#include "runtime/exec/session.h"

namespace intsam::internal {

struct Side {
  Samples encoder, first_decode;  // one sample a round
  Samples next_decode;            // kPrompts - 1 a round, each as exposed to other work on the machine as the first
  std::map<std::string, double> step_seconds;  // by kind of step, over all rounds
  double peak_mib = 0;
};

// Of the fastest round, which other work on the machine disturbed least.
struct OpTable {
  double encoder_seconds = 0;  // with every kernel call timed
  double clock_seconds = 0;    // that timing adds to one call
  std::vector<OpTotal> ops;
  std::vector<Peak> peaks;
};

struct Measurements {
  Side integer, fp32;
  Samples open, session;  // of opening the model and of making a session, pages of the file in memory
  std::optional<OpTable> ops;
  std::unique_ptr<Model> model;
  const Kernels* kernels = nullptr;
  int threads = 0;
};

Result<Measurements> Measure(const Settings& settings, const CommonFlags& flags);

// Block numbers and layers out of a step's name: "image_encoder.blocks.attn".
std::string KindName(const Step& step);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_ROUNDS_H_
