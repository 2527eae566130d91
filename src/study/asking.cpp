// One wording put to all rows: prompts are written, scored or continued, and read as labels. See prompting.h.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "attune/infer/text.h"
#include "attune/job/row_prompts.h"
#include "attune/prompt/label_scores.h"
#include "attune/prompt/writer.h"
#include "attune/study/prompting.h"
#include "attune/task/prompts.h"
#include "predictions.h"
#include "scorers.h"

namespace attune::study {

namespace {

using Examples = std::vector<const data::Example*>;


class Asking {
 public:
  Asking(const PromptJob& job, const Variant& variant, std::size_t rows)
      : job_(job),
        rows_(std::span(job.rows).first(std::min(rows, job.rows.size()))),
        options_(job.options.prompting),
        variant_(variant),
        words_(words_of(job, variant)),
        prompts_(job.set, variant.wording, job.kind, words_, reader_of(job)) {
    for (std::size_t i = 0; i < rows_.size(); ++i) examples_.push_back(job.examples.of(i, variant.examples));
  }

  Asked run() {
    options_.answer == "likelihood" ? score() : generate();
    return std::move(asked_);
  }

  WrittenPrompts written() {
    WrittenPrompts written;
    const bool scores = options_.answer == "likelihood";
    const auto encode = [&](std::span<Question> some) {
      return scores ? encode_answers(job_, prompts_.answers(), some) : encode_beginnings(some);
    };
    for (Question& question : fitted_questions(encode)) written.prompts.push_back(std::move(question.text));
    written.examples = std::move(examples_);
    if (scores) written.answers = prompts_.answers();
    return written;
  }

 private:
  static prompt::LabelWords words_of(const PromptJob& job, const Variant& variant) {
    if (job.asks_texts()) return {};
    prompt::LabelWords words = job.words.at(variant.wording.verbalizer);
    for (auto& of_label : words.words) {
      if (variant.first_words_only) of_label.resize(1);
    }
    return words;
  }

  Question question(const data::Example& row, prompt::ExampleList examples) const {
    return {.text = prompts_.text(row, examples)};
  }

  /// `encode` tokenises questions, and says how long each is with what is to come behind it. Examples that do not fit
  /// are dropped from the front on.
  template <class Encode>
  std::vector<Question> fitted_questions(const Encode& encode) {
    std::vector<Question> questions;
    for (std::size_t i = 0; i < rows_.size(); ++i) questions.push_back(question(rows_[i], examples_[i]));
    const std::vector<std::int64_t> lengths = encode(std::span(questions));
    for (std::size_t i = 0; i < questions.size(); ++i) {
      if (lengths[i] > job_.max_tokens) shorten(i, questions[i], encode);
    }
    return questions;
  }

  template <class Encode>
  void shorten(std::size_t i, Question& shown, const Encode& encode) {
    const std::span<const data::Example* const> examples = examples_[i];
    const std::size_t too_many = std::min<std::size_t>(1, examples.size());  // with all of them it is known not to fit
    std::int64_t length = 0;
    const auto fits = [&](const prompt::PromptText& prompt) {
      shown = {.text = prompts_.text_of(prompt)};
      length = encode(std::span(&shown, 1)).front();
      return length <= job_.max_tokens;
    };
    const prompt::FittedPrompt fitted =
        prompt::fit_prompt(prompts_.writer(), rows_[i], examples.subspan(too_many), fits);
    if (!fitted.fits) {
      throw Error(ErrorKind::data, {.file = data::place_of(rows_[i].origin),
                                    .what = concat("prompt and answer have ", length,
                                                   " tokens, the model takes at most ", job_.max_tokens),
                                    .where = "",
                                    .hint = "shorten the row, or the texts of the prompt set"});
    }
    const std::size_t dropped = too_many + fitted.dropped;
    asked_.dropped_examples += static_cast<std::int64_t>(dropped);
    examples_[i].erase(examples_[i].begin(), examples_[i].begin() + static_cast<std::ptrdiff_t>(dropped));
  }

  void score() {
    const auto encode = [&](std::span<Question> some) { return encode_answers(job_, prompts_.answers(), some); };
    std::vector<Question> questions = fitted_questions(encode);
    const std::size_t asked = questions.size();
    const std::vector<std::size_t> content_free = add_content_free(questions);
    encode(std::span(questions).subspan(asked));
    const auto scores = score_answers(job_, prompts_.answers(), questions, asked_);
    if (!scores) {
      asked_.stopped = true;
      return;
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      std::vector<double> prior;
      if (options_.calibrate) {
        prior = prompt::content_free_log_probabilities(
            std::span(*scores).subspan(content_free[i], options_.content_free.size()));
      }
      const std::vector<double> log_p = prompt::label_log_probabilities((*scores)[i], prior);
      asked_.predictions.push_back(prediction_of(job_.targets[i], {log_p.begin(), log_p.end()}));
    }
  }

  /// With calibration: each row's prompts without content, behind its own examples, are appended; where those of each
  /// row begin. Rows with the same examples share them.
  std::vector<std::size_t> add_content_free(std::vector<Question>& questions) const {
    std::vector<std::size_t> places;
    if (!options_.calibrate) return places;
    std::map<Examples, std::size_t> known;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const auto [found, is_new] = known.emplace(examples_[i], questions.size());
      places.push_back(found->second);
      if (!is_new) continue;
      for (const std::string& text : options_.content_free)
        questions.push_back(question(without_content(rows_[i], text), examples_[i]));
    }
    return places;
  }

  /// Texts that may be empty stand among the columns.
  static data::Example without_content(const data::Example& row, const std::string& text) {
    data::Example empty = row;
    files::Json columns = row.columns.empty() ? files::Json::object() : files::Json::parse(*row.columns);
    columns["text"] = text;
    if (row.has_pair) columns["text_pair"] = text;
    for (auto& value : columns) value = text;
    empty.columns = files::json_text(columns, -1);
    empty.text.clear();
    empty.has_pair = false;
    return empty;
  }

  /// Ids of prompts that are to go on, and how long each may become at least.
  std::vector<std::int64_t> encode_beginnings(std::span<Question> questions) const {
    std::vector<std::string> texts;
    for (const Question& question : questions) texts.push_back(question.text);
    std::vector<std::vector<std::int32_t>> ids = task::encode_prompts(texts, *job_.tokenizer);
    std::vector<std::int64_t> lengths;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const auto length = static_cast<std::int64_t>(ids[i].size());
      lengths.push_back(length + std::max<std::int64_t>(1, job_.generation.new_tokens_behind(length)));
      questions[i].ids = std::move(ids[i]);
    }
    return lengths;
  }

  void generate() {
    std::vector<std::vector<std::int32_t>> prompts;
    for (Question& question : fitted_questions([&](std::span<Question> some) { return encode_beginnings(some); }))
      prompts.push_back(std::move(question.ids));
    infer::GenerationOptions generation = job_.generation;
    generation.seed = variant_.text_seed.value_or(generation.seed);
    infer::Generator generator(*job_.loaded.model);
    const auto beginning = job_.set.chat ? infer::Beginning::answer : infer::Beginning::continuation;
    const auto stops = [&](std::size_t) { return asked_.stopped = stop_signal() != 0; };
    const auto texts =
        infer::generate_texts(generator, *job_.tokenizer, prompts, generation, beginning, {.stops_all = stops});
    if (asked_.stopped) return;
    asked_.computed_tokens = generator.computed_tokens();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      asked_.tokens += static_cast<std::int64_t>(prompts[i].size() + texts[i].tokens.ids.size());
      take_text(i, texts[i]);
    }
  }

  /// What was written for the row, read as a label where one is asked for.
  void take_text(std::size_t row, const infer::GeneratedText& text) {
    if (job_.asks_texts()) {
      task::Prediction& prediction = asked_.predictions.emplace_back();
      prediction.encoded = &job_.targets[row];
      prediction.generated = text.text;
    } else {
      const std::size_t none = job_.labels.names.size();
      const std::size_t label = prompt::parse_answer(text.text, words_).value_or(none);
      if (label == none) ++asked_.without_answer;
      asked_.predictions.push_back(written_prediction(job_.targets[row], label, none + 1, text.text));
    }
    task::Prediction& prediction = asked_.predictions.back();
    prediction.generated_to_limit = text.tokens.reason == infer::FinishReason::length;
    if (prediction.generated_to_limit) ++asked_.cut_texts;
  }

  const PromptJob& job_;
  std::span<const data::Example> rows_;
  const job::PromptingOptions& options_;
  const Variant& variant_;
  prompt::LabelWords words_;
  job::RowPrompts prompts_;
  std::vector<Examples> examples_;  ///< of each row
  Asked asked_;
};

}  // namespace

Asked ask(const PromptJob& job, const Variant& variant, std::size_t rows) {
  return Asking(job, variant, rows).run();
}

WrittenPrompts write_prompts(const PromptJob& job, const Variant& variant, std::size_t rows) {
  return Asking(job, variant, rows).written();
}

}  // namespace attune::study
