// Scores of a language model: how likely the rows are, and how near generated texts come to the rows' own answers.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/metrics/values.h"
#include "task/scores.h"

namespace attune::task {

namespace {

/// Whether all of the row's text is learned, and nothing else.
bool is_whole_document(const Encoded& row, const data::Example& example) {
  return example.messages.empty() && !example.has_pair && example.input_ids.empty() && row.cut == 0;
}

/// A scored row is an example, whose windows count together.
class LanguageScoring : public Scoring {
 public:
  LanguageScoring(std::span<const Prediction> predictions, std::span<const data::Example> examples) : texts_(predictions) {
    for (const Prediction& prediction : predictions) {
      const Encoded& row = *prediction.encoded;
      const data::Example& example = examples[static_cast<std::size_t>(row.example)];
      const bool goes_on = row.window > 0 && !examples_.empty() && examples_.back() == row.example;
      if (!goes_on) {
        examples_.push_back(row.example);
        sums_.emplace_back();
      }
      units_.push_back(sums_.size() - 1);
      add(prediction, example, sums_.back());
      tokens_ += prediction.logits.size();
      has_documents_only_ = has_documents_only_ && is_whole_document(row, example);
    }
  }

  metrics::Values values(std::span<const double> weights) const override {
    metrics::Values values = tokens_ > 0 ? likelihoods(weights) : metrics::Values();
    if (texts_.texts() == 0) return values;
    std::vector<double> of_predictions;
    for (const std::size_t unit : units_) of_predictions.push_back(weights.empty() ? 1.0 : weights[unit]);
    for (const auto& value : texts_.values(of_predictions)) values.push_back(value);
    return values;
  }

  /// loss · perplexity · bits_per_byte (of documents).
  metrics::Values likelihoods(std::span<const double> weights) const {
    Sums all;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const double weight = weights.empty() ? 1.0 : weights[i];
      all.loss += weight * sums_[i].loss;
      all.weighted_nll += weight * sums_[i].weighted_nll;
      all.weight += weight * sums_[i].weight;
      all.nll += weight * sums_[i].nll;
      all.bytes += weight * sums_[i].bytes;
    }
    metrics::Values values = {{"loss", all.loss / all.weight}, {"perplexity", std::exp(all.weighted_nll / all.weight)}};
    if (has_documents_only_ && !sums_.empty()) values.emplace_back("bits_per_byte", all.nll / std::numbers::ln2 / all.bytes);
    return values;
  }

  std::size_t trials(std::string_view metric) const override { return metric == "exact_match" ? texts_.texts() : 0; }

  const TextScores& texts() const { return texts_; }
  std::size_t tokens() const { return tokens_; }  ///< learned ones

 private:
  struct Sums {
    double loss = 0, weighted_nll = 0, weight = 0;
    double nll = 0, bytes = 0;  ///< without the row's weight
  };

  static void add(const Prediction& prediction, const data::Example& example, Sums& sums) {
    double nll = 0;
    for (const float logprob : prediction.logits) nll -= logprob;
    sums.loss += prediction.loss_sum;
    sums.weight += prediction.loss_weight;
    sums.weighted_nll += prediction.encoded->weight * nll;
    sums.nll += nll;
    if (prediction.encoded->window == 0) sums.bytes += static_cast<double>(example.text.size());
  }

  std::vector<Sums> sums_;          ///< one an example
  std::vector<std::size_t> units_;  ///< of each prediction, its example's sums
  std::size_t tokens_ = 0;
  bool has_documents_only_ = true;
  TextScores texts_;
};

/// The last characters of a text, behind "…" where something stands before them.
std::string end_of(const std::string& text) {
  constexpr std::size_t kCharacters = 300;
  const std::u32string points = to_utf32(text);
  return points.size() <= kCharacters ? text : "…" + to_utf8(std::u32string_view(points).substr(points.size() - kCharacters));
}

/// "user: where is my card", a line a turn.
std::string turns_text(const data::Example& example) {
  const files::Json messages = files::Json::parse(example.messages);
  const std::size_t turns = messages.size() - (example.awaits_answer ? 0 : 1);
  std::string text;
  for (std::size_t i = 0; i < turns; ++i) {
    const files::Json said = messages[i].value("content", files::Json()), calls = messages[i].value("tool_calls", files::Json());
    text += concat(i == 0 ? "" : "\n", messages[i].value("role", ""), ": ", said.is_string() ? said.get<std::string>() : "",
                   calls.is_null() ? "" : calls.dump());
  }
  return text;
}

class LanguageScores : public Scores {
 public:
  LanguageScores(std::span<const Prediction> predictions, std::span<const data::Example> examples, const text::Tokenizer& tokenizer)
      : predictions_(predictions), examples_(examples), tokenizer_(tokenizer), scoring_(predictions, examples) {}

  files::Json metrics() const override {
    files::Json metrics = only_texts() ? files::Json{{"rows", scoring_.examples().size()}} : likelihoods();
    if (scoring_.texts().texts() == 0) return metrics;
    metrics["generated"] = scoring_.texts().texts();
    metrics.update(metrics::to_json(scoring_.texts().values({})));
    return metrics;
  }

  files::Json intervals() const override {
    const Scoring* const run = &scoring_;
    return bootstrap_intervals({&run, 1}, examples_);
  }
  const Scoring* scoring() const override { return &scoring_; }

  files::Json samples(std::string_view metric) const override {
    const std::size_t count = scoring_.texts().texts();
    if (count == 0) return nullptr;
    const auto known = scoring_.texts().values({});
    const bool is_of_texts = std::ranges::any_of(known, [&](const auto& value) { return value.first == metric; });
    const std::string by(is_of_texts ? metric : "rougeL");
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t text = 0; text < count; ++text) order.emplace_back(metrics::value_of(scoring_.texts().values_of(text), by), text);
    std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.first > b.first; });
    if (order.size() > 2 * kShown) order.erase(order.begin() + kShown, order.end() - kShown);
    files::Json rows = files::Json::array();
    for (const auto& [score, text] : order) rows.push_back(sample(text, score));
    return {{"metric", by}, {"texts", count}, {"rows", rows}};
  }

 private:
  static constexpr std::uint8_t kShown = 5;  ///< at each end

  /// Of texts that were generated and whose rows' own answers nobody asked for the likelihood of.
  bool only_texts() const { return scoring_.tokens() == 0 && scoring_.texts().texts() > 0; }

  files::Json likelihoods() const {
    files::Json metrics = summarise(predictions_, nullptr);
    metrics.update(metrics::to_json(scoring_.likelihoods({})));
    metrics["tokens"] = scoring_.tokens();
    return metrics;
  }

  /// What the text was generated from, without the marks of a chat template: turn by turn, or what is left of a chat that was cut.
  std::string shown_prompt(const AnswerPrompt& prompt, const data::Example& example) const {
    if (prompt.is_chat) return prompt.cut == 0 ? turns_text(example) : "…" + without_marks(prompt.ids);
    return concat(prompt.cut > 0 ? "…" : "", tokenizer_.decode(prompt.ids, /*skip_special_tokens=*/true));
  }

  /// The texts between special tokens, a line each.
  std::string without_marks(const std::vector<std::int32_t>& ids) const {
    std::vector<std::string> parts;
    for (auto begin = ids.begin(); begin != ids.end();) {
      const auto end = std::find_if(begin, ids.end(), [&](const std::int32_t& id) { return tokenizer_.decode({&id, 1}, /*skip_special_tokens=*/true).empty(); });
      const std::string text = tokenizer_.decode({begin, end}, /*skip_special_tokens=*/true);
      if (!trim(text).empty()) parts.emplace_back(trim(text));
      begin = end == ids.end() ? end : end + 1;
    }
    return join(parts, "\n");
  }

  files::Json sample(std::size_t text, double score) const {
    const Prediction& prediction = predictions_[scoring_.texts().place(text)];
    const Encoded& row = *prediction.encoded;
    const data::Example& example = examples_[static_cast<std::size_t>(row.example)];
    return {{"id", example.id},
            {"prompt", end_of(shown_prompt(*row.prompt, example))},
            {"generated", *prediction.generated},
            {"reference", *row.prompt->reference},
            {"score", metrics::json_number(score)}};
  }

  std::span<const Prediction> predictions_;
  std::span<const data::Example> examples_;
  const text::Tokenizer& tokenizer_;
  LanguageScoring scoring_;
};

}  // namespace

TextScores::TextScores(std::span<const Prediction> predictions) {
  std::vector<std::string> generated;
  std::vector<std::vector<std::string>> references;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (!predictions[i].generated || !predictions[i].encoded->prompt->reference) continue;
    places_.push_back(i);
    row_weights_.push_back(predictions[i].encoded->weight);
    generated.push_back(*predictions[i].generated);
    references.push_back({*predictions[i].encoded->prompt->reference});
  }
  scorer_.emplace(generated, references);
}

metrics::Values TextScores::values(std::span<const double> weights) const {
  std::vector<double> of_texts = row_weights_;
  for (std::size_t i = 0; i < places_.size() && !weights.empty(); ++i) of_texts[i] *= weights[places_[i]];
  return scorer_->values(of_texts);
}

std::unique_ptr<Scores> score_language(std::span<const Prediction> predictions, std::span<const data::Example> examples,
                                       const text::Tokenizer& tokenizer) {
  return std::make_unique<LanguageScores>(predictions, examples, tokenizer);
}

}  // namespace attune::task
