// See evaluate.h; also predict() of trainer.h.
#include "attune/train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/infer/answers.h"
#include "diagnose.h"

namespace attune::train {

namespace {

/// Tokens of a row: of one that is asked for answers in a gap those of all its texts.
std::int64_t length(const task::Encoded& row) {
  std::size_t tokens = row.answers ? 0 : row.ids.size();
  for (const task::AnswerText& text : row.answers->texts) tokens += text.ids.size();
  return static_cast<std::int64_t>(tokens);
}

std::int64_t longest_text(std::span<const task::Encoded> rows) {
  std::size_t longest = 0;
  for (const task::Encoded& row : rows) {
    longest = std::max(longest, row.ids.size());
    for (const task::AnswerText& text : row.answers->texts) longest = std::max(longest, text.ids.size());
  }
  return static_cast<std::int64_t>(longest);
}

std::vector<const task::Encoded*> members_of(std::span<const task::Encoded> rows, const std::vector<std::int64_t>& indices) {
  std::vector<const task::Encoded*> found;
  for (const std::int64_t index : indices) found.push_back(&rows[index]);
  return found;
}

/// The rows that are predicted next.
std::vector<const task::Encoded*> members_ahead(std::span<const task::Encoded> rows,
                                             std::span<const std::vector<std::int64_t>> batches) {
  const std::int64_t enough = tokens_ahead();
  std::vector<const task::Encoded*> ahead;
  std::int64_t tokens = 0;
  for (const std::vector<std::int64_t>& indices : batches) {
    if (tokens >= enough) break;
    for (const task::Encoded* row : members_of(rows, indices)) {
      ahead.push_back(row);
      tokens += length(*row);
    }
  }
  return ahead;
}

}  // namespace

std::vector<std::vector<std::int64_t>> length_batches(std::span<const task::Encoded> rows, std::int64_t batch_size) {
  std::vector<std::int64_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return length(rows[a]) > length(rows[b]); });
  const std::int64_t budget = batch_size * longest_text(rows);
  std::vector<std::vector<std::int64_t>> batches;
  std::int64_t tokens = budget;
  for (const std::int64_t row : order) {
    if (batches.empty() || tokens + length(rows[row]) > budget) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(row);
    tokens += length(rows[row]);
  }
  return batches;
}

namespace {

/// Rows of a causal model that are asked for answers in words: what their texts share goes through the network once.
std::optional<std::vector<task::Prediction>> predict_answers(const models::Model& model, const task::Task& task,
                                                             std::span<const task::Encoded> rows,
                                                             const std::function<bool(std::int64_t done)>& stop) {
  constexpr std::int64_t kCacheBytes = std::int64_t{128} << 20;  // beside what training holds
  const auto stops = [&](std::size_t complete) { return stop(static_cast<std::int64_t>(complete)); };
  std::vector<const task::Encoded*> all;
  std::vector<const task::AnswerTexts*> prompts;
  for (const task::Encoded& row : rows) {
    all.push_back(&row);
    prompts.push_back(&*row.answers);
  }
  const auto scored = infer::score_answers(model, prompts, {.answers = task.answers(), .cache_bytes = kCacheBytes, .stops = stops});
  if (!scored) return std::nullopt;
  return task.predict(all, scored->scores);
}

}  // namespace

std::optional<std::vector<task::Prediction>> predict_until(const models::Model& model, const task::Task& task,
                                                           const Split& split, std::int64_t batch_size,
                                                           const std::function<bool(std::int64_t done)>& stop,
                                                           FrozenPrefix* prefix) {
  const at::NoGradGuard no_grad;
  const auto& [rows, examples] = split;
  if (task.answers() > 0 && model.spec().task == models::Task::causal_lm) return predict_answers(model, task, rows, stop);
  std::int64_t done = 0;
  std::vector<task::Prediction> predictions(rows.size());
  const std::vector<std::vector<std::int64_t>> batches = length_batches(rows, batch_size);
  for (std::size_t at = 0; at < batches.size(); ++at) {
    const std::vector<std::int64_t>& indices = batches[at];
    const std::vector<const task::Encoded*> members = members_of(rows, indices);
    const task::Batch batch = task.collate(members, task::BatchKey{});
    const models::Context context =
        model.prepare(models::to_device(batch.input, model.execution().device), /*training=*/false);
    const auto ahead = [&] { return members_ahead(rows, std::span(batches).subspan(at)); };
    models::Output output = prefix == nullptr
                                ? models::forward(model, context)
                                : models::forward_from(model, context, prefix->stages(), prefix->state(batch, ahead));
    if (output.vocabulary.defined()) {
      check_outputs(output.vocabulary.x, members, examples);
    } else {
      output.logits = output.logits.cpu();  // in one piece, not row by row
      check_outputs(output.logits, members, examples);
    }
    std::vector<task::Prediction> of_batch = task.predict(output, batch);
    if (of_batch.size() != indices.size()) internal_error("a task predicted another number of rows than it was given");
    for (std::size_t i = 0; i < indices.size(); ++i) predictions[indices[i]] = std::move(of_batch[i]);
    done += static_cast<std::int64_t>(indices.size());
    if (stop(done)) return std::nullopt;
  }
  return predictions;
}

std::vector<task::Prediction> predict(models::Model& model, const task::Task& task, std::span<const task::Encoded> rows,
                                      std::int64_t batch_size, std::span<const data::Example> examples) {
  return *predict_until(model, task, {rows, examples}, batch_size, [](std::int64_t) { return false; });
}

}  // namespace attune::train
