// LoRA (Hu et al. 2021) and its relatives rsLoRA and DoRA: which layers of a model change, and by what. Follows peft
// 0.21: what a configuration means there it means here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/adapt/options.h"
#include "attune/models/model.h"

namespace attune::adapt {

/// One layer that changes.
struct LoraTarget {
  std::size_t layer = 0;  ///< index into model.adaptable_layers()
  std::int64_t rank = 0;
  double scale = 0;
};

/// What LoRA does to one model.
struct LoraPlan {
  LoraOptions options;  ///< with every name that stands by default or by a word written out
  std::vector<LoraTarget> targets;

  /// Whether the module at `path`, or one that it lies in, trains as it is.
  bool saves(const std::string& path) const;
};

/// Whether names that fit no layer are errors: in what a user writes they are, in another tool's file only a plan that
/// changes nothing is.
enum class Names { all_must_fit, some_may_not };

/// Error{usage}, naming the key: no default targets for the model type, a name or pattern that fits nothing (with the
/// nearest names), patterns that contradict each other, a tensor shared by a module that trains and one that does not,
/// `use_dora` for embeddings. A head that PEFT's task type saves, and modules whose tensors the checkpoint lacked, are
/// added to modules_to_save.
LoraPlan plan_lora(const models::LoadedModel& loaded, const LoraOptions& options, Names names = Names::all_must_fit);

/// Adds A and B (and magnitudes) to the model's parameters, at their initial values, and marks what else trains
/// (Parameter::with_adapter). The model computes what it did before. Pure in (seed, names).
void attach_lora(models::LoadedModel& loaded, const LoraPlan& plan, std::uint64_t seed);

/// Paths of the layers that change although another layer shares their weight, such as tied embeddings. An adapter may
/// do so; it cannot be merged, because the other layer would change too.
std::vector<std::string> shared_targets(const models::Model& model);

/// Adds the changes to the weights, in float32, and takes the adapter off. Error{model} for weights that share their
/// storage with another layer.
void merge_lora(models::LoadedModel& loaded);

/// "SEQ_CLS", "TOKEN_CLS", …; "" for tasks that PEFT has no type for.
std::string peft_task_type(models::Task task);

/// The layers that PEFT changes by default; empty where it has none for the model type.
std::vector<std::string> default_target_modules(const std::string& model_type);

}  // namespace attune::adapt
