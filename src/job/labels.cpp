// See labels.h; also class_weights() of prepare.h.
#include "job/labels.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"

namespace attune::job {

namespace {

using files::Json;

/// Labels that the base's head has too, in another order, take its order, so that the head can be kept.
void follow_order_of_base(Prepared& prepared) {
  std::vector<std::string>& names = prepared.labels.names;
  if (names.empty() || prepared.options.model.new_head || prepared.asks_labels()) return;
  const std::string file = (std::filesystem::path(prepared.model_folder) / "config.json").string();
  const std::vector<std::string> of_base = models::read_spec(files::read_json(file, {.kind = ErrorKind::model}), file, prepared.kind).labels;
  if (std::is_permutation(of_base.begin(), of_base.end(), names.begin(), names.end())) names = of_base;
}

/// scikit-learn's "balanced": rows / (classes · rows of the class). A class without rows keeps weight 1.
std::vector<double> balanced_weights(const Prepared& prepared, const files::ListView<task::Encoded>& train) {
  const data::LabelMap& labels = prepared.labels;
  std::vector<bool> is_trained(prepared.train.examples.size(), false);
  train.for_each([&](const task::Encoded& row) { is_trained[static_cast<std::size_t>(row.example)] = true; });
  std::vector<double> counts(labels.names.size(), 0.0);
  double total = 0;
  const auto count = [&](const std::string& name) {
    counts[labels.find(name).value()] += 1;
    total += 1;
  };
  std::size_t next = 0;
  prepared.train.examples.for_each([&](const data::Example& example) {
    if (!is_trained[next++]) return;
    if (const auto* label = std::get_if<data::ClassLabel>(&example.target)) count(label->name);
    if (const auto* tags = std::get_if<data::TokenTags>(&example.target)) std::for_each(tags->tags.begin(), tags->tags.end(), count);
  });
  std::vector<double> weights;
  for (const double of_class : counts) weights.push_back(of_class > 0 ? total / (static_cast<double>(counts.size()) * of_class) : 1.0);
  return weights;
}

}  // namespace

void place_positive_label(data::LabelMap& labels, const std::optional<std::string>& wanted) {
  std::vector<std::string>& names = labels.names;
  if (!wanted) return;
  const bool two = labels.kind == data::TargetKind::single && names.size() == 2;
  if (!two || std::find(names.begin(), names.end(), *wanted) == names.end()) {
    const std::string what = two ? concat("no training row has the label '", *wanted, "'")
                                 : concat("the positive label is one of two, and the training rows have ", names.size(), " labels");
    throw Error(ErrorKind::usage, {.file = "", .what = what, .where = "data.positive_label",
                                   .hint = two ? concat("the labels are ", join(names, " and ")) : std::string("remove it")});
  }
  if (names.front() == *wanted) std::swap(names[0], names[1]);
}

void order_labels(Prepared& prepared) {
  follow_order_of_base(prepared);
  place_positive_label(prepared.labels, prepared.options.data.positive_label);
}

void warn_of_common_positive(const Prepared& prepared) {
  constexpr double common = 0.8;
  const std::vector<std::string>& names = prepared.labels.names;
  const Json& labels = prepared.data_summary["labels"];
  if (prepared.options.data.positive_label || prepared.labels.kind != data::TargetKind::single || names.size() != 2) return;
  const double share = labels.value(names[1], 0.0) / static_cast<double>(prepared.train.examples.size() / prepared.prompts_a_row());
  if (share < common) return;
  log::warning(concat("'", names[1], "' is taken for the positive label, and ", print_number("%.0f %%", 100 * share),
                      " of the training rows have it; if you look for '", names[0], "', set data.positive_label"));
}

void check_labels_fit_settings(const Prepared& prepared) {
  const train::TrainingOptions& training = prepared.options.training;
  const data::TargetKind kind = prepared.labels.kind;
  const auto refuse = [](const char* key, const std::string& what, const char* hint) {
    throw Error(ErrorKind::usage, {.file = "", .what = what, .where = key, .hint = hint});
  };
  const auto wanted = prepared.options.model.num_labels;
  const auto found = static_cast<std::int64_t>(prepared.labels.names.size());
  if (wanted && *wanted != found && kind != data::TargetKind::value) {
    refuse("model.num_labels", concat("model.num_labels is ", *wanted, ", the training rows have ", found, " labels"),
           "leave model.num_labels out or correct the data");
  }
  if (kind != data::TargetKind::multi && kind != data::TargetKind::value) return;
  const std::string what = concat(" needs one class for each prediction, and the training rows have ", data::describe(kind));
  if (training.class_weights != "none") refuse("training.class_weights", "a weight of classes" + what, "remove it");
  if (training.label_smoothing_factor > 0) refuse("training.label_smoothing_factor", "label smoothing" + what, "remove it");
}

std::vector<double> class_weights(const Prepared& prepared, const files::ListView<task::Encoded>& train) {
  const train::TrainingOptions& training = prepared.options.training;
  if (training.class_weights == "balanced" && !train.empty()) return balanced_weights(prepared, train);
  if (training.class_weights != "given") return {};
  std::vector<double> weights(prepared.labels.names.size(), 1.0);
  for (const auto& [name, weight] : training.class_weight_values) {
    const auto id = prepared.labels.find(name);
    if (!id) {
      const std::string nearest = nearest_name(name, prepared.labels.names);
      throw Error(ErrorKind::usage, {.file = "", .what = concat("no training row has the label '", name, "'"),
                                     .where = "training.class_weights",
                                     .hint = nearest.empty() ? concat("the labels are ", join(prepared.labels.names, ", "))
                                                             : concat("did you mean '", nearest, "'?")});
    }
    weights[*id] = weight;
  }
  return weights;
}

}  // namespace attune::job
