// The split of a global batch into micro-batches changes no gradient: 1 x 16, 4 x 4 and 16 x 1 rows of ragged lengths.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "attune/base/random.h"
#include "attune/task/task.h"
#include "attune/tensor/arena.h"
#include "attune/train/stage_backward.h"
#include "attune/train/trainables.h"
#include "catch.h"
#include "models/golden.h"

using namespace attune;
using namespace attune::testing;

namespace {

constexpr std::int64_t kRows = 16;

/// Rows of 2 to 12 tokens with targets for every kind of task; the golden models have 32 words and 12 positions.
std::vector<task::Encoded> ragged_rows(std::int64_t labels) {
  const RandomKey key(3, "ragged");
  std::vector<task::Encoded> rows(kRows);
  for (std::int64_t r = 0; r < kRows; ++r) {
    task::Encoded& row = rows[static_cast<std::size_t>(r)];
    const RandomKey of_row = key.with(r);
    row.row = row.example = r;
    row.weight = 1.0 + static_cast<double>(r % 3);
    const auto length = 2 + of_row.bits(99) % 11;
    for (std::uint64_t i = 0; i < length; ++i) {
      row.ids.push_back(static_cast<std::int32_t>(3 + of_row.bits(i) % 29));
      row.learned.push_back(i > 0 && (i + 1 == length || of_row.bits(200 + i) % 2 == 0) ? 1 : 0);
      row.token_labels.push_back(i % 2 == 1 ? static_cast<std::int32_t>(of_row.bits(300 + i) % labels) : -100);
    }
    row.label = static_cast<std::int64_t>(of_row.bits(98) % labels);
  }
  return rows;
}

std::map<std::string, at::Tensor> gradients(const std::string& golden, std::int64_t batch_size) {
  const models::LoadedModel loaded = load_golden(golden);
  task::TaskOptions options;
  options.kind = loaded.model->spec().task;
  options.labels = {options.kind == models::Task::token_classification ? data::TargetKind::tags : data::TargetKind::single,
                    loaded.model->spec().labels};
  const auto task = task::make_task(options);
  const std::vector<task::Encoded> rows = ragged_rows(std::max<std::int64_t>(2, loaded.model->spec().num_labels));
  train::Trainables trained(*loaded.model, std::vector<bool>(loaded.model->parameters().size(), true));
  const task::BatchKey key{};
  double weight = 0;
  for (const task::Encoded& row : rows) weight += task->loss_weight(row, key);
  for (std::int64_t begin = 0; begin < kRows; begin += batch_size) {
    std::vector<const task::Encoded*> members;
    for (std::int64_t i = begin; i < begin + batch_size; ++i) members.push_back(&rows[static_cast<std::size_t>(i)]);
    const task::Batch batch = task->collate(members, key);
    const models::Context context = loaded.model->prepare(batch.input, false);
    train::StagedPass pass(*loaded.model, context, 0);
    pass.backward(task->loss(pass.forward(), batch).sum, 1.0 / weight);
  }
  std::map<std::string, at::Tensor> named;
  for (std::size_t i = 0; i < trained.names().size(); ++i) named[trained.names()[i]] = trained.arena().gradients().slices()[i].clone();
  return named;
}

}  // namespace

TEST_CASE("gradients do not depend on the size of the micro-batches", "[train][language]") {
  for (const std::string& golden : kGoldenModels) {
    const bool fits = golden.ends_with("_causal_lm") || golden.ends_with("_token") || golden.ends_with("_sequence");
    if (!fits) continue;
    const auto whole = gradients(golden, kRows);
    for (const std::int64_t batch_size : {4, 1}) {
      for (const auto& [name, gradient] : gradients(golden, batch_size)) {
        INFO(golden << ", batches of " << batch_size << ", " << name);
        const double scale = whole.at(name).norm().item<double>();
        CHECK((gradient - whole.at(name)).norm().item<double>() <= 1e-5 * scale + 1e-9);
      }
    }
  }
}
