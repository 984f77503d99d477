#include "apps/bench/rounds.h"

#include <chrono>

#include "apps/bench/sides.h"
#include "apps/common/progress.h"

namespace intsam::internal {
namespace {

constexpr int kOpens = 5;

// Cuts the time of a session's runs at its step hook.
class StepClock {
 public:
  explicit StepClock(Side& side) : side_(side) {}

  void Open(const Step& step) {
    Close();
    current_ = KindName(step);
  }
  void Close() {
    const auto now = std::chrono::steady_clock::now();
    if (!current_.empty()) side_.step_seconds[current_] += std::chrono::duration<double>(now - last_).count();
    last_ = now, current_.clear();
  }

 private:
  Side& side_;
  std::string current_;
  std::chrono::steady_clock::time_point last_;
};

// Times encode() once and decode(prompt) for all prompts; calls `after` behind each.
template <class EncodeCall, class DecodeCall, class After>
Status TimeSide(bool counts, const EncodeCall& encode, const DecodeCall& decode, const After& after, Side& side) {
  Status status;
  const double encoder = Seconds([&] { status = encode(); });
  after();
  INTSAM_TRY(status);
  if (counts) side.encoder.seconds.push_back(encoder);
  for (int prompt = 0; prompt < kPrompts; ++prompt) {
    const double seconds = Seconds([&] { status = decode(prompt); });
    after();
    INTSAM_TRY(status);
    if (counts) (prompt == 0 ? side.first_decode : side.next_decode).seconds.push_back(seconds);
  }
  return status;
}

Status RunRounds(const Settings& settings, Progress& bar, Session& session, FloatSam* sam, Measurements& m) {
  const Work work(session.config());
  StepClock clock(m.integer);
  std::vector<float> embedding;
  for (int round = 0; round <= settings.rounds; ++round) {
    bar.Update(static_cast<uint64_t>(round), static_cast<uint64_t>(settings.rounds) + 1);
    if (round == 1 && settings.steps) {
      session.set_hook([&](const Step& step, int, int) {
        clock.Open(step);
        return true;
      });
      if (sam != nullptr) {
        sam->set_timer([&](const Step& step, int64_t ns) {
          m.fp32.step_seconds[KindName(step)] += static_cast<double>(ns) * 1e-9;
        });
      }
    }
    INTSAM_TRY(TimeSide(
        round > 0, [&] { return Encode(session, work); }, [&](int prompt) { return Decode(session, work, prompt); },
        [&] { clock.Close(); }, m.integer));
    if (sam == nullptr) continue;
    const auto encode = [&] {
      embedding = Encode(*sam, work);
      return Status();
    };
    const auto decode = [&](int prompt) {
      Decode(*sam, embedding, work, prompt);
      return Status();
    };
    INTSAM_TRY(TimeSide(
        round > 0, encode, decode, [] {}, m.fp32));
  }
  return Status();
}

// In a session of its own, so that the clock readings are in no other figure.
Result<OpTable> RunOps(const Settings& settings, Progress& bar, const Measurements& m) {
  OpTable table;
  table.peaks = MeasurePeaks();
  table.clock_seconds = ClockSeconds();
  Session session(*m.model, TimedKernels(*m.model, *m.kernels), std::make_unique<ThreadPool>(m.threads));
  const Work work(session.config());
  for (int round = 0; round <= settings.rounds; ++round) {
    bar.Update(static_cast<uint64_t>(round), static_cast<uint64_t>(settings.rounds) + 1);
    ResetOpTotals();
    Status status;
    const double seconds = Seconds([&] { status = Encode(session, work); });
    INTSAM_TRY(status);
    if (round == 0 || (round > 1 && seconds >= table.encoder_seconds)) continue;
    table.encoder_seconds = seconds;
    table.ops = OpTotals();
  }
  return table;
}

}  // namespace

std::string KindName(const Step& step) {
  std::string name;
  for (const char c : step.name) {
    if (c < '0' || c > '9') {
      name += c;
    } else if (name.ends_with('.')) {
      name.pop_back();
    }
  }
  return name;
}

Result<Measurements> Measure(const Settings& settings, const CommonFlags& flags) {
  Measurements m;
  // First, because a child inherits what this process has.
  INTSAM_ASSIGN(m.integer.peak_mib, PeakMiBOfChild([&] { return RunIntegerOnce(settings); }));
  if (settings.fp32) {
    INTSAM_ASSIGN(m.fp32.peak_mib, PeakMiBOfChild([&] { return RunFloatOnce(settings); }));
  }

  std::unique_ptr<Session> session;
  for (int i = 0; i < kOpens; ++i) {
    session.reset();
    m.model.reset();
    auto start = std::chrono::steady_clock::now();
    const auto lap = [&](Samples& samples) {
      const auto now = std::chrono::steady_clock::now();
      samples.seconds.push_back(std::chrono::duration<double>(now - start).count());
      start = now;
    };
    INTSAM_ASSIGN(m.model, Model::Open(settings.model));
    lap(m.open);
    INTSAM_ASSIGN(session, MakeSession(*m.model, settings));
    lap(m.session);
  }
  m.kernels = &session->kernels();
  m.threads = session->threads();

  FloatModel weights;
  std::unique_ptr<FloatSam> sam;
  if (settings.fp32) {
    INTSAM_ASSIGN(weights, LoadWeights(settings));
    if (!(weights.config == m.model->config()))
      return Error(Code::kUsage, "--checkpoint: has another configuration than the model");
    INTSAM_ASSIGN(sam, MakeFloatSam(weights, settings));
  }
  Progress bar("timing", flags.progress);
  INTSAM_TRY(RunRounds(settings, bar, *session, sam.get(), m));
  session.reset();
  sam.reset();
  if (settings.ops) {
    INTSAM_ASSIGN(m.ops, RunOps(settings, bar, m));
  }
  return m;
}

}  // namespace intsam::internal
