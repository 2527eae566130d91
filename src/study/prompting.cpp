// Opens what `attune prompt` asks: model, prompt set, rows. See prompting.h.
#include "attune/study/prompting.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/random.h"
#include "attune/base/strings.h"
#include "attune/config/prompt_set.h"
#include "attune/data/overlap.h"
#include "attune/data/read.h"
#include "attune/files/storage.h"
#include "attune/infer/embeddings.h"
#include "attune/infer/generation_config.h"
#include "attune/job/execution.h"
#include "attune/job/fits_model.h"
#include "attune/job/open_folder.h"
#include "attune/job/prepare.h"
#include "attune/job/text_generation.h"
#include "attune/prompt/writer.h"
#include "attune/report/phase.h"
#include "attune/task/prompts.h"
#include "job/base_hashes.h"
#include "job/data_summary.h"
#include "job/subset.h"
#include "prompt_settings.h"
#include "text_answers.h"

namespace attune::study {

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = where, .hint = hint});
}

/// A configuration of another task may be asked too: what counts is which head the checkpoint has.
std::optional<models::Task> wanted_task(const job::RunOptions& options) {
  if (options.model.task == "text-generation") return models::Task::causal_lm;
  if (options.model.task == "fill-mask") return models::Task::masked_lm;
  return std::nullopt;
}

void open_model(PromptJob& job) {
  const job::ModelFolder parts =
      job::look_into(models::resolve_model_path(job.options.model.path), wanted_task(job.options));
  if (parts.task != models::Task::causal_lm && parts.task != models::Task::masked_lm) {
    throw Error(ErrorKind::model, {.file = parts.path,
                                   .what = "the checkpoint is no language model: it cannot be asked",
                                   .where = "config.json, architectures",
                                   .hint = "name a causal or masked language model"});
  }
  job.loaded = job::load(parts, {.dtype = "float32"});
  job.loaded.model->set_execution(job::execution_of(job.options));
  job.tokenizer = job::load_tokenizer(parts, job.loaded.model->spec());
  job.folder = parts.tokenizer;
  job.chats = job::chat_templates(parts.tokenizer, job.options.data);
  job.generation =
      infer::with_settings(job::generation_options(parts.generation, *job.tokenizer), job.options.generation);
  job.max_tokens = job::most_tokens(*job.loaded.model);
}

std::vector<data::Example> read_rows(const std::vector<std::string>& paths, const data::DataOptions& options,
                                     prompt::AnswerKind kind) {
  data::ReadReport report;
  const bool is_text = kind == prompt::AnswerKind::text;
  std::vector<data::Example> examples =
      data::read_examples(paths, options, is_text ? data::RowKind::language : data::RowKind::classification, report,
                          is_text ? data::LabelNeed::awaited : data::LabelNeed::required);
  if (report.skipped > 0) log::warning(concat(join(paths, ", "), ": ", report.skipped, " bad rows were passed over"));
  return examples;
}

data::DataOptions row_options(const PromptJob& job) {
  data::DataOptions options = job.options.data;
  options.kept_columns = prompt::columns_of(job.set, options.columns, job.kind);
  return options;
}

/// What the pool of examples says of labels; what else is read then is read as it was.
void set_labels(PromptJob& job, data::DataOptions& options, const files::LongList<data::Example>& pool) {
  job.labels = data::collect_labels(pool);
  if (job.labels.kind != data::TargetKind::single) {
    refuse(concat("the label column holds ", data::describe(job.labels.kind), "; what is asked for is one class"),
           "data.columns.label", "name another column, or set data.labels to single");
  }
  job::place_positive_label(job.labels, options.positive_label);
  for (const prompt::Wording& wording : job.wordings) {
    if (!job.words.contains(wording.verbalizer))
      job.words[wording.verbalizer] = prompt::label_words(job.set, job.labels.names, wording.verbalizer);
  }
  options.labels = data::labels_setting(job.labels.kind);
}

/// Of training rows those that an example could show.
void keep_answered(PromptJob& job) {
  std::erase_if(job.pool, [](const data::Example& row) { return !has_answer(row); });
  if (!job.pool.empty() || job.options.prompting.examples.k == 0) return;
  refuse("no training row has an answer that an example could show", "prompting.examples.k",
         "set it to 0, or name the answers' column in data.columns.completion");
}

/// All rows: the pool of examples, what it says of labels, and what is kept from it.
void read_all_rows(PromptJob& job) {
  data::DataOptions options = row_options(job);
  files::LongList<data::Example> pool = read_rows(options.train, options, job.kind);
  if (!job.asks_texts()) set_labels(job, options, pool);
  job::take_subset(options, job.labels, pool);
  job.pool = std::move(pool.values());
  if (!options.validation.empty()) job.validation = read_rows(options.validation, options, job.kind);
  if (!options.test.empty()) job.test = read_rows(options.test, options, job.kind);
  std::vector<data::NamedSplit> splits = {{.name = "train", .examples = job.pool}};
  if (!job.validation.empty()) splits.push_back({.name = "validation", .examples = job.validation});
  if (!job.test.empty()) splits.push_back({.name = "test", .examples = job.test});
  job.duplicates = job::duplicates_of(splits);
  if (job.asks_texts()) keep_answered(job);
}

std::string metric_of(const PromptJob& job) {
  const std::string& wanted = job.options.prompting.metric;
  if (!job.asks_texts()) return "accuracy";
  if (wanted != "auto") return wanted;
  const bool is_scored = std::ranges::any_of(job.validation, has_answer);
  return is_scored || !job.assertions ? "rougeL" : kAllAssertions;
}

/// Without tokens or label.
task::Encoded target_of(const PromptJob& job, std::size_t row) {
  return {.example = static_cast<std::int64_t>(row),
          .row = job.rows[row].row,
          .ids = {},
          .type_ids = {},
          .weight = job.rows[row].weight};
}

void make_label_targets(PromptJob& job) {
  task::TaskOptions options;
  options.kind = models::Task::sequence_classification;
  options.labels = job.labels;
  if (job.options.prompting.answer == "generation") options.labels.names.emplace_back(kNoAnswer);
  job.task = task::make_task(options);
  for (std::size_t i = 0; i < job.rows.size(); ++i) {
    job.targets.push_back(target_of(job, i));
    job.targets.back().label = data::class_id(job.labels, job.rows[i]);
  }
}

/// What is shown of a row beside its text is the row, without the prompt around it.
void make_text_targets(PromptJob& job) {
  task::TaskOptions options;
  options.kind = models::Task::causal_lm;
  options.tokenizer = job.tokenizer.get();
  options.generates = true;
  job.task = task::make_task(options);
  std::vector<std::string> texts;
  for (const data::Example& row : job.rows) texts.push_back(row.text);
  std::vector<std::vector<std::int32_t>> ids = task::encode_prompts(texts, *job.tokenizer);
  for (std::size_t i = 0; i < job.rows.size(); ++i) {
    job.targets.push_back(target_of(job, i));
    task::AnswerPrompt prompt{.ids = std::move(ids[i]), .reference = std::nullopt};
    if (has_answer(job.rows[i])) prompt.reference = *job.rows[i].text_pair;
    job.targets.back().prompt = std::move(prompt);
  }
  if (job.has_references() || job.assertions) return;
  refuse("no row has a text of its own, and there are no assertions: nothing would be scored",
         "data.columns.completion", "name the column with the answers, or write assertions into the prompt set");
}

void make_targets(PromptJob& job) {
  job.targets.clear();
  job.asks_texts() ? make_text_targets(job) : make_label_targets(job);
}

/// Once rows, targets and vectors are there.
void set_examples(PromptJob& job) {
  job.examples = ExampleChoice(job.pool, job.rows, job.pool_embeddings, job.row_embeddings);
  for (const auto* rows : {&job.validation, &job.test}) job.examples.forbid_texts_of(*rows);
}

/// Prompts would have fewer examples than were asked for, and scores would be taken for those of k.
void warn_of_small_pool(const PromptJob& job) {
  const std::int64_t k = job.options.prompting.examples.k;
  const auto available = static_cast<std::int64_t>(job.examples.available());
  if (available >= k) return;
  log::warning(concat("prompting.examples.k is ", k, ", and ", available, " of ",
                      counted(static_cast<std::int64_t>(job.pool.size()), "training row"),
                      " can be an example (never those with the text of a validation or test row): prompts have ",
                      counted(available, "example")));
}

bool goes_by_similarity(const job::PromptingOptions& options) {
  const auto names = [](const std::vector<std::string>& tried, const char* way) {
    return std::ranges::find(tried, way) != tried.end();
  };
  return options.examples.k > 0 &&
         (options.examples.choose == "nearest" || options.examples.order == "nearest_last" ||
          names(options.stability.choose, "nearest") || names(options.stability.order, "nearest_last"));
}

at::Tensor embeddings_of(const PromptJob& job, const std::vector<data::Example>& examples) {
  std::vector<std::string> texts;
  for (const data::Example& example : examples) texts.push_back(example.text);
  std::vector<std::vector<std::int32_t>> ids = task::encode_prompts(texts, *job.tokenizer);
  for (auto& one : ids)
    one.resize(std::min(one.size(), static_cast<std::size_t>(job.max_tokens)));  // the beginning tells enough
  return infer::embeddings(*job.loaded.model, ids);
}

}  // namespace

bool has_answer(const data::Example& row) {
  return row.has_pair && !row.awaits_answer;
}

bool PromptJob::has_references() const {
  return std::ranges::any_of(rows, has_answer);
}

job::PromptReader reader_of(const PromptJob& job) {
  return {.task = job.loaded.model->spec().task,
          .tokenizer = job.tokenizer.get(),
          .chats = job.chats.get(),
          .folder = job.folder};
}

void read_split(PromptJob& job, const std::string& split) {
  job.rows = split == "test" ? job.test : job.validation;
  if (job.rows.empty())
    refuse(concat("there are no ", split, " rows to be answered"), concat("data.", split), "name a file of rows");
  data::ReadReport unseen;
  if (!job.asks_texts()) data::check_labels(job.rows, job.labels, job.options.data.on_bad_row, unseen);
  make_targets(job);
  if (job.pool_embeddings.defined()) job.row_embeddings = embeddings_of(job, job.rows);
  set_examples(job);
}

PromptJob open_prompt_job(const job::RunOptions& options, const report::EventBus& events) {
  if (options.prompting.prompts.empty())
    refuse("there is no prompt set", "prompting.prompts",
           "name a file: \"prompting\": {\"prompts\": \"prompts.json\"}");
  PromptJob job;
  job.options = options;
  if (job.options.training.bf16 == "auto")
    job.options.training.bf16 = "false";  // scores are compared: to the last digit that counts
  job.set = config::load_prompt_set(options.prompting.prompts);
  job.wordings = prompt::wordings(job.set, options.prompting.wordings);
  if (options.prompting.answer == "text") job.kind = prompt::AnswerKind::text;
  if (!job.set.assertions.empty()) job.assertions.emplace(job.set.assertions, job.set.file);
  report::Phase loading(events, "loading");
  open_model(job);
  check_settings(job);
  loading.end();
  report::Phase reading(events, "reading");
  read_all_rows(job);
  job.metric = metric_of(job);
  reading.end();
  if (goes_by_similarity(options.prompting)) {
    report::Phase comparing(events, "comparing texts", static_cast<std::int64_t>(job.pool.size()));
    job.pool_embeddings = embeddings_of(job, job.pool);
    comparing.end();
  }
  read_split(job, options.prompting.split);
  warn_of_small_pool(job);
  return job;
}

void shuffle_rows(PromptJob& job, std::uint64_t seed) {
  const std::vector<std::int64_t> order =
      RandomKey(seed, "rows").permutation(static_cast<std::int64_t>(job.rows.size()));
  std::vector<data::Example> rows;
  for (const std::int64_t row : order) rows.push_back(std::move(job.rows[static_cast<std::size_t>(row)]));
  job.rows = std::move(rows);
  make_targets(job);
  if (job.row_embeddings.defined())
    job.row_embeddings = job.row_embeddings.index_select(0, at::tensor(order, at::kLong));
  set_examples(job);
}

files::Json identity_of(const PromptJob& job) {
  const job::RunOptions& options = job.options;
  const files::Json all = config::effective(options);
  files::Json identity = {
      {"prompting", all["prompting"]},
      {"data", all["data"]},
      {"generation", all["generation"]},
      {"seeds", options.seeds},
      {"prompts", files::sha256_file(options.prompting.prompts, ErrorKind::usage)},
      {"base", job::BaseHashes(models::resolve_model_path(options.model.path), /*with_weights=*/true).get()},
      {"tokenizer", job.tokenizer->fingerprint()}};
  for (const auto* paths : {&options.data.train, &options.data.validation, &options.data.test}) {
    for (const std::string& path : *paths) identity["files"][path] = files::sha256_file(path, ErrorKind::data);
  }
  return identity;
}

}  // namespace attune::study
