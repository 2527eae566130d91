// What trains, for people. See freeze.h.
#include <algorithm>
#include <set>

#include "adapt/peft_names.h"
#include "attune/adapt/freeze.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::Parameter;

std::int64_t elements(const Parameter& parameter) {
  std::int64_t product = 1;
  for (const std::int64_t size : parameter.shape) product *= size;
  return product;
}

std::string layer_ranges(const std::set<int>& layers) {
  std::vector<std::string> parts;
  for (auto layer = layers.begin(); layer != layers.end();) {
    const int first = *layer;
    int last = first;
    while (++layer != layers.end() && *layer == last + 1) last = *layer;
    parts.push_back(first == last ? std::to_string(first) : concat(first, "–", last));
  }
  return concat("layer", layers.size() > 1 ? "s " : " ", join(parts, ", "));
}

/// "bert.pooler.dense.weight" → "pooler" where the base model is called "bert".
std::string part_of_head(const std::string& name, const std::string& base) {
  const std::vector<std::string> components = split(name, '.');
  return components.size() > 2 && components.front() == base ? components[1] : components.front();
}

std::string part_name(const Parameter& parameter, int stage, int depth, const std::string& base) {
  if (of_virtual_tokens(parameter)) return "virtual tokens";
  if (stage == 0) return "embeddings";
  return stage <= depth ? concat("layer ", stage - 1) : part_of_head(parameter.name, base);
}

}  // namespace

std::vector<TrainablePart> trainable_parts(const models::Model& model, const std::vector<bool>& trainable) {
  const std::vector<Parameter>& parameters = model.parameters();
  const std::string base = parameters.empty() ? "" : split(parameters.front().name, '.').front();
  std::vector<TrainablePart> parts;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    if (parameter.kind == models::ParameterKind::buffer) continue;
    const int stage = parameter.stages.empty() ? 0 : parameter.stages.front();
    const std::string name = part_name(parameter, stage, model.depth(), base);
    auto part =
        std::find_if(parts.begin(), parts.end(), [&](const TrainablePart& other) { return other.name == name; });
    if (part == parts.end()) {
      const bool is_layer = stage > 0 && stage <= model.depth() && !of_virtual_tokens(parameter);
      parts.push_back({.name = name, .layer = is_layer ? stage - 1 : -1});
      part = parts.end() - 1;
    }
    part->parameters += elements(parameter);
    if (trainable[i]) part->trained += elements(parameter);
  }
  return parts;
}

std::string describe_trainable(const std::vector<TrainablePart>& parts) {
  std::int64_t all = 0, trained = 0;
  std::set<int> whole, partly;
  std::vector<std::string> words, head;
  for (const TrainablePart& part : parts) {
    all += part.parameters;
    trained += part.trained;
    if (part.trained == 0) continue;
    if (part.layer >= 0) {
      (part.trained == part.parameters ? whole : partly).insert(part.layer);
    } else {
      (part.name == "embeddings" ? words : head).push_back(part.name);
    }
  }
  if (trained == 0) return concat("trains none of ", grouped(all), " parameters");
  if (!whole.empty()) words.push_back(layer_ranges(whole));
  if (!partly.empty()) words.push_back(concat("parts of ", layer_ranges(partly)));
  words.insert(words.end(), head.begin(), head.end());
  const std::string share =
      print_number("%.1f", all > 0 ? 100.0 * static_cast<double>(trained) / static_cast<double>(all) : 0.0);
  return concat("trains ", grouped(trained), " of ", grouped(all), " parameters (", share, " %): ", join(words, ", "));
}

}  // namespace attune::adapt
