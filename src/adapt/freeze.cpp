// See freeze.h. Encoder layer i is stage i + 1 of the model.
#include "attune/adapt/freeze.h"

#include <fnmatch.h>

#include <algorithm>
#include <optional>
#include <set>

#include "attune/adapt/adapter.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::Parameter;
using models::ParameterKind;

[[noreturn]] void refuse_freeze(const std::string& what, const std::string& key, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = key, .hint = hint});
}

int layer_number(const std::string& text, int depth) {
  const bool digits = !text.empty() && text.size() <= 4 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits)
    refuse_freeze(concat("'", text, "' is no layer"), "tuning.freeze.layers", "write \"0-3\", \"0,2,4-5\" or \"all\"");
  const int layer = std::stoi(text);
  if (layer >= depth) {
    refuse_freeze(concat("layer ", layer, " does not exist, the model has ", depth, " layers"), "tuning.freeze.layers",
           concat("layers are counted from 0 to ", depth - 1));
  }
  return layer;
}

std::set<int> frozen_layers(const FreezeOptions& options, int depth) {
  std::set<int> layers;
  const auto add = [&](int first, int last) {
    for (int layer = first; layer <= last; ++layer) layers.insert(layer);
  };
  if (options.trainable_layers) {
    if (!options.layers.empty()) {
      refuse_freeze("'layers' and 'trainable_layers' are both given", "tuning.freeze", "give one of them");
    }
    if (*options.trainable_layers > depth) {
      refuse_freeze(concat(*options.trainable_layers, " layers cannot train, the model has ", depth),
             "tuning.freeze.trainable_layers", concat("at most ", depth));
    }
    add(0, depth - 1 - static_cast<int>(*options.trainable_layers));
    return layers;
  }
  if (options.layers == "all") {
    add(0, depth - 1);
    return layers;
  }
  if (options.layers.empty()) return layers;
  for (const std::string& part : split(options.layers, ',')) {
    const std::vector<std::string> ends = split(std::string(trim(part)), '-');
    if (ends.size() > 2) refuse_freeze(concat("'", part, "' is no range of layers"), "tuning.freeze.layers", "write \"0-3\"");
    const int first = layer_number(ends.front(), depth), last = layer_number(ends.back(), depth);
    if (last < first) refuse_freeze(concat("range '", part, "' runs backwards"), "tuning.freeze.layers", "write it forwards");
    add(first, last);
  }
  return layers;
}

void freeze_stages(const std::vector<Parameter>& parameters, const std::set<int>& stages,
                   std::vector<bool>& trainable) {
  const auto is_frozen = [&](int stage) { return stages.contains(stage); };
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    if (std::none_of(parameter.stages.begin(), parameter.stages.end(), is_frozen)) continue;
    // A matrix that the embeddings share with the head freezes with the embeddings: it is one tensor.
    const bool with_embeddings = is_frozen(0) && parameter.stages.front() == 0;
    if (!with_embeddings && !std::all_of(parameter.stages.begin(), parameter.stages.end(), is_frozen)) {
      refuse_freeze(concat("'", parameter.name, "' is shared by layers that are frozen and layers that are not"),
             "tuning.freeze.layers", "freeze all layers that share it, or none");
    }
    trainable[i] = false;
  }
}

bool matches(const std::string& pattern, const Parameter& parameter) {
  const auto match = [&](const std::string& name) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; };
  return match(parameter.name) || std::any_of(parameter.aliases.begin(), parameter.aliases.end(), match);
}

void freeze_pattern(const std::vector<Parameter>& parameters, const std::string& pattern,
                    std::vector<bool>& trainable) {
  bool found = false;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!matches(pattern, parameters[i])) continue;
    found = true;
    trainable[i] = false;
  }
  if (found) return;
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters) names.push_back(parameter.name);
  const std::string nearest = nearest_name(pattern, names);
  refuse_freeze(concat("pattern '", pattern, "' matches no parameter"), "tuning.freeze.patterns",
         nearest.empty()
             ? concat("names look like '", names.empty() ? "" : names.front(), "'; '*' stands for any characters")
             : concat("did you mean '", nearest, "'?"));
}

void apply_freeze(const std::vector<Parameter>& parameters, int depth, const FreezeOptions& options,
                  std::vector<bool>& trainable) {
  const std::vector<bool> before = trainable;
  const std::set<int> layers = frozen_layers(options, depth);
  std::set<int> stages;
  for (const int layer : layers) stages.insert(layer + 1);
  if (options.embeddings.value_or(!layers.empty())) stages.insert(0);
  freeze_stages(parameters, stages, trainable);
  for (const std::string& pattern : options.patterns) freeze_pattern(parameters, pattern, trainable);
  if (trainable == before) {
    refuse_freeze("method 'freeze' freezes nothing", "tuning.freeze",
           "name layers, embeddings or patterns, or use method 'full'");
  }
}

}  // namespace

std::vector<bool> trainable_parameters(models::Model& model, const TuningOptions& options) {
  const std::vector<Parameter>& parameters = model.parameters();
  const bool has_adapter = adapter_options(options).has_value();
  std::vector<bool> trainable;
  for (const Parameter& parameter : parameters) {
    const bool chosen = options.method == "head"          ? parameter.is_head
                        : has_adapter                     ? parameter.with_adapter
                        : options.method == "contrastive" ? !parameter.is_head  // a pooler, which no vector reads
                                                          : options.method != "prototype";
    trainable.push_back(chosen && parameter.kind != ParameterKind::buffer);
  }
  if (options.method == "freeze") {
    apply_freeze(parameters, model.depth(), options.freeze, trainable);
  } else if (options.method != "full" && options.method != "head" && !has_adapter && !has_vector_head(options)) {
    refuse_freeze(concat("unknown method '", options.method, "'"), "tuning.method",
                  "one of full, head, freeze, lora, ia3, prompt_tuning, p_tuning, prefix_tuning, contrastive, prototype");
  }
  if (options.method != "prototype" && std::count(trainable.begin(), trainable.end(), true) == 0) {
    refuse_freeze("nothing is left to train", "tuning", "freeze less");
  }
  return trainable;
}

}  // namespace attune::adapt
