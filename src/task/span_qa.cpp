// Extractive question answering: a long context becomes overlapping windows; start and end are classified over the tokens of a
// window, and the best span over all windows of a row is its answer (Transformers' examples/pytorch/question-answering).
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <ATen/ops/stack.h>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/metrics/table.h"
#include "attune/task/kinds.h"
#include "attune/task/pack.h"
#include "attune/tensor/device.h"
#include "task/common.h"
#include "task/scores.h"

namespace attune::task {

namespace {

constexpr std::size_t kBestStarts = 20;       // n_best_size of run_qa
constexpr std::size_t kMaxAnswerTokens = 30;  // max_answer_length of run_qa

struct Span {
  double score = -std::numeric_limits<double>::infinity();
  std::uint32_t begin = 0;  ///< code points of the context
  std::uint32_t end = 0;
  bool is_empty() const { return end == 0; }
};

/// Positions of the largest logits, largest first.
std::vector<std::size_t> best_positions(const float* logits, std::size_t count) {
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  const std::size_t kept = std::min(kBestStarts, count);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  order.resize(kept);
  return order;
}

class SpanQa : public Task {
 public:
  explicit SpanQa(const TaskOptions& options) : options_(options) {}

  std::vector<Encoded> encode(std::span<const data::Example> examples, const text::Tokenizer& tokenizer) const override {
    text::EncodeOptions encode_options;
    encode_options.truncation = text::Truncation{.max_length = static_cast<std::size_t>(options_.max_length),
                                                 .strategy = text::TruncationStrategy::only_second,
                                                 .stride = static_cast<std::size_t>(options_.doc_stride)};
    encode_options.with_tokens = false;
    std::vector<text::TextInput> inputs;
    for (const data::Example& example : examples) inputs.push_back({.text = example.text, .pair = *example.text_pair});
    const std::vector<text::Encoding> encodings = tokenizer.encode_batch(inputs, encode_options);
    std::vector<Encoded> windows;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      windows.push_back(encode_window(examples[i], encodings[i], i, 0));
      for (std::size_t w = 0; w < encodings[i].overflowing.size(); ++w) {
        windows.push_back(encode_window(examples[i], encodings[i].overflowing[w], i, w + 1));
      }
    }
    return windows;
  }

  Batch collate(std::span<const Encoded* const> rows, const BatchKey& key) const override {
    Batch batch = pack(rows, key);
    batch.weights = row_weights(rows);
    std::vector<std::int64_t> starts, ends;
    for (const Encoded* row : rows) {
      starts.push_back(row->label);
      ends.push_back(row->end);
    }
    batch.labels = at::stack(std::vector<at::Tensor>{long_tensor(starts), long_tensor(ends)}, 1);
    return batch;
  }

  double loss_weight(const Encoded& row, const BatchKey&) const override { return row.label == nn::kIgnoreIndex ? 0.0 : row.weight; }

  nn::LossSum loss(const models::Output& output, const Batch& batch) const override {
    const auto [index, absent] = padded_index(batch.input.layout, output.logits.device());
    nn::LossSum total;
    for (const std::int64_t side : {0, 1}) {
      const at::Tensor logits = output.logits.select(1, side)
                                    .index_select(0, index)
                                    .view({batch.input.layout.sequences(), batch.input.layout.longest})
                                    .masked_fill(absent, -std::numeric_limits<float>::infinity());
      const nn::LossSum one = nn::cross_entropy(logits, batch.labels.select(1, side), {}, batch.weights, 0.0);
      const at::Tensor half = one.sum.mul(0.5);
      total.sum = total.sum.defined() ? total.sum.add(half) : half;
      total.weight = one.weight;
    }
    return total;
  }

  std::optional<BlindLoss> blind_loss(const files::ListView<Encoded>&) const override {
    return blind_choice(static_cast<std::size_t>(options_.max_length));  // a window has at most so many places for either end
  }

  std::vector<Prediction> predict(const models::Output& output, const Batch& batch) const override {
    const std::vector<float> logits = to_floats(output.logits);  // [T, 2]
    std::vector<Prediction> predictions;
    std::size_t t = 0;
    for (const Encoded* row : batch.rows) {
      Prediction prediction;
      prediction.encoded = row;
      const std::size_t length = row->ids.size();
      prediction.logits.resize(2 * length);
      for (std::size_t i = 0; i < length; ++i, ++t) {
        prediction.logits[i] = logits[2 * t];
        prediction.logits[length + i] = logits[2 * t + 1];
      }
      prediction.loss_weight = loss_weight(*row, {});
      if (prediction.loss_weight > 0) prediction.loss_sum = row->weight * window_loss(prediction);
      predictions.push_back(std::move(prediction));
    }
    return predictions;
  }

  std::vector<std::string> metric_names() const override { return metrics::metric_names({metrics::Predicted::answer}); }

  std::unique_ptr<Scores> scores(std::span<const Prediction> predictions, std::span<const data::Example> examples) const override {
    return scores_of(score_answers(answered_rows(predictions, examples)), predictions, examples);
  }

  files::Json describe(std::span<const Prediction> windows, const data::Example& example, bool with_logits) const override {
    const Span span = best_span(windows, false);
    files::Json line = {{"id", example.id},
                        {"answer", span_text(span, example)},
                        {"score", span.score},
                        {"start", span.begin},
                        {"end", span.end}};
    add_gold(line, example);
    if (with_logits) {
      for (const Prediction& window : windows) line["logits"].push_back(window.logits);
    }
    return line;
  }

 private:
  static std::vector<AnsweredRow> answered_rows(std::span<const Prediction> predictions, std::span<const data::Example> examples) {
    std::vector<AnsweredRow> rows;
    const bool allow_empty = has_unanswerable(examples);
    for (std::size_t begin = 0; begin < predictions.size();) {
      const std::size_t end = end_of_example(predictions, begin);
      const std::int64_t index = predictions[begin].encoded->example;
      if (const auto* target = std::get_if<data::Answers>(&examples[index].target)) {
        AnsweredRow row{.example = index, .answer = answer_text(predictions.subspan(begin, end - begin), examples[index], allow_empty), .gold = {}};
        for (const data::Answer& answer : target->answers) row.gold.push_back(answer.text);
        rows.push_back(std::move(row));
      }
      begin = end;
    }
    return rows;
  }

  Encoded encode_window(const data::Example& example, const text::Encoding& encoding, std::size_t index, std::size_t window) const {
    Encoded row = encode_text(example, encoding);
    row.example = static_cast<std::int64_t>(index);
    row.window = static_cast<std::int64_t>(window);
    auto& offsets = row.offsets.edit();
    offsets.assign(row.ids.size(), {0, 0});
    for (std::size_t i = 0; i < row.ids.size(); ++i) {
      if (encoding.sequence_ids[i] == 1) offsets[i] = encoding.offsets[i];
    }
    if (const auto* target = std::get_if<data::Answers>(&example.target)) {
      set_span(row, *target);
    } else if (!std::holds_alternative<std::monostate>(example.target)) {
      throw wrong_target(example);
    }
    return row;
  }

  /// Tokens of the first answer where the window holds it whole; otherwise the first token ([CLS]) stands for "not here".
  static void set_span(Encoded& row, const data::Answers& target) {
    row.label = row.end = 0;
    if (target.answers.empty()) return;
    const auto begin = static_cast<std::uint32_t>(target.answers.front().start);
    const auto end = begin + static_cast<std::uint32_t>(to_utf32(target.answers.front().text).size());
    std::optional<std::int64_t> first, last;
    bool starts_before = false, ends_behind = false;
    for (std::size_t i = 0; i < row.offsets.size(); ++i) {
      const auto [token_begin, token_end] = row.offsets[i];
      if (token_end == 0) continue;
      if (token_begin <= begin) starts_before = true;
      if (token_end >= end) ends_behind = true;
      if (token_begin <= begin) first = static_cast<std::int64_t>(i);
      if (token_end >= end && !last) last = static_cast<std::int64_t>(i);
    }
    if (!starts_before || !ends_behind || !first || !last) return;
    row.label = *first;
    row.end = std::max(*first, *last);
  }

  /// For every sequence and position < longest the row of the stream, and where that position does not exist.
  static std::pair<at::Tensor, at::Tensor> padded_index(const nn::Layout& layout, const at::Device& device) {
    std::vector<std::int64_t> index, absent;
    for (std::int64_t b = 0; b < layout.sequences(); ++b) {
      for (std::int32_t i = 0; i < layout.longest; ++i) {
        const bool live = i < layout.length(b);
        index.push_back(live ? layout.cu_seqlens[b] + i : layout.cu_seqlens[b]);
        absent.push_back(live ? 0 : 1);
      }
    }
    const at::Tensor mask = long_tensor(absent).view({layout.sequences(), layout.longest}).to(at::kBool);
    return {tensor::on_device(long_tensor(index), device), tensor::on_device(mask, device)};
  }

  static double window_loss(const Prediction& prediction) {
    const auto middle = prediction.logits.begin() + static_cast<std::ptrdiff_t>(prediction.logits.size() / 2);
    const std::vector<float> starts(prediction.logits.begin(), middle), ends(middle, prediction.logits.end());
    return 0.5 * (log_sum_exp(starts) - starts[prediction.encoded->label] + log_sum_exp(ends) - ends[prediction.encoded->end]);
  }

  static std::size_t end_of_example(std::span<const Prediction> predictions, std::size_t begin) {
    std::size_t end = begin + 1;
    while (end < predictions.size() && predictions[end].encoded->example == predictions[begin].encoded->example) ++end;
    return end;
  }

  static bool has_unanswerable(std::span<const data::Example> examples) {
    return std::any_of(examples.begin(), examples.end(), [](const data::Example& example) {
      const auto* target = std::get_if<data::Answers>(&example.target);
      return target != nullptr && target->answers.empty();
    });
  }

  /// The best span of all windows; with allow_empty the score of [CLS] (its least over the windows) may win.
  static Span best_span(std::span<const Prediction> windows, bool allow_empty) {
    Span best;
    double empty_score = std::numeric_limits<double>::infinity();
    for (const Prediction& window : windows) {
      const std::size_t length = window.encoded->ids.size();
      const float* starts = window.logits.data();
      const float* ends = starts + length;
      empty_score = std::min(empty_score, static_cast<double>(starts[0]) + ends[0]);
      const auto& offsets = window.encoded->offsets;
      for (const std::size_t s : best_positions(starts, length)) {
        for (const std::size_t e : best_positions(ends, length)) {
          if (e < s || e - s + 1 > kMaxAnswerTokens || offsets[s].second == 0 || offsets[e].second == 0) continue;
          const double score = static_cast<double>(starts[s]) + ends[e];
          if (score > best.score) best = {score, offsets[s].first, offsets[e].second};
        }
      }
    }
    if (allow_empty && empty_score > best.score) return {empty_score, 0, 0};
    return best;
  }

  static std::string span_text(const Span& span, const data::Example& example) {
    if (span.is_empty()) return "";
    return to_utf8(std::u32string_view(to_utf32(*example.text_pair)).substr(span.begin, span.end - span.begin));
  }

  static std::string answer_text(std::span<const Prediction> windows, const data::Example& example, bool allow_empty) {
    return span_text(best_span(windows, allow_empty), example);
  }

  TaskOptions options_;
};

}  // namespace

std::unique_ptr<Task> make_span_qa(const TaskOptions& options) { return std::make_unique<SpanQa>(options); }

}  // namespace attune::task
