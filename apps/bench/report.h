// What intsam-bench prints. The fields are described in docs/performance.md.
#ifndef INTSAM_APPS_BENCH_REPORT_H_
#define INTSAM_APPS_BENCH_REPORT_H_

#include <nlohmann/json.hpp>

#include "apps/bench/rounds.h"

namespace intsam::internal {

nlohmann::ordered_json BenchReport(const Settings& settings, const Measurements& measurements);
void PrintBenchReport(const nlohmann::ordered_json& report);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_REPORT_H_
