// See candidate_work.h.
#include "candidate_work.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "answer_files.h"
#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/memory.h"
#include "attune/base/paths.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/job/cost.h"
#include "attune/job/execution.h"
#include "attune/report/forward.h"

namespace attune::study {

namespace {

using files::Json;

/// Time, energy, money and memory of a piece of work, whose events go through `events()`.
class WorkMeter {
 public:
  WorkMeter(job::RunOptions options, const report::EventBus& outer) {
    options.training.bf16 = "false";  // (of the execution the device alone counts here)
    options.cost.measure_rate = "false";
    const models::Execution execution = job::execution_of(options);
    events_.add(std::make_shared<report::Forward>(outer));
    meter_.emplace(options.cost, execution, job::energy_counters(execution.device), events_);
    return_free_memory();
    reset_peak_resident_memory();
  }

  report::EventBus& events() { return events_; }

  /// {"seconds", "peak_memory", "joules", "money", "currency"}, as far as they are known.
  Json cost() const {
    Json all = meter_->of_run(clock_.seconds()), cost = std::move(all["run"]);
    cost.erase("flops");
    if (all.contains("currency")) cost["currency"] = all["currency"];
    return cost;
  }

 private:
  report::EventBus events_;
  std::optional<job::CostMeter> meter_;
  Stopwatch clock_;
};

/// What lies on file of a piece of work: {"cost", "facts"}.
Json finished_work(const std::string& path) {
  const Json work = files::read_json(path, {.kind = ErrorKind::resume_refused});
  if (work.is_object() && work.value("cost", Json()).is_object() && work.value("facts", Json()).is_object()) return work;
  throw Error(ErrorKind::resume_refused, {.file = path,
                                          .what = "this is no record of a method's work, or it is damaged",
                                          .where = "",
                                          .hint = "remove it, the work is then done again"});
}

}  // namespace

CandidateWork::CandidateWork(const Method& method, std::size_t number, const std::string& folder, Workbench& bench,
                             const report::EventBus& events)
    : kind_(method_kind(method.kind)),
      candidate_(method.candidates[number]),
      folder_(method.candidates.size() == 1 ? folder : concat(folder, "/candidate-", number + 1)),
      bench_(bench),
      events_(events) {
  std::filesystem::create_directories(folder_);
}

bool CandidateWork::answer(std::uint64_t seed, const std::string& split) {
  if (is_done(seed, split)) return true;
  MethodCandidate own = candidate_;
  own.options.output_dir = path_of(seed, "");
  own.options.seeds = {seed};
  own.options.training.seed = seed;
  const std::unique_ptr<Fitted> fitted = stop_signal() == 0 ? learn(own, seed) : nullptr;
  if (fitted == nullptr || stop_signal() != 0) return false;
  WorkMeter meter(own.options, events_);
  const std::unique_ptr<Answers> answers = fitted->answer(split, meter.events());
  if (answers == nullptr) return false;
  const Json cost = meter.cost();
  files::write_file_atomically(predictions_of(seed, split),
                               answer_lines(*answers, bench_.rows.labels, bench_.rows.of(split)));
  keep(seed, split, cost, fitted->facts());
  return true;
}

Answers CandidateWork::answers(std::uint64_t seed, const std::string& split) const {
  return read_answers(predictions_of(seed, split), bench_.rows.labels, bench_.rows.of(split));
}

std::string CandidateWork::predictions_of(std::uint64_t seed, const std::string& split) const {
  return path_of(seed, concat("-", split, ".jsonl"));
}

Json CandidateWork::work(std::uint64_t seed, const std::string& what) const {
  const std::string path = path_of(seed, concat("-", what, ".json"));
  return path_exists(path, ErrorKind::storage) ? finished_work(path) : Json();
}

std::string CandidateWork::path_of(std::uint64_t seed, const std::string& end) const {
  return concat(folder_, "/seed-", seed, end);
}

bool CandidateWork::is_done(std::uint64_t seed, const std::string& what) const {
  const std::string path = path_of(seed, concat("-", what, ".json"));
  return done_.contains(path) || (bench_.resumes && path_exists(path, ErrorKind::resume_refused));
}

void CandidateWork::keep(std::uint64_t seed, const std::string& what, const Json& cost, const Json& facts) {
  const std::string path = path_of(seed, concat("-", what, ".json"));
  files::write_json(path, {{"cost", cost}, {"facts", facts}});
  done_.insert(path);
}

std::unique_ptr<Fitted> CandidateWork::learn(const MethodCandidate& own, std::uint64_t seed) {
  const bool has_learned = is_done(seed, "learning");
  WorkMeter meter(own.options, events_);
  std::unique_ptr<Fitted> fitted = kind_.fit(
      {.candidate = own, .seed = seed, .has_learned = has_learned, .bench = bench_, .events = meter.events()});
  if (fitted != nullptr && !has_learned && !kind_.is_asked) keep(seed, "learning", meter.cost(), fitted->facts());
  return fitted;
}

}  // namespace attune::study
