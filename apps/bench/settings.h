// The command line of intsam-bench, checked before anything is measured.
#ifndef INTSAM_APPS_BENCH_SETTINGS_H_
#define INTSAM_APPS_BENCH_SETTINGS_H_

#include <cstdint>
#include <cxxopts.hpp>
#include <string>

#include "apps/common/options.h"
#include "converter/quantize/method.h"
#include "converter/quantize/profile.h"
#include "runtime/sam/config.h"

namespace intsam::internal {

struct Settings {
  std::string name;                // of what is measured, for the report
  std::string model;               // path; of a synthetic model, where it will be written
  std::string checkpoint, config;  // the FP32 side of a given model
  SamConfig synthetic;             // the rest of a synthetic one
  uint64_t seed = 1;
  BitProfile bits;
  QuantizeMethod method;
  std::string isa;
  int threads = 0, rounds = 3;
  bool fp32 = true, xnnpack = false, steps = false, ops = false;
};

extern const ToolHelp kBenchHelp;
cxxopts::Options MakeBenchOptions();
Result<Settings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_SETTINGS_H_
