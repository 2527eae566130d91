// See contrastive.h.
#include "job/contrastive.h"

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/data/pairs.h"
#include "attune/task/vectors.h"
#include "attune/train/plan.h"
#include "job/pooling.h"
#include "job/vector_head.h"

namespace attune::job {

namespace {

data::PairSampling sampling_of(const RunOptions& options) {
  const adapt::ContrastiveOptions& contrastive = options.tuning.contrastive;
  data::PairSampling sampling{.strategy = contrastive.sampling_strategy,
                              .iterations = contrastive.num_iterations,
                              .at_most = std::nullopt,
                              .seed = contrastive.pair_seed};
  const train::TrainingOptions& training = options.training;
  if (training.max_steps > 0 && training.batch_by == "rows") {  // as SetFit has it, which knows no accumulation
    sampling.at_most = training.max_steps * training.per_device_train_batch_size * training.gradient_accumulation_steps;
  }
  return sampling;
}

std::vector<std::int64_t> labels_of_rows(const files::ListView<task::Encoded>& rows) {
  std::vector<std::int64_t> labels;
  rows.for_each([&](const task::Encoded& row) { labels.push_back(row.label); });
  return labels;
}

}  // namespace

files::LongList<task::Encoded> pairs_of(const files::ListView<task::Encoded>& rows, const RunOptions& options) {
  files::LongList<task::Encoded> pairs;
  pairs.spill_to(nearest_place(options.output_dir), static_cast<std::size_t>(options.data.rows_in_memory_mib) << 20);
  for (const data::Pair& pair : data::draw_pairs(labels_of_rows(rows), sampling_of(options))) {
    task::Encoded row = task::pair_of(*rows.get(pair.first), *rows.get(pair.second), pair.alike);
    row.row = static_cast<std::int64_t>(pairs.size());
    pairs.push_back(std::move(row));
  }
  return pairs;
}

void summarise_pairs(Prepared& prepared) {
  if (!has_vector_head(prepared)) return;
  if (prepared.labels.kind != data::TargetKind::single) {
    throw Error(ErrorKind::usage, {.file = "",
                                   .what = concat("the method \"", prepared.options.tuning.method,
                                                  "\" needs rows of one class each, and the training rows have ",
                                                  data::describe(prepared.labels.kind)),
                                   .where = "tuning.method",
                                   .hint = "choose another method"});
  }
  read_pooling(prepared.model_folder);  // (what it refuses is refused before anything is written)
  if (prepared.options.tuning.method != "contrastive") return;
  const RunOptions& options = prepared.options;
  const std::vector<std::int64_t> labels = labels_of_rows(prepared.train.encoded);
  const data::PairCounts counts = data::count_pairs(labels, sampling_of(options));
  const std::vector<std::uint32_t> lengths = task::lengths_of(prepared.train.encoded);
  std::vector<std::uint32_t> of_pairs;
  for (const data::Pair& pair : data::draw_pairs(labels, sampling_of(options))) {
    of_pairs.push_back(lengths[pair.first] + lengths[pair.second]);
  }
  const train::Plan plan(options.training, options.seeds.front(), of_pairs);
  prepared.data_summary["pairs"] = {{"drawn", counts.drawn()},
                                    {"alike", counts.alike},
                                    {"unlike", counts.unlike},
                                    {"distinct_alike", counts.distinct_alike},
                                    {"distinct_unlike", counts.distinct_unlike},
                                    {"steps", plan.total_steps()}};
}

void train_on_pairs(train::TrainJob job, const FitRequest& request, Fit& fit) {
  const Prepared& prepared = *request.prepared;
  const files::LongList<task::Encoded> pairs = pairs_of(request.train, prepared.options);
  const auto task = task::make_pair_task({.pooling = read_pooling(prepared.model_folder),
                                          .merges_equal = prepared.options.tuning.contrastive.merge_texts});
  job.task = task.get();
  job.train = {pairs, prepared.train.examples};
  fit.trained_rows = pairs.size();
  fit.result = train::train(job);
}

}  // namespace attune::job
