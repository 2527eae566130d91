// See wording.h.
#include "job/wording.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/config/prompt_set.h"
#include "attune/data/record.h"
#include "attune/job/fits_model.h"
#include "attune/job/row_prompts.h"
#include "attune/prompt/examples.h"
#include "attune/prompt/labels.h"
#include "attune/task/answer_texts.h"
#include "attune/task/prompts.h"
#include "job/data_summary.h"

namespace attune::job {

namespace {

using files::Json;

prompt::Wording chosen_wording(const prompt::PromptSet& set, const std::string& name) {
  std::vector<prompt::Wording> wordings = prompt::wordings(set);
  if (name.empty() && wordings.size() == 1) return std::move(wordings.front());
  std::vector<std::string> names;
  for (const prompt::Wording& wording : wordings) names.push_back(wording.name);
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return std::move(wordings[static_cast<std::size_t>(found - names.begin())]);
  const std::string nearest = nearest_name(name, names);
  throw Error(ErrorKind::usage,
              {.file = set.file,
               .what = name.empty()
                           ? concat("the prompt set has ", names.size(), " wordings, and the model is tuned behind one")
                           : concat("there is no wording '", name, "'"),
               .where = "data.wording",
               .hint = name.empty() || nearest.empty() ? concat("name one of them, such as '", names.front(), "'")
                                                       : concat("did you mean '", nearest, "'?")});
}

std::int64_t positions_of(const Prepared& prepared) {
  const std::string file = prepared.model_folder + "/config.json";
  return most_tokens(models::read_spec(files::read_json(file, {.kind = ErrorKind::model}), file, prepared.kind));
}

prompt::LabelWords words_of(const Prepared& prepared) {
  return prepared.asks_labels() ? prompt::label_words(prepared.asked->set, prepared.labels.names,
                                                     prepared.asked->wording.verbalizer)
                                : prompt::LabelWords();
}

class PromptsOfRows {
 public:
  explicit PromptsOfRows(const Prepared& prepared)
      : prepared_(prepared),
        asks_labels_(prepared.asks_labels()),
        few_shot_(prepared.options.prompting.examples),
        prompts_(prepared.asked->set, prepared.asked->wording, prepared.asked->kind, words_of(prepared),
                 {.task = prepared.kind,
                  .tokenizer = prepared.tokenizer.get(),
                  .chats = prepared.chats.get(),
                  .folder = prepared.model_folder}),
        shown_(few_shot_.k > 0 ? prepared.train.examples.values() : std::vector<data::Example>()),
        pool_(shown_),
        most_(asks_labels_ ? positions_of(prepared) : prepared.options.data.max_length) {
    few_shot_.seed = prepared.options.seeds.front();
    for (const Rows* rows : {&prepared.validation, &prepared.test}) pool_.forbid_texts_of(rows->examples.values());
    for (const prompt::Continuation& answer : prompts_.answers())
      longest_answer_ = std::max(longest_answer_, answer.text.size());
  }

  const std::vector<prompt::Continuation>& answers() const { return prompts_.answers(); }
  std::int64_t dropped() const { return dropped_; }

  /// The row becomes its prompt.
  void write(data::Example& row) {
    std::vector<const data::Example*> examples;
    if (few_shot_.k > 0) examples = prompt::examples_at(pool_, prompt::choose_examples(pool_, row, few_shot_));
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
  prompt::FewShotOptions few_shot_;
  RowPrompts prompts_;
  std::vector<data::Example> shown_;  ///< training rows as they were read
  prompt::ExamplePool pool_;
  std::int64_t most_;  ///< tokens
  std::size_t longest_answer_ = 0;
  std::int64_t dropped_ = 0;
};

void write_split_as_prompts(PromptsOfRows& prompts, bool skips_bad_rows, Rows& rows, data::ReadReport& report) {
  constexpr std::size_t kBytes = std::size_t{1} << 20;
  rows.examples.rewrite(kBytes, [&](std::vector<data::Example>& some) {
    std::size_t kept = 0;
    for (data::Example& row : some) {
      try {
        prompts.write(row);
      } catch (const data::BadRow& error) {
        if (!skips_bad_rows) throw;
        report.add_skipped({.origin = error.origin(), .message = error.what()});
        continue;
      }
      if (&some[kept] != &row) some[kept] = std::move(row);
      ++kept;
    }
    some.resize(kept);
  });
  if (rows.empty() && report.skipped > 0) {
    const data::SkippedRow& first = report.skipped_rows.front();
    throw data::no_usable_row({first.origin.file}, report.skipped, first);
  }
}

}  // namespace

std::optional<Asked> open_wording(const RunOptions& options) {
  if (options.data.prompts.empty()) return std::nullopt;
  Asked asked;
  asked.set = config::load_prompt_set(options.data.prompts);
  asked.wording = chosen_wording(asked.set, options.data.wording);
  asked.kind = asks_labels(options) ? prompt::AnswerKind::label : prompt::AnswerKind::text;
  return asked;
}

std::vector<std::string> columns_of(const std::optional<Asked>& asked, const RunOptions& options) {
  if (!asked) return {};
  return prompt::columns_of(asked->set, options.data.columns, asked->kind);
}

void write_prompts(Prepared& prepared, std::map<std::string, data::ReadReport>& reports) {
  if (!prepared.asked) return;
  PromptsOfRows prompts(prepared);
  for (const auto& [name, rows] : named_splits(prepared)) {
    if (rows->empty()) continue;
    write_split_as_prompts(prompts, prepared.options.data.on_bad_row == "skip", *rows, reports[name]);
    prepared.data_summary["splits"][name]["rows"] = rows->examples.size();
  }
  prepared.asked->answers = prompts.answers();
  if (prompts.dropped() == 0) return;
  prepared.data_summary["dropped_examples"] = prompts.dropped();
  log::warning(concat(prompts.dropped(), " examples in front of rows did not fit into the length"));
}

void refuse_wording(const data::DataOptions& options, const std::string& folder, const std::string& verb) {
  if (options.prompts.empty()) return;
  throw Error(ErrorKind::usage, {.file = folder,
                                 .what = concat("the model was tuned behind a wording of ", options.prompts,
                                                ", and attune ", verb, " takes rows as they are"),
                                 .where = "data.prompts",
                                 .hint = "ask it with attune prompt run (prompting.prompts, and this folder as "
                                         "model.path), or set data.prompts to null"});
}

}  // namespace attune::job
