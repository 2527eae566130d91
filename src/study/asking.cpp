// One wording put to all rows: prompts are written, scored or continued, and read as labels. See prompting.h.
#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "attune/infer/text.h"
#include "attune/prompt/label_scores.h"
#include "attune/prompt/writer.h"
#include "attune/study/prompting.h"
#include "attune/task/prompts.h"
#include "predictions.h"
#include "scorers.h"

namespace attune::study {

namespace {

using Examples = std::vector<const data::Example*>;

constexpr float kNever = -std::numeric_limits<float>::infinity();

class Asking {
 public:
  Asking(const PromptJob& job, const Variant& variant, std::size_t rows)
      : job_(job),
        rows_(std::span(job.rows).first(std::min(rows, job.rows.size()))),
        options_(job.options.prompting),
        few_shot_(variant.examples),
        words_(words_of(job, variant)),
        writer_(job.set, variant.wording, writer_settings(job, words_)),
        pool_(job.pool) {
    for (const auto* rows : {&job.rows, &job.validation, &job.test}) pool_.forbid_texts_of(*rows);
    if (job.set.chat) template_.emplace(job.chats->choose("", /*with_tools=*/false));
    if (writer_.fills_gap() != (job.loaded.model->spec().task == models::Task::masked_lm)) {
      throw Error(ErrorKind::usage,
                  {.file = job.set.file,
                   .what = writer_.fills_gap() ? "the input has a gap, and the model writes on behind a text"
                                               : "the model fills gaps, and the input has none",
                   .where = concat("wording '", variant.wording.name, "'"),
                   .hint = writer_.fills_gap() ? "remove {{ mask }}, or take a masked language model"
                                               : "write {{ mask }} where the label word is to stand"});
    }
  }

  Asked run() {
    choose();
    options_.answer == "generation" ? generate() : score();
    return std::move(asked_);
  }

 private:
  static prompt::LabelWords words_of(const PromptJob& job, const Variant& variant) {
    prompt::LabelWords words = job.words;
    for (auto& of_label : words.words) {
      if (variant.first_words_only) of_label.resize(1);
    }
    return words;
  }

  static prompt::WriterSettings writer_settings(const PromptJob& job, const prompt::LabelWords& words) {
    prompt::WriterSettings settings{.kind = prompt::AnswerKind::label, .words = words};
    if (const auto mask = job.tokenizer->special_id("mask_token"))
      settings.mask_token = job.tokenizer->id_to_token(*mask).value_or("");
    return settings;
  }

  void choose() {
    examples_.resize(rows_.size());
    if (few_shot_.k == 0) return;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const at::Tensor similarity = job_.row_embeddings.defined()
                                        ? job_.pool_embeddings.mv(job_.row_embeddings[static_cast<std::int64_t>(i)])
                                        : at::Tensor();
      std::span<const float> values;
      if (similarity.defined())
        values = {similarity.const_data_ptr<float>(), static_cast<std::size_t>(similarity.numel())};
      examples_[i] = prompt::examples_at(pool_, prompt::choose_examples(pool_, rows_[i], few_shot_, values));
    }
  }

  Question question(const data::Example& row, prompt::ExampleList examples) const {
    Question question{.prompt = writer_.write(row, examples), .text = {}};
    if (!template_) {
      question.text = question.prompt.text;
    } else {
      const files::Json messages = files::Json::parse(question.prompt.messages);
      question.text =
          template_->render(job_.chats->variables({.messages = messages, .add_generation_prompt = true})).text;
    }
    return question;
  }

  /// `encode` tokenises questions, and says how long each is with what is to come behind it. Examples that do not fit
  /// are dropped from the front on.
  template <class Encode>
  std::vector<Question> fitted_questions(const Encode& encode) {
    std::vector<Question> questions;
    for (std::size_t i = 0; i < rows_.size(); ++i) questions.push_back(question(rows_[i], examples_[i]));
    const std::vector<std::int64_t> lengths = encode(std::span(questions));
    for (std::size_t i = 0; i < questions.size(); ++i) {
      std::int64_t length = lengths[i];
      while (length > job_.max_tokens && !examples_[i].empty()) {
        examples_[i].erase(examples_[i].begin());
        ++asked_.dropped_examples;
        questions[i] = question(rows_[i], examples_[i]);
        length = encode(std::span(questions).subspan(i, 1)).front();
      }
      if (length <= job_.max_tokens) continue;
      throw Error(ErrorKind::data, {.file = data::place_of(rows_[i].origin),
                                    .what = concat("prompt and answer have ", length,
                                                   " tokens, the model takes at most ", job_.max_tokens),
                                    .where = "",
                                    .hint = "shorten the row, or the texts of the prompt set"});
    }
    return questions;
  }

  void score() {
    const std::unique_ptr<Scorer> scorer = make_scorer(job_);
    std::vector<Question> questions = fitted_questions([&](std::span<Question> some) { return scorer->encode(some); });
    const std::size_t asked = questions.size();
    const std::vector<std::size_t> content_free = add_content_free(questions);
    scorer->encode(std::span(questions).subspan(asked));
    const auto scores = scorer->score(questions, asked_);
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
      predict(i, {log_p.begin(), log_p.end()});
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

  void generate() {
    const std::vector<Question> questions = fitted_questions([&](std::span<Question> some) {
      std::vector<std::string> texts;
      for (const Question& question : some) texts.push_back(question.text);
      std::vector<std::vector<std::int32_t>> ids = task::encode_prompts(texts, *job_.tokenizer);
      std::vector<std::int64_t> lengths;
      for (std::size_t i = 0; i < some.size(); ++i) {
        const auto length = static_cast<std::int64_t>(ids[i].size());
        lengths.push_back(length + std::max<std::int64_t>(1, job_.generation.new_tokens_behind(length)));
        some[i].continuations = {{.ids = std::move(ids[i])}};
      }
      return lengths;
    });
    std::vector<std::vector<std::int32_t>> prompts;
    for (const Question& question : questions) prompts.push_back(question.continuations.front().ids);
    infer::Generator generator(*job_.loaded.model);
    const auto beginning = template_ ? infer::Beginning::answer : infer::Beginning::continuation;
    const auto stops = [&](std::size_t) { return asked_.stopped = stop_signal() != 0; };
    const auto texts =
        infer::generate_texts(generator, *job_.tokenizer, prompts, job_.generation, beginning, {.stops_all = stops});
    if (asked_.stopped) return;
    asked_.computed_tokens = generator.computed_tokens();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      asked_.tokens += static_cast<std::int64_t>(prompts[i].size() + texts[i].tokens.ids.size());
      const auto label = prompt::parse_answer(texts[i].text, words_);
      std::vector<float> logits(job_.labels.names.size() + 1, kNever);
      logits[label.value_or(job_.labels.names.size())] = 0;
      if (!label) ++asked_.without_answer;
      predict(i, std::move(logits));
      asked_.predictions.back().generated = texts[i].text;
    }
  }

  void predict(std::size_t row, std::vector<float> log_p) {
    asked_.predictions.push_back(prediction_of(job_.targets[row], std::move(log_p)));
  }

  const PromptJob& job_;
  std::span<const data::Example> rows_;
  const job::PromptingOptions& options_;
  const prompt::FewShotOptions& few_shot_;
  prompt::LabelWords words_;
  prompt::PromptWriter writer_;
  prompt::ExamplePool pool_;
  std::optional<text::ChatTemplate> template_;
  std::vector<Examples> examples_;  ///< of each row
  Asked asked_;
};

}  // namespace

Asked ask(const PromptJob& job, const Variant& variant, std::size_t rows) {
  return Asking(job, variant, rows).run();
}

}  // namespace attune::study
