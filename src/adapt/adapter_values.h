// The tensors of one of an adapter's files, for a model whose adapter is attached.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <set>
#include <string>

#include "attune/models/model.h"
#include "attune/tensor/weights.h"

namespace attune::adapt {

class AdapterValues {
 public:
  /// Error{model} where the file is not there. `loaded` must outlive the object.
  AdapterValues(models::LoadedModel& loaded, const std::string& folder, const char* file);

  /// A tensor of this name may be there, and nothing needs it.
  void let_through(const std::string& name) { known_.insert(name); }
  /// PEFT writes the base's own values beside the change of an embedding. Error{model} for others.
  void check_embedding(const models::Parameter& parameter);
  /// Gives every parameter of the adapter that `wanted` says yes to its values. Error{model}: tensors that are missing,
  /// unexpected, misshapen or not finite.
  void fill(const std::function<bool(const models::Parameter&)>& wanted);

 private:
  at::Tensor value(const std::string& name, const models::Parameter& parameter) const;
  void refuse_unexpected() const;

  models::LoadedModel& loaded_;
  models::Model& model_;
  std::string file_;
  tensor::Weights weights_;
  std::set<std::string> known_;
};

}  // namespace attune::adapt
