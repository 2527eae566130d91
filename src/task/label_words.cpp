// Labels said with words: rows are prompts, and a label is as likely as its words are behind the prompt or in its gap.
// Models that fill gaps learn the row's label among all labels: cross-entropy over the labels' scores, for words of one
// token PET's loss (Schick & Schütze 2021, §3.1: the softmax over the vocabulary cancels). Causal models learn the
// tokens of the row's own word behind its prompt, as in language modelling. Predictions are those of `attune prompt
// run` for both.
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "attune/base/error.h"
#include "attune/base/utf8.h"
#include "attune/metrics/table.h"
#include "attune/nn/vocabulary.h"
#include "attune/task/kinds.h"
#include "attune/task/pack.h"
#include "attune/tensor/device.h"
#include "task/common.h"
#include "task/scores.h"

namespace attune::task {

namespace {

/// The tokens that a batch asks for, in the order of Input::wanted.
struct AskedTokens {
  std::vector<std::int64_t> rows, ids;  ///< of the wanted rows the number, and the token there
  std::vector<std::int64_t> words;      ///< which word a token belongs to: row of the batch × answers + answer

  AskedTokens(const std::vector<const Encoded*>& batch, std::size_t answers) {
    std::int64_t wanted = 0;
    for (std::size_t b = 0; b < batch.size(); ++b) {
      for (const AnswerText& text : batch[b]->answers->texts) {
        for (std::size_t place = 0; place < text.places.size(); ++place, ++wanted) {
          for (std::size_t i = 0; i < text.answers.size(); ++i) {
            rows.push_back(wanted);
            ids.push_back(text.tokens_of(i)[place]);
            words.push_back(static_cast<std::int64_t>(b * answers) + text.answers[i]);
          }
        }
      }
    }
  }
};

/// The text that asks for the answer, and which of its answers it is.
std::pair<std::size_t, std::size_t> place_of_answer(const AnswerTexts& texts, std::size_t answer) {
  for (std::size_t text = 0; text < texts.texts.size(); ++text) {
    const auto& answers = texts.texts[text].answers;
    const auto found = std::ranges::find(answers, static_cast<std::int32_t>(answer));
    if (found != answers.end()) return {text, static_cast<std::size_t>(found - answers.begin())};
  }
  internal_error("no text asks for the answer");
}

class LabelWords : public Task {
 public:
  explicit LabelWords(const TaskOptions& options)
      : options_(options),
        fills_gaps_(options.kind == models::Task::masked_lm),
        answers_(static_cast<std::int64_t>(options.answers.size())) {
    for (std::size_t label = 0; label < labels().size(); ++label) {
      first_answers_.push_back(static_cast<std::size_t>(
          std::ranges::find(options_.answers, label, &prompt::Continuation::label) - options_.answers.begin()));
    }
    index_words();
  }

  std::vector<Encoded> encode(std::span<const data::Example> examples,
                              const text::Tokenizer& tokenizer) const override {
    std::vector<std::string> prompts;
    for (const data::Example& example : examples) prompts.push_back(example.text);
    const auto encode_answers = fills_gaps_ ? answers_in_gap : answers_behind;
    std::vector<AnswerTexts> texts = encode_answers(prompts, options_.answers, tokenizer);
    std::vector<Encoded> rows;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      Encoded row = encode_text(examples[i], {});
      row.example = static_cast<std::int64_t>(i);
      if (!std::holds_alternative<std::monostate>(examples[i].target))
        row.label = data::class_id(options_.labels, examples[i]);
      const std::size_t text = row.label == nn::kIgnoreIndex ? 0 : place_of_answer(texts[i], answer_of(row)).first;
      row.ids = texts[i].texts[text].ids;
      row.answers = std::move(texts[i]);
      rows.push_back(std::move(row));
    }
    return rows;
  }

  /// Of causal models batches hold prompts with the rows' own words, which are the same tokens each time.
  bool keeps_ids() const override { return !fills_gaps_; }

  Batch collate(std::span<const Encoded* const> rows, const BatchKey& key) const override {
    return fills_gaps_ ? with_all_words(rows, key) : with_own_words(rows, key);
  }

  double loss_weight(const Encoded& row, const BatchKey&) const override {
    if (row.label == nn::kIgnoreIndex) return 0;
    return fills_gaps_ ? row.weight : row.weight * static_cast<double>(own_tokens(row).size());
  }

  nn::LossSum loss(const models::Output& output, const Batch& batch) const override {
    if (!fills_gaps_) return nn::vocabulary_cross_entropy(output.vocabulary, batch.labels, batch.weights, 0.0);
    return nn::cross_entropy(scores_of_labels(output.vocabulary, batch), batch.labels, {}, batch.weights, 0.0);
  }

  std::optional<BlindLoss> blind_loss(const files::ListView<Encoded>&) const override {
    return blind_choice(fills_gaps_ ? labels().size() : options_.tokenizer->vocab_size());
  }

  /// In gaps. (Answers behind prompts are scored together: infer/answers.h.)
  std::vector<Prediction> predict(const models::Output& output, const Batch& batch) const override {
    const AskedTokens asked(batch.rows, options_.answers.size());
    const at::Tensor rows = long_tensor(asked.rows), ids = long_tensor(asked.ids);
    const at::Tensor log_p = output.vocabulary.defined()
                                 ? nn::vocabulary_log_probabilities(output.vocabulary, rows, ids)
                                 : nn::log_probabilities(output.logits, rows, ids);
    const float* values = log_p.const_data_ptr<float>();
    std::vector<AnswerScores> of_words(batch.rows.size(), AnswerScores(answers()));
    for (std::size_t i = 0; i < asked.words.size(); ++i) {
      const auto word = static_cast<std::size_t>(asked.words[i]);
      of_words[word / answers()][word % answers()].push_back(values[i]);
    }
    return predict(batch.rows, of_words);
  }

  std::size_t answers() const override { return options_.answers.size(); }

  std::vector<Prediction> predict(std::span<const Encoded* const> rows,
                                  std::span<const AnswerScores> scores) const override {
    std::vector<Prediction> predictions;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      predictions.push_back(
          prediction_of(*rows[i], label_scores(options_.answers, scores[i], options_.word_score, labels().size())));
    }
    return predictions;
  }

  std::vector<std::string> metric_names() const override {
    return metrics::metric_names(
        {labels().size() == 2 ? metrics::Predicted::one_of_two : metrics::Predicted::one_of_many});
  }

  std::unique_ptr<Scores> scores(std::span<const Prediction> predictions,
                                 std::span<const data::Example> examples) const override {
    return scores_of(score_classes(predictions, labels()), predictions, examples);
  }

  files::Json describe(std::span<const Prediction> windows, const data::Example& example,
                       bool with_logits) const override {
    return describe_class(windows.front(), labels(), example, with_logits);
  }

 private:
  const std::vector<std::string>& labels() const { return options_.labels.names; }

  /// The first word of the row's label: the one that examples show.
  std::size_t answer_of(const Encoded& row) const { return first_answers_[static_cast<std::size_t>(row.label)]; }

  std::span<const std::int32_t> own_tokens(const Encoded& row) const {
    const auto [text, answer] = place_of_answer(*row.answers, answer_of(row));
    return row.answers->texts[text].tokens_of(answer);
  }

  /// The rows as they are, and the tokens of their labels' words as what is to be learned.
  Batch with_own_words(std::span<const Encoded* const> rows, const BatchKey& key) const {
    Batch batch = pack(rows, key);
    WantedTokens wanted;
    std::int64_t begin = 0;
    for (const Encoded* row : rows) {
      const auto [text, answer] = place_of_answer(*row->answers, answer_of(*row));
      const AnswerText& own = row->answers->texts[text];
      for (std::size_t i = 0; i < own.places.size(); ++i)
        wanted.add(begin + own.places[i], own.tokens_of(answer)[i], row->weight);
      begin += static_cast<std::int64_t>(row->ids.size());
    }
    wanted.set(batch, row_weights(rows).defined());
    return batch;
  }

  /// All texts of the rows, one after another.
  Batch with_all_words(std::span<const Encoded* const> rows, const BatchKey& key) const {
    std::vector<Encoded> texts;
    std::vector<std::int64_t> wanted, labels;
    std::int64_t begin = 0;
    for (const Encoded* row : rows) {
      for (const AnswerText& text : row->answers->texts) {
        texts.emplace_back().ids = text.ids;
        texts.back().row = row->row;
        for (const std::int32_t place : text.places) wanted.push_back(begin + place);
        begin += static_cast<std::int64_t>(text.ids.size());
      }
      labels.push_back(row->label);
    }
    std::vector<const Encoded*> in_stream;
    for (const Encoded& text : texts) in_stream.push_back(&text);
    Batch batch = pack(in_stream, key);
    batch.rows.assign(rows.begin(), rows.end());
    batch.input.wanted = long_tensor(wanted);
    batch.input.defer_vocabulary = true;
    batch.labels = long_tensor(labels);
    batch.weights = row_weights(rows);
    return batch;
  }

  /// What words of a row make up a label, and what a token of each counts.
  void index_words() {
    std::size_t most = 0;
    std::vector<std::vector<std::int64_t>> of_label(labels().size());
    for (std::size_t i = 0; i < options_.answers.size(); ++i) {
      of_label[options_.answers[i].label].push_back(static_cast<std::int64_t>(i));
      most = std::max(most, of_label[options_.answers[i].label].size());
    }
    most_words_ = static_cast<std::int64_t>(most);
    for (auto& words : of_label) {
      words.resize(most, answers_);  // a word that there is not
      words_of_labels_.insert(words_of_labels_.end(), words.begin(), words.end());
    }
  }

  /// What a token of the word counts in the word's score.
  double share_of_token(const AnswerText& text, std::int32_t answer) const {
    if (options_.word_score == prompt::WordScore::mean) return 1.0 / static_cast<double>(text.places.size());
    if (options_.word_score == prompt::WordScore::sum) return 1.0;
    return 1.0 / static_cast<double>(count_code_points(options_.answers[static_cast<std::size_t>(answer)].text));
  }

  /// In the order of AskedTokens.
  std::vector<float> shares_of_tokens(const Batch& batch) const {
    std::vector<float> shares;
    for (const Encoded* row : batch.rows) {
      for (const AnswerText& text : row->answers->texts) {
        for (std::size_t place = 0; place < text.places.size(); ++place) {
          for (const std::int32_t answer : text.answers)
            shares.push_back(static_cast<float>(share_of_token(text, answer)));
        }
      }
    }
    return shares;
  }

  /// [rows, labels], differentiable: what label_scores says of the same.
  at::Tensor scores_of_labels(const nn::Vocabulary& vocabulary, const Batch& batch) const {
    const AskedTokens asked(batch.rows, options_.answers.size());
    const at::Tensor log_p = at::log_softmax(nn::vocabulary_logits(vocabulary).to(at::kFloat), 1);
    const auto there = [&](const at::Tensor& x) { return tensor::on_device(x, log_p.device()); };
    const auto tokens = static_cast<std::int64_t>(asked.ids.size()),
               rows = static_cast<std::int64_t>(batch.rows.size());
    const at::Tensor places = there(long_tensor(asked.rows) * log_p.size(1) + long_tensor(asked.ids));
    const at::Tensor counted =
        log_p.reshape({-1}).index_select(0, places) * there(float_tensor(shares_of_tokens(batch), {tokens}));
    const at::Tensor words =
        at::zeros({rows * answers_}, log_p.options()).index_add(0, there(long_tensor(asked.words)), counted);
    const at::Tensor none = at::full({rows, 1}, -std::numeric_limits<float>::infinity(), log_p.options());
    const at::Tensor with_none = at::cat({words.reshape({rows, answers_}), none}, 1);
    const auto labels_count = static_cast<std::int64_t>(labels().size());
    const at::Tensor of_labels = with_none.index_select(1, there(long_tensor(words_of_labels_)));
    return of_labels.reshape({rows, labels_count, most_words_}).logsumexp(2);
  }

  static Prediction prediction_of(const Encoded& row, const std::vector<double>& scores) {
    const std::vector<double> log_p = prompt::label_log_probabilities(scores);
    Prediction prediction;
    prediction.encoded = &row;
    prediction.logits.assign(log_p.begin(), log_p.end());
    if (row.label == nn::kIgnoreIndex) return prediction;
    prediction.loss_weight = row.weight;
    prediction.loss_sum = -row.weight * log_p[static_cast<std::size_t>(row.label)];
    return prediction;
  }

  TaskOptions options_;
  bool fills_gaps_;
  std::int64_t answers_;                       ///< how many there are
  std::int64_t most_words_ = 0;                ///< that a label has
  std::vector<std::int64_t> words_of_labels_;  ///< [labels][most words]: answers, or how many there are for none
  std::vector<std::size_t> first_answers_;     ///< by label
};

}  // namespace

std::unique_ptr<Task> make_label_words(const TaskOptions& options) {
  return std::make_unique<LabelWords>(options);
}

}  // namespace attune::task
