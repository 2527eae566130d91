// Masked language modelling (Devlin et al. 2019, §3.1): a share of the tokens is chosen; of these 80 % become the mask token,
// 10 % another token, 10 % stay. At least one token a row is chosen, as in BERT's own data preparation. The choice is a pure
// function of (seed, row, pass over the data, position); evaluation always sees pass 0.
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/random.h"
#include "attune/base/strings.h"
#include "attune/metrics/table.h"
#include "attune/task/kinds.h"
#include "attune/task/pack.h"
#include "task/common.h"
#include "task/scores.h"

namespace attune::task {

namespace {

constexpr std::size_t kFillCandidates = 5;

class MaskScores : public Scores {
 public:
  explicit MaskScores(std::span<const Prediction> predictions) : predictions_(predictions) {}

  files::Json metrics() const override {
    files::Json metrics = summarise(predictions_, nullptr);
    if (metrics["loss"].is_number()) metrics["perplexity"] = std::exp(metrics["loss"].get<double>());
    return metrics;
  }

 private:
  std::span<const Prediction> predictions_;
};

class MaskedLm : public Task {
 public:
  explicit MaskedLm(const TaskOptions& options) : options_(options) {
    const auto mask = options_.tokenizer->special_id("mask_token");
    if (!mask) {
      throw Error(ErrorKind::model, {.file = "tokenizer", .what = "it has no mask token", .where = "",
                                     .hint = "masked language modelling needs a BERT-type tokenizer"});
    }
    mask_id_ = *mask;
    vocab_size_ = static_cast<std::int64_t>(options_.tokenizer->vocab_size());
  }

  std::vector<Encoded> encode(std::span<const data::Example> examples, const text::Tokenizer& tokenizer) const override {
    std::vector<Encoded> rows = encode_texts(examples, tokenizer, options_.max_length);
    for (Encoded& row : rows) {
      // A row that already holds masks asks to be filled; every other row is learned from.
      const bool asks = std::find(row.ids.begin(), row.ids.end(), mask_id_) != row.ids.end();
      auto& maskable = row.maskable.edit();
      maskable.assign(row.ids.size(), 0);
      if (asks) continue;
      for (std::size_t i = 0; i < row.ids.size(); ++i) maskable[i] = is_special(row.ids[i]) ? 0 : 1;
    }
    return rows;
  }

  bool keeps_ids() const override { return false; }

  Batch collate(std::span<const Encoded* const> rows, const BatchKey& key) const override {
    Batch batch = pack(rows, key);
    auto* ids = batch.input.ids.mutable_data_ptr<std::int64_t>();
    WantedTokens wanted;
    std::int64_t begin = 0;
    for (const Encoded* row : rows) {
      const RandomKey row_key = choice_key(*row, key);
      for (const std::size_t i : chosen(*row, row_key)) {
        wanted.add(begin + static_cast<std::int64_t>(i), row->ids[i], row->weight);
        ids[begin + static_cast<std::int64_t>(i)] = replacement(row->ids[i], row_key.with(i));
      }
      for (std::size_t i = 0; i < row->ids.size(); ++i) {
        if (row->ids[i] == mask_id_) wanted.add(begin + static_cast<std::int64_t>(i), nn::kIgnoreIndex, 0.0);
      }
      begin += static_cast<std::int64_t>(row->ids.size());
    }
    wanted.set(batch, row_weights(rows).defined());
    return batch;
  }

  double loss_weight(const Encoded& row, const BatchKey& key) const override {
    return row.weight * static_cast<double>(chosen(row, choice_key(row, key)).size());
  }

  nn::LossSum loss(const models::Output& output, const Batch& batch) const override {
    return nn::vocabulary_cross_entropy(output.vocabulary, batch.labels, batch.weights, options_.label_smoothing);
  }

  std::optional<BlindLoss> blind_loss(const files::ListView<Encoded>&) const override {
    return blind_choice(options_.tokenizer->vocab_size());
  }

  std::vector<Prediction> predict(const models::Output& output, const Batch& batch) const override {
    const nn::RowLosses losses = nn::vocabulary_losses(output.vocabulary, batch.labels, options_.label_smoothing);
    const std::vector<float> nll = to_floats(losses.nll), smoothed = to_floats(losses.smoothed);
    std::vector<Prediction> predictions;
    std::int64_t next = 0;
    const auto* labels = batch.labels.const_data_ptr<std::int64_t>();
    const auto* wanted = batch.input.wanted.const_data_ptr<std::int64_t>();
    for (std::size_t b = 0; b < batch.rows.size(); ++b) {
      Prediction prediction;
      prediction.encoded = batch.rows[b];
      for (; next < batch.labels.numel() && wanted[next] < batch.input.layout.cu_seqlens[b + 1]; ++next) {
        if (labels[next] == nn::kIgnoreIndex) {
          prediction.fills.push_back(best_tokens(logits_of(output.vocabulary, next)));
          continue;
        }
        prediction.logits.push_back(-nll[next]);
        prediction.loss_sum += batch.rows[b]->weight * smoothed[next];
        prediction.loss_weight += batch.rows[b]->weight;
      }
      predictions.push_back(std::move(prediction));
    }
    return predictions;
  }

  std::vector<std::string> metric_names() const override { return metrics::metric_names({metrics::Predicted::masked_tokens}); }

  std::unique_ptr<Scores> scores(std::span<const Prediction> predictions, std::span<const data::Example>) const override {
    return std::make_unique<MaskScores>(predictions);
  }

  files::Json describe(std::span<const Prediction> windows, const data::Example& example, bool) const override {
    const Prediction& prediction = windows.front();
    files::Json line = {{"id", example.id}};
    if (prediction.loss_weight > 0) line["loss"] = prediction.loss_sum / prediction.loss_weight;
    if (!prediction.fills.empty()) line["fills"] = files::Json::array();
    for (const auto& candidates : prediction.fills) {
      files::Json fill = files::Json::array();
      for (const auto& [id, probability] : candidates) {
        fill.push_back({{"token", options_.tokenizer->id_to_token(id).value_or("")}, {"score", probability}});
      }
      line["fills"].push_back(fill);
    }
    return line;
  }

 private:
  static std::vector<float> logits_of(nn::Vocabulary vocabulary, std::int64_t row) {
    vocabulary.x = vocabulary.x.narrow(0, row, 1);
    return to_floats(nn::vocabulary_logits(vocabulary));
  }

  bool is_special(std::int32_t id) const {
    for (const char* role : {"cls_token", "sep_token", "pad_token", "mask_token"}) {
      if (options_.tokenizer->special_id(role) == id) return true;
    }
    return false;
  }

  static RandomKey choice_key(const Encoded& row, const BatchKey& key) {
    return RandomKey(key.seed, "mask").with(row.row).with(key.training ? key.epoch + 1 : 0);
  }

  std::vector<std::size_t> chosen(const Encoded& row, const RandomKey& row_key) const {
    std::vector<std::size_t> positions;
    std::size_t least = row.ids.size();
    double least_draw = 2.0;
    for (std::size_t i = 0; i < row.ids.size(); ++i) {
      if (row.maskable[i] == 0) continue;
      const double draw = row_key.uniform(i);
      if (draw < options_.mlm_probability) positions.push_back(i);
      if (draw < least_draw) least_draw = draw, least = i;
    }
    if (positions.empty() && least < row.ids.size()) positions.push_back(least);
    return positions;
  }

  std::int64_t replacement(std::int32_t id, const RandomKey& key) const {
    const double draw = key.uniform(0);
    if (draw < 0.8) return mask_id_;
    return draw < 0.9 ? static_cast<std::int64_t>(key.bits(1) % static_cast<std::uint64_t>(vocab_size_)) : id;
  }

  static std::vector<std::pair<std::int32_t, float>> best_tokens(const std::vector<float>& logits) {
    const std::vector<double> probabilities = softmax(logits);
    std::vector<std::int32_t> order(logits.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
    const std::size_t count = std::min(kFillCandidates, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                      [&](std::int32_t a, std::int32_t b) { return logits[a] > logits[b]; });
    std::vector<std::pair<std::int32_t, float>> best;
    for (std::size_t i = 0; i < count; ++i) best.emplace_back(order[i], static_cast<float>(probabilities[order[i]]));
    return best;
  }

  TaskOptions options_;
  std::int64_t mask_id_ = 0;
  std::int64_t vocab_size_ = 0;
};

}  // namespace

std::unique_ptr<Task> make_masked_lm(const TaskOptions& options) { return std::make_unique<MaskedLm>(options); }

}  // namespace attune::task
