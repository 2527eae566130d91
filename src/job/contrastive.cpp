// See contrastive.h.
#include "job/contrastive.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/random.h"
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
                              .seed = static_cast<std::uint64_t>(contrastive.pair_seed)};
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

std::vector<data::Pair> drawn_pairs(const files::ListView<task::Encoded>& rows, const RunOptions& options) {
  return data::draw_pairs(labels_of_rows(rows), sampling_of(options));
}

files::LongList<task::Encoded> pairs_of(const std::vector<data::Pair>& drawn, const files::ListView<task::Encoded>& rows,
                                        const RunOptions& options) {
  files::LongList<task::Encoded> pairs;
  pairs.spill_to(nearest_place(options.output_dir), static_cast<std::size_t>(options.data.rows_in_memory_mib) << 20);
  for (const data::Pair& pair : drawn) {
    task::Encoded row = task::pair_of(*rows.get(pair.first), *rows.get(pair.second), pair.alike);
    row.row = static_cast<std::int64_t>(pairs.size());
    pairs.push_back(std::move(row));
  }
  return pairs;
}

/// `numbers` in batches of `size`, which come in another order; one that is not full stays the last.
train::Plan::Numbers shuffled_batches(const train::Plan::Numbers& numbers, std::size_t size, const RandomKey& key) {
  train::Plan::Numbers shuffled;
  shuffled.reserve(numbers.size());
  const auto batch = [&](std::size_t begin) {
    const auto first = numbers.begin() + static_cast<std::ptrdiff_t>(begin);
    shuffled.insert(shuffled.end(), first, numbers.begin() + static_cast<std::ptrdiff_t>(std::min(begin + size, numbers.size())));
  };
  const std::size_t full = numbers.size() / size;
  for (const std::int64_t place : key.permutation(static_cast<std::int64_t>(full))) batch(static_cast<std::size_t>(place) * size);
  if (full * size < numbers.size()) batch(full * size);
  return shuffled;
}

/// The pairs in batches that share texts, which come in random order: the first ones made have fewer texts than the last.
train::Plan::Arrange sharing_texts(std::vector<data::Pair> pairs, const RunOptions& options, std::uint64_t seed) {
  const auto size = static_cast<std::size_t>(options.training.per_device_train_batch_size);
  const auto texts = static_cast<std::size_t>(*options.tuning.contrastive.texts_per_batch);
  const RandomKey key(options.training.data_seed.value_or(seed), "batches of shared texts");
  return [kept = std::make_shared<const std::vector<data::Pair>>(std::move(pairs)), size, texts, key](
             std::int64_t epoch, const train::Plan::Numbers& order) {
    const train::Plan::Numbers shared = data::share_rows(*kept, order, size, texts);
    return shuffled_batches(shared, size, key.with(static_cast<std::uint64_t>(epoch)));
  };
}

}  // namespace

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
  const data::PairCounts counts = data::count_pairs(labels_of_rows(prepared.train.encoded), sampling_of(options));
  const std::vector<std::uint32_t> lengths = task::lengths_of(prepared.train.encoded);
  std::vector<std::uint32_t> of_pairs;
  for (const data::Pair& pair : drawn_pairs(prepared.train.encoded, options)) {
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
  std::vector<data::Pair> drawn = drawn_pairs(request.train, prepared.options);
  const files::LongList<task::Encoded> pairs = pairs_of(drawn, request.train, prepared.options);
  const auto task = task::make_pair_task({.pooling = read_pooling(prepared.model_folder),
                                          .merges_equal = prepared.options.tuning.contrastive.merge_texts});
  job.task = task.get();
  job.train = {pairs, prepared.train.examples};
  if (prepared.options.tuning.contrastive.texts_per_batch) {
    job.arrange = sharing_texts(std::move(drawn), prepared.options, request.seed);
  }
  fit.trained_rows = pairs.size();
  fit.result = train::train(job);
}

}  // namespace attune::job
