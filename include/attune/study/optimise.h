// `attune prompt optimise`: the best way to ask, by successive halving (Jamieson & Talwalkar 2016): all variants see a
// few validation rows, the best of them more, until one is left; that one alone is put to the test rows.
#pragma once

#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"

namespace attune::study {

/// Variants are those of prompt_stability. Writes into options.output_dir answers/<n>.json, test/1.json, report.html and
/// optimise_results.json, which is returned: {"output_dir", "rows", "majority", "duplicates" (PromptJob), "candidates", "budget", "questions":
/// rows asked, "rounds": [{"rows", "candidates":
/// [{"name", "accuracy", "loss"}, the best first], "kept"}], "chosen": {"name", "levels", "header", "accuracy",
/// "rows"}, "test": {"metrics", "intervals"} where there are test rows, "stopped_by"}. Candidates go by accuracy, of
/// equals by loss. Errors as prompt_stability.
files::Json prompt_optimise(const job::RunOptions& options, const report::EventBus& events);

}  // namespace attune::study
