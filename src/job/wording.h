// Tuning behind wordings (data.prompts): which these are, and the rows as their prompts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "attune/job/prepare.h"

namespace attune::job {

/// The wordings that the options name; nothing where they name no prompt set. Error{usage} for one that does not exist,
/// where the set has several and none is named, and under self-training where there is but one to train in.
std::optional<Asked> open_wording(const RunOptions& options);

/// What reading keeps of the rows' columns for the wordings; nothing without one.
std::vector<std::string> columns_of(const std::optional<Asked>& asked, const RunOptions& options);

/// Writes prompts into the rows: of labels as their text, of texts as prompt and completion or as a chat. A training row,
/// and an unlabelled one, becomes as many as it has wordings; validation rows are copied so too where self-training asks them.
/// Examples come from the training rows and are drawn under the first seed; what is too long loses them from the front on.
/// prepared.labels is known, and rows have the numbers of their own files. Error{data} for a row that makes no prompt,
/// or none that the model takes; where data.on_bad_row says so it is passed over and added to the report of its split.
/// Error{usage} for wordings that write answers differently.
void write_prompts(Prepared& prepared, std::map<std::string, data::ReadReport>& reports);

/// Error{usage} where a folder's run asked its rows in a wording: `verb` cannot.
void refuse_wording(const data::DataOptions& options, const std::string& folder, const std::string& verb);

}  // namespace attune::job
