// A golden encoder that is trained on made-up rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attune/task/kinds.h"
#include "attune/train/trainer.h"
#include "models/golden.h"
#include "train/fake.h"

namespace attune::testing {

/// A golden encoder on rows whose first word gives the label away; dropout on.
struct EncoderRun {
  explicit EncoderRun(const std::string& golden, const models::Execution& execution = {}) : loaded(load(golden)) {
    loaded.model->set_execution(execution);
    task::TaskOptions options;
    options.labels = {.kind = data::TargetKind::single, .names = {"calm", "brisk", "über"}};
    task = task::make_classification(options);
    for (task::Encoded& row : rows) {
      for (std::int32_t& id : row.ids) id += 3;
    }
    job.model = loaded.model.get();
    job.task = task.get();
    job.trainable.assign(loaded.model->parameters().size(), true);
    job.train.rows = rows;
    job.seed = 7;
    job.options.per_device_train_batch_size = 3;
    job.options.gradient_accumulation_steps = 2;
    job.options.learning_rate = 2e-3;
    job.options.max_steps = 8;
    job.options.eval_strategy = "no";
    job.options.save_strategy = "no";
  }
  EncoderRun(const EncoderRun&) = delete;
  EncoderRun& operator=(const EncoderRun&) = delete;

  static models::LoadedModel load(const std::string& golden) {
    models::LoadOptions options = golden_options(golden);
    options.hidden_dropout = options.attention_dropout = 0.1;
    return models::load_model(golden_folder(golden), options);
  }
  std::vector<double> losses() {
    std::vector<double> values;
    for (const train::TrajectoryPoint& point : train::train(job).trajectory) values.push_back(point.loss);
    return values;
  }
  std::string hash() { return train::weights_sha256(*loaded.model); }

  models::LoadedModel loaded;
  std::unique_ptr<task::Task> task;
  std::vector<task::Encoded> rows = fake_rows(18);
  train::TrainJob job;
};

}  // namespace attune::testing
