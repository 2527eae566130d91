// See cloze.h.
#include "attune/infer/cloze.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/nn/vocabulary.h"
#include "checks.h"
#include "passes.h"

namespace attune::infer {

namespace {

using WordScores = std::vector<std::vector<double>>;

/// Some texts as one packed stream, and the pairs (row of the wanted ones, id) that their words ask for, by row.
struct ClozeBatch {
  std::vector<std::int64_t> ids, positions, wanted, pair_rows, pair_ids;
  std::vector<std::int32_t> lengths;
  std::vector<double*> results;

  void add(const ClozeText& text, WordScores& scores) {
    const auto begin = static_cast<std::int64_t>(ids.size());
    for (std::size_t t = 0; t < text.ids.size(); ++t) {
      ids.push_back(text.ids[t]);
      positions.push_back(static_cast<std::int64_t>(t));
    }
    lengths.push_back(static_cast<std::int32_t>(text.ids.size()));
    for (std::size_t mask = 0; mask < text.masks.size(); ++mask) {
      wanted.push_back(begin + text.masks[mask]);
      for (std::size_t word = 0; word < text.words.size(); ++word) {
        pair_rows.push_back(static_cast<std::int64_t>(wanted.size()) - 1);
        pair_ids.push_back(text.words[word][mask]);
        results.push_back(&scores[word][mask]);
      }
    }
  }

  void score(const models::Model& model) const {
    if (results.empty()) return;
    models::Input input;
    input.ids = at::tensor(ids, at::kLong);
    input.positions = at::tensor(positions, at::kLong);
    input.segments = at::zeros_like(input.ids);
    input.wanted = at::tensor(wanted, at::kLong);
    input.layout = nn::make_layout(lengths);
    input.defer_vocabulary = true;
    input = models::to_device(std::move(input), model.execution().device);
    const models::Output output = models::forward(model, model.prepare(std::move(input), false));
    const at::Tensor log_p =
        log_probabilities(output, at::tensor(pair_rows, at::kLong), at::tensor(pair_ids, at::kLong));
    const float* values = log_p.const_data_ptr<float>();
    for (std::size_t i = 0; i < results.size(); ++i) *results[i] = values[i];
  }
};

void check_cloze(const ClozeText& text, const models::Model& model, std::size_t number) {
  const std::string name = concat("text ", number + 1);
  check_text(text.ids, model, name);
  for (const std::int64_t mask : text.masks) {
    if (mask < 0 || mask >= static_cast<std::int64_t>(text.ids.size()))
      internal_error("a mask stands outside of its text");
  }
  for (const auto& word : text.words) {
    if (word.size() != text.masks.size()) internal_error("a word needs as many tokens as its text has masks");
    if (!word.empty()) check_text(word, model, concat(name, ", word"));
  }
}

}  // namespace

std::vector<std::vector<std::vector<double>>> cloze_likelihoods(const models::Model& model,
                                                                std::span<const ClozeText> texts,
                                                                const std::function<bool(std::size_t)>& stops) {
  const at::NoGradGuard no_grad;
  if (model.spec().task != models::Task::masked_lm) {
    throw Error(ErrorKind::model,
                {.file = {},
                 .what = concat("the model (", model.spec().model_type, ") is no masked language model"),
                 .where = {},
                 .hint = "gaps are filled by models such as BERT and RoBERTa"});
  }
  std::vector<WordScores> scores;
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < texts.size(); ++i) {
    check_cloze(texts[i], model, i);
    scores.emplace_back(texts[i].words.size(), std::vector<double>(texts[i].masks.size()));
  }
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return texts[i].ids.size(); });
  for (std::size_t begin = 0; begin < order.size();) {
    ClozeBatch batch;
    std::size_t end = begin;
    for (; end < order.size(); ++end) {
      const auto length = texts[order[end]].ids.size();
      if (end > begin && batch.ids.size() + length > static_cast<std::size_t>(Passes::kPassTokens)) break;
      batch.add(texts[order[end]], scores[order[end]]);
    }
    batch.score(model);
    begin = end;
    if (stops && stops(begin)) break;
  }
  return scores;
}

}  // namespace attune::infer
