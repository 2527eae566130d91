// Token classification: one tag a word, learned at the word's first token (Transformers' run_ner).
#include <algorithm>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/metrics/table.h"
#include "attune/task/kinds.h"
#include "attune/task/pack.h"
#include "task/common.h"
#include "task/scores.h"

namespace attune::task {

namespace {

class TokenLabels : public Task {
 public:
  explicit TokenLabels(const TaskOptions& options) : options_(options) {
    if (options_.class_weights.empty()) return;
    const std::vector<float> weights(options_.class_weights.begin(), options_.class_weights.end());
    class_weights_ = float_tensor(weights, {static_cast<std::int64_t>(weights.size())});
  }

  std::vector<Encoded> encode(std::span<const data::Example> examples, const text::Tokenizer& tokenizer) const override {
    text::EncodeOptions encode_options;
    encode_options.truncation = text::Truncation{.max_length = static_cast<std::size_t>(options_.max_length)};
    encode_options.with_tokens = false;
    std::vector<Encoded> rows;
    rows.reserve(examples.size());
    for (const data::Example& example : examples) {
      const text::Encoding encoding = tokenizer.encode_words(example.words, encode_options);
      Encoded row = encode_text(example, encoding);
      row.example = static_cast<std::int64_t>(rows.size());
      row.word_ids = encoding.word_ids;
      set_labels(row, example);
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Batch collate(std::span<const Encoded* const> rows, const BatchKey& key) const override {
    Batch batch = pack(rows, key);
    std::vector<std::int64_t> labels;
    std::vector<float> weights;
    for (const Encoded* row : rows) {
      for (std::size_t i = 0; i < row->ids.size(); ++i) {
        labels.push_back(row->token_labels.empty() ? nn::kIgnoreIndex : row->token_labels[i]);
        weights.push_back(static_cast<float>(row->weight));
      }
    }
    labels.resize(batch.input.layout.total, nn::kIgnoreIndex);
    weights.resize(labels.size(), 0.0F);
    batch.labels = long_tensor(labels);
    if (row_weights(rows).defined()) batch.weights = float_tensor(weights, {batch.input.layout.total});
    return batch;
  }

  double loss_weight(const Encoded& row, const BatchKey&) const override {
    double sum = 0;
    for (const std::int32_t label : row.token_labels) sum += label < 0 ? 0.0 : class_weight(label);
    return row.weight * sum;
  }

  nn::LossSum loss(const models::Output& output, const Batch& batch) const override {
    return nn::cross_entropy(output.logits, batch.labels, class_weights_, batch.weights, options_.label_smoothing);
  }

  std::optional<BlindLoss> blind_loss(const files::ListView<Encoded>&) const override {
    return blind_choice(options_.labels.names.size());
  }

  std::vector<Prediction> predict(const models::Output& output, const Batch& batch) const override {
    const std::vector<float> logits = to_floats(output.logits);
    const auto columns = static_cast<std::size_t>(output.logits.size(1));
    std::vector<Prediction> predictions;
    auto begin = logits.begin();
    for (const Encoded* row : batch.rows) {
      Prediction prediction;
      prediction.encoded = row;
      const auto end = begin + static_cast<std::ptrdiff_t>(row->ids.size() * columns);
      prediction.logits.assign(begin, end);
      begin = end;
      prediction.loss_weight = loss_weight(*row, {});
      prediction.loss_sum = row_loss(prediction, columns);
      predictions.push_back(std::move(prediction));
    }
    return predictions;
  }

  std::vector<std::string> metric_names() const override { return metrics::metric_names({metrics::Predicted::tags}); }

  std::unique_ptr<Scores> scores(std::span<const Prediction> predictions, std::span<const data::Example> examples) const override {
    return scores_of(score_tags(tagged_rows(predictions, examples)), predictions, examples);
  }

  files::Json describe(std::span<const Prediction> windows, const data::Example& example, bool with_logits) const override {
    files::Json line = {{"id", example.id}, {"words", *example.words}, {"labels", predicted_tags(windows.front())}};
    add_gold(line, example);
    if (with_logits) line["logits"] = windows.front().logits;
    return line;
  }

 private:
  /// Words that truncation cut off are not scored.
  std::vector<TaggedRow> tagged_rows(std::span<const Prediction> predictions, std::span<const data::Example> examples) const {
    std::vector<TaggedRow> rows;
    for (const Prediction& prediction : predictions) {
      const auto* tags = std::get_if<data::TokenTags>(&examples[prediction.encoded->example].target);
      if (tags == nullptr) continue;
      std::vector<std::string> predicted = predicted_tags(prediction);
      const std::vector<std::string> gold(tags->tags.begin(), tags->tags.begin() + static_cast<std::ptrdiff_t>(predicted.size()));
      rows.push_back({.example = prediction.encoded->example, .gold = gold, .predicted = std::move(predicted)});
    }
    return rows;
  }

  double class_weight(std::int64_t label) const { return options_.class_weights.empty() ? 1.0 : options_.class_weights[label]; }

  void set_labels(Encoded& row, const data::Example& example) const {
    const auto* tags = std::get_if<data::TokenTags>(&example.target);
    if (tags == nullptr) {
      if (!std::holds_alternative<std::monostate>(example.target)) throw wrong_target(example);
      return;
    }
    std::vector<std::int32_t> labels(row.ids.size(), nn::kIgnoreIndex);
    std::int32_t previous = -1;
    for (std::size_t i = 0; i < row.word_ids.size(); ++i) {
      const std::int32_t word = row.word_ids[i];
      if (word >= 0 && word != previous) {
        const std::string& tag = tags->tags[word];
        const auto id = options_.labels.find(tag);
        if (!id) throw unknown_label(tag, options_.labels.names, example);
        labels[i] = static_cast<std::int32_t>(*id);
      }
      previous = word;
    }
    row.token_labels = std::move(labels);
  }

  double row_loss(const Prediction& prediction, std::size_t columns) const {
    const Encoded& row = *prediction.encoded;
    double sum = 0;
    for (std::size_t i = 0; i < row.token_labels.size(); ++i) {
      if (row.token_labels[i] < 0) continue;
      const std::vector<float> logits(prediction.logits.begin() + static_cast<std::ptrdiff_t>(i * columns),
                                      prediction.logits.begin() + static_cast<std::ptrdiff_t>((i + 1) * columns));
      sum += class_weight(row.token_labels[i]) *
             smoothed_nll(logits, static_cast<std::size_t>(row.token_labels[i]), options_.label_smoothing);
    }
    return row.weight * sum;
  }

  /// One tag a word that was not cut off.
  std::vector<std::string> predicted_tags(const Prediction& prediction) const {
    const Encoded& row = *prediction.encoded;
    const std::size_t columns = options_.labels.names.size();
    std::vector<std::string> tags;
    std::int32_t previous = -1;
    for (std::size_t i = 0; i < row.word_ids.size(); ++i) {
      if (row.word_ids[i] >= 0 && row.word_ids[i] != previous) {
        const auto begin = prediction.logits.begin() + static_cast<std::ptrdiff_t>(i * columns);
        tags.push_back(options_.labels.names[std::max_element(begin, begin + static_cast<std::ptrdiff_t>(columns)) - begin]);
      }
      previous = row.word_ids[i];
    }
    return tags;
  }

  TaskOptions options_;
  at::Tensor class_weights_;
};

}  // namespace

std::unique_ptr<Task> make_token_labels(const TaskOptions& options) { return std::make_unique<TokenLabels>(options); }

}  // namespace attune::task
