// See prompt_settings.h.
#include "prompt_settings.h"

#include "attune/base/error.h"
#include "attune/job/row_prompts.h"

namespace attune::study {

namespace {

[[noreturn]] void refuse_setting(const std::string& what, const std::string& where, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = where, .hint = hint});
}

void check_assertions(const PromptJob& job) {
  const bool has_assertions = !job.set.assertions.empty();
  if (has_assertions && !job.asks_texts()) {
    refuse_setting("assertions are about texts, and labels are asked for", job.set.file + ", assertions",
                   "set prompting.answer to text, or remove them");
  }
  if (job.options.prompting.min_assertion_rate && !has_assertions) {
    refuse_setting("there are no assertions that could be kept", "prompting.min_assertion_rate",
                   "write assertions into the prompt set, or remove it");
  }
}

/// Settings of texts where labels are asked for, and the other way round.
void check_kind(const PromptJob& job) {
  if (job.asks_texts() && !job.set.verbalizers.empty()) {
    refuse_setting("verbalizers stand for labels, and texts are asked for", job.set.file + ", verbalizers",
                   "remove them, or ask for labels");
  }
  if (!job.asks_texts() && job.options.prompting.metric != "auto") {
    refuse_setting("variants are compared by accuracy where labels are asked for", "prompting.metric",
                   "remove it, or set prompting.answer to text");
  }
}

}  // namespace

void check_settings(const PromptJob& job) {
  const bool is_masked = job.loaded.model->spec().task == models::Task::masked_lm;
  const job::PromptingOptions& options = job.options.prompting;
  const bool writes = options.answer != "likelihood";
  if (is_masked && writes)
    refuse_setting("a model that fills gaps writes no texts", "prompting.answer", "set it to likelihood");
  if (options.calibrate && writes) {
    refuse_setting("texts that are written have no likelihood to be calibrated", "prompting.calibrate",
                   "set prompting.answer to likelihood");
  }
  if (options.calibrate && options.content_free.empty()) {
    refuse_setting("calibration needs inputs without content", "prompting.content_free", "give some, such as \"N/A\"");
  }
  check_assertions(job);
  check_kind(job);
  job::check_chat(job.set, reader_of(job));
}

}  // namespace attune::study
