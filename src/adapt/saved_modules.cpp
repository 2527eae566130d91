// See saved_modules.h.
#include "adapt/saved_modules.h"

#include <algorithm>
#include <set>

#include "adapt/layer_names.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::Parameter;

/// The heads that PEFT's classes for a task save.
std::vector<std::string> heads_saved(models::Task task) {
  switch (task) {
    case models::Task::sequence_classification:
    case models::Task::token_classification:
      return {"classifier", "score"};
    case models::Task::question_answering:
      return {"qa_outputs"};
    default:
      return {};
  }
}

std::string nearest_module_hint(const std::string& name, const std::vector<std::string>& paths) {
  std::set<std::string> leaves(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    for (const std::string& component : split(path, '.')) leaves.insert(component);
  }
  const std::vector<std::string> all(leaves.begin(), leaves.end());
  const std::string nearest = nearest_name(name, all);
  return nearest.empty() ? concat("modules look like '", all.empty() ? "" : all.back(), "'")
                         : concat("did you mean '", nearest, "'?");
}

void check_saved_names(const AdapterPlan& plan, const std::vector<Parameter>& parameters) {
  for (const std::string& name : files::modules_to_save(plan.settings)) {
    AdapterPlan alone;
    files::modules_to_save(alone.settings) = {name};
    const auto is_saved = [&](const Parameter& parameter) { return alone.saves(module_of(parameter.name)); };
    if (std::any_of(parameters.begin(), parameters.end(), is_saved)) continue;
    std::vector<std::string> modules;
    for (const Parameter& parameter : parameters) modules.push_back(module_of(parameter.name));
    refuse_setting(plan.settings, "modules_to_save", concat("no module of the model is called '", name, "'"),
                   nearest_module_hint(name, modules));
  }
}

}  // namespace

void refuse_setting(const files::AdapterSettings& settings, const std::string& key, const std::string& what,
                    const std::string& hint) {
  throw Error(ErrorKind::usage,
              {.file = "", .what = what, .where = concat(block_of_settings(settings), ".", key), .hint = hint});
}

void complete_saved_modules(AdapterPlan& plan, const models::LoadedModel& loaded, Names names) {
  const models::Model& model = *loaded.model;
  if (names == Names::all_must_fit) check_saved_names(plan, model.parameters());
  std::vector<std::string>& saved = files::modules_to_save(plan.settings);
  const auto add = [&](const std::string& name) {
    if (std::find(saved.begin(), saved.end(), name) == saved.end()) saved.push_back(name);
  };
  for (const std::string& head : heads_saved(model.spec().task)) add(head);
  // What the checkpoint lacked started as noise that nobody else can have: without it the adapter is worth nothing.
  for (const std::string& tensor : loaded.report.newly_initialised) {
    const bool exists = std::any_of(model.parameters().begin(), model.parameters().end(), [&](const Parameter& p) {
      return p.name == tensor && p.kind != models::ParameterKind::buffer;
    });
    if (exists && !plan.saves(module_of(tensor))) add(module_of(tensor));
  }
}

void check_saved_modules(const AdapterPlan& plan, const models::Model& model) {
  for (const Parameter& parameter : model.parameters()) {
    if (parameter.aliases.empty() || !plan.saves(module_of(parameter.name))) continue;
    refuse_setting(plan.settings, "modules_to_save",
                   concat("'", parameter.name, "' is shared with '", parameter.aliases.front(), "'"),
                   "PEFT would train a copy of one of the two; use method \"full\" or leave the module out");
  }
}

}  // namespace attune::adapt
