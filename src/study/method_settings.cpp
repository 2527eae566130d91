// The methods of a comparison as the configuration names them: each with its candidates' configurations. See
// attune/study/method.h.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/config/prompt_set.h"
#include "attune/files/storage.h"
#include "attune/job/execution.h"
#include "attune/prompt/wordings.h"
#include "attune/study/method.h"
#include "job/base_hashes.h"
#include "method_kinds.h"

namespace attune::study {

namespace {

constexpr std::size_t kFewestSeeds = 3;
constexpr const char* kAsConfigured = "as configured";

/// Where something is wrong.
struct MethodPlace {
  const MethodSource& source;
  const job::MethodOptions& method;

  [[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& hint) const {
    throw Error(
        ErrorKind::usage,
        {.file = source.config, .what = concat("method '", method.name, "': ", what), .where = where, .hint = hint});
  }
};

/// Methods answer the same rows under the same seeds, each in a folder of its own, and none sees the test rows before
/// it has chosen.
void check_method_key(const MethodPlace& place, const std::string& key) {
  for (const char* fixed : {"output_dir",
                            "overwrite_output_dir",
                            "resume_from_checkpoint",
                            "config_version",
                            "compare",
                            "learning_curve",
                            "seeds",
                            "seed",
                            "cost",
                            "cross_validation",
                            "prompting.split",
                            "training.prefix_cache_mib",
                            "data.train",
                            "data.validation",
                            "data.test",
                            "data.val_size",
                            "data.test_size",
                            "data.split",
                            "data.split_seed",
                            "data.subset",
                            "data.columns",
                            "data.labels",
                            "data.positive_label",
                            "data.on_bad_row"}) {
    if (key != fixed && !key.starts_with(concat(fixed, "."))) continue;
    place.refuse(concat("'", fixed, "' must be the same for all methods"), key, "set it in the configuration itself");
  }
}

/// Every combination of the values of `vary`, the first key slowest, each as KEY=VALUE.
std::vector<std::vector<std::string>> varied_settings(const job::KeyChoices& vary) {
  std::vector<std::vector<std::string>> grid = {{}};
  for (const auto& [key, values] : vary.values) {
    std::vector<std::vector<std::string>> more;
    for (const auto& settings : grid) {
      for (const std::string& value : values) {
        more.push_back(settings);
        more.back().push_back(concat(key, "=", value));
      }
    }
    grid = std::move(more);
  }
  return grid;
}

job::RunOptions options_with(const MethodPlace& place, const std::string& text,
                             const std::vector<std::string>& settings) {
  std::vector<std::string> overrides = place.source.overrides;
  overrides.insert(overrides.end(), settings.begin(), settings.end());
  try {
    job::RunOptions options = config::parse(text, place.source.config, overrides, job::machine()).options;
    options.compare = {};
    options.learning_curve = {};
    return options;
  } catch (const config::ConfigError& error) {
    std::vector<config::Problem> problems = error.problems();
    for (config::Problem& problem : problems) {
      if (problem.file == "--set") problem.file = concat(place.source.config, ", method '", place.method.name, "'");
    }
    throw config::ConfigError(std::move(problems));
  }
}

/// The names of the wordings that are asked.
std::vector<std::string> wordings_of(const MethodPlace& place, const job::RunOptions& options) {
  if (options.prompting.prompts.empty()) {
    place.refuse("there is no prompt set", "prompting.prompts",
                 R"(name a file: "prompting": {"prompts": "prompts.json"})");
  }
  if (options.prompting.answer == "text") {
    place.refuse("methods are compared by the labels that rows get, and texts are asked for", "prompting.answer",
                 "set it to likelihood or generation");
  }
  const prompt::PromptSet set = config::load_prompt_set(options.prompting.prompts);
  std::vector<std::string> names;
  for (const prompt::Wording& wording : prompt::wordings(set, options.prompting.wordings)) names.push_back(wording.name);
  return names;
}

std::string candidate_name(const std::vector<std::string>& settings, const std::string& wording, bool names_wording) {
  std::vector<std::string> parts = settings;
  if (names_wording) parts.push_back(wording);
  return parts.empty() ? kAsConfigured : join(parts, ", ");
}

std::vector<MethodCandidate> candidates_of(const MethodPlace& place, const std::string& text) {
  const job::MethodOptions& method = place.method;
  std::vector<std::string> common;
  for (const auto& [key, value] : method.set.values) {
    check_method_key(place, key);
    common.push_back(concat(key, "=", value));
  }
  for (const auto& [key, values] : method.vary.values) {
    check_method_key(place, key);
    if (std::ranges::find(method.set.values, key, &std::pair<std::string, std::string>::first) ==
        method.set.values.end())
      continue;
    place.refuse(concat("'", key, "' is set and varied"), "vary", "keep one of the two");
  }
  const bool is_asked = method_kind(method.kind).is_asked;
  if (!method.wordings.empty() && !is_asked) {
    place.refuse(concat("a method of kind ", method.kind, " has no wordings"), "wordings", "remove them");
  }
  std::vector<MethodCandidate> candidates;
  for (const std::vector<std::string>& varied : varied_settings(method.vary)) {
    std::vector<std::string> settings = common;
    settings.insert(settings.end(), varied.begin(), varied.end());
    job::RunOptions options = options_with(place, text, settings);
    if (!method.wordings.empty()) options.prompting.wordings = method.wordings;
    if (!is_asked) {
      candidates.push_back({.name = candidate_name(varied, "", false), .options = options, .wording = ""});
      continue;
    }
    const std::vector<std::string> wordings = wordings_of(place, options);
    for (const std::string& wording : wordings) {
      candidates.push_back(
          {.name = candidate_name(varied, wording, wordings.size() > 1), .options = options, .wording = wording});
    }
  }
  return candidates;
}

/// All methods choose among equally many, at most.
void check_budget(const MethodPlace& place, double candidates, std::int64_t budget) {
  if (candidates <= static_cast<double>(budget)) return;
  place.refuse(concat(candidates, " candidates, and a method may choose among ", budget), "selection_budget",
               concat("vary less, name some of the `wordings`, or raise the budget for all methods to ", candidates));
}

/// Each method has a folder of its name, also where names of files ignore case.
void check_name(const MethodPlace& place, const std::vector<Method>& others) {
  const std::string& name = place.method.name;
  for (const Method& other : others) {
    if (other.name == name) place.refuse("two methods have this name", "methods", "give each a name of its own");
    if (to_lower_ascii(other.name) != to_lower_ascii(name)) continue;
    place.refuse(concat("its name differs from '", other.name,
                        "' in upper and lower case alone, and their folders would be one on many file systems"),
                 "methods", "give each a name of its own");
  }
}

Method method_of(const MethodPlace& place, const std::string& text, std::int64_t selection_budget) {
  double combinations = 1;
  for (const auto& [key, values] : place.method.vary.values) combinations *= static_cast<double>(values.size());
  check_budget(place, combinations, selection_budget);
  Method method{.name = place.method.name, .kind = place.method.kind, .candidates = candidates_of(place, text)};
  check_budget(place, static_cast<double>(method.candidates.size()), selection_budget);
  const auto has_chance = method_kind(method.kind).has_chance;
  method.has_chance = std::ranges::any_of(method.candidates, has_chance, &MethodCandidate::options);
  const std::size_t seeds = method.candidates.front().options.seeds.size();
  if (method.has_chance && seeds < kFewestSeeds) {
    place.refuse(concat("its answers depend on the seed, and ", counted(static_cast<std::int64_t>(seeds), "seed"),
                        " cannot show how much"),
                 "seeds", concat("give at least ", kFewestSeeds, ": \"seeds\": [1, 2, 3]"));
  }
  return method;
}

}  // namespace

std::vector<Method> read_methods(const MethodSource& source, const std::vector<job::MethodOptions>& methods,
                                 std::int64_t selection_budget) {
  if (methods.empty()) {
    throw Error(ErrorKind::usage, {.file = source.config,
                                   .what = "there are no methods to be compared",
                                   .where = "methods",
                                   .hint = R"(name some: {"name": "words", "kind": "words"})"});
  }
  const std::string text = files::read_file(source.config, ErrorKind::usage);
  std::vector<Method> read;
  for (const job::MethodOptions& method : methods) {
    const MethodPlace place{source, method};
    check_name(place, read);
    read.push_back(method_of(place, text, selection_budget));
  }
  return read;
}

files::Json identity_of(const std::vector<Method>& methods) {
  files::Json identity = {
      {"methods", files::Json::array()}, {"files", files::Json::object()}, {"bases", files::Json::object()}};
  const auto note_file = [&](const std::string& path, ErrorKind kind) {
    if (!identity["files"].contains(path)) identity["files"][path] = files::sha256_file(path, kind);
  };
  for (const Method& method : methods) {
    files::Json& told = identity["methods"].emplace_back();
    told = {{"name", method.name}, {"kind", method.kind}, {"candidates", files::Json::array()}};
    for (const MethodCandidate& candidate : method.candidates) {
      const job::RunOptions& options = candidate.options;
      const files::Json all = config::effective(options);
      told["candidates"].push_back({{"name", candidate.name},
                                    {"wording", candidate.wording},
                                    {"configuration", config::decisive(options)},
                                    {"prompting", all["prompting"]},
                                    {"generation", all["generation"]}});
      for (const auto* paths : {&options.data.train, &options.data.validation, &options.data.test, &options.data.unlabelled}) {
        for (const std::string& path : *paths) note_file(path, ErrorKind::data);
      }
      if (!options.data.prompts.empty()) note_file(options.data.prompts, ErrorKind::usage);
      if (method_kind(method.kind).is_asked) note_file(options.prompting.prompts, ErrorKind::usage);
      if (!method_kind(method.kind).has_model || identity["bases"].contains(options.model.path)) continue;
      identity["bases"][options.model.path] =
          job::BaseHashes(models::resolve_model_path(options.model.path), options.model.init != "random").get();
    }
  }
  return identity;
}

}  // namespace attune::study
