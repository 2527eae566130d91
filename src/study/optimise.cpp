// See optimise.h.
#include "attune/study/optimise.h"

#include <nlohmann/json.hpp>

#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/openings.h"
#include "attune/job/output.h"
#include "attune/report/prompt_html.h"
#include "attune/study/prompting.h"
#include "design.h"
#include "halving.h"
#include "kept_answers.h"
#include "predictions.h"
#include "prompt_run_parts.h"
#include "shown_prompts.h"

namespace attune::study {

namespace {

using files::Json;

/// The chosen variant, put to the test rows; null after a signal.
Json test_chosen(PromptJob& job, const DesignPoint& chosen, const KeptAnswers& kept) {
  read_split(job, "test");
  const Json answers =
      kept_or_asked(job, kept, {.number = 1, .name = chosen.name, .variant = chosen.variant, .is_reported = true});
  if (answers.is_null()) return nullptr;
  return told_of(answers);
}

}  // namespace

Json prompt_optimise(const job::RunOptions& options, const report::EventBus& events) {
  check_study(options);
  job::check_output_folder(options);
  PromptJob job = open_prompt_job(options, events);
  warn_of_wordings(job);
  shuffle_rows(job, options.seeds.front());
  const std::vector<DesignPoint> points = different_points(job);
  const auto lock = job::claim_output_folder(options);
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  Json results = {{"output_dir", options.output_dir}, {"stopped_by", "signal"}};
  results.update(rows_told(job));
  const KeptAnswers kept(job, options.output_dir + "/answers");
  const auto answer = [&](const VariantQuestion& question) { return kept_or_asked(job, kept, question); };
  std::size_t chosen = 0;
  const Json found = successive_halving(job, points, answer, events, chosen);
  if (found.is_null()) return results;
  results.update(found);
  results["shown"] = shown_prompt(job, points[chosen].variant, points[chosen].name);
  if (!options.data.test.empty()) {
    results["opening"] = job::note_opening(options, "attune prompt optimise");
    const Json test = test_chosen(job, points[chosen], kept.in(options.output_dir + "/test_answers"));
    if (test.is_null()) return results;
    results["test"] = test;
  }
  results["stopped_by"] = "end";
  files::write_json(options.output_dir + "/optimise_results.json", results);
  files::write_file_atomically(options.output_dir + "/report.html", report::optimise_page(results));
  return results;
}

}  // namespace attune::study
