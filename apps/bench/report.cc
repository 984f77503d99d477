#include "apps/bench/report.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "apps/bench/macs.h"
#include "apps/bench/sides.h"
#include "apps/common/coding.h"
#include "apps/common/escape.h"
#include "apps/common/output.h"
#include "runtime/base/sha256.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

Json PartJson(const Samples& integer, const Samples& fp32, double gmac) {
  Json json = Json::object();
  if (!fp32.seconds.empty()) {
    json["fp32_s"] = fp32.Median();
    json["fp32_spread"] = fp32.Spread();
  }
  json["int_s"] = integer.Median();
  json["int_spread"] = integer.Spread();
  if (!fp32.seconds.empty()) json["speedup"] = fp32.Median() / integer.Median();
  json["gmac"] = gmac;
  json["int_per_s"] = 1 / integer.Median();
  json["int_gmac_per_s"] = gmac / integer.Median();
  return json;
}

// Photos a second, each encoded and asked once.
double ImagesPerSecond(const Side& side) { return 1 / (side.encoder.Median() + side.first_decode.Median()); }

uint64_t Tokens(const SamConfig& config) { return config.num_masks() + 3; }  // iou, masks, a point and its padding

// In units of 10^9, by what the steps are called.
using GMacs = std::map<std::string, double>;

GMacs EncoderGMacs(const SamConfig& config) {
  GMacs gmacs;
  for (const EncoderLayer& layer : EncoderLayers(config))
    gmacs[KindName(layer.step)] += static_cast<double>(Macs(layer)) * 1e-9;
  return gmacs;
}

GMacs DecoderGMacs(const SamConfig& config) {
  GMacs gmacs;
  for (const DecoderStep& step : MaskDecoderSteps(config))
    gmacs[KindName(step)] += static_cast<double>(Macs(config, step, Tokens(config))) * 1e-9;
  return gmacs;
}

double Sum(const GMacs& gmacs) {
  double sum = 0;
  for (const auto& [name, value] : gmacs) sum += value;
  return sum;
}

Json StepsJson(const SamConfig& config, const Settings& settings, const Measurements& m) {
  GMacs gmacs = EncoderGMacs(config);
  for (const auto& [name, value] : DecoderGMacs(config)) gmacs[name] += value * kPrompts;
  Json json = Json::array();
  for (const auto& [name, seconds] : m.integer.step_seconds) {
    const double per_round = seconds / settings.rounds;
    Json row = {{"step", name}, {"int_s", per_round}, {"int_gmac_per_s", gmacs[name] / per_round}};
    if (const auto found = m.fp32.step_seconds.find(name); found != m.fp32.step_seconds.end())
      row["fp32_s"] = found->second / settings.rounds;
    json.push_back(row);
  }
  return json;
}

// Shares are of all that the threads had: what no kernel did, waiting included, is "other".
Json OpsJson(const Measurements& m) {
  const OpTable& table = *m.ops;
  Json json = {{"encoder_s", table.encoder_seconds}, {"clock_ns", table.clock_seconds * 1e9}};
  json["peaks"] = Json::array();
  for (const Peak& peak : table.peaks) {
    json["peaks"].push_back({{"tier", peak.loop->tier},
                             {"instructions", peak.loop->instructions},
                             {"operand_bits", peak.loop->operand_bits},
                             {"gmac_per_s", peak.gmac_per_s}});
  }
  const double all = table.encoder_seconds * m.threads;
  double other = all;
  json["table"] = Json::array();
  for (const OpTotal& op : table.ops) {
    other -= op.seconds;
    Json row = {{"op", op.op}, {"calls", op.calls}, {"s", op.seconds}, {"share", op.seconds / all}};
    if (op.macs > 0) {
      const double rate = static_cast<double>(op.macs) * 1e-9 / op.seconds;
      row["gmac"] = static_cast<double>(op.macs) * 1e-9;
      row["gmac_per_s"] = rate;
      row["of_peak"] = Json::object();
      for (const Peak& peak : table.peaks) {
        const bool fits = op.operand_bits <= peak.loop->operand_bits;
        if (fits && std::strcmp(peak.loop->tier, m.kernels->name) == 0)
          row["of_peak"][peak.loop->instructions] = rate / peak.gmac_per_s;
      }
    } else {
      row["melements_per_s"] = static_cast<double>(op.elements) * 1e-6 / op.seconds;
    }
    json["table"].push_back(row);
  }
  json["table"].push_back({{"op", "other"}, {"s", other}, {"share", other / all}});
  return json;
}

// How often each value occurs among the records of a model.
template <class Records, class Name>
Json Counts(const Records& records, const Name& name) {
  std::map<std::string, int> counts;
  for (const auto& [path, record] : records) ++counts[name(record)];
  return counts;
}

std::string Joined(const Json& counts) {
  std::string text;
  for (const auto& [name, count] : counts.items()) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// A number of a row, "-" where the row has none.
std::string Formatted(const Json& row, const char* key, const char* format, double factor = 1) {
  if (!row.contains(key)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, format, row[key].get<double>() * factor);
  return text;
}
std::string Milliseconds(const Json& row, const char* key) {
  const bool small = row.contains(key) && row[key].get<double>() < 0.01;
  return Formatted(row, key, small ? "%.2f" : "%.1f", 1e3);
}

void PrintOps(const Json& ops) {
  OutF("\nencoder with every kernel timed: %.1f ms (%.0f ns a call); seconds are of all threads\n",
       ops["encoder_s"].get<double>() * 1e3, ops["clock_ns"].get<double>());
  std::vector<std::string> columns;
  for (const Json& row : ops["table"]) {
    if (!row.contains("of_peak")) continue;
    for (const auto& [name, share] : row["of_peak"].items()) {
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
    }
  }
  for (const Json& peak : ops["peaks"]) {
    const std::string name = peak["instructions"].get<std::string>();
    const auto column = std::find(columns.begin(), columns.end(), name);
    const std::string label = column == columns.end() ? "" : " (P" + std::to_string(column - columns.begin() + 1) + ")";
    OutF("peak of one core: %8.1f GMAC/s, %s%s\n", peak["gmac_per_s"].get<double>(), name.c_str(), label.c_str());
  }
  OutF("\n%-28s %10s %10s %7s %10s %10s", "operation", "calls", "ms", "share", "GMAC/s", "Melem/s");
  for (size_t i = 1; i <= columns.size(); ++i) OutF("  %% of P%zu", i);
  OutF("\n");
  for (const Json& row : ops["table"]) {
    OutF("%-28s %10llu %10.1f %6.1f%%", row["op"].get<std::string>().c_str(),
         static_cast<unsigned long long>(row.value("calls", uint64_t{0})), row["s"].get<double>() * 1e3,
         row["share"].get<double>() * 100);
    OutF(" %10s %10s", Formatted(row, "gmac_per_s", "%.1f").c_str(), Formatted(row, "melements_per_s", "%.1f").c_str());
    const Json shares = row.value("of_peak", Json::object());
    for (const std::string& column : columns) {
      OutF(" %8s", Formatted(shares, column.c_str(), "%.1f", 100).c_str());
    }
    OutF("\n");
  }
}

}  // namespace

Json BenchReport(const Settings& settings, const Measurements& m) {
  const SamConfig& config = m.model->config();
  const CodingRecords coding = CodingOf(*m.model);
  Json json = Json::object();
  json["model"] = settings.name;
  json["identity"] = ToHex(m.model->identity);
  json["cpu"] = CpuName();
  json["isa"] = m.kernels->name;
  json["threads"] = m.threads;
  json["rounds"] = settings.rounds;
  json["profile"] = ProfileName(*m.model);
  json["weight_bits"] = Counts(coding.layers, [](const Linear& layer) { return std::to_string(layer.bits); });
  json["softmax"] = Counts(coding.attentions, [](const Softmax& softmax) { return VariantName(softmax.variant); });
  if (settings.fp32) json["fp32_library"] = Fp32LibraryName(settings);
  const double decoder_gmac = Sum(DecoderGMacs(config));
  json["encoder"] = PartJson(m.integer.encoder, m.fp32.encoder, Sum(EncoderGMacs(config)));
  json["decoder"] = PartJson(m.integer.first_decode, m.fp32.first_decode, decoder_gmac);
  json["decoder_next"] = PartJson(m.integer.next_decode, m.fp32.next_decode, decoder_gmac);
  json["images_per_s"] = ImagesPerSecond(m.integer);
  if (settings.fp32) json["fp32_images_per_s"] = ImagesPerSecond(m.fp32);
  json["decoder_first_ms"] = m.integer.first_decode.Median() * 1e3;
  json["decoder_next_ms"] = m.integer.next_decode.Median() * 1e3;
  json["open_ms"] = m.open.Median() * 1e3;
  json["session_ms"] = m.session.Median() * 1e3;
  json["peak_rss_mib"] = m.integer.peak_mib;
  if (settings.fp32) json["fp32_peak_rss_mib"] = m.fp32.peak_mib;
  json["model_mib"] = static_cast<double>(m.model->bytes.size()) / (1 << 20);
  if (settings.steps) json["steps"] = StepsJson(config, settings, m);
  if (settings.ops) json["ops"] = OpsJson(m);
  return json;
}

void PrintBenchReport(const Json& report) {
  const auto text = [&](const char* key) { return report[key].get<std::string>(); };
  const auto number = [&](const char* key) { return report[key].get<double>(); };
  OutF("%s: %s, weights of %s bits, softmax %s\n", EscapeControls(text("model")).c_str(), text("profile").c_str(),
       Joined(report["weight_bits"]).c_str(), Joined(report["softmax"]).c_str());
  const int threads = report["threads"].get<int>();
  const bool fp32 = report.contains("fp32_library");
  OutF("%d thread%s, %s, %s%s%s\n", threads, threads == 1 ? "" : "s", text("cpu").c_str(), text("isa").c_str(),
       fp32 ? " against " : "", fp32 ? text("fp32_library").c_str() : "");
  OutF("%-24s %12s %12s %10s %12s %12s\n", "", "FP32 ms", "integer ms", "speedup", "a second", "GMAC/s");
  for (const auto& [part, label] : {std::pair{"encoder", "encoder"},
                                    {"decoder", "decoder, first prompt"},
                                    {"decoder_next", "decoder, further ones"}}) {
    const Json& row = report[part];
    OutF("%-24s %12s %12s %10s %12.2f %12.1f\n", label, Milliseconds(row, "fp32_s").c_str(),
         Milliseconds(row, "int_s").c_str(), Formatted(row, "speedup", "%.2fx").c_str(), row["int_per_s"].get<double>(),
         row["int_gmac_per_s"].get<double>());
  }
  OutF("images a second, with one prompt each: integer %.2f", number("images_per_s"));
  if (fp32) OutF(", FP32 %.2f", number("fp32_images_per_s"));
  OutF("\n");
  OutF("opening the model %.2f ms, making a session %.2f ms\n", number("open_ms"), number("session_ms"));
  OutF("peak memory: integer %.0f MiB (model file %.1f MiB)", number("peak_rss_mib"), number("model_mib"));
  if (report.contains("fp32_peak_rss_mib")) OutF(", FP32 %.0f MiB", number("fp32_peak_rss_mib"));
  OutF("\n");
  if (report.contains("steps")) {
    OutF("\n%-60s %10s %10s %10s\n", "step (decoder: 5 prompts)", "FP32 ms", "integer ms", "GMAC/s");
    for (const Json& row : report["steps"]) {
      OutF("%-60s %10s %10s %10.1f\n", row["step"].get<std::string>().c_str(), Milliseconds(row, "fp32_s").c_str(),
           Milliseconds(row, "int_s").c_str(), row["int_gmac_per_s"].get<double>());
    }
  }
  if (report.contains("ops")) PrintOps(report["ops"]);
}

}  // namespace intsam::internal
