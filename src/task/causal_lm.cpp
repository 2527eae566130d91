// Causal language modelling: each learned token is predicted from those before it in its row. Rows are documents (all
// tokens but the first are learned), prompts with completions, or chats (the assistant's words and the token that ends
// them). What is learned is marked by position, never by id, so that an end-of-text token that is also the padding token
// is learned like any other.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/metrics/table.h"
#include "attune/task/kinds.h"
#include "attune/task/pack.h"
#include "task/common.h"
#include "task/language_rows.h"
#include "task/scores.h"

namespace attune::task {

namespace {

class CausalLm : public Task {
 public:
  explicit CausalLm(const TaskOptions& options) : options_(options) {}

  std::vector<Encoded> encode(std::span<const data::Example> examples, const text::Tokenizer& tokenizer) const override {
    return encode_language_rows(examples, tokenizer, options_);
  }

  Batch collate(std::span<const Encoded* const> rows, const BatchKey& key) const override {
    Batch batch = pack(rows, key);
    WantedTokens wanted;
    std::int64_t begin = 0;
    for (const Encoded* row : rows) {
      for (std::size_t i = 1; i < row->ids.size(); ++i) {
        if (row->learned[i] != 0) wanted.add(begin + static_cast<std::int64_t>(i) - 1, row->ids[i], row->weight);
      }
      begin += static_cast<std::int64_t>(row->ids.size());
    }
    wanted.set(batch, row_weights(rows).defined());
    return batch;
  }

  double loss_weight(const Encoded& row, const BatchKey&) const override {
    return row.weight * static_cast<double>(count_learned(row));
  }

  nn::LossSum loss(const models::Output& output, const Batch& batch) const override {
    if (!output.vocabulary.defined()) return nn::cross_entropy(output.logits, batch.labels, {}, batch.weights, options_.label_smoothing);
    return nn::vocabulary_cross_entropy(output.vocabulary, batch.labels, batch.weights, options_.label_smoothing);
  }

  std::optional<BlindLoss> blind_loss(const files::ListView<Encoded>&) const override {
    if (options_.tokenizer == nullptr) return std::nullopt;  // rows may come with their ids
    return blind_choice(options_.tokenizer->vocab_size());
  }

  std::vector<Prediction> predict(const models::Output& output, const Batch& batch) const override {
    const nn::RowLosses losses = output.vocabulary.defined()
                                     ? nn::vocabulary_losses(output.vocabulary, batch.labels, options_.label_smoothing)
                                     : nn::row_losses(output.logits, batch.labels, options_.label_smoothing);
    const std::vector<float> nll = to_floats(losses.nll), smoothed = to_floats(losses.smoothed);
    std::vector<Prediction> predictions;
    std::size_t next = 0;
    for (const Encoded* row : batch.rows) {
      Prediction prediction;
      prediction.encoded = row;
      for (const std::size_t end = next + count_learned(*row); next < end; ++next) {
        prediction.logits.push_back(-nll[next]);
        prediction.loss_sum += row->weight * smoothed[next];
      }
      prediction.loss_weight = loss_weight(*row, {});
      predictions.push_back(std::move(prediction));
    }
    return predictions;
  }

  std::vector<std::string> metric_names() const override {
    if (!options_.generates) return metrics::metric_names({metrics::Predicted::next_tokens});
    return metrics::metric_names({metrics::Predicted::next_tokens, metrics::Predicted::text});
  }

  std::unique_ptr<Scores> scores(std::span<const Prediction> predictions, std::span<const data::Example> examples) const override {
    return score_language(predictions, examples, *options_.tokenizer);
  }

  files::Json describe(std::span<const Prediction> windows, const data::Example& example, bool with_logprobs) const override {
    double loss = 0, weight = 0;
    std::vector<float> logprobs;
    for (const Prediction& window : windows) {
      loss += window.loss_sum;
      weight += window.loss_weight;
      logprobs.insert(logprobs.end(), window.logits.begin(), window.logits.end());
    }
    files::Json line = {{"id", example.id}};
    if (!logprobs.empty()) line.update({{"loss", loss / weight}, {"tokens", logprobs.size()}});
    if (with_logprobs) line["token_logprobs"] = logprobs;
    const Prediction& first = windows.front();
    if (!first.generated) return line;
    line["generated"] = *first.generated;
    if (const auto& reference = first.encoded->prompt->reference) line["reference"] = *reference;
    return line;
  }

 private:
  static std::size_t count_learned(const Encoded& row) {
    return static_cast<std::size_t>(std::count(row.learned.begin(), row.learned.end(), 1));
  }

  TaskOptions options_;
};

}  // namespace

std::unique_ptr<Task> make_causal_lm(const TaskOptions& options) { return std::make_unique<CausalLm>(options); }

}  // namespace attune::task
