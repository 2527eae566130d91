// See folds.h.
#include "job/folds.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/strings.h"

namespace attune::job {

namespace {

using files::Json;

data::FoldPlan fold_plan(const Prepared& prepared) {
  const CrossValidationOptions& cv = prepared.options.cross_validation;
  return {.folds = cv.folds,
          .repeats = cv.repeats,
          .stratify = cv.stratify,
          .seed = cv.seed.value_or(prepared.options.seeds.front()),
          .by_time = cv.by_time};
}

FoldJob fold_job(data::Fold fold, const data::SplitKeys& keys, const data::FoldPlan& plan, double inner_share) {
  FoldJob job;
  job.repeat = fold.repeat + 1;
  job.fold = fold.fold + 1;
  job.name = plan.repeats > 1 ? concat("repeat-", job.repeat, "-fold-", job.fold) : concat("fold-", job.fold);
  if (inner_share > 0) {
    data::Holdout inner = data::inner_validation(keys, fold, inner_share, plan);
    job.train = std::move(inner.kept);
    job.inner_validation = std::move(inner.held_out);
  } else {
    job.train = std::move(fold.train);
  }
  job.held_out = std::move(fold.held_out);
  return job;
}

}  // namespace

FoldJobs fold_jobs(const Prepared& prepared) {
  const data::SplitKeys keys = data::split_keys(prepared.train.examples);
  const data::FoldPlan plan = fold_plan(prepared);
  data::FoldSet set = data::make_folds(keys, plan);
  FoldJobs jobs{.folds = {}, .warnings = std::move(set.warnings)};
  for (data::Fold& fold : set.folds) {
    jobs.folds.push_back(fold_job(std::move(fold), keys, plan, prepared.options.cross_validation.inner_validation));
  }
  return jobs;
}

FitRequest fold_request(const Prepared& prepared, const FoldJob& fold, const report::EventBus& events) {
  FitRequest request;
  request.prepared = &prepared;
  const auto taken = std::make_shared<const FitRequest::Taken>(FitRequest::Taken{
      rows_of(prepared.train.encoded, fold.train), rows_of(prepared.train.encoded, fold.inner_validation)});
  request.train = taken->train;
  request.validation = taken->validation;
  request.taken = taken;
  request.validation_examples = prepared.train.examples;
  request.seed = prepared.options.seeds.front();
  request.events = &events;
  return request;
}

Json predict_held_out(const Fit& fit, const FoldJob& fold, const FitRequest& request) {
  const std::vector<task::Encoded> held_out = rows_of(request.prepared->train.encoded, fold.held_out);
  Json lines = Json::array();
  for (const task::Prediction& p : predict_rows(fit, {held_out, request.prepared->train.examples}, request)) {
    lines.push_back({{"example", p.encoded->example},
                     {"window", p.encoded->window},
                     {"logits", p.logits},
                     {"loss_sum", p.loss_sum},
                     {"loss_weight", p.loss_weight}});
    if (p.generated) lines.back()["generated"] = *p.generated;
  }
  return lines;
}

std::vector<task::Prediction> load_predictions(const Json& lines, std::span<const task::Encoded> rows) {
  std::map<std::pair<std::int64_t, std::int64_t>, const task::Encoded*> by_key;
  for (const task::Encoded& row : rows) by_key[{row.example, row.window}] = &row;
  std::vector<task::Prediction> predictions;
  for (const Json& line : lines) {
    predictions.push_back(
        {.encoded = by_key.at({line["example"].get<std::int64_t>(), line["window"].get<std::int64_t>()}),
         .logits = line["logits"].get<std::vector<float>>(),
         .loss_sum = line["loss_sum"].get<double>(),
         .loss_weight = line["loss_weight"].get<double>(),
         .fills = {},
         .generated = {},
         .generated_to_limit = false});
    if (line.contains("generated")) predictions.back().generated = line["generated"].get<std::string>();
  }
  return predictions;
}

}  // namespace attune::job
