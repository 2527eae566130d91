// See checkpoint_names.h.
#include "checkpoint_names.h"

#include <charconv>
#include <optional>
#include <set>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::models {

namespace {

struct Spelling {
  std::string_view old_ending, ending;
};
constexpr Spelling kNormSpellings[] = {{"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}};

/// Buffers that older versions of the reference saved and that are computed, not learnt.
bool is_computed_buffer(std::string_view name) {
  return name.ends_with("embeddings.position_ids") || name.ends_with("embeddings.token_type_ids");
}

std::string replace_ending(const std::string& name, std::string_view from, std::string_view to) {
  return name.substr(0, name.size() - from.size()).append(to);
}

std::string new_norm_name(const std::string& name) {
  for (const auto& [old_ending, ending] : kNormSpellings) {
    if (name.ends_with(old_ending)) return replace_ending(name, old_ending, ending);
  }
  return name;
}

/// The index in "<layers path>.<index>.…"; such a name has no other digits before it.
std::optional<std::int64_t> layer_index(const std::string& name, std::string_view layers_path) {
  const std::string mark = concat(layers_path, ".");
  const std::size_t at = name.find(mark);
  if (at == std::string::npos || (at > 0 && name[at - 1] != '.')) return std::nullopt;
  const char* digits = name.data() + at + mark.size();
  std::int64_t index = 0;
  const auto [end, problem] = std::from_chars(digits, name.data() + name.size(), index);
  if (problem == std::errc::result_out_of_range) return INT64_MAX;
  return problem == std::errc() && end != digits ? std::optional(index) : std::nullopt;
}

void check_layer(const std::string& name, const Family& family, std::int64_t layers, const std::string& folder) {
  const auto index = layer_index(name, family.layers_path);
  if (!index || (*index >= 0 && *index < layers)) return;
  throw Error(ErrorKind::model, {.file = folder,
                                 .what = concat("the weights have a layer beyond the ", layers, " of config.json"),
                                 .where = "tensor " + name,
                                 .hint = concat("set ", family.keys.num_hidden_layers,
                                                " to the number of layers in the "
                                                "weight file, or take the config.json that belongs to it")});
}

std::set<std::string> wanted_names(const std::vector<Parameter>& parameters) {
  std::set<std::string> names;
  for (const Parameter& parameter : parameters) {
    names.insert(parameter.name);
    names.insert(parameter.aliases.begin(), parameter.aliases.end());
  }
  return names;
}

/// The wanted name that `name` stands for: itself, with the prefix added, or with the prefix taken away.
std::optional<std::string> find_wanted(const std::string& name, const std::set<std::string>& wanted,
                                       std::string_view prefix) {
  const std::string dotted = concat(prefix, ".");
  if (wanted.contains(name)) return name;
  if (wanted.contains(dotted + name)) return dotted + name;
  if (name.starts_with(dotted) && wanted.contains(name.substr(dotted.size()))) return name.substr(dotted.size());
  return std::nullopt;
}

}  // namespace

std::string old_norm_name(const std::string& name) {
  for (const auto& [old_ending, ending] : kNormSpellings) {
    if (name.ends_with(ending)) return replace_ending(name, ending, old_ending);
  }
  return name;
}

NameMatch match_names(const std::vector<std::string>& in_file, const std::vector<Parameter>& parameters,
                      const Family& family, std::int64_t layers, const std::string& folder) {
  const std::set<std::string> wanted = wanted_names(parameters);
  NameMatch match;
  for (const std::string& file_name : in_file) {
    check_layer(file_name, family, layers, folder);
    const std::string name = new_norm_name(file_name);
    if (name != file_name) match.old_norm_names = true;
    if (is_computed_buffer(name)) continue;
    const auto found = find_wanted(name, wanted, family.prefix);
    if (!found) {
      match.unused.push_back(file_name);
      continue;
    }
    const auto [place, is_new] = match.file_name_of.emplace(*found, file_name);
    if (!is_new) {
      throw Error(ErrorKind::model, {.file = folder,
                                     .what = concat("the tensors '", place->second, "' and '", file_name,
                                                    "' both stand for one parameter"),
                                     .where = "parameter " + *found,
                                     .hint = "remove one of them from the file"});
    }
  }
  return match;
}

}  // namespace attune::models
