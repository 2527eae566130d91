// See prompt_run.h.
#include "attune/study/prompt_run.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/clock.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/output.h"
#include "attune/job/run.h"
#include "attune/report/junit.h"
#include "attune/report/phase.h"
#include "attune/report/prompt_html.h"
#include "attune/study/prompting.h"
#include "assertion_counts.h"
#include "gate.h"
#include "kept_answers.h"

namespace attune::study {

namespace {

using files::Json;

/// Where nothing is drawn all seeds give the same.
std::vector<std::uint64_t> seeds_of(const PromptJob& job) {
  const job::RunOptions& options = job.options;
  const bool draws_tokens = options.prompting.answer != "likelihood" && job.generation.do_sample;
  if (options.prompting.examples.k == 0 && !draws_tokens) return {options.seeds.front()};
  return options.seeds;
}

/// The numbers of metrics, averaged over seeds; null where one of them is.
Json mean_metrics(const Json& seeds) {
  Json mean = Json::object();
  for (const auto& [name, value] : seeds.front()["metrics"].items()) {
    if (value.is_structured()) continue;
    double sum = 0;
    bool is_defined = true;
    for (const Json& seed : seeds) {
      const Json& one = seed["metrics"][name];
      is_defined = is_defined && one.is_number();
      if (is_defined) sum += one.get<double>();
    }
    mean[name] = is_defined ? Json(sum / static_cast<double>(seeds.size())) : Json();
  }
  return mean;
}

/// One wording under all seeds.
class WordingRun {
 public:
  WordingRun(const PromptJob& job, const prompt::Wording& wording) : job_(job), wording_(wording) {
    if (job.assertions) assertions_.emplace(job);
  }

  /// False after a signal.
  bool ask() {
    const std::vector<std::uint64_t> seeds = seeds_of(job_);
    for (const std::uint64_t seed : seeds) {
      Variant variant{.wording = wording_, .examples = job_.options.prompting.examples};
      variant.examples.seed = seed;
      if (seeds.size() > 1) variant.text_seed = seed;
      runs_.push_back(study::ask(job_, variant));
      if (runs_.back().stopped) return false;
      if (assertions_) assertions_->add(runs_.back());
      seeds_.push_back({{"seed", seed}});
    }
    if (!job_.asks_texts() || job_.has_references()) {
      for (const Asked& run : runs_) scores_.push_back(job_.task->scores(run.predictions, job_.rows));
    }
    return true;
  }

  /// Predictions of the first seed, a line a row.
  std::string lines() const {
    std::string lines;
    for (const task::Prediction& prediction : runs_.front().predictions) {
      const auto row = static_cast<std::size_t>(prediction.encoded->example);
      Json line = job_.task->describe({&prediction, 1}, job_.rows[row], false);
      if (prediction.generated) line["generated"] = *prediction.generated;
      if (assertions_) line["failed"] = assertions_->failures_of(row);
      lines += files::json_text(line, -1) + "\n";
    }
    return lines;
  }

  Json result() {
    Json result = {{"name", wording_.name}, {"levels", wording_.levels}};
    if (!scores_.empty()) add_scores(result);
    if (assertions_) {
      result["assertions"] = assertions_->assertions();
      result["all_assertions"] = assertions_->rate_of_all();
    }
    const auto sum = [&](std::int64_t Asked::* count) {
      std::int64_t all = 0;
      for (const Asked& run : runs_) all += run.*count;
      return all;
    };
    result.update({{"without_answer", sum(&Asked::without_answer)},
                   {"cut_texts", sum(&Asked::cut_texts)},
                   {"dropped_examples", sum(&Asked::dropped_examples)},
                   {"tokens", sum(&Asked::tokens)},
                   {"computed_tokens", sum(&Asked::computed_tokens)},
                   {"seconds", clock_.seconds()}});
    return result;
  }

 private:
  void add_scores(Json& result) {
    for (std::size_t i = 0; i < scores_.size(); ++i) seeds_[i]["metrics"] = scores_[i]->metrics();
    result["intervals"] = task::intervals_over_seeds(scores_, job_.rows);
    result["metrics"] = mean_metrics(seeds_);
    if (seeds_.size() > 1) result["seeds"] = seeds_;
    Json samples = scores_.front()->samples("rougeL");
    if (!samples.is_null()) result["samples"] = std::move(samples);
  }

  const PromptJob& job_;
  const prompt::Wording& wording_;
  Stopwatch clock_;
  Json seeds_ = Json::array();
  std::vector<Asked> runs_;
  std::vector<std::unique_ptr<task::Scores>> scores_;  ///< of the runs; of texts where rows have their own
  std::optional<AssertionCounts> assertions_;
};

/// Fewer than there are wordings after a signal.
Json ask_wordings(const PromptJob& job, const report::EventBus& events) {
  const std::string folder = job.options.output_dir + "/wordings";
  const KeptAnswers kept(job, folder);
  report::Phase asking(events, "asking", static_cast<std::int64_t>(job.wordings.size()), "wording");
  Json done = Json::array();
  for (std::size_t i = 0; i < job.wordings.size(); ++i) {
    const prompt::Wording& wording = job.wordings[i];
    Json result = kept.find(i + 1, wording.name);
    if (result.is_null()) {
      WordingRun run(job, wording);
      if (!run.ask()) break;
      files::write_file_atomically(concat(folder, "/", i + 1, ".jsonl"), run.lines());
      result = run.result();
      kept.keep(i + 1, wording.name, result);
    }
    done.push_back(std::move(result));
    asking.progress(static_cast<std::int64_t>(done.size()));
  }
  asking.end();
  return done;
}

/// Sets results["gate"], and writes each assertion as a test case.
void put_assertions_to_gate(const std::optional<double>& least, Json& results) {
  std::vector<report::TestCase> cases;
  std::string failure;
  for (const Json& wording : results["wordings"]) {
    for (const Json& assertion : wording["assertions"]) {
      const std::string name = concat(wording["name"].get<std::string>(), ": ", assertion["name"].get<std::string>());
      const double rate = assertion["rate"].get<double>();
      report::TestCase one{.name = name, .seconds = 0, .failure = ""};
      if (least && rate < *least) {
        one.failure = concat(print_number("%.4f", rate), " of the texts pass, at least ", print_number("%.4f", *least), " should");
        if (failure.empty()) failure = concat("assertion '", name, "': ", one.failure);
      }
      cases.push_back(std::move(one));
    }
  }
  results["gate"] = gate_result("prompting.min_assertion_rate", least, failure);
  files::write_file_atomically(results["output_dir"].get<std::string>() + "/junit.xml", report::junit_xml("attune prompt run", cases));
}

}  // namespace

Json run_prompts(const job::RunOptions& options, const report::EventBus& events) {
  job::check_output_folder(options);
  const PromptJob job = open_prompt_job(options, events);
  const auto lock = job::claim_output_folder(options);
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  Json results = {{"output_dir", options.output_dir},
                  {"split", options.prompting.split},
                  {"answer", options.prompting.answer},
                  {"rows", job.rows.size()},
                  {"majority", job::majority_rate(job.labels, job.pool, job.rows)},
                  {"wordings", ask_wordings(job, events)}};
  std::int64_t tokens = 0, computed = 0;
  for (const Json& wording : results["wordings"]) {
    tokens += wording["tokens"].get<std::int64_t>();
    computed += wording["computed_tokens"].get<std::int64_t>();
  }
  results["tokens"] = tokens;
  results["computed_tokens"] = computed;
  results["stopped_by"] = results["wordings"].size() < job.wordings.size() ? "signal" : "end";
  if (job.assertions && results["stopped_by"] == "end") put_assertions_to_gate(options.prompting.min_assertion_rate, results);
  files::write_json(options.output_dir + "/prompt_results.json", results);
  if (!results["wordings"].empty())
    files::write_file_atomically(options.output_dir + "/report.html", report::prompt_page(results));
  return results;
}

}  // namespace attune::study
