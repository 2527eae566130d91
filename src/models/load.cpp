// load_model of attune/models/model.h: config.json → network → values from mapped files.
#include <ATen/ops/aminmax.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/logical_not.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/tensor/weights.h"
#include "checkpoint_names.h"
#include "dtype.h"
#include "initialise.h"
#include "zoo.h"

namespace attune::models {

namespace {

constexpr std::size_t kListed = 10;  ///< tensors that an error names

/// "a, b, … and 7 more"
std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kListed);
  const std::string text = join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown)}, ", ");
  return names.size() > shown ? concat(text, ", … and ", names.size() - shown, " more") : text;
}

std::string shape_text(at::IntArrayRef shape) {
  std::vector<std::string> sizes;
  for (const std::int64_t size : shape) sizes.push_back(std::to_string(size));
  return concat("[", join(sizes, ", "), "]");
}

std::vector<std::string> names_of(const Parameter& parameter) {
  std::vector<std::string> names{parameter.name};
  names.insert(names.end(), parameter.aliases.begin(), parameter.aliases.end());
  return names;
}

void set_labels(ModelSpec& spec, const std::vector<std::string>& labels) {
  if (labels.empty() || spec.task == Task::question_answering) return;
  spec.labels = labels;
  spec.num_labels = static_cast<std::int64_t>(labels.size());
}

void override_dropout(ModelSpec& spec, const LoadOptions& options) {
  const ConfigKeys& keys = family_of(spec).keys;
  if (options.hidden_dropout && keys.hidden_dropout.empty()) {
    throw Error(ErrorKind::usage, {.file = {},
                                   .what = concat("a ", spec.model_type, " model has no dropout of hidden states"),
                                   .where = "key model.hidden_dropout_prob",
                                   .hint = "leave it out; such models have model.attention_probs_dropout_prob"});
  }
  spec.hidden_dropout = options.hidden_dropout.value_or(spec.hidden_dropout);
  if (options.hidden_dropout && !keys.embedding_dropout.empty()) {
    spec.decoder.embedding_dropout = *options.hidden_dropout;
  }
  spec.attention_dropout = options.attention_dropout.value_or(spec.attention_dropout);
  spec.classifier_dropout = options.classifier_dropout.value_or(spec.classifier_dropout);
}

/// Fills one network from one set of weights.
class Loader {
 public:
  Loader(const LoadedModel& loaded, const tensor::Weights& weights, const LoadOptions& options)
      : model_(*loaded.model),
        dtype_(loaded.dtype),
        weights_(weights),
        folder_(loaded.folder),
        options_(options),
        family_(family_of(model_.spec())) {
    match_ = match_names(weights.names(), model_.parameters(), model_.spec(), folder_);
  }

  /// Two names of a tied parameter with different values: the checkpoint was trained untied.
  bool is_untied() const {
    for (const Parameter& parameter : model_.parameters()) {
      std::optional<at::Tensor> value;
      for (const std::string& name : names_of(parameter)) {
        const auto found = match_.file_name_of.find(name);
        if (found == match_.file_name_of.end()) continue;
        const at::Tensor other = weights_.tensor(found->second);
        if (value && (!value->sizes().equals(other.sizes()) || !at::equal(*value, other))) return true;
        value = other;
      }
    }
    return false;
  }

  LoadReport fill(bool new_head) {
    report_.unused = match_.unused;
    std::vector<std::string> missing;
    for (Parameter& parameter : model_.parameters()) {
      const std::string* in_file = file_name(parameter);
      const bool renew = new_head && is_output_layer(parameter);
      if (in_file != nullptr && !renew && fits(parameter, *in_file)) {
        parameter.tensor.set_data(value_of(*in_file));
        report_.loaded.push_back(parameter.name);
      } else if (is_computed(parameter)) {
        parameter.tensor.set_data(sinusoidal_positions(parameter.shape[0], parameter.shape[1]).to(dtype_));
        report_.newly_initialised.push_back(parameter.name);
      } else if (parameter.is_head || parameter.kind == ParameterKind::buffer || options_.random_weights) {
        initialise(parameter);
      } else {
        missing.push_back(concat(parameter.name, " ", shape_text(parameter.shape)));
      }
      if (match_.old_norm_names) parameter.file_name = old_norm_name(parameter.name);
    }
    if (!missing.empty()) fail_missing(missing);
    if (options_.random_weights) report_.notes.emplace_back("all weights are new: only config.json was read");
    if (!converted_.empty()) {
      report_.notes.push_back(concat("weights stored as ", join({converted_.begin(), converted_.end()}, ", "),
                                     " are converted to ", dtype_name(dtype_)));
    }
    return std::move(report_);
  }

 private:
  const std::string* file_name(const Parameter& parameter) const {
    for (const std::string& name : names_of(parameter)) {
      const auto found = match_.file_name_of.find(name);
      if (found != match_.file_name_of.end()) return &found->second;
    }
    return nullptr;
  }

  /// The head proper: BERT's pooler is pre-trained with the body and stays.
  bool is_output_layer(const Parameter& parameter) const {
    return parameter.is_head && !parameter.name.starts_with(concat(body_prefix(family_, model_.spec().task), "."));
  }

  bool is_computed(const Parameter& parameter) const {
    return model_.spec().sinusoidal_positions && parameter.name.ends_with("embeddings.position_embeddings.weight");
  }

  /// False for a head of another label count. Throws for every other difference.
  bool fits(const Parameter& parameter, const std::string& in_file) {
    const std::vector<std::int64_t>& shape = weights_.info(in_file).shape;
    if (shape == parameter.shape) return true;
    const bool same_inner = shape.size() == parameter.shape.size() && !shape.empty() &&
                            std::equal(shape.begin() + 1, shape.end(), parameter.shape.begin() + 1);
    const Task task = model_.spec().task;
    const bool counts_labels = task != Task::masked_lm && task != Task::causal_lm;
    if (is_output_layer(parameter) && same_inner && counts_labels) {
      report_.notes.push_back(concat("new head: ", parameter.name, " has ", shape[0], " outputs in the checkpoint, ",
                                     parameter.shape[0], " are wanted"));
      return false;
    }
    throw Error(ErrorKind::model,
                {.file = folder_,
                 .what = concat("the tensor has shape ", shape_text(shape), ", config.json makes it ",
                                shape_text(parameter.shape)),
                 .where = "tensor " + in_file,
                 .hint = "config.json and weights do not belong together: download the folder again"});
  }

  at::Tensor value_of(const std::string& in_file) {
    at::Tensor value = weights_.tensor(in_file);
    if (!at::isFloatingType(value.scalar_type())) {
      throw Error(ErrorKind::model, {.file = folder_,
                                     .what = concat("found ", files::dtype_name(weights_.info(in_file).dtype),
                                                    " values, expected floating-point numbers"),
                                     .where = "tensor " + in_file,
                                     .hint = "use the unquantised checkpoint"});
    }
    check_finite(value, in_file);
    if (value.scalar_type() == dtype_) return value;
    converted_.insert(files::dtype_name(weights_.info(in_file).dtype));
    return converted(value, in_file);
  }

  at::Tensor converted(const at::Tensor& value, const std::string& in_file) const {
    const at::Tensor result = value.to(dtype_);
    if (dtype_ != at::kHalf || tensor::non_finite_count(result) == 0) return result;
    throw Error(ErrorKind::model, {.file = folder_,
                                   .what = "the tensor has values beyond 65504, the largest number of float16",
                                   .where = "tensor " + in_file,
                                   .hint = "set model.dtype to \"bfloat16\" or \"float32\""});
  }

  void check_finite(const at::Tensor& value, const std::string& in_file) const {
    if (value.numel() == 0) return;
    const auto [low, high] = at::aminmax(value);  // one pass without a temporary; both are NaN when any value is
    if (std::isfinite(low.item<double>()) && std::isfinite(high.item<double>())) return;
    const std::int64_t bad = at::isfinite(value).logical_not().sum().item<std::int64_t>();
    throw Error(ErrorKind::model, {.file = folder_,
                                   .what = concat("the tensor has ", bad, " non-finite values (NaN or infinity)"),
                                   .where = "tensor " + in_file,
                                   .hint = "the checkpoint is damaged or its training diverged: use another one"});
  }

  void initialise(Parameter& parameter) {
    parameter.tensor.set_data(initial_value(parameter, model_.spec().initializer_range, options_.seed).to(dtype_));
    // A tied word embedding is never missing, so all names of the parameter are.
    for (std::string& name : names_of(parameter)) report_.newly_initialised.push_back(std::move(name));
  }

  [[noreturn]] void fail_missing(const std::vector<std::string>& missing) const {
    throw Error(ErrorKind::model,
                {.file = folder_,
                 .what = concat("the weights lack ", missing.size(), " tensors of the model's body: ", listed(missing)),
                 .where = {},
                 .hint = concat("attune never trains on random weights in place of pre-trained ones; the file holds ",
                                weights_.names().size(), " tensors, ", match_.unused.size(), " of them unknown to a ",
                                family_.model_type, " model")});
  }

  Model& model_;
  at::ScalarType dtype_;
  const tensor::Weights& weights_;
  const std::string& folder_;
  const LoadOptions& options_;
  const Family& family_;
  NameMatch match_;
  LoadReport report_;
  std::set<std::string> converted_;
};

}  // namespace

LoadedModel load_model(const std::string& folder, const LoadOptions& options) {
  const std::string config_file = (std::filesystem::path(folder) / "config.json").string();
  LoadedModel loaded;
  loaded.folder = folder;
  loaded.config = std::make_shared<const files::Json>(files::read_json(config_file));
  ModelSpec spec = read_spec(*loaded.config, config_file, options.task);
  const std::vector<std::string> labels_before = spec.labels;
  set_labels(spec, options.labels);
  override_dropout(spec, options);
  if (!options.problem_type.empty()) spec.problem_type = options.problem_type;

  const tensor::Weights weights(options.random_weights ? std::vector<files::SafetensorsFile>()
                                                       : files::open_checkpoint(folder));
  loaded.dtype = wanted_dtype(options.dtype, *loaded.config, config_file, weights);
  const Family& family = family_of(spec);
  loaded.model = family.make(spec);
  if (Loader(loaded, weights, options).is_untied()) {
    spec.tie_word_embeddings = false;
    loaded.model = family.make(spec);
  }
  const bool other_labels = spec.labels != labels_before;
  loaded.report = Loader(loaded, weights, options).fill(options.new_head || other_labels);
  return loaded;
}

}  // namespace attune::models
