// See checkpoint_names.h.
#include "checkpoint_names.h"

#include <algorithm>
#include <charconv>
#include <iterator>
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

/// Buffers that older versions of the reference saved and that are computed, not learnt: positions, rotary frequencies,
/// causal masks.
bool is_computed_buffer(std::string_view name) {
  constexpr std::string_view kEndings[] = {
      "embeddings.position_ids", "embeddings.token_type_ids", "rotary_emb.inv_freq", "attn.bias", "attn.masked_bias",
      "attention.bias",          "attention.masked_bias"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return name.ends_with(ending); });
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

/// The wanted name that `name` stands for: itself, or with the body's prefix added, taken away or exchanged.
std::optional<std::string> find_wanted(const std::string& name, const std::set<std::string>& wanted,
                                       const Family& family, Task task) {
  if (wanted.contains(name)) return name;
  std::string bare = name;
  for (const std::string_view prefix : {family.prefix, family.question_prefix}) {
    const std::string dotted = concat(prefix, ".");
    if (!prefix.empty() && name.starts_with(dotted)) bare = name.substr(dotted.size());
  }
  const std::string_view prefix = body_prefix(family, task);
  const std::string full = prefix.empty() ? bare : concat(prefix, ".", bare);
  if (wanted.contains(full)) return full;
  return wanted.contains(bare) ? std::optional(bare) : std::nullopt;
}

/// The output layer of a causal LM under its name in memory.
std::string head_in_memory(const std::string& name, const Family& family) {
  const std::string in_files = concat(family.lm_head_in_files, ".");
  return name.starts_with(in_files) ? concat("lm_head.", name.substr(in_files.size())) : name;
}

}  // namespace

std::string old_norm_name(const std::string& name) {
  for (const auto& [old_ending, ending] : kNormSpellings) {
    if (name.ends_with(ending)) return replace_ending(name, ending, old_ending);
  }
  return name;
}

NameMatch match_names(const std::vector<std::string>& in_file, const std::vector<Parameter>& parameters,
                      const ModelSpec& spec, const std::string& folder) {
  const Family& family = family_of(spec);
  const std::set<std::string> wanted = wanted_names(parameters);
  NameMatch match;
  for (const std::string& file_name : in_file) {
    check_layer(file_name, family, spec.num_hidden_layers, folder);
    const std::string name = new_norm_name(file_name);
    if (name != file_name) match.old_norm_names = true;
    const auto found = find_wanted(head_in_memory(name, family), wanted, family, spec.task);
    if (!found) {
      if (!is_computed_buffer(name)) match.unused.push_back(file_name);
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
