// See adapter_values.h.
#include "adapt/adapter_values.h"

#include <ATen/ops/equal.h>

#include <algorithm>
#include <vector>

#include "adapt/adapter_files.h"
#include "adapt/peft_names.h"
#include "attune/adapt/peft.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/safetensors.h"

namespace attune::adapt {

namespace {

using models::Parameter;

constexpr std::size_t kListed = 5;

std::string shape_text(at::IntArrayRef shape) {
  std::vector<std::string> sizes;
  for (const std::int64_t size : shape) sizes.push_back(std::to_string(size));
  return concat("[", join(sizes, ", "), "]");
}

std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kListed);
  const std::string text = join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown)}, ", ");
  return names.size() > shown ? concat(text, ", … and ", names.size() - shown, " more") : text;
}

tensor::Weights open_values(const std::string& folder, const char* file) {
  const std::string path = file_in(folder, file);
  if (!path_exists(path, ErrorKind::model)) {
    const bool pickle = path_exists(file_in(folder, "adapter_model.bin"), ErrorKind::model);
    refuse_adapter(folder, concat("there is no ", file), "",
                   pickle
                       ? "adapter_model.bin is a pickle, which can run code: save the adapter again with a current peft"
                       : "copy the adapter again");
  }
  return tensor::Weights({files::open_safetensors(path)});
}

}  // namespace

AdapterValues::AdapterValues(models::LoadedModel& loaded, const std::string& folder, const char* file)
    : loaded_(loaded), model_(*loaded.model), file_(file_in(folder, file)), weights_(open_values(folder, file)) {}

void AdapterValues::fill(const std::function<bool(const Parameter&)>& wanted) {
  std::vector<std::string> missing;
  for (Parameter& parameter : model_.parameters()) {
    if (!parameter.with_adapter || !wanted(parameter)) continue;
    const std::string name = peft_name(parameter, model_);
    known_.insert(name);
    if (weights_.contains(name)) {
      model_.set_values(parameter, value(name, parameter));
    } else {
      missing.push_back(concat(name, " ", shape_text(parameter.shape)));
    }
  }
  if (!missing.empty()) {
    refuse_adapter(file_, concat("the adapter lacks ", missing.size(), " tensors: ", listed(missing)), "",
                   "adapter_config.json and weights do not belong together, or the file is not whole");
  }
  refuse_unexpected();
}

void AdapterValues::check_embedding(const Parameter& parameter) {
  const std::string name = peft_name(parameter, model_);
  known_.insert(name);
  if (!weights_.contains(name)) return;
  if (at::equal(value(name, parameter), parameter.tensor)) return;
  refuse_adapter(file_, "the adapter brings other values of an embedding than its base has", "tensor " + name,
                 "use the base that it was trained on");
}

at::Tensor AdapterValues::value(const std::string& name, const Parameter& parameter) const {
  const std::vector<std::int64_t>& shape = weights_.info(name).shape;
  if (shape != parameter.shape) {
    refuse_adapter(file_,
                   concat("the tensor has shape ", shape_text(shape), ", ", kConfig, " and the base make it ",
                          shape_text(parameter.shape)),
                   "tensor " + name, "adapter, configuration and base do not belong together");
  }
  const at::Tensor value = weights_.tensor(name);
  if (!at::isFloatingType(value.scalar_type())) {
    refuse_adapter(file_, "found whole numbers, expected floating-point numbers", "tensor " + name,
                   "save the adapter again");
  }
  if (const std::int64_t bad = tensor::non_finite_count(value); bad > 0) {
    refuse_adapter(file_, concat("the tensor has ", bad, " non-finite values (NaN or infinity)"), "tensor " + name,
                   "its training diverged: use another adapter");
  }
  return value.to(parameter.kind == models::ParameterKind::adapter ? at::kFloat : loaded_.dtype);
}

void AdapterValues::refuse_unexpected() const {
  std::vector<std::string> unexpected;
  for (const std::string& name : weights_.names()) {
    if (!known_.contains(name)) unexpected.push_back(name);
  }
  if (unexpected.empty()) return;
  refuse_adapter(
      file_,
      concat("the adapter has ", unexpected.size(), " tensors that the model has no place for: ", listed(unexpected)),
      "", "adapter, configuration and base do not belong together");
}

}  // namespace attune::adapt
