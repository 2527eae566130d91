// Vectors of texts: pooling, the loss of pairs, and the head on top.
#include "attune/task/vectors.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <nlohmann/json.hpp>

#include "attune/task/kinds.h"
#include "models/golden.h"
#include "train/fake.h"

using namespace attune;
using attune::testing::random_tensor;
using task::Encoded;
using task::Pooling;

namespace {

Encoded row_with(std::vector<std::int32_t> ids, std::int64_t label = 0) {
  Encoded row;
  row.ids = std::move(ids);
  row.label = label;
  return row;
}

std::vector<const Encoded*> pointers_to(const std::vector<Encoded>& rows) {
  std::vector<const Encoded*> all;
  for (const Encoded& row : rows) all.push_back(&row);
  return all;
}

std::vector<Encoded> some_pairs() {
  const Encoded a = row_with({3, 4, 5}), b = row_with({6, 7}), c = row_with({3, 8, 9, 10});
  std::vector<Encoded> pairs = {task::pair_of(a, a, true), task::pair_of(a, b, false), task::pair_of(c, a, true)};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].row = static_cast<std::int64_t>(i);
  return pairs;
}

}  // namespace

TEST_CASE("texts are pooled by their mean or first token, dead rows left out", "[task]") {
  const at::Tensor hidden = random_tensor({8, 4}, 1);
  const nn::Layout layout = nn::make_layout({3, 2}, 8);
  const at::Tensor means = at::cat({hidden.narrow(0, 0, 3).mean(0, true), hidden.narrow(0, 3, 2).mean(0, true)});
  CHECK(at::allclose(task::pooled(hidden, layout, {}), means));
  const at::Tensor first = at::cat({hidden.narrow(0, 0, 1), hidden.narrow(0, 3, 1)});
  CHECK(at::allclose(task::pooled(hidden, layout, {.first_token = true}), first));
  const at::Tensor scaled = task::pooled(hidden, layout, {.normalize = true});
  CHECK(at::allclose(scaled.norm(2, 1), at::tensor({1.0F, 1.0F})));
  CHECK(at::allclose(scaled, means / means.norm(2, 1, true)));
}

TEST_CASE("a pair has the ids and types of both texts, one behind the other", "[task]") {
  Encoded first = row_with({3, 4}), second = row_with({5});
  first.example = 7;
  second.type_ids = std::vector<std::int32_t>{1};
  const Encoded pair = task::pair_of(first, second, true);
  CHECK(pair.ids == std::vector<std::int32_t>{3, 4, 5});
  CHECK(pair.type_ids == std::vector<std::int32_t>{0, 0, 1});
  CHECK(pair.example == 7);
  CHECK(pair.label == 1);
  CHECK(pair.end == 2);
}

TEST_CASE("the loss of pairs is the squared distance of their cosine from 1 or 0", "[task]") {
  const auto loaded = attune::testing::load_golden("bert_base");
  const std::vector<Encoded> pairs = some_pairs();
  for (const bool merges : {false, true}) {
    const auto task = task::make_pair_task({.pooling = {}, .merges_equal = merges});
    const task::Batch batch = task->collate(pointers_to(pairs), {});
    CHECK(batch.tokens == (merges ? 3 + 3 + 2 + 4 : 3 + 3 + 3 + 2 + 4 + 3));
    CHECK(batch.input.layout.sequences() == (merges ? 4 : 6));
    const auto output = models::forward(*loaded.model, loaded.model->prepare(batch.input, false));
    const auto vector = [&](const std::vector<std::int32_t>& ids) {
      const std::vector<Encoded> alone = {row_with(ids)};
      const task::Batch one = task->collate(pointers_to(alone), {});
      const auto hidden = models::forward(*loaded.model, loaded.model->prepare(one.input, false)).logits;
      return hidden.narrow(0, 0, static_cast<std::int64_t>(ids.size())).mean(0, true);
    };
    const at::Tensor a = vector({3, 4, 5}), b = vector({6, 7}), c = vector({3, 8, 9, 10});
    const double of_b = at::cosine_similarity(a, b).item<double>(),
                 of_c = 1 - at::cosine_similarity(a, c).item<double>();
    const nn::LossSum loss = task->loss(output, batch);
    CHECK(loss.sum.item<double>() == Approx(of_b * of_b + of_c * of_c).epsilon(1e-4));
    CHECK(static_cast<double>(loss.weight) == 3);
    const auto vectors = task->predict(output, batch);
    REQUIRE(vectors.size() == 3);
    CHECK(at::allclose(at::tensor(vectors[2].logits), c.flatten(), 1e-4, 1e-5));
  }
}

TEST_CASE("under dropout a text beside itself has a mask of its own, and in other pairs one where texts are merged",
          "[task]") {
  const std::vector<Encoded> pairs = some_pairs();  // (a, a), (a, b), (c, a)
  const task::BatchKey key{.seed = 1, .step = 0, .epoch = 0, .training = true};
  const auto keys = [&](bool merges, const std::vector<const Encoded*>& rows) {
    return task::make_pair_task({.pooling = {}, .merges_equal = merges})->collate(rows, key).input.dropout.token_keys;
  };
  for (const bool merges : {false, true}) {
    const at::Tensor all = keys(merges, pointers_to(pairs));
    CHECK_FALSE(all.narrow(0, 0, 3).equal(all.narrow(0, 3, 3)));
    CHECK(keys(merges, pointers_to(pairs)).equal(all));
  }
  const at::Tensor each = keys(false, pointers_to(pairs));
  CHECK_FALSE(each.narrow(0, 0, 3).equal(each.narrow(0, 6, 3)));  // a of the second pair
  const at::Tensor alone = keys(true, {&pairs[1]});
  CHECK(alone.narrow(0, 0, 3).equal(keys(true, pointers_to(pairs)).narrow(0, 0, 3)));  // whatever batch it is in
}

TEST_CASE("a head on vectors classifies by weight times vector plus bias", "[task]") {
  task::TaskOptions options;
  options.labels = {.kind = data::TargetKind::single, .names = {"a", "b", "c"}};
  const at::Tensor weight = random_tensor({3, 4}, 2), bias = random_tensor({3}, 3), hidden = random_tensor({5, 4}, 4);
  const auto task = task::with_head(task::make_classification(options), {{.normalize = true}, weight, bias});
  const std::vector<Encoded> rows = {row_with({3, 4, 5}, 2), row_with({6, 7}, 0)};
  const task::Batch batch = task->collate(pointers_to(rows), {});
  const models::Output output{.logits = at::cat({hidden, at::zeros({batch.input.layout.total - 5, 4})}), .pooled = {}};
  const at::Tensor expected =
      at::linear(task::pooled(output.logits, batch.input.layout, {.normalize = true}), weight, bias);
  const auto predictions = task->predict(output, batch);
  REQUIRE(predictions.size() == 2);
  CHECK(at::allclose(at::tensor(predictions[1].logits), expected[1], 1e-5, 1e-6));
  const double loss = -at::log_softmax(expected, 1)[0][2].item<double>();
  CHECK(predictions[0].loss_sum == Approx(loss).epsilon(1e-5));
}
