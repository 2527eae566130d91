// `attune prompt stability`: how much the answers depend on how one asks. Every combination of wording, choice and
// order of examples, label words and seed is put to the validation rows; the best and the steadiest wording are then
// put to the test rows.
#pragma once

#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"

namespace attune::study {

/// Writes into options.output_dir variants/<n>.json, test_answers/<n>.json, junit.xml, and stability_results.json,
/// which is returned:
/// {"output_dir", "rows", "majority", "scored_rows" of texts (as run_prompts has it), "duplicates", "metric"
/// (PromptJob), "variants": [{"name", "levels", "metrics"}],
/// "spread": {"lowest", "highest", "range", "mean", "sd"} of the metric, "shares": {factor: {"share", "chance",
/// "means": {level: the metric}}, "remainder"} (metrics/variance.h), "flip_rate": mean over rows, "fragile": [{"id",
/// "text" of the row, "flip_rate", "labels": {label: variants}}, at most 20, the worst first], "wordings":
/// [{"name", the metric, "lowest", "highest", "flip_rate"}], "best", "steadiest": names of wordings, "test": {name:
/// {"metrics", "intervals"}}, "gate": {"max_flip_rate", "passed", "where", "failure"}, "stopped_by"}. A wording's flip
/// rate is that of its own variants; where it has one alone, how often it differs from the label that most variants
/// give.
///
/// Of texts a row flips where one of two variants keeps all assertions and the other does not ("flip_rate" is null
/// without assertions), and there are "differing_texts": how often two variants write a row different texts (blanks at
/// the ends aside), and "row_sd": the standard deviation over variants of the metric of a row's text alone, on average
/// over rows. "fragile" are the rows with the largest "sd": [{"id", "text" of the row, "sd", "texts": different ones, "lowest" and
/// "highest": {"variant", "score", "text"}, "flip_rate" with assertions}]; wordings have "row_sd" instead of
/// "flip_rate", of one variant alone how far a row is from its mean over all; "test" has "assertions" and "samples" as
/// run_prompts has them.
///
/// Error{usage} where nothing varies; with options.resume_from_checkpoint "auto" finished variants are read. Else as
/// run_prompts.
files::Json prompt_stability(const job::RunOptions& options, const report::EventBus& events);

}  // namespace attune::study
