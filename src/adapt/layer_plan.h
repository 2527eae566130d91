// Which layers an adapter changes: what planning LoRA and IA3 have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/adapt/adapter.h"

namespace attune::adapt {

/// One row of peft 0.21's tables of usual layers.
struct UsualLayers {
  const char* model_type;
  std::vector<std::string> layers;
};

/// The row's layers; none for a model type that the table lacks.
std::vector<std::string> usual_layers(const std::vector<UsualLayers>& table, const std::string& model_type);

class LayerPlanner {
 public:
  LayerPlanner(const models::LoadedModel& loaded, const files::AdapterSettings& settings, Names names);
  virtual ~LayerPlanner() = default;

  AdapterPlan plan();

 protected:
  using Layer = models::AdaptableLayer;

  /// The settings that name layers, in plan_.settings.
  struct Choice {
    files::NamesOrPattern& targets;
    files::NamesOrPattern& excluded;
    std::optional<bool>& fan_in_fan_out;
  };
  virtual Choice choice() = 0;
  virtual std::vector<std::string> usual_targets() const = 0;
  virtual ChangedLayer target(std::size_t index, const std::string& path) const = 0;
  /// What else stands by default.
  virtual void complete_settings() {}
  /// Rules of the kind: before layers are chosen, and afterwards.
  virtual void check_settings(bool /*all_linear*/) const {}
  virtual bool in_wanted_block(const std::string& /*path*/) const { return true; }
  virtual void check_targets() const = 0;
  /// The settings name the targets by their whole paths from now on.
  virtual void follow_whole_paths() {}

  const std::vector<Layer>& layers() const { return loaded_.model->adaptable_layers(); }
  const Layer& layer_of(const ChangedLayer& target) const { return layers()[target.layer]; }
  const models::ModelSpec& spec() const { return loaded_.model->spec(); }
  bool all_must_fit() const { return names_ == Names::all_must_fit; }
  [[noreturn]] void refuse(const std::string& key, const std::string& what, const std::string& hint) const;
  std::string key_of(const std::string& option) const;
  std::string layer_hint(const std::string& name) const;
  /// As in ["query"].
  std::string example_names() const;

  AdapterPlan plan_;

 private:
  void choose(bool all_linear);
  void check_names();
  void write_out();
  void settle_orientation();
  std::vector<std::string> leaf_names() const;

  const models::LoadedModel& loaded_;
  Names names_;
};

}  // namespace attune::adapt
