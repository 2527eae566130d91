// attune predict: one JSON line a row on stdout, in the order of the rows.
#include <nlohmann/json.hpp>

#include "app/observers.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/standard_input.h"
#include "attune/job/environment.h"
#include "attune/job/output.h"
#include "attune/job/tuned.h"

namespace attune::app {

namespace {

std::vector<std::string> lines_of_stdin() {
  std::vector<std::string> lines;
  files::StandardInput input;
  for (std::string line; input.next(line);) lines.push_back(line);
  return lines;
}

}  // namespace

int run_predict(const PredictVerb& options) {
  report::EventBus events;
  attach_progress(events, options.output);
  const job::Tuned tuned = job::open_tuned(options.model, options.overrides);
  job::set_threads(tuned.options.threads);
  if (options.data.empty() && tuned.kind == models::Task::question_answering) {
    throw Error(ErrorKind::usage, {.file = "", .what = "question answering needs a file of rows with question and context", .where = "",
                                   .hint = "attune predict MODEL rows.jsonl"});
  }
  const bool is_causal = tuned.kind == models::Task::causal_lm;
  if (is_causal && options.data.empty() && (tuned.generation || !tuned.options.data.template_text.empty())) {
    throw Error(ErrorKind::usage, {.file = "", .what = "lines of stdin are plain texts, and this model was trained on rows that become prompts", .where = "",
                                   .hint = "name a file: attune predict MODEL rows.jsonl"});
  }
  if (is_causal ? options.logits : options.token_logprobs) {
    throw Error(ErrorKind::usage, {.file = "", .what = concat(is_causal ? "--logits" : "--token-logprobs", " does not fit this model"), .where = "",
                                   .hint = is_causal ? "a language model has --token-logprobs" : "it belongs to causal language models"});
  }
  const job::Rows rows = options.data.empty() ? job::rows_of_texts(tuned, lines_of_stdin()) : job::read_rows(tuned, options.data, false);
  const auto predictions = job::predict_rows(tuned, rows, events);
  console::print(job::prediction_lines(*tuned.task, predictions, rows.examples, options.logits || options.token_logprobs));
  return 0;
}

}  // namespace attune::app
