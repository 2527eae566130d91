// See prompt_run.h.
#include "attune/study/prompt_run.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/openings.h"
#include "attune/job/output.h"
#include "attune/job/run.h"
#include "attune/prompt/examples.h"
#include "attune/prompt/writer.h"
#include "attune/report/junit.h"
#include "attune/report/phase.h"
#include "attune/report/prompt_html.h"
#include "attune/study/prompting.h"
#include "gate.h"
#include "kept_answers.h"
#include "predictions.h"
#include "prompt_run_parts.h"
#include "shown_prompts.h"
#include "wording_results.h"

namespace attune::study {

using files::Json;

Json rows_told(const PromptJob& job) {
  Json told = {{"rows", job.rows.size()}, {"majority", job::majority_rate(job.labels, job.pool, job.rows)}};
  if (job.asks_texts()) told["scored_rows"] = std::ranges::count_if(job.rows, has_answer);
  if (!job.duplicates.is_null()) told["duplicates"] = job.duplicates;
  return told;
}

bool has_chance(const PromptJob& job, const prompt::FewShotOptions& examples) {
  const bool draws_tokens = job.options.prompting.answer != "likelihood" && job.generation.do_sample;
  return draws_tokens || prompt::draws_examples(examples);
}

std::vector<std::uint64_t> seeds_of(const PromptJob& job) {
  const std::vector<std::uint64_t>& seeds = job.options.seeds;
  return has_chance(job, job.options.prompting.examples) ? seeds : std::vector{seeds.front()};
}

Variant variant_of(const PromptJob& job, const prompt::Wording& wording, std::uint64_t seed) {
  Variant variant{.wording = wording, .examples = job.options.prompting.examples};
  variant.examples.seed = seed;
  if (job.options.seeds.size() > 1) variant.text_seed = seed;
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

/// What the wording was answered with under a seed, as it is kept: texts, or labels and how likely they are.
Json kept_of(const PromptJob& job, const Asked& asked) {
  if (job.asks_texts()) return {{"texts", texts_of(asked.predictions)}};
  return answers_of(job, asked.predictions);
}

/// One wording under all seeds, with the answers under each as "asked"; null after a signal. Writes the first seed's
/// predictions to `path`.
Json ask_wording(const PromptJob& job, const prompt::Wording& wording, const std::string& path) {
  const Stopwatch clock;
  const std::vector<std::uint64_t> seeds = seeds_of(job);
  std::vector<Asked> runs;
  for (const std::uint64_t seed : seeds) {
    runs.push_back(ask(job, variant_of(job, wording, seed)));
    if (runs.back().stopped) return nullptr;
  }
  WordingResults results(job);
  Json answers = Json::array();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    results.add(seeds[i], runs[i].predictions);
    answers.push_back(kept_of(job, runs[i]));
  }
  files::write_file_atomically(path, results.lines());
  const auto sum = [&](std::int64_t Asked::* count) {
    std::int64_t all = 0;
    for (const Asked& run : runs) all += run.*count;
    return all;
  };
  Json result = {{"name", wording.name},
                 {"levels", wording.levels},
                 {"header", prompt::header_of(job.set, wording)},
                 {"shown", shown_prompt(job, variant_of(job, wording, seeds.front()), wording.name)}};
  result.update(results.results());
  result.update({{"without_answer", sum(&Asked::without_answer)},
                 {"cut_texts", sum(&Asked::cut_texts)},
                 {"dropped_examples", sum(&Asked::dropped_examples)},
                 {"tokens", sum(&Asked::tokens)},
                 {"computed_tokens", sum(&Asked::computed_tokens)},
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
        one.failure = concat(print_number("%.4f", rate), " of the texts pass, at least ", print_number("%.4f", *least),
                             " should");
        if (failure.empty()) failure = concat("assertion '", name, "': ", one.failure);
      }
      cases.push_back(std::move(one));
    }
  }
  results["gate"] = gate_result("prompting.min_assertion_rate", least, failure);
  files::write_file_atomically(results["output_dir"].get<std::string>() + "/junit.xml",
                               report::junit_xml("attune prompt run", cases));
}

}  // namespace

Json run_prompts(const job::RunOptions& options, const report::EventBus& events) {
  job::check_output_folder(options);
  const PromptJob job = open_prompt_job(options, events);
  warn_of_wordings(job);
  const auto lock = job::claim_output_folder(options);
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  Json results = {
      {"output_dir", options.output_dir}, {"split", options.prompting.split}, {"answer", options.prompting.answer}};
  results.update(rows_told(job));
  if (options.prompting.split == "test") results["opening"] = job::note_opening(options, "attune prompt run");
  results["wordings"] = ask_wordings(job, events);
  std::int64_t tokens = 0, computed = 0;
  for (const Json& wording : results["wordings"]) {
    tokens += wording["tokens"].get<std::int64_t>();
    computed += wording["computed_tokens"].get<std::int64_t>();
  }
  results["tokens"] = tokens;
  results["computed_tokens"] = computed;
  results["stopped_by"] = results["wordings"].size() < job.wordings.size() ? "signal" : "end";
  if (job.assertions && results["stopped_by"] == "end")
    put_assertions_to_gate(options.prompting.min_assertion_rate, results);
  files::write_json(options.output_dir + "/prompt_results.json", results);
  if (!results["wordings"].empty())
    files::write_file_atomically(options.output_dir + "/report.html", report::prompt_page(results));
  return results;
}

}  // namespace attune::study
