// See prepare.h.
#include "attune/job/prepare.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "attune/adapt/adapter.h"
#include "attune/adapt/peft.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/memory.h"
#include "attune/base/sha256.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/infer/generation_config.h"
#include "attune/job/fits_model.h"
#include "attune/job/text_generation.h"
#include "attune/metrics/table.h"
#include "attune/report/phase.h"
#include "job/base.h"
#include "job/base_hashes.h"
#include "job/contrastive.h"
#include "job/data_summary.h"
#include "job/encode_rows.h"
#include "job/frozen_hashes.h"
#include "job/labels.h"
#include "job/prompt_start.h"
#include "job/read_splits.h"
#include "job/token_cache.h"
#include "job/unlabelled.h"
#include "job/wording.h"

namespace attune::job {

namespace {

using files::Json;

/// A misspelt metric ends the run here and not at its first evaluation.
void check_metrics(const RunOptions& options, const task::Task& task) {
  const std::vector<std::string> known = task.metric_names();
  const auto check = [&](const std::string& metric, const char* key) {
    const std::string name(metrics::without_eval_prefix(metric));
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    throw Error(ErrorKind::usage, {.file = "", .what = concat("these rows have no metric '", metric, "'"), .where = key,
                                   .hint = metrics::metric_hint(name, known)});
  };
  if (options.early_stopping.enabled) check(options.early_stopping.metric, "early_stopping.metric");
  if (options.training.metric_for_best_model) check(*options.training.metric_for_best_model, "training.metric_for_best_model");
}

/// From the cache, else by the task.
void encode_split(Prepared& prepared, const char* name, const Encoding& encoding, Rows& rows, Skipped& skipped) {
  const TokenCache cache(prepared);
  if (cache.load(rows)) {
    if (!encoding.keeps_texts) rows.examples.edit(forget_texts);
    log::info(concat(name, ": the tokens are those kept in ", prepared.options.data.token_cache_dir));
    return;
  }
  if (encode_rows(rows, encoding, skipped[name]) == 0) return;
  rows.tokens_key.clear();  // what is wrong with rows is told at every start
  prepared.data_summary["splits"][name]["rows"] = rows.examples.size();
}

/// How many rows are asked after all, and what was passed over.
void summarise_unlabelled(Prepared& prepared, const data::ReadReport& report) {
  if (prepared.unlabelled.empty()) return;
  Json& told = prepared.data_summary["unlabelled"];
  told["rows"] = prepared.unlabelled.examples.size() / prepared.prompts_a_row();
  if (report.skipped == 0) return;
  told["skipped"] = report.skipped;
  warn_of_skipped(report, "unlabelled");
}

/// One count and one warning a split.
void summarise_skipped(Prepared& prepared, const Skipped& skipped) {
  for (const auto& [split, rows] : named_splits(prepared)) {
    const auto found = skipped.find(split);
    if (found == skipped.end() || found->second.skipped == 0) continue;
    Json& told = prepared.data_summary["splits"][split];
    told["skipped"] = found->second.skipped;
    told["bad_rows"] = Json::array();
    for (const data::SkippedRow& row : found->second.skipped_rows) told["bad_rows"].push_back(row.message);
    warn_of_skipped(found->second, split);
  }
}

void encode(Prepared& prepared, const task::Task& task, const report::Phase& tokenising, Skipped& skipped) {
  std::int64_t before = 0;
  for (const auto& [name, rows] : named_splits(prepared)) {
    const auto count = static_cast<std::int64_t>(rows->examples.size());
    encode_split(prepared, name, {.task = task, .tokenizer = *prepared.tokenizer,
                                  .skips_bad_rows = prepared.options.data.on_bad_row == "skip",
                                  // Training rows are scored and shown in folds alone.
                                  .keeps_texts = rows != &prepared.train || prepared.options.cross_validation.enabled,
                                  .progress = [&](std::int64_t done) { tokenising.progress(before + done); }}, *rows, skipped);
    before += count;
  }
  for (Rows* rows : {&prepared.unlabelled, &prepared.asked_validation}) {  // the prompts of a row lie together: none may be missing
    if (!rows->empty()) encode_rows(*rows, {.task = task, .tokenizer = *prepared.tokenizer}, skipped["unlabelled"]);
  }
  summarise_skipped(prepared, skipped);
  if (prepared.kind == models::Task::causal_lm && !prepared.asks_labels()) summarise_language_rows(prepared);
  if (!prepared.generation) return;
  for (const auto& [name, rows] : named_splits(prepared)) {
    const bool is_scored = rows != &prepared.train || prepared.options.cross_validation.enabled;
    if (is_scored && !rows->empty()) check_prompts(rows->examples, rows->encoded, *prepared.generation, concat("the ", name, " rows"));
  }
}

void fingerprint(Prepared& prepared, BaseHashes& base) {
  Json& hashes = prepared.fingerprints;
  hashes["data"] = Json::object();
  const data::DataOptions& data = prepared.options.data;
  for (const auto* paths : {&data.train, &data.validation, &data.test, &data.unlabelled}) {
    for (const std::string& path : *paths) hashes["data"][path] = files::sha256_file(path, ErrorKind::data);
  }
  Sha256 split;
  for (const auto& [name, rows] : named_splits(prepared)) {
    split.update(concat(name, ":"));
    rows->examples.for_each([&](const data::Example& example) { split.update(concat(example.origin.file, ":", example.origin.line, ";")); });
  }
  hashes["split"] = split.hex();
  hashes["tokenizer"] = prepared.tokenizer->fingerprint();
  hashes["base"] = base.get();
  if (!data.prompts.empty()) {
    const Json prompting = config::effective(prepared.options)["prompting"];
    hashes["prompts"] = {{"file", files::sha256_file(data.prompts, ErrorKind::usage)}, {"examples", prompting["examples"]}, {"score", prompting["score"]}};
  }
  const auto adapter = adapt::adapter_options(prepared.options.tuning);
  if (adapter && !adapter->adapter.empty()) hashes["adapter"] = adapt::base_hashes(adapter->adapter);
}

}  // namespace

void keep_tokens(const Prepared& prepared) {
  const std::string& folder = prepared.options.data.token_cache_dir;
  if (!folder.empty()) files::remove_dead_temporaries(folder);
  const TokenCache cache(prepared);
  for (const Rows* rows : {&prepared.train, &prepared.validation, &prepared.test}) cache.keep(*rows);
}

data::RowKind row_kind(models::Task kind) {
  switch (kind) {
    case models::Task::token_classification: return data::RowKind::token_labels;
    case models::Task::masked_lm: return data::RowKind::masked_lm;
    case models::Task::causal_lm: return data::RowKind::language;
    case models::Task::question_answering: return data::RowKind::span_qa;
    default: return data::RowKind::classification;
  }
}

std::shared_ptr<const text::ChatTemplates> chat_templates(const std::string& folder, const data::DataOptions& options) {
  auto chats = std::make_shared<text::ChatTemplates>(text::ChatTemplates::from_folder(folder));
  if (options.chat_template.empty()) return chats;
  try {
    chats->set_default(options.chat_template);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, {.file = error.text().file, .what = error.text().what, .where = "data.chat_template",
                                   .hint = "name a file with a Jinja template, or write \"chatml\" or \"alpaca\""});
  }
  return chats;
}

void set_language(task::TaskOptions& task, const data::DataOptions& options, const text::ChatTemplates* chats) {
  task.mlm_probability = options.mlm_probability;
  task.chats = chats;
  task.append_eos = options.append_eos;
  task.length_policy = options.length_policy;
}

std::unique_ptr<task::Task> make_fitted_task(const Prepared& prepared, std::vector<double> class_weights) {
  task::TaskOptions options;
  options.kind = prepared.kind;
  options.labels = prepared.labels;
  options.max_length = prepared.options.data.max_length;
  set_language(options, prepared.options.data, prepared.chats.get());
  options.doc_stride = prepared.options.data.doc_stride;
  options.label_smoothing = prepared.options.training.label_smoothing_factor;
  options.tokenizer = prepared.tokenizer.get();
  options.generates = prepared.generation.has_value();
  options.class_weights = std::move(class_weights);
  if (prepared.asked) options.answers = prepared.asked->answers;
  options.word_score = prompt::word_score_of(prepared.options.prompting.score);
  return task::make_task(options);
}

namespace {

void read_rows(Prepared& prepared, const report::EventBus& events, Skipped& skipped) {
  report::Phase reading(events, "reading");
  read_splits(prepared, skipped);
  order_labels(prepared);
  hold_out(prepared);
  check_labels_fit_settings(prepared);
  summarise_overlap(prepared);
  read_unlabelled(prepared, data_options(prepared), skipped["unlabelled"]);
  write_prompts(prepared, skipped);
  summarise_unlabelled(prepared, skipped["unlabelled"]);
  number_rows(prepared);
  reading.end();
}

void tokenise(Prepared& prepared, const report::EventBus& events, Skipped& skipped) {
  const std::unique_ptr<task::Task> task = make_fitted_task(prepared, class_weights(prepared, {}));
  check_metrics(prepared.options, *task);
  std::size_t rows = 0;
  for (const auto& [name, split] : named_splits(prepared)) rows += split->examples.size();
  report::Phase tokenising(events, "tokenising", static_cast<std::int64_t>(rows));
  encode(prepared, *task, tokenising, skipped);
  summarise_labels(prepared);  // of the rows that could be encoded
  warn_of_common_positive(prepared);
  summarise_lengths(prepared);
  summarise_pairs(prepared);
  tokenising.end();
}

void refuse_adapter_as_base(const std::string& folder) {
  const std::filesystem::path path = folder;
  if (!adapt::is_adapter(folder) || std::filesystem::exists(path / "model.safetensors")) return;
  throw Error(ErrorKind::usage, {.file = folder, .what = "this is an adapter, not a model", .where = "model.path",
                                 .hint = "name its base here and the adapter as tuning.<method>.adapter, or merge them: attune merge"});
}

void tell(const char* name, const Json& fields, const report::EventBus& events) {
  Json event = {{"event", name}};
  event.update(fields);
  events.emit(event);
}

}  // namespace

Prepared prepare(const RunOptions& options, const report::EventBus& events, std::shared_ptr<train::PrefixCache> prefix_cache) {
  Prepared prepared;
  prepared.options = with_chosen_words(options);
  if (prefix_cache == nullptr) prefix_cache = std::make_shared<train::PrefixCache>(train::prefix_cache_bytes(options.training.prefix_cache_mib));
  prepared.prefix_cache = std::move(prefix_cache);
  prepared.frozen_hashes = std::make_shared<FrozenHashes>();
  prepared.kind = models::task_by_name(options.model.task);
  prepared.model_folder = models::resolve_model_path(options.model.path);
  refuse_adapter_as_base(prepared.model_folder);
  BaseHashes base(prepared.model_folder, !starts_random(options));
  prepared.tokenizer = std::make_shared<const text::Tokenizer>(text::Tokenizer::from_folder(prepared.model_folder));
  prepared.chats = chat_templates(prepared.model_folder, options.data);
  prepared.asked = open_wording(options);
  prepared.generation = text_generation(options, prepared.model_folder, *prepared.tokenizer);
  Skipped skipped;
  read_rows(prepared, events, skipped);
  tokenise(prepared, events, skipped);
  if (prepared.train.encoded.is_in_file()) return_free_memory();  // of rows that only passed through
  tell("data", prepared.data_summary, events);
  report::Phase hashing(events, "hashing");
  fingerprint(prepared, base);
  hashing.end();
  load_first_base(prepared, events);
  const models::ModelSpec& spec = prepared.base->loaded->model->spec();
  check_vocabulary(*prepared.tokenizer, spec, prepared.model_folder);
  if (prepared.generation) {
    check_end_tokens(options.generation.values.eos_token_id, spec, "generation.eos_token_id");
    infer::check_folder_end_tokens(prepared.model_folder, spec.vocab_size);
  }
  for (const auto& [name, rows] : named_splits(prepared)) check_lengths(*rows, *prepared.base->loaded->model);
  for (const Rows* rows : {&prepared.unlabelled, &prepared.asked_validation}) check_lengths(*rows, *prepared.base->loaded->model);
  check_token_budget(prepared.train, options.training);
  tell("model", prepared.model_summary, events);
  return prepared;
}

}  // namespace attune::job
