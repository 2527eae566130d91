// See vector_head.h.
#include "job/vector_head.h"

#include <ATen/ops/tensor.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/baseline/logistic.h"
#include "attune/baseline/prototypes.h"
#include "attune/files/storage.h"
#include "attune/report/phase.h"
#include "attune/tensor/weights.h"
#include "attune/train/cost.h"
#include "attune/train/evaluate.h"
#include "job/pooling.h"

namespace attune::job {

namespace {

using files::Json;

constexpr const char* kHeadFile = "classifier.safetensors";
constexpr const char* kSetFitFile = "config_setfit.json";
constexpr const char* kNormalises = "normalize_embeddings";

std::string in_folder(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

std::vector<task::Encoded> in_memory(const files::ListView<task::Encoded>& rows) {
  std::vector<task::Encoded> all;
  all.reserve(rows.size());
  rows.for_each([&](const task::Encoded& row) { all.push_back(row); });
  return all;
}

/// [rows × hidden]
std::vector<double> vectors_of(std::span<const task::Encoded> rows, const task::Pooling& pooling, const Fit& fit,
                               const FitRequest& request, const report::Phase& embedding) {
  const auto progress = [&](std::int64_t done) {
    embedding.progress(done);
    return false;
  };
  const auto texts = task::make_pair_task({.pooling = pooling});
  const std::int64_t batch_size = request.prepared->options.training.per_device_eval_batch_size;
  const train::FrozenMeter no_prefix(nullptr);
  const auto predictions = train::predict_until(*fit.loaded.model, *texts, {rows, {}}, batch_size, progress);
  Json cost = {{"event", "cost"}};
  cost.update(train::evaluation_cost(train::cost_of(*fit.loaded.model, *predictions, no_prefix)));
  request.events->emit(cost);
  std::vector<double> values;
  for (const task::Prediction& prediction : *predictions) {
    values.insert(values.end(), prediction.logits.begin(), prediction.logits.end());
  }
  return values;
}

at::Tensor float_matrix(const std::vector<double>& values, std::int64_t rows) {
  return at::tensor(values, at::kDouble).to(at::kFloat).view({rows, -1});
}

[[noreturn]] void refuse_head(const std::string& file, const std::string& what) {
  throw Error(ErrorKind::model,
              {.file = file, .what = what, .where = "", .hint = "the head is damaged or another model's: train again"});
}

std::vector<std::string> labels_in(const Json& config, const std::string& file) {
  const bool has = config.is_object() && config.contains("labels") && config["labels"].is_array();
  if (!has) refuse_head(file, "there is no list of labels");
  std::vector<std::string> labels;
  for (const Json& label : config["labels"]) {
    if (!label.is_string()) refuse_head(file, concat("the label ", label.dump(), " is no text"));
    labels.push_back(label.get<std::string>());
  }
  return labels;
}

/// A tensor of the head, float32 and of this shape.
at::Tensor part_of_head(const std::map<std::string, at::Tensor>& tensors, const std::string& name,
                        at::IntArrayRef shape, const std::string& file) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) refuse_head(file, concat("there is no tensor '", name, "'"));
  if (found->second.sizes() != shape) {
    refuse_head(file, concat("the tensor '", name, "' has the shape ", found->second.sizes(),
                             ", and labels and model make it ", shape));
  }
  return found->second.to(at::kFloat).clone();
}

}  // namespace

bool has_vector_head(const Prepared& prepared) {
  return adapt::has_vector_head(prepared.options.tuning);
}

task::VectorHead fit_vector_head(const Fit& fit, const FitRequest& request) {
  const Prepared& prepared = *request.prepared;
  const adapt::TuningOptions& tuning = prepared.options.tuning;
  const bool by_means = tuning.method == "prototype" || tuning.contrastive.head == "prototype";
  const bool by_cosine = tuning.prototype.distance == "cosine";
  task::Pooling pooling = read_pooling(prepared.model_folder);
  pooling.normalize = pooling.normalize || (by_means && by_cosine);
  const std::vector<task::Encoded> rows = in_memory(request.train);
  std::vector<std::int64_t> labels;
  std::vector<double> weights;
  for (const task::Encoded& row : rows) {
    labels.push_back(row.label);
    const double of_class = fit.class_weights.empty() ? 1.0 : fit.class_weights[static_cast<std::size_t>(row.label)];
    weights.push_back(row.weight * of_class);
  }
  report::Phase embedding(*request.events, "embedding", static_cast<std::int64_t>(rows.size()));
  const std::vector<double> vectors = vectors_of(rows, pooling, fit, request, embedding);
  const std::size_t columns = vectors.size() / rows.size(), classes = prepared.labels.names.size();
  const auto distance = by_cosine ? baseline::PrototypeDistance::cosine : baseline::PrototypeDistance::euclidean;
  const baseline::LinearLayer layer =
      by_means ? baseline::prototype_layer({vectors, columns, labels, weights}, classes, distance)
               : baseline::LogisticRegression(baseline::dense_rows(vectors, columns), labels, classes,
                                              {.c = tuning.contrastive.head_c, .weights = weights})
                     .layer();
  embedding.end();
  return {.pooling = pooling,
          .weight = float_matrix(layer.weights, static_cast<std::int64_t>(classes)),
          .bias = float_matrix(layer.biases, 1).flatten()};
}

std::string sha256_of(const task::VectorHead& head) {
  Sha256 hash;
  for (const at::Tensor& part : {head.weight, head.bias}) {
    const at::Tensor whole = part.contiguous();
    hash.update({static_cast<const char*>(whole.const_data_ptr()), whole.nbytes()});
  }
  return hash.hex();
}

void write_vector_head(const task::VectorHead& head, const Prepared& prepared, const std::string& folder) {
  const task::Pooling of_model = read_pooling(prepared.model_folder);
  tensor::save_tensors(in_folder(folder, kHeadFile), {{"weight", head.weight}, {"bias", head.bias}});
  files::write_json(in_folder(folder, kSetFitFile),
                    {{kNormalises, head.pooling.normalize && !of_model.normalize}, {"labels", prepared.labels.names}});
  write_pooling(
      {.pooling = of_model, .hidden_size = head.weight.size(1), .max_length = prepared.options.data.max_length},
      folder);
}

bool holds_vector_head(const std::string& folder) {
  return path_exists(in_folder(folder, kHeadFile), ErrorKind::model);
}

StoredVectorHead read_vector_head(const std::string& folder, std::int64_t hidden_size) {
  const std::string config_file = in_folder(folder, kSetFitFile), file = in_folder(folder, kHeadFile);
  const Json config = files::read_json(config_file);
  StoredVectorHead stored{.head = {.pooling = read_pooling(folder), .weight = {}, .bias = {}},
                          .labels = labels_in(config, config_file)};
  const bool normalises = config.contains(kNormalises) && config[kNormalises] == Json(true);
  stored.head.pooling.normalize = stored.head.pooling.normalize || normalises;
  const auto tensors = tensor::load_tensors(file);
  const auto labels = static_cast<std::int64_t>(stored.labels.size());
  stored.head.weight = part_of_head(tensors, "weight", {labels, hidden_size}, file);
  stored.head.bias = part_of_head(tensors, "bias", {labels}, file);
  return stored;
}

std::unique_ptr<task::Task> reopen_task(const Prepared& prepared, std::vector<double> class_weights,
                                        const models::Model& model, const std::string& folder) {
  std::unique_ptr<task::Task> task = make_fitted_task(prepared, std::move(class_weights));
  if (!has_vector_head(prepared)) return task;
  return task::with_head(std::move(task), read_vector_head(folder, model.spec().hidden_size).head);
}

}  // namespace attune::job
