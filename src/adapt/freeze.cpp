// See freeze.h. Encoder layer i is stage i + 1 of the model.
#include "attune/adapt/freeze.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::Parameter;
using models::ParameterKind;

[[noreturn]] void refuse(const std::string& what, const std::string& key, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = key, .hint = hint});
}

int layer_number(const std::string& text, int depth) {
  const bool digits = !text.empty() && text.size() <= 4 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits)
    refuse(concat("'", text, "' is no layer"), "tuning.freeze.layers", "write \"0-3\", \"0,2,4-5\" or \"all\"");
  const int layer = std::stoi(text);
  if (layer >= depth) {
    refuse(concat("layer ", layer, " does not exist, the model has ", depth, " layers"), "tuning.freeze.layers",
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
      refuse("'layers' and 'trainable_layers' are both given", "tuning.freeze", "give one of them");
    }
    if (*options.trainable_layers > depth) {
      refuse(concat(*options.trainable_layers, " layers cannot train, the model has ", depth),
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
    if (ends.size() > 2) refuse(concat("'", part, "' is no range of layers"), "tuning.freeze.layers", "write \"0-3\"");
    const int first = layer_number(ends.front(), depth), last = layer_number(ends.back(), depth);
    if (last < first) refuse(concat("range '", part, "' runs backwards"), "tuning.freeze.layers", "write it forwards");
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
      refuse(concat("'", parameter.name, "' is shared by layers that are frozen and layers that are not"),
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
  refuse(concat("pattern '", pattern, "' matches no parameter"), "tuning.freeze.patterns",
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
    refuse("method 'freeze' freezes nothing", "tuning.freeze",
           "name layers, embeddings or patterns, or use method 'full'");
  }
}

std::int64_t elements(const Parameter& parameter) {
  std::int64_t product = 1;
  for (const std::int64_t size : parameter.shape) product *= size;
  return product;
}

/// 1234567 → "1,234,567".
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto i = static_cast<std::int64_t>(digits.size()) - 3; i > 0; i -= 3) digits.insert(i, ",");
  return digits;
}

std::string layer_ranges(const std::set<int>& layers) {
  std::vector<std::string> parts;
  for (auto layer = layers.begin(); layer != layers.end();) {
    const int first = *layer;
    int last = first;
    while (++layer != layers.end() && *layer == last + 1) last = *layer;
    parts.push_back(first == last ? std::to_string(first) : concat(first, "–", last));
  }
  return concat("encoder layer", layers.size() > 1 ? "s " : " ", join(parts, ", "));
}

/// "bert.pooler.dense.weight" → "pooler" where the base model is called "bert".
std::string part_of_head(const std::string& name, const std::string& base) {
  const std::vector<std::string> components = split(name, '.');
  return components.size() > 2 && components.front() == base ? components[1] : components.front();
}

}  // namespace

std::vector<bool> trainable_parameters(models::Model& model, const TuningOptions& options) {
  const std::vector<Parameter>& parameters = model.parameters();
  std::vector<bool> trainable;
  for (const Parameter& parameter : parameters) {
    trainable.push_back(parameter.kind != ParameterKind::buffer && (options.method != "head" || parameter.is_head));
  }
  if (options.method == "freeze") {
    apply_freeze(parameters, model.depth(), options.freeze, trainable);
  } else if (options.method != "full" && options.method != "head") {
    refuse(concat("unknown method '", options.method, "'"), "tuning.method", "one of full, head, freeze");
  }
  if (std::count(trainable.begin(), trainable.end(), true) == 0) {
    refuse("nothing is left to train", "tuning", "freeze less");
  }
  return trainable;
}

std::string describe_trainable(models::Model& model, const std::vector<bool>& trainable) {
  const std::vector<Parameter>& parameters = model.parameters();
  const std::string base = parameters.empty() ? "" : split(parameters.front().name, '.').front();
  std::int64_t all = 0, trained = 0;
  bool embeddings = false;
  std::set<int> whole, partly, frozen;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    if (parameter.kind == ParameterKind::buffer) continue;
    all += elements(parameter);
    const int stage = parameter.stages.empty() ? 0 : parameter.stages.front();
    if (stage > 0 && stage <= model.depth()) (trainable[i] ? whole : frozen).insert(stage - 1);
    if (!trainable[i]) continue;
    trained += elements(parameter);
    if (stage == 0) embeddings = true;
    if (stage <= model.depth()) continue;
    const std::string part = part_of_head(parameter.name, base);
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
  }
  std::set_intersection(whole.begin(), whole.end(), frozen.begin(), frozen.end(), std::inserter(partly, partly.end()));
  for (const int layer : partly) whole.erase(layer);
  if (!partly.empty()) parts.insert(parts.begin(), concat("parts of ", layer_ranges(partly)));
  if (!whole.empty()) parts.insert(parts.begin(), layer_ranges(whole));
  if (embeddings) parts.insert(parts.begin(), "embeddings");
  char share[16];
  std::snprintf(share, sizeof share, "%.1f",
                all > 0 ? 100.0 * static_cast<double>(trained) / static_cast<double>(all) : 0.0);
  return concat("trains ", grouped(trained), " of ", grouped(all), " parameters (", share, " %): ", join(parts, ", "));
}

}  // namespace attune::adapt
