// The output folder of a run: what Transformers users expect there, written completely or not at all.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/files/storage.h"
#include "attune/job/fit.h"

namespace attune::job {

/// Error{usage} unless options.output_dir is new, empty, or may be continued or overwritten; Error{locked} while another
/// process works in it. Only looks.
void check_output_folder(const RunOptions& options);

/// Creates the folder where it is missing, locks it, checks it again and, under overwrite_output_dir, empties it (under
/// resume_from_checkpoint removes only what a killed run left half-written): in this order, so that nothing of a run that
/// is going on is touched. The folder stays locked as long as the result lives.
std::unique_ptr<files::FolderLock> claim_output_folder(const RunOptions& options);

/// The model, or the base with the adapter, that a run of the same options wrote to `folder`; on the CPU in float32 until told otherwise.
models::LoadedModel reopen(const Prepared& prepared, const std::string& folder);

/// A run that has ended, opened to answer its validation and test rows once more.
struct ReopenedRun {
  std::unique_ptr<const Prepared> prepared;
  Fit fit;  ///< of the model in options.output_dir; nothing of its training
};
/// With the rows that the options name; rounds of self-training are over, and nothing of them is read.
ReopenedRun reopen_run(const RunOptions& options, std::shared_ptr<train::PrefixCache> prefix_cache);

/// Writes config.json, model.safetensors and the tokenizer files, opens them again and compares probe logits with those in
/// memory: {"rows", "max_abs_difference", "bit_equal"}. Throws Error{storage} when they differ by more than rounding.
files::Json save_and_reopen(const Fit& fit, const Prepared& prepared, const files::ListView<task::Encoded>& probe, const std::string& folder);

/// Copies the files of a run or of one of its parts to another folder, `but` one; of folders only how the
/// model pools texts, and what all folds found together.
void copy_run_files(const std::string& from, const std::string& to, std::string_view but = "");

/// Calls `each` with the predictions of every example: one, or the windows of a long row, which lie together.
void for_each_example(std::span<const task::Prediction> predictions, const std::function<void(std::span<const task::Prediction>)>& each);

/// The lines of predictions.jsonl: one an example, in order.
std::string prediction_lines(const task::Task& task, std::span<const task::Prediction> predictions,
                             std::span<const data::Example> examples, bool with_logits);

/// The numbers of `metrics` as <name>_results.json under HF's names ("eval_accuracy"; nothing before those of "train"), what
/// is no single number, and `intervals`, as <name>_detail.json. Empty metrics write nothing.
struct SplitResults {
  std::string name;  ///< "train", "eval" or "test"
  files::Json metrics;
  files::Json intervals;
};
/// Also all_results.json, which holds them together.
void write_results(const std::string& folder, const std::vector<SplitResults>& splits);
/// The same for one more split of a folder that has been written.
void add_results(const std::string& folder, const SplitResults& split);
/// `train_metrics` close the log history, as the reference's do.
void write_trainer_state(const std::string& folder, const train::TrainResult& result, const files::Json& train_metrics);

/// train_loss, train_runtime, train_samples_per_second, … of one fit.
files::Json train_metrics(const train::TrainResult& result, std::size_t rows);

}  // namespace attune::job
