// Rows written as prompts in one wording or in several. See write_prompts() of wording.h.
#include <algorithm>
#include <deque>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "attune/job/fits_model.h"
#include "attune/job/row_prompts.h"
#include "attune/prompt/examples.h"
#include "attune/prompt/labels.h"
#include "attune/task/answer_texts.h"
#include "attune/task/prompts.h"
#include "job/data_summary.h"
#include "job/wording.h"

namespace attune::job {

namespace {

using files::Json;

std::int64_t positions_of(const Prepared& prepared) {
  const std::string file = prepared.model_folder + "/config.json";
  return most_tokens(models::read_spec(files::read_json(file, {.kind = ErrorKind::model}), file, prepared.kind));
}

prompt::LabelWords words_of(const Prepared& prepared, const prompt::Wording& wording) {
  return prepared.asks_labels() ? prompt::label_words(prepared.asked->set, prepared.labels.names, wording.verbalizer)
                                : prompt::LabelWords();
}

/// The training rows that may stand in front of others, as they were read.
class ShownRows {
 public:
  explicit ShownRows(const Prepared& prepared)
      : options_(prepared.options.prompting.examples),
        rows_(options_.k > 0 ? prepared.train.examples.values() : std::vector<data::Example>()),
        pool_(rows_) {
    options_.seed = prepared.options.seeds.front();
    for (const Rows* rows : {&prepared.validation, &prepared.test}) pool_.forbid_texts_of(rows->examples.values());
  }

  std::vector<const data::Example*> in_front_of(const data::Example& row) const {
    if (options_.k == 0) return {};
    return prompt::examples_at(pool_, prompt::choose_examples(pool_, row, options_));
  }

 private:
  prompt::FewShotOptions options_;
  std::vector<data::Example> rows_;
  prompt::ExamplePool pool_;
};

/// Rows as prompts in one wording.
class PromptsOfRows {
 public:
  /// Both must outlive it.
  PromptsOfRows(const Prepared& prepared, const prompt::Wording& wording, const ShownRows& shown)
      : prepared_(prepared),
        asks_labels_(prepared.asks_labels()),
        prompts_(prepared.asked->set, wording, prepared.asked->kind, words_of(prepared, wording),
                 {.task = prepared.kind,
                  .tokenizer = prepared.tokenizer.get(),
                  .chats = prepared.chats.get(),
                  .folder = prepared.model_folder}),
        shown_(shown),
        most_(asks_labels_ ? positions_of(prepared) : prepared.options.data.max_length) {
    for (const prompt::Continuation& answer : prompts_.answers())
      longest_answer_ = std::max(longest_answer_, answer.text.size());
  }

  const std::vector<prompt::Continuation>& answers() const { return prompts_.answers(); }
  std::int64_t dropped() const { return dropped_; }

  /// The row becomes its prompt.
  void write(data::Example& row) {
    const std::vector<const data::Example*> examples = shown_.in_front_of(row);
    const std::string answer = asks_labels_ ? "" : prompts_.writer().answer_of(row);
    prompt::FittedPrompt fitted =
        prompt::fit_prompt(prompts_.writer(), row, examples,
                           [&](const prompt::PromptText& prompt) { return fits(prompts_.text_of(prompt), answer); });
    dropped_ += static_cast<std::int64_t>(fitted.dropped);
    if (!fitted.fits && asks_labels_) {
      throw data::BadRow(row.origin,
                         concat("prompt and label words have more than the ", most_, " tokens that the model takes"),
                         "", "shorten the row, or the texts of the prompt set");
    }
    if (asks_labels_) {
      row.text = prompts_.text_of(fitted.prompt);
    } else {
      set_completion(fitted.prompt, answer, row);
    }
    if (asks_labels_ || !fitted.prompt.messages.empty()) {
      row.text_pair.reset();
      row.has_pair = false;
    }
    row.columns.reset();
  }

 private:
  bool fits(const std::string& text, const std::string& answer) const {
    constexpr std::size_t kSpecialTokens = 8;  // around a text
    const auto most = static_cast<std::size_t>(most_);
    if (text.size() + std::max(longest_answer_, answer.size()) + kSpecialTokens <= most)
      return true;  // a token has a byte or more
    if (!asks_labels_)
      return task::encode_prompts(std::vector{text + answer}, *prepared_.tokenizer).front().size() < most;
    const auto encode = prepared_.kind == models::Task::masked_lm ? task::answers_in_gap : task::answers_behind;
    return encode(std::vector{text}, prompts_.answers(), *prepared_.tokenizer).front().longest <= most_;
  }

  static void set_completion(const prompt::PromptText& prompt, const std::string& answer, data::Example& row) {
    if (prompt.messages.empty()) {
      row.text = prompt.text;
      row.text_pair = answer;
      row.has_pair = true;
      return;
    }
    Json messages = Json::parse(prompt.messages);
    row.prompt_messages = static_cast<std::uint32_t>(messages.size());
    row.text = messages.back()["content"].get<std::string>();
    messages.push_back({{"role", "assistant"}, {"content", answer}});
    row.messages = files::json_text(messages, -1);
  }

  const Prepared& prepared_;
  bool asks_labels_;
  RowPrompts prompts_;
  const ShownRows& shown_;
  std::int64_t most_;  ///< tokens
  std::size_t longest_answer_ = 0;
  std::int64_t dropped_ = 0;
};

/// Rows as prompts in one wording or in all that train.
class PromptWordings {
 public:
  explicit PromptWordings(const Prepared& prepared)
      : shown_(prepared),
        skips_bad_rows_(prepared.options.data.on_bad_row == "skip"),
        evaluation_(prepared, prepared.asked->wording, shown_) {
    for (const prompt::Wording& wording : prepared.asked->of_training) {
      training_.emplace_back(prepared, wording, shown_);
      check_answers(*prepared.asked, wording, training_.back().answers());
    }
  }

  const std::vector<prompt::Continuation>& answers() const { return evaluation_.answers(); }
  std::int64_t dropped() const {
    std::int64_t dropped = evaluation_.dropped();
    for (const PromptsOfRows& prompts : training_) dropped += prompts.dropped();
    return dropped;
  }

  /// The rows, which may lie in a file, in the wording of evaluation, or the only one that trains.
  void write_in_one(bool trains, Rows& rows, data::ReadReport& report) {
    constexpr std::size_t kBytes = std::size_t{1} << 20;
    PromptsOfRows& prompts = trains ? training_.front() : evaluation_;
    rows.examples.rewrite(kBytes, [&](std::vector<data::Example>& some) {
      std::size_t kept = 0;
      for (data::Example& row : some) {
        if (is_passed_over([&] { prompts.write(row); }, report)) continue;
        if (&some[kept] != &row) some[kept] = std::move(row);
        ++kept;
      }
      some.resize(kept);
    });
    check_left(rows, report);
  }

  /// The same in every training wording: a row becomes as many, one after another.
  void write_in_all(Rows& rows, data::ReadReport& report) {
    std::vector<data::Example> all;
    for (const data::Example& row : rows.examples.values()) {
      std::vector<data::Example> wordings(training_.size(), row);
      const auto write = [&] {
        for (std::size_t i = 0; i < wordings.size(); ++i) training_[i].write(wordings[i]);
      };
      if (!is_passed_over(write, report)) std::ranges::move(wordings, std::back_inserter(all));
    }
    rows.examples = std::move(all);
    check_left(rows, report);
  }

  std::size_t wordings_of_training() const { return training_.size(); }

 private:
  /// The labels' words are asked for alike in each.
  void check_answers(const Asked& asked, const prompt::Wording& wording,
                     const std::vector<prompt::Continuation>& answers) const {
    if (std::ranges::equal(answers, evaluation_.answers(), {}, &prompt::Continuation::text,
                           &prompt::Continuation::text))
      return;
    throw Error(ErrorKind::usage,
                {.file = asked.set.file,
                 .what = concat("the wordings '", wording.name, "' and '", asked.wording.name,
                                "' write the answers differently"),
                 .where = "data.train_wordings",
                 .hint = "name wordings with the same `answer` and label words, in the same case of letters"});
  }

  /// Whether the row of which this writes prompts makes none and is to be left out.
  template <class Write>
  bool is_passed_over(const Write& write, data::ReadReport& report) const {
    try {
      write();
    } catch (const data::BadRow& error) {
      if (!skips_bad_rows_) throw;
      report.add_skipped({.origin = error.origin(), .message = error.what()});
      return true;
    }
    return false;
  }

  static void check_left(const Rows& rows, const data::ReadReport& report) {
    if (!rows.empty() || report.skipped == 0) return;
    const data::SkippedRow& first = report.skipped_rows.front();
    throw data::no_usable_row({first.origin.file}, report.skipped, first);
  }

  ShownRows shown_;
  bool skips_bad_rows_;
  PromptsOfRows evaluation_;
  std::deque<PromptsOfRows> training_;
};

/// The validation rows in the wordings that self-training asks; what is wrong with rows their own prompts tell.
void write_asked_validation(PromptWordings& prompts, Prepared& prepared) {
  if (!prepared.options.tuning.self_training.enabled || prepared.validation.empty()) return;
  data::ReadReport unused;
  prepared.asked_validation.examples = prepared.validation.examples.values();
  prompts.write_in_all(prepared.asked_validation, unused);
}

}  // namespace

void write_prompts(Prepared& prepared, std::map<std::string, data::ReadReport>& reports) {
  if (!prepared.asked) return;
  PromptWordings prompts(prepared);
  write_asked_validation(prompts, prepared);
  if (!prepared.unlabelled.empty()) prompts.write_in_all(prepared.unlabelled, reports["unlabelled"]);
  for (const auto& [name, rows] : named_splits(prepared)) {
    if (rows->empty()) continue;
    const bool trains = rows == &prepared.train, in_all = trains && prompts.wordings_of_training() > 1;
    if (in_all) {
      prompts.write_in_all(*rows, reports[name]);
    } else {
      prompts.write_in_one(trains, *rows, reports[name]);
    }
    prepared.data_summary["splits"][name]["rows"] =
        rows->examples.size() / (in_all ? prompts.wordings_of_training() : 1);
  }
  if (prompts.wordings_of_training() > 1) prepared.data_summary["train_wordings"] = prompts.wordings_of_training();
  prepared.asked->answers = prompts.answers();
  if (prompts.dropped() == 0) return;
  prepared.data_summary["dropped_examples"] = prompts.dropped();
  log::warning(concat(prompts.dropped(), " examples in front of rows did not fit into the length"));
}

}  // namespace attune::job
