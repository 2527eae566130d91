// What trainings and evaluations say they computed, against sums over their rows.
#include "attune/train/cost.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "attune/report/cost.h"
#include "catch.h"
#include "train/encoder_run.h"

using namespace attune;
using namespace attune::testing;
using models::FlopCount;
using models::PassSize;

namespace {

constexpr int kDepth = 2, kAll = kDepth + 2;

PassSize size_of_rows(const std::vector<task::Encoded>& rows) {
  PassSize size;
  for (const task::Encoded& row : rows) size.lengths.push_back(static_cast<std::int64_t>(row.ids.size()));
  return size;
}

/// The rows whose texts have not been there before.
std::vector<task::Encoded> distinct(const std::vector<task::Encoded>& rows) {
  std::set<std::vector<std::int32_t>> seen;
  std::vector<task::Encoded> first;
  for (const task::Encoded& row : rows) {
    if (seen.insert(row.ids).second) first.push_back(row);
  }
  return first;
}

/// Two passes over the 18 rows, an evaluation of all after each.
struct CountedRun : EncoderRun {
  explicit CountedRun(int lowest = 0) : EncoderRun("bert_sequence"), examples(rows.size()) {
    for (std::size_t i = 0; i < job.trainable.size(); ++i) {
      job.trainable[i] = loaded.model->parameters()[i].stages.front() >= lowest;
    }
    job.options.max_steps = -1;
    job.options.num_train_epochs = 2;
    job.options.eval_strategy = "epoch";
    job.validation = train::Split{.rows = rows, .examples = examples};
    events.add(totals);
    job.events = &events;
  }
  double forward(int first, int end) const { return FlopCount(*loaded.model).forward(size_of_rows(rows), first, end); }
  double backward() const { return FlopCount(*loaded.model, job.trainable).backward(size_of_rows(rows)); }
  double sum(const char* work, const char* key) const { return totals->of(work)[key].get<double>(); }
  std::int64_t tokens() const { return size_of_rows(rows).tokens(); }

  std::vector<data::Example> examples;
  report::EventBus events;
  std::shared_ptr<report::CostTotals> totals = std::make_shared<report::CostTotals>();
};

}  // namespace

TEST_CASE("a training says what it and its evaluations computed", "[train][cost]") {
  for (const auto& [lowest, checkpointing] : {std::pair{0, false}, {0, true}, {1, true}}) {
    INFO("trains from stage " << lowest);
    CountedRun run(lowest);
    run.job.options.gradient_checkpointing = checkpointing;
    const train::TrainResult result = train::train(run.job);
    CHECK(run.sum("training", "tokens") == 2 * run.tokens());
    CHECK(run.sum("training", "supervised") == 2 * 18);
    CHECK(run.sum("training", "flops_forward") == Approx(2 * run.forward(0, kAll)));
    CHECK(run.sum("training", "flops_backward") == Approx(2 * run.backward()));
    CHECK(run.sum("training", "flops_recomputed") == Approx(checkpointing ? 2 * run.forward(lowest, kAll - 1) : 0.0));
    CHECK(run.sum("training", "flops_frozen") == 0);  // nobody keeps what is frozen: it is part of every pass
    CHECK(run.sum("training", "step_seconds") > 0);
    CHECK(run.sum("training", "step_seconds") <= result.seconds);
    CHECK(run.sum("evaluation", "tokens") == 2 * run.tokens());
    CHECK(run.sum("evaluation", "flops_forward") == Approx(2 * run.forward(0, kAll)));
    CHECK(result.flops == Approx(2 * run.forward(0, kAll) + 2 * run.backward()));
  }
}

TEST_CASE("frozen layers count once for each text that the cache keeps, else each time", "[train][cost]") {
  for (const int stages : {2, 3}) {  // the last layer and the head train, or the head alone
    for (const std::int64_t memory : {std::int64_t{1} << 30, std::int64_t{0}}) {
      INFO(stages << " stages, " << memory << " bytes");
      CountedRun run(stages);
      train::PrefixCache cache(memory);
      train::FrozenPrefix prefix(*run.loaded.model, stages, cache);
      run.job.prefix = &prefix;
      const train::TrainResult result = train::train(run.job);
      const double once = FlopCount(*run.loaded.model).forward(size_of_rows(distinct(run.rows)), 0, stages);
      const double frozen = run.sum("training", "flops_frozen") + run.sum("evaluation", "flops_frozen");
      CHECK(frozen == Approx(memory > 0 ? once : prefix.flops()));
      if (memory == 0) CHECK(frozen > 3.5 * once);  // two trainings and two evaluations, of texts that are all but distinct
      CHECK(run.sum("training", "flops_forward") == Approx(2 * run.forward(stages, kAll)));
      CHECK(run.sum("training", "flops_backward") == Approx(2 * run.backward()));
      CHECK(run.sum("evaluation", "flops_forward") == Approx(2 * run.forward(stages, kAll)));
      CHECK(result.flops == Approx(2 * run.forward(stages, kAll) + 2 * run.backward() + run.sum("training", "flops_frozen")));
    }
  }
}

TEST_CASE("what is supervised are labels that count, or rows", "[train][cost]") {
  task::Batch batch;
  std::vector<task::Encoded> rows(2);
  for (const task::Encoded& row : rows) batch.rows.push_back(&row);
  CHECK(train::supervised(batch) == 2);
  batch.labels = at::full({5}, nn::kIgnoreIndex, at::kLong);
  CHECK(train::supervised(batch) == 0);
  batch.labels[1] = 0;
  batch.labels[4] = 7;
  CHECK(train::supervised(batch) == 2);
  batch.labels = at::full({3, 2}, 1, at::kLong);  // start and end
  CHECK(train::supervised(batch) == 3);
}
