// Registers a network under Transformers' dotted parameter names and records the one parameter list that loading,
// freezing, optimising and saving share. LibTorch refuses dots in names, so a dotted path becomes a chain of empty
// container modules.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/models/model.h"
#include "layers.h"

namespace torch::nn {
class Module;
}

namespace attune::models {

/// Of a linear layer.
struct LinearForm {
  bool bias = true;
  bool conv1d = false;
  double initial_factor = 1.0;     ///< of its weight (Parameter)
  LayerReads reads = {};
  std::string_view in_files = {};  ///< its path in weight files, where that is another one
};

/// What a network registers: its tensors, and its layers that an adapter can change.
struct Registry {
  std::vector<Parameter> parameters;
  std::vector<AdaptableLayer> layers;
};

/// A place in the module tree, and what is true of everything registered from it.
/// Parameters are created empty (no shape, no memory) and get their data from set_data; the list holds the wanted
/// shape.
class Scope {
 public:
  Scope(torch::nn::Module& root, Registry& registry)
      : root_(&root), list_(&registry.parameters), layers_(&registry.layers) {}

  Scope at(std::string_view path) const;  ///< below `path`, which may be ""
  Scope stage(int stage) const;           ///< read by this stage (default 0)
  Scope head() const;                     ///< part of the task head

  at::Tensor parameter(std::string_view name, std::vector<std::int64_t> shape, ParameterKind kind) const;
  Embedding embedding(std::string_view path, std::int64_t rows, std::int64_t features,
                      std::optional<std::int64_t> padding_row = std::nullopt) const;
  /// The table of the tokens, by their ids.
  Embedding token_embedding(std::string_view path, std::int64_t rows, std::int64_t features,
                            std::optional<std::int64_t> padding_row = std::nullopt) const;
  Linear linear(std::string_view path, std::int64_t out, std::int64_t in, const LinearForm& form = {}) const;
  Norm norm(std::string_view path, std::int64_t size) const;
  /// Its weight starts as `initial`.
  Norm rms_norm(std::string_view path, std::int64_t size, double initial = 1.0) const;

  /// The handle of the bfloat16 copy of a registered parameter, for a product that reads it (Parameter::rounded).
  at::Tensor rounded(const at::Tensor& of) const;

  /// Registers `name` as a further name of the parameter `of`, which this scope's stage then reads too.
  void tie(std::string_view name, const at::Tensor& of) const;

 private:
  void register_tensor(const std::string& full_name, const at::Tensor& tensor, bool requires_grad) const;
  std::string full(std::string_view name) const;
  Parameter& registered(const at::Tensor& tensor) const;
  /// The place of an adapter in the layer at this scope.
  std::shared_ptr<const LayerChange> adaptable(const at::Tensor& weight, LayerKind kind, std::int64_t in,
                                           std::int64_t out) const;

  torch::nn::Module* root_;
  std::vector<Parameter>* list_;
  std::vector<AdaptableLayer>* layers_;
  std::string path_;
  int stage_ = 0;
  bool is_head_ = false;
};

}  // namespace attune::models
