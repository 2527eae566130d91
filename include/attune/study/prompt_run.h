// `attune prompt run`: every wording of a prompt set put to the same rows, scored, and written down.
#pragma once

#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"

namespace attune::study {

/// Writes into options.output_dir, for the n-th wording, wordings/<n>.jsonl (predictions, of the first seed) and
/// wordings/<n>.json, and prompt_results.json, which is returned:
/// {"output_dir", "split", "answer": prompting.answer, "rows", "majority", "scored_rows": of texts how many rows have
/// one of their own, on which metrics of texts rest, "duplicates" (PromptJob), "wordings":
/// [{"name", "levels": {factor: level}, "header", "metrics", "intervals" (95 %, over rows and seeds), "seeds":
/// [{"seed", "metrics"}] where anything is drawn under several, "without_answer", "cut_texts", "dropped_examples",
/// "tokens", "computed_tokens", "seconds"}], "tokens", "computed_tokens", "stopped_by"}. `metrics` are means over
/// seeds. Of texts a wording has metrics only where rows have texts of their own, "samples" of them
/// (task::Scores::samples), and where the prompt set has assertions "assertions" (AssertionCounts::assertions) and
/// "all_assertions", the share of the texts that keep all; "gate":
/// {"min_assertion_rate", "passed", "where", "failure"} and junit.xml are written then. With
/// options.resume_from_checkpoint "auto" finished wordings are read instead of asked again. Error{resume_refused} for a
/// folder with answers to something else; else as open_prompt_job and ask.
files::Json run_prompts(const job::RunOptions& options, const report::EventBus& events);

}  // namespace attune::study
