// See language_model.h.
#include "attune/job/language_model.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "attune/base/error.h"
#include "attune/config/config.h"
#include "attune/data/read.h"
#include "attune/infer/generation_config.h"
#include "attune/job/execution.h"
#include "attune/job/fits_model.h"
#include "attune/job/open_folder.h"
#include "attune/job/text_generation.h"
#include "attune/task/task.h"
#include "job/data_summary.h"
#include "job/encode_rows.h"
#include "job/wording.h"

namespace attune::job {

LanguageModel open_language_model(const std::string& path_or_id, const std::vector<std::string>& overrides) {
  const ModelFolder parts = look_into(models::resolve_model_path(path_or_id), models::Task::causal_lm);
  if (parts.task != models::Task::causal_lm) {
    throw Error(ErrorKind::model, {.file = parts.path,
                                   .what = "the adapter is of no causal language model",
                                   .where = "adapter_config.json, task_type",
                                   .hint = "name an adapter that was trained for text-generation"});
  }
  LanguageModel opened;
  models::LoadOptions options;
  options.dtype = "float32";  // products are in float32: widened once, not at each token
  opened.loaded = load(parts, options);
  opened.loaded.model->set_execution(execution_of(config::defaults({"device=auto", "training.bf16=false"}, machine())));
  opened.tokenizer = load_tokenizer(parts, opened.loaded.model->spec());
  opened.folder = parts.tokenizer;
  opened.options = generation_options(parts.generation, *opened.tokenizer);
  infer::check_folder_end_tokens(parts.generation, opened.loaded.model->spec().vocab_size);
  RunOptions run = options_of_run(parts, overrides);
  opened.chats = chat_templates_of(parts, run, overrides);
  opened.data = std::move(run.data);
  const std::int64_t most = most_tokens(*opened.loaded.model);
  const bool is_said = is_of_run(parts) || says_max_length(opened.data, overrides);
  opened.data.max_length = is_said ? std::min(opened.data.max_length, most) : most;
  return opened;
}

namespace {

/// `report`: what reading passed over.
void make_prompts(const LanguageModel& opened, const std::string& file, Rows& rows, data::ReadReport report) {
  task::TaskOptions options;
  options.kind = models::Task::causal_lm;
  options.max_length = opened.data.max_length;
  set_language(options, opened.data, opened.chats.get());
  options.tokenizer = opened.tokenizer.get();
  options.generates = options.only_prompts = true;
  const auto task = task::make_task(options);
  encode_rows(rows, {.task = *task, .tokenizer = *opened.tokenizer, .skips_bad_rows = opened.data.on_bad_row == "skip"}, report);
  warn_of_skipped(report, file);
  tell_of_cuts(file, rows, options.max_length);
}

}  // namespace

Rows read_prompts(const LanguageModel& opened, const std::string& file) {
  data::DataOptions options = opened.data;
  refuse_wording(options, opened.folder, "generate --file");
  for (auto* column : {&options.columns.weight, &options.columns.group, &options.columns.time}) column->reset();  // of training, no part of a prompt
  Rows rows;
  data::ReadReport report;
  rows.examples = data::read_examples({file}, options, data::RowKind::language, report, data::LabelNeed::awaited);
  make_prompts(opened, file, rows, std::move(report));
  return rows;
}

void encode_prompts(const LanguageModel& opened, const std::string& file, Rows& rows) {
  make_prompts(opened, file, rows, {});
}

}  // namespace attune::job
