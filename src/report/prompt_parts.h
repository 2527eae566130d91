// What pages about prompts have in common.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// What it means for the study that rows of two splits have the same text; "" where none have.
std::string shared_texts_notice(const files::Json& results);
/// " · metrics rest on 1 of 3 rows" (report/scored_rows.h).
std::string scored_rows_note(const files::Json& results);
/// Whether a study of variants asked for texts.
bool is_of_texts(const files::Json& results);
/// What variants were compared by: its key, how a person calls it, and a number of it, shares as percentages.
std::string metric_key(const files::Json& results);
std::string metric_name(const files::Json& results);
std::string score_text(const files::Json& results, const files::Json& value);
/// " The gate of 10 % is kept."; "" without a gate.
std::string flip_gate_text(const files::Json& results);
/// A row of a study, {"id", "text"}: its id with the beginning of its text.
std::string row_html(const files::Json& row);
/// A metric of the wordings over each other; "" for one wording.
std::string wording_strips(const files::Json& results, const char* metric);
/// What means and intervals are over; "" where every wording was asked under one seed and has no interval.
std::string intervals_note(const files::Json& results);
/// "shown" of a study's results or of a wording: a prompt as the model reads it; "" where there is none.
std::string shown_prompt_html(const files::Json& results);
/// Tokens that went through the model, and what sharing them saved.
std::string work_text(const files::Json& results);

}  // namespace attune::report
