// See prompt_run.h.
#include "attune/study/prompt_run.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/output.h"
#include "attune/job/run.h"
#include "attune/prompt/writer.h"
#include "attune/report/phase.h"
#include "attune/report/prompt_html.h"
#include "attune/study/prompting.h"
#include "kept_answers.h"
#include "predictions.h"
#include "prompt_run_parts.h"

namespace attune::study {

using files::Json;

Json rows_told(const PromptJob& job) {
  Json told = {{"rows", job.rows.size()}, {"majority", job::majority_rate(job.labels, job.pool, job.rows)}};
  if (!job.duplicates.is_null()) told["duplicates"] = job.duplicates;
  return told;
}

std::vector<std::uint64_t> seeds_of(const job::RunOptions& options) {
  if (options.prompting.examples.k == 0) return {options.seeds.front()};
  return options.seeds;
}

Variant variant_of(const PromptJob& job, const prompt::Wording& wording, std::uint64_t seed) {
  Variant variant{.wording = wording, .examples = job.options.prompting.examples};
  variant.examples.seed = seed;
  return variant;
}

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

namespace {

/// One wording under all seeds, with the answers under each as "asked"; null after a signal. Writes the first seed's
/// predictions to `path`.
Json ask_wording(const PromptJob& job, const prompt::Wording& wording, const std::string& path) {
  const Stopwatch clock;
  Json result = {{"name", wording.name}, {"levels", wording.levels}, {"header", prompt::header_of(job.set, wording)}};
  Json seeds = Json::array(), answers = Json::array();
  std::int64_t without_answer = 0, dropped = 0, tokens = 0, computed = 0;
  for (const std::uint64_t seed : seeds_of(job.options)) {
    const Asked asked = ask(job, variant_of(job, wording, seed));
    if (asked.stopped) return nullptr;
    const auto scores = job.task->scores(asked.predictions, job.rows);
    seeds.push_back({{"seed", seed}, {"metrics", scores->metrics()}});
    answers.push_back(answers_of(job, asked.predictions));
    if (seeds.size() == 1) {
      files::write_file_atomically(path, lines_of(job, asked.predictions));
      result["intervals"] = scores->intervals();
    }
    without_answer += asked.without_answer;
    dropped += asked.dropped_examples;
    tokens += asked.tokens;
    computed += asked.computed_tokens;
  }
  result["metrics"] = mean_metrics(seeds);
  if (seeds.size() > 1) result["seeds"] = std::move(seeds);
  result.update({{"without_answer", without_answer},
                 {"dropped_examples", dropped},
                 {"tokens", tokens},
                 {"computed_tokens", computed},
                 {"seconds", clock.seconds()},
                 {"asked", std::move(answers)}});
  return result;
}

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
      result = ask_wording(job, wording, concat(folder, "/", i + 1, ".jsonl"));
      if (result.is_null()) break;
      kept.keep(i + 1, wording.name, result);
    }
    result.erase("asked");
    done.push_back(std::move(result));
    asking.progress(static_cast<std::int64_t>(done.size()));
  }
  asking.end();
  return done;
}

}  // namespace

Json run_prompts(const job::RunOptions& options, const report::EventBus& events) {
  job::check_output_folder(options);
  const PromptJob job = open_prompt_job(options, events);
  const auto lock = job::claim_output_folder(options);
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  Json results = {{"output_dir", options.output_dir}, {"split", options.prompting.split}};
  results.update(rows_told(job));
  results["wordings"] = ask_wordings(job, events);
  std::int64_t tokens = 0, computed = 0;
  for (const Json& wording : results["wordings"]) {
    tokens += wording["tokens"].get<std::int64_t>();
    computed += wording["computed_tokens"].get<std::int64_t>();
  }
  results["tokens"] = tokens;
  results["computed_tokens"] = computed;
  results["stopped_by"] = results["wordings"].size() < job.wordings.size() ? "signal" : "end";
  files::write_json(options.output_dir + "/prompt_results.json", results);
  if (!results["wordings"].empty())
    files::write_file_atomically(options.output_dir + "/report.html", report::prompt_page(results));
  return results;
}

}  // namespace attune::study
