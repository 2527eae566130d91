// `attune prompt optimise`: the best way to ask, by successive halving (Jamieson & Talwalkar 2016): all variants see a
// few validation rows, the best of them more, until one is left; that one alone is put to the test rows.
#pragma once

#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"

namespace attune::study {

/// Variants are those of prompt_stability. Writes into options.output_dir answers/<n>.json, test_answers/1.json,
/// report.html and optimise_results.json, which is returned: {"output_dir", "rows", "majority", "scored_rows"
/// of texts, "duplicates" (PromptJob), "candidates", "budget", "questions": rows asked, "metric" (PromptJob), "rounds":
/// [{"rows", "candidates":
/// [{"name", the metric, "loss" of labels}, the best first], "kept"}], "chosen": {"name", "levels", "header", the
/// metric, "rows"}, "test": {"metrics", "intervals", of texts "assertions" and "samples" as run_prompts has them} where
/// there are test rows, "stopped_by"}. Candidates go by the metric, of equals by loss. Errors as prompt_stability.
files::Json prompt_optimise(const job::RunOptions& options, const report::EventBus& events);

}  // namespace attune::study
