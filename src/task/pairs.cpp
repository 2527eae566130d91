// Contrastive training of vectors.h: rows that are pairs of texts.
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/random.h"
#include "attune/task/pack.h"
#include "attune/task/vectors.h"
#include "task/common.h"

namespace attune::task {

namespace {

bool is_pair(const Encoded& row) {
  return row.end != nn::kIgnoreIndex;
}

/// Part of a row as a text of its own.
Encoded text_of(const Encoded& row, std::size_t begin, std::size_t end) {
  Encoded text;
  const auto cut = [&](const std::vector<std::int32_t>& list) {
    return std::vector<std::int32_t>(list.begin() + static_cast<std::ptrdiff_t>(begin),
                                     list.begin() + static_cast<std::ptrdiff_t>(end));
  };
  text.ids = cut(row.ids);
  if (!row.type_ids.empty()) text.type_ids = cut(row.type_ids);
  return text;
}

bool are_equal(const Encoded& a, const Encoded& b) {
  return a.ids == b.ids && *a.type_ids == *b.type_ids;
}

/// What dropout draws the mask of a text by, whatever batch it is in.
std::int64_t key_of(const Encoded& text) {
  std::uint64_t key = text.ids.size();
  for (const std::int32_t id : text.ids) key = mix64(key ^ static_cast<std::uint64_t>(id));
  return static_cast<std::int64_t>(key);
}

/// The texts of a batch.
class Texts {
 public:
  explicit Texts(bool merges_equal) : merges_equal_(merges_equal) {}

  /// The numbers of the row's two texts; of a single text its own, twice.
  std::pair<std::int64_t, std::int64_t> add(const Encoded& row) {
    const auto end = is_pair(row) ? static_cast<std::size_t>(row.end) : row.ids.size();
    Encoded first = text_of(row, 0, end);
    Encoded second = text_of(row, end, row.ids.size());
    const bool is_copy = !merges_equal_ || are_equal(first, second);
    const std::int64_t number = add(std::move(first), row, 0);
    return {number, is_pair(row) ? add(std::move(second), row, is_copy ? 1 : 0) : number};
  }
  std::vector<const Encoded*> all() const {
    std::vector<const Encoded*> all;
    for (const Encoded& text : texts_) all.push_back(&text);
    return all;
  }

 private:
  using Ids = std::vector<std::int32_t>;

  /// `copy` 0 or 1: texts with a mask of their own.
  std::int64_t add(Encoded text, const Encoded& row, std::int64_t copy) {
    const auto number = static_cast<std::int64_t>(texts_.size());
    text.window = copy;
    text.row = merges_equal_ ? key_of(text) : row.row;
    if (merges_equal_) {
      const auto [known, is_new] = numbers_.try_emplace({text.ids, *text.type_ids, copy}, number);
      if (!is_new) return known->second;
    }
    texts_.push_back(std::move(text));
    return number;
  }

  bool merges_equal_;
  std::deque<Encoded> texts_;
  std::map<std::tuple<Ids, Ids, std::int64_t>, std::int64_t> numbers_;
};

class PairTask : public Task {
 public:
  explicit PairTask(const PairOptions& options) : options_(options) {}

  std::vector<Encoded> encode(std::span<const data::Example>, const text::Tokenizer&) const override {
    internal_error("pairs are made of rows that are encoded already");
  }

  /// labels [rows, 2]: which texts of the stream the row's are.
  Batch collate(std::span<const Encoded* const> rows, const BatchKey& key) const override {
    Texts texts(options_.merges_equal);
    std::vector<std::int64_t> numbers;
    std::vector<float> targets;
    for (const Encoded* row : rows) {
      const auto [first, second] = texts.add(*row);
      numbers.insert(numbers.end(), {first, second});
      targets.push_back(is_pair(*row) && row->label == 1 ? 1.0F : 0.0F);
    }
    Batch batch = pack(texts.all(), key);
    batch.rows.assign(rows.begin(), rows.end());
    const auto count = static_cast<std::int64_t>(rows.size());
    batch.labels = long_tensor(numbers).view({count, 2});
    batch.targets = float_tensor(targets, {count});
    return batch;
  }

  double loss_weight(const Encoded&, const BatchKey&) const override { return 1.0; }

  nn::LossSum loss(const models::Output& output, const Batch& batch) const override {
    constexpr double kLeastNorm = 1e-8;  // of torch.nn.functional.cosine_similarity
    const at::Tensor vectors = pooled(output.logits, batch.input.layout, options_.pooling);
    const at::Tensor first = side_of(vectors, batch, 0), second = side_of(vectors, batch, 1);
    return nn::squared_error(at::cosine_similarity(first, second, 1, kLeastNorm), batch.targets, {});
  }

  std::vector<Prediction> predict(const models::Output& output, const Batch& batch) const override {
    const at::Tensor vectors = side_of(pooled(output.logits, batch.input.layout, options_.pooling), batch, 0);
    const std::vector<float> values = to_floats(vectors);
    const auto columns = static_cast<std::ptrdiff_t>(vectors.size(1));
    std::vector<Prediction> predictions(batch.rows.size());
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i) * columns;
      predictions[i].encoded = batch.rows[i];
      predictions[i].logits.assign(begin, begin + columns);
    }
    return predictions;
  }

  std::vector<std::string> metric_names() const override { return {}; }
  std::unique_ptr<Scores> scores(std::span<const Prediction>, std::span<const data::Example>) const override {
    internal_error("vectors have no score");
  }
  files::Json describe(std::span<const Prediction>, const data::Example&, bool) const override {
    internal_error("vectors are no prediction of a row");
  }

 private:
  /// [rows, hidden] of the first or the second texts, from the vectors of all.
  static at::Tensor side_of(const at::Tensor& vectors, const Batch& batch, std::int64_t side) {
    return at::index_select(vectors, 0, batch.labels.select(1, side).contiguous().to(vectors.device()));
  }

  PairOptions options_;
};

}  // namespace

Encoded pair_of(const Encoded& first, const Encoded& second, bool alike) {
  Encoded pair;
  pair.example = first.example;
  pair.ids = first.ids;
  pair.ids.insert(pair.ids.end(), second.ids.begin(), second.ids.end());
  if (!first.type_ids.empty() || !second.type_ids.empty()) {
    std::vector<std::int32_t>& types = pair.type_ids.edit();
    types.assign(pair.ids.size(), 0);
    std::ranges::copy(*first.type_ids, types.begin());
    std::ranges::copy(*second.type_ids, types.begin() + static_cast<std::ptrdiff_t>(first.ids.size()));
  }
  pair.label = alike ? 1 : 0;
  pair.end = static_cast<std::int64_t>(first.ids.size());
  return pair;
}

std::unique_ptr<Task> make_pair_task(const PairOptions& options) {
  return std::make_unique<PairTask>(options);
}

}  // namespace attune::task
