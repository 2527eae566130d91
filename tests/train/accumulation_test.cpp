// The split of a global batch into micro-batches changes no gradient, for any task: 1 x 16, 4 x 4 and 16 x 1 rows of
// ragged lengths.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "attune/base/random.h"
#include "attune/task/task.h"
#include "attune/tensor/arena.h"
#include "attune/train/stage_backward.h"
#include "attune/train/trainables.h"
#include "catch.h"
#include "models/golden.h"
#include "temporary_folder.h"

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
      row.ids.push_back(static_cast<std::int32_t>(5 + of_row.bits(i) % 27));
      row.learned.push_back(i > 0 && (i + 1 == length || of_row.bits(200 + i) % 2 == 0) ? 1 : 0);
      row.token_labels.edit().push_back(i % 2 == 1 ? static_cast<std::int32_t>(of_row.bits(300 + i) % labels) : -100);
      row.maskable.edit().push_back(i > 0 ? 1 : 0);
    }
    row.label = static_cast<std::int64_t>(of_row.bits(98) % labels);
    for (std::int64_t c = 0; c < labels; ++c) row.targets.edit().push_back(static_cast<float>(of_row.bits(400 + c) % 2));
  }
  return rows;
}

/// A span of each row, which may be of one token; some rows have none.
void set_spans(std::vector<task::Encoded>& rows) {
  const RandomKey key(3, "spans");
  for (task::Encoded& row : rows) {
    const RandomKey of_row = key.with(row.row);
    row.label = static_cast<std::int64_t>(of_row.bits(0) % row.ids.size());
    row.end =
        row.label + static_cast<std::int64_t>(of_row.bits(1) % (row.ids.size() - static_cast<std::size_t>(row.label)));
    if (row.row % 5 == 4) row.label = row.end = nn::kIgnoreIndex;
  }
}

/// 32 words, five of them special.
text::Tokenizer small_tokenizer(const TemporaryFolder& folder) {
  std::string words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (int i = 5; i < 32; ++i) words += "w" + std::to_string(i) + "\n";
  folder.write("vocab.txt", words);
  return text::Tokenizer::from_folder(folder.path());
}

struct Case {
  std::string golden;
  data::TargetKind kind;
};

/// Every golden model with a head; those for sequences with each kind of target.
std::vector<Case> cases() {
  using data::TargetKind;
  std::vector<Case> all;
  for (const std::string& golden : kGoldenModels) {
    switch (golden_task(golden)) {
      case models::Task::base:
        break;
      case models::Task::sequence_classification:
        for (const TargetKind kind : {TargetKind::single, TargetKind::multi, TargetKind::value})
          all.push_back({golden, kind});
        break;
      case models::Task::token_classification:
        all.push_back({golden, TargetKind::tags});
        break;
      case models::Task::question_answering:
        all.push_back({golden, TargetKind::answers});
        break;
      default:
        all.push_back({golden, TargetKind::none});
    }
  }
  return all;
}

/// Names of the tables that only tokens read.
std::vector<std::string> token_tables(const std::string& golden) {
  const models::LoadedModel loaded = load_golden(golden);
  std::vector<std::string> names;
  for (const models::Parameter& parameter : loaded.model->parameters()) {
    if (parameter.by_token) names.push_back(parameter.name);
  }
  return names;
}

std::map<std::string, at::Tensor> gradients(const Case& wanted, const text::Tokenizer& tokenizer,
                                            std::int64_t batch_size) {
  const models::LoadedModel loaded = load_golden(wanted.golden);
  task::TaskOptions options;
  options.kind = loaded.model->spec().task;
  options.labels = {wanted.kind, loaded.model->spec().labels};
  options.tokenizer = &tokenizer;
  const auto task = task::make_task(options);
  std::vector<task::Encoded> rows = ragged_rows(std::max<std::int64_t>(2, loaded.model->spec().num_labels));
  if (wanted.kind == data::TargetKind::answers) set_spans(rows);
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
  const TemporaryFolder folder;
  const text::Tokenizer tokenizer = small_tokenizer(folder);
  for (const Case& wanted : cases()) {
    const auto whole = gradients(wanted, tokenizer, kRows);
    double largest = 0;
    for (const auto& [name, gradient] : whole) largest = std::max(largest, gradient.norm().item<double>());
    REQUIRE(largest > 0);
    // What adds the same to all logits of a softmax, as the bias of a span head, has the gradient 0 and rounding in its place.
    const double rounding = 1e-6 * largest;
    for (const std::int64_t batch_size : {4, 1}) {
      for (const auto& [name, gradient] : gradients(wanted, tokenizer, batch_size)) {
        INFO(wanted.golden << ", targets " << static_cast<int>(wanted.kind) << ", batches of " << batch_size << ", " << name);
        const double scale = whole.at(name).norm().item<double>();
        const double difference = (gradient - whole.at(name)).norm().item<double>();
        CHECK(difference <= (scale <= rounding ? rounding : 1e-5 * scale));
      }
    }
  }
}

TEST_CASE("a table that only tokens read has gradients in the rows of its batch's ids and nowhere else", "[train][language]") {
  const TemporaryFolder folder;
  const text::Tokenizer tokenizer = small_tokenizer(folder);
  int tables = 0, tied = 0;
  for (const Case& wanted : cases()) {
    if (golden_task(wanted.golden) == models::Task::masked_lm) continue;  // puts in ids of its own: Task::keeps_ids
    const std::vector<std::string> names = token_tables(wanted.golden);
    tied += names.empty();
    if (names.empty()) continue;
    const auto all = gradients(wanted, tokenizer, kRows);
    for (const std::string& name : names) {
      INFO(wanted.golden << ", " << name);
      const at::Tensor rows = all.at(name).abs().sum(1);
      CHECK(rows.narrow(0, 0, 5).max().item<float>() == 0);  // the rows hold ids from 5 on
      CHECK(rows.max().item<float>() > 0);
      ++tables;
    }
  }
  CHECK(tables > 0);
  CHECK(tied > 0);
}
