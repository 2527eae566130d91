// Adapters: what of a frozen model changes, and by what. LoRA (Hu et al. 2021) with rsLoRA and DoRA, and IA3 (Liu et
// al. 2022) change layers; prompt tuning, p-tuning and prefix tuning put virtual tokens in front of every text
// (models/virtual_tokens.h). Follows peft 0.21: what a configuration means there it means here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/adapt/options.h"
#include "attune/files/adapter_config.h"
#include "attune/models/model.h"

namespace attune::adapt {

/// What an adapter is to be, or where there is one to go on from.
struct AdapterOptions {
  files::AdapterSettings settings;
  std::string adapter;  ///< its folder; "" = a new one
};

/// Of the block that belongs to the method; nothing where the method trains no adapter.
std::optional<AdapterOptions> adapter_options(const TuningOptions& tuning);

/// "tuning.lora", …: the block whose settings these are.
std::string block_of_settings(const files::AdapterSettings& settings);

/// One layer that changes.
struct ChangedLayer {
  std::size_t layer = 0;      ///< index into model.adaptable_layers()
  std::int64_t rank = 0;      ///< LoRA
  double scale = 0;           ///< LoRA
  bool scales_input = false;  ///< IA3
};

/// What an adapter does to one model.
struct AdapterPlan {
  files::AdapterSettings settings;    ///< with every name and size that stands by default or by a word written out
  std::vector<ChangedLayer> targets;  ///< LoRA, IA3

  /// Whether the module at `path`, or one that it lies in, trains as it is.
  bool saves(const std::string& path) const;
};

/// Whether names that fit no layer are errors: in what a user writes they are, in another tool's file only a plan that
/// changes nothing is.
enum class Names { all_must_fit, some_may_not };

/// Error{usage}, naming the key: no default targets for the model type, a name or pattern that fits nothing (with the
/// nearest names), patterns that contradict each other, a tensor shared by a module that trains and one that does not,
/// a layer that the kind cannot change, virtual tokens that the model or PEFT cannot take. A head that PEFT's task type
/// saves, and modules whose tensors the checkpoint lacked, are added to modules_to_save.
AdapterPlan plan_adapter(const models::LoadedModel& loaded, const files::AdapterSettings& settings,
                         Names names = Names::all_must_fit);

/// Puts the adapter on the model: its parameters at their initial values, pure in (seed, names), and a mark at what
/// else trains (Parameter::with_adapter). Under LoRA, and IA3 as it usually starts, the model computes what it did
/// before. Error{usage, model}: a text to start from that gives no tokens, no tokenizer for it.
void attach_adapter(models::LoadedModel& loaded, const AdapterPlan& plan, std::uint64_t seed);

/// Paths of the layers that change although another layer shares their weight, such as tied embeddings. An adapter may
/// do so; it cannot be merged, because the other layer would change too.
std::vector<std::string> shared_targets(const models::Model& model);

/// Error{usage} for virtual tokens, which no weight can stand for; Error{model} for changed weights that share their
/// storage with another layer.
void check_mergeable(const models::LoadedModel& loaded);

/// Puts the changes into the weights, in float32, and takes the adapter off. What check_mergeable refuses is refused
/// here too.
void merge_adapter(models::LoadedModel& loaded);

/// "SEQ_CLS", "TOKEN_CLS", …; "" for tasks that PEFT has no type for.
std::string peft_task_type(models::Task task);

}  // namespace attune::adapt
