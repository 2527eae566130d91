// Parity cases of the whole trainer: one step under each split of a batch, and a run of twelve steps.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/models/model.h"
#include "attune/tensor/weights.h"
#include "attune/train/trainer.h"
#include "probe/probe.h"

namespace attune::probe {

namespace {

using files::Json;

/// The rows of ids [B, T] without their padding; what a row is learned as depends on the task.
std::vector<task::Encoded> rows_of(const at::Tensor& ids, const at::Tensor& mask, const at::Tensor& labels) {
  std::vector<task::Encoded> rows;
  for (std::int64_t b = 0; b < ids.size(0); ++b) {
    task::Encoded row;
    row.example = row.row = b;
    for (std::int64_t t = 0; t < ids.size(1); ++t) {
      if (mask.defined() && mask[b][t].item<std::int64_t>() == 0) continue;
      row.ids.push_back(static_cast<std::int32_t>(ids[b][t].item<std::int64_t>()));
      row.learned.push_back(row.learned.empty() ? 0 : 1);
    }
    if (labels.defined()) row.label = labels[b].item<std::int64_t>();
    rows.push_back(std::move(row));
  }
  return rows;
}

/// A checkpoint of the oracle, trained without dropout on given rows.
Json logs_of(const std::string& checkpoint, const std::vector<task::Encoded>& rows, bool causal, const train::TrainingOptions& training) {
  models::LoadOptions load;
  load.task = causal ? models::Task::causal_lm : models::Task::sequence_classification;
  const bool has_dropout = files::read_json(checkpoint + "/config.json").at("model_type") != "llama";  // elsewhere it is 0
  if (has_dropout) load.hidden_dropout = load.attention_dropout = load.classifier_dropout = 0.0;
  const models::LoadedModel loaded = models::load_model(checkpoint, load);
  task::TaskOptions options;
  options.kind = load.task;
  options.labels = {data::TargetKind::single, loaded.model->spec().labels};
  const auto task = task::make_task(options);
  const std::vector<data::Example> examples(rows.size());
  train::TrainJob job;
  job.model = loaded.model.get();
  job.task = task.get();
  job.trainable.assign(loaded.model->parameters().size(), true);
  job.train = {rows, examples};
  job.options = training;
  job.options.train_sampling_strategy = "sequential";
  job.options.logging_steps = 1;
  job.options.eval_strategy = job.options.save_strategy = "no";
  const report::EventBus events;
  job.events = &events;
  return train::train(job).log_history;
}

/// The reference's trainer counts labels as targets; for classes that are not called …ForCausalLM, such as
/// GPT2LMHeadModel, it also counts each row's first label, which nothing predicts, and so divides by more than it adds up
/// (Trainer._loss_shifts_labels). attune divides by what it adds up: its numbers in the reference's units.
double units_of_reference(const std::string& checkpoint, const std::vector<task::Encoded>& rows) {
  const std::string name = files::read_json(checkpoint + "/config.json").at("architectures").at(0);
  if (!name.ends_with("LMHeadModel")) return 1.0;
  double learned = 0, labels = 0;
  for (const task::Encoded& row : rows) {
    learned += static_cast<double>(row.ids.size() - 1);
    labels += static_cast<double>(row.ids.size());
  }
  return learned / labels;
}

}  // namespace

void run_gradient_accumulation_case(const std::string& file, const std::string& out) {
  const auto inputs = tensor::load_tensors(std::filesystem::path(file).parent_path() / "ga_inputs.safetensors");
  const std::string models = std::filesystem::path(file).parent_path().parent_path() / "models";
  const Json cases = files::read_json(file);
  Json answers;
  for (const auto& [key, expected] : cases.at("runs").items()) {
    const std::vector<std::string> parts = split(key, '|');  // "gpt2_clm|bs=2|ga=2"
    const bool causal = parts.at(0).ends_with("clm");
    train::TrainingOptions training;
    training.optim = "sgd";
    training.learning_rate = 1e-6;
    training.max_steps = 1;
    training.per_device_train_batch_size = std::stoll(split(parts.at(1), '=').at(1));
    training.gradient_accumulation_steps = std::stoll(split(parts.at(2), '=').at(1));
    const auto rows = rows_of(inputs.at("input_ids"), {}, causal ? at::Tensor() : inputs.at("cls_labels"));
    const std::string checkpoint = concat(models, "/", parts.at(0), "/checkpoint");
    const Json log = logs_of(checkpoint, rows, causal, training).front();
    const double unit = units_of_reference(checkpoint, rows);
    answers["runs"][key] = {{"loss", unit * log.at("loss").get<double>()}, {"grad_norm", unit * log.at("grad_norm").get<double>()}};
  }
  files::write_json(out + "/out.json", answers);
}

void run_trainer_case(const std::string& folder, const std::string& out) {
  const Json args = files::read_json(folder + "/log_history.json").at("args");
  const auto data = tensor::load_tensors(folder + "/data.safetensors");
  train::TrainingOptions training;
  training.per_device_train_batch_size = args.at("per_device_train_batch_size");
  training.gradient_accumulation_steps = args.at("gradient_accumulation_steps");
  training.num_train_epochs = args.at("num_train_epochs");
  training.learning_rate = args.at("learning_rate");
  training.warmup_steps = args.at("warmup_steps");
  training.weight_decay = args.at("weight_decay");
  training.lr_scheduler_type = args.at("lr_scheduler_type");
  const auto rows = rows_of(data.at("input_ids"), data.at("attention_mask"), {});
  Json log = Json::array();
  for (const Json& line : logs_of(folder + "/checkpoint_in", rows, true, training)) {
    if (line.contains("loss")) log.push_back({{"loss", line.at("loss")}, {"grad_norm", line.at("grad_norm")}, {"learning_rate", line.at("learning_rate")}});
  }
  files::write_json(out + "/out.json", {{"log", log}});
}

}  // namespace attune::probe
