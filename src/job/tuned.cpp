// See tuned.h.
#include "attune/job/tuned.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/infer/generation_config.h"
#include "attune/job/execution.h"
#include "attune/job/fits_model.h"
#include "attune/job/open_folder.h"
#include "attune/job/text_generation.h"
#include "attune/report/phase.h"
#include "attune/train/evaluate.h"
#include "job/data_summary.h"
#include "job/encode_rows.h"
#include "job/vector_head.h"
#include "job/wording.h"

namespace attune::job {

namespace {

data::LabelMap labels_of(const models::ModelSpec& spec, models::Task kind) {
  data::LabelMap labels;
  labels.names = spec.labels;
  switch (kind) {
    case models::Task::token_classification: labels.kind = data::TargetKind::tags; break;
    case models::Task::causal_lm:
    case models::Task::masked_lm: labels.kind = data::TargetKind::none; break;
    case models::Task::question_answering: labels.kind = data::TargetKind::answers; break;
    default:
      labels.kind = spec.problem_type == "multi_label_classification" ? data::TargetKind::multi
                    : spec.problem_type == "regression" || spec.num_labels == 1 ? data::TargetKind::value
                                                                                : data::TargetKind::single;
  }
  return labels;
}

/// Rows a batch by default times data.max_length by default: longer rows make smaller batches.
constexpr std::int64_t kBatchTokens = 64 * 128;

/// What nobody said of a folder that no run made, by its model and tokenizer.
void fit_to_folder(Tuned& tuned, const std::vector<std::string>& overrides) {
  data::DataOptions& data = tuned.options.data;
  if (!says_max_length(data, overrides)) {
    const auto most = static_cast<std::size_t>(tuned.loaded.model->positions_for_texts());
    data.max_length = static_cast<std::int64_t>(std::min(most, tuned.tokenizer->model_max_length().value_or(most)));
    data.doc_stride = std::min(data.doc_stride, data.max_length / 2);
  }
  const std::int64_t usual = train::TrainingOptions().per_device_eval_batch_size;
  const bool says_rows = sets_key(overrides, "training.per_device_eval_batch_size");
  if (!says_rows && tuned.options.training.per_device_eval_batch_size == usual) tuned.batch_tokens = kBatchTokens;
}

/// Rows as long as the longest that a batch may hold.
std::int64_t rows_a_batch(const Tuned& tuned, const Rows& rows) {
  const std::int64_t most = tuned.options.training.per_device_eval_batch_size;
  if (!tuned.batch_tokens) return most;
  std::size_t longest = 1;
  for (const task::Encoded& row : rows.encoded) longest = std::max(longest, row.ids.size());
  return std::clamp(*tuned.batch_tokens / static_cast<std::int64_t>(longest), std::int64_t{1}, most);
}

}  // namespace

Tuned open_tuned(const std::string& folder, const std::vector<std::string>& overrides) {
  Tuned tuned;
  const std::string path = models::resolve_model_path(folder);
  const ModelFolder parts = look_into(path);
  tuned.options = with_precision_decided(options_of_run(parts, overrides));
  refuse_wording(tuned.options.data, path, "predict or evaluate");
  tuned.kind = parts.has_vector_head ? models::Task::sequence_classification : parts.task;
  tuned.loaded = load(parts, {});
  tuned.loaded.model->set_execution(execution_of(tuned.options));
  tuned.tokenizer = load_tokenizer(parts, tuned.loaded.model->spec());
  if (!is_of_run(parts)) fit_to_folder(tuned, overrides);
  task::TaskOptions task_options;
  task_options.kind = tuned.kind;
  tuned.labels = labels_of(tuned.loaded.model->spec(), tuned.kind);
  std::optional<StoredVectorHead> head;
  if (parts.has_vector_head) {
    head = read_vector_head(path, tuned.loaded.model->spec().hidden_size);
    tuned.labels = {.kind = data::TargetKind::single, .names = head->labels};
  }
  task_options.labels = tuned.labels;
  task_options.max_length = tuned.options.data.max_length;
  task_options.doc_stride = tuned.options.data.doc_stride;
  tuned.chats = chat_templates_of(parts, tuned.options, overrides);
  set_language(task_options, tuned.options.data, tuned.chats.get());
  task_options.tokenizer = tuned.tokenizer.get();
  tuned.generation = text_generation(tuned.options, parts.generation, *tuned.tokenizer);
  if (tuned.generation) {
    check_end_tokens(tuned.options.generation.values.eos_token_id, tuned.loaded.model->spec(), "generation.eos_token_id");
    infer::check_folder_end_tokens(parts.generation, tuned.loaded.model->spec().vocab_size);
  }
  task_options.generates = tuned.generation.has_value();
  tuned.task = task::make_task(task_options);
  if (head) tuned.task = task::with_head(std::move(tuned.task), std::move(head->head));
  return tuned;
}

namespace {

data::LabelNeed label_need(const Tuned& tuned, bool labels_wanted) {
  if (tuned.generation && !labels_wanted) return data::LabelNeed::awaited;
  return labels_wanted && !models::models_language(tuned.kind) ? data::LabelNeed::required : data::LabelNeed::optional;
}

}  // namespace

Rows read_rows(const Tuned& tuned, const std::vector<std::string>& paths, bool labels_wanted) {
  Rows rows;
  data::ReadReport report;
  data::DataOptions options = tuned.options.data;
  if (tuned.kind == models::Task::sequence_classification) options.labels = data::labels_setting(tuned.labels.kind);
  rows.examples = data::read_examples(paths, options, row_kind(tuned.kind), report, label_need(tuned, labels_wanted));
  for (std::size_t i = 0; i < rows.examples.size(); ++i) rows.examples[i].row = static_cast<std::int64_t>(i);
  encode_rows(rows, {.task = *tuned.task, .tokenizer = *tuned.tokenizer, .skips_bad_rows = options.on_bad_row == "skip"}, report);
  const std::string name = join(paths, ", ");
  warn_of_skipped(report, name);
  if (models::models_language(tuned.kind)) tell_of_cuts(name, rows, options.max_length);
  check_lengths(rows, *tuned.loaded.model);
  if (tuned.generation && labels_wanted && !rows.empty()) check_prompts(rows.examples, rows.encoded, *tuned.generation, name);
  return rows;
}

std::vector<task::Prediction> predict_rows(const Tuned& tuned, const Rows& rows, const report::EventBus& events) {
  report::Phase predicting(events, "predicting", static_cast<std::int64_t>(rows.encoded.size()), thing_of(rows.encoded));
  const std::int64_t batch_size = rows_a_batch(tuned, rows);
  auto predictions = train::predict_until(*tuned.loaded.model, *tuned.task, {rows.encoded, rows.examples}, batch_size, [&](std::int64_t done) {
    predicting.progress(done);
    return false;
  });
  predicting.end();
  if (tuned.generation) {
    generate_texts(*tuned.loaded.model, *tuned.generation, *predictions, events);
    tell_of_cut_texts(*predictions);
  }
  return std::move(*predictions);
}

Rows rows_of_texts(const Tuned& tuned, const std::vector<std::string>& texts) {
  Rows rows;
  for (const std::string& text : texts) {
    data::Example example;
    example.row = static_cast<std::int64_t>(rows.examples.size());
    example.origin = {.file = "<stdin>", .line = example.row + 1};
    example.id = std::to_string(example.row);
    if (tuned.kind == models::Task::token_classification) {
      for (const std::string& word : split(text, ' ')) {
        if (!word.empty()) example.words.edit().push_back(word);
      }
    } else {
      example.text = text;
    }
    rows.examples.push_back(std::move(example));
  }
  data::ReadReport nothing;  // a line a text: none is skipped
  encode_rows(rows, {.task = *tuned.task, .tokenizer = *tuned.tokenizer}, nothing);
  check_lengths(rows, *tuned.loaded.model);
  return rows;
}

}  // namespace attune::job
