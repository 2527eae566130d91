// See stability.h.
#include "attune/study/stability.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/openings.h"
#include "attune/job/output.h"
#include "attune/report/junit.h"
#include "attune/report/phase.h"
#include "attune/report/prompt_html.h"
#include "attune/study/prompting.h"
#include "design.h"
#include "kept_answers.h"
#include "predictions.h"
#include "prompt_run_parts.h"
#include "shown_prompts.h"
#include "stability_statistics.h"

namespace attune::study {

namespace {

using files::Json;

/// Answers of all variants; fewer than there are after a signal.
std::vector<Json> ask_all(const PromptJob& job, const std::vector<DesignPoint>& points, const KeptAnswers& kept,
                          const report::EventBus& events) {
  report::Phase asking(events, "asking", static_cast<std::int64_t>(points.size()), "variant");
  std::vector<Json> all;
  for (std::size_t i = 0; i < points.size(); ++i) {
    Json answers = kept_or_asked(job, kept, {.number = i + 1, .name = points[i].name, .variant = points[i].variant});
    if (answers.is_null()) break;
    all.push_back(std::move(answers));
    asking.progress(static_cast<std::int64_t>(all.size()));
  }
  asking.end();
  return all;
}

/// The chosen wordings, put to the test rows under the first seed; null after a signal. The n-th wording's answers are
/// kept under n.
Json test_wordings(PromptJob& job, const std::set<std::string>& names, const KeptAnswers& kept) {
  read_split(job, "test");
  Json test = Json::object();
  for (std::size_t i = 0; i < job.wordings.size(); ++i) {
    const prompt::Wording& wording = job.wordings[i];
    if (!names.contains(wording.name)) continue;
    const Variant variant = variant_of(job, wording, job.options.seeds.front());
    const Json answers =
        kept_or_asked(job, kept, {.number = i + 1, .name = wording.name, .variant = variant, .is_reported = true});
    if (answers.is_null()) return nullptr;
    test[wording.name] = told_of(answers);
  }
  return test;
}

void write_junit(const Json& results) {
  const report::TestCase gate{
      .name = "flip rate", .seconds = 0, .failure = results["gate"]["failure"].get<std::string>()};
  files::write_file_atomically(results["output_dir"].get<std::string>() + "/junit.xml",
                               report::junit_xml("attune prompt stability", {gate}));
}

}  // namespace

Json prompt_stability(const job::RunOptions& options, const report::EventBus& events) {
  check_study(options);
  job::check_output_folder(options);
  PromptJob job = open_prompt_job(options, events);
  warn_of_wordings(job);
  const std::vector<DesignPoint> points = design(job);
  const auto lock = job::claim_output_folder(options);
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  Json results = {{"output_dir", options.output_dir}};
  results.update(rows_told(job));
  const KeptAnswers kept(job, options.output_dir + "/variants");
  const std::vector<Json> answers = ask_all(job, points, kept, events);
  if (answers.size() < points.size()) {
    results["stopped_by"] = "signal";
    return results;
  }
  results.update(stability_statistics(job, points, answers));
  results["shown"] = shown_wording(job, results["best"].get<std::string>());
  if (!options.data.test.empty()) {
    results["opening"] = job::note_opening(options, "attune prompt stability");
    results["test"] = test_wordings(job, {results["best"].get<std::string>(), results["steadiest"].get<std::string>()},
                                    kept.in(options.output_dir + "/test_answers"));
    if (results["test"].is_null()) {
      results["stopped_by"] = "signal";
      return results;
    }
  }
  results["stopped_by"] = "end";
  files::write_json(options.output_dir + "/stability_results.json", results);
  files::write_file_atomically(options.output_dir + "/report.html", report::stability_page(results));
  write_junit(results);
  return results;
}

}  // namespace attune::study
