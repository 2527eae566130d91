// The configuration written out: all of it, what it must say, what decides the weights, and what differs.
#include <algorithm>
#include <set>

#include "attune/base/sha256.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/config/prompt_set.h"
#include "option.h"
#include "rules.h"

namespace attune::config {

namespace {

/// The object at a dotted path, made where it is missing.
Json& object_at(Json& root, const std::string& path) {
  Json* object = &root;
  if (!path.empty()) {
    for (const auto& key : split(path, '.')) {
      object = &(*object)[key];
      if (object->is_null()) *object = Json::object();
    }
  }
  return *object;
}

/// The value at a dotted path; null where nothing is there.
Json value_at(const Json& root, const std::string& path) {
  const Json* value = &root;
  for (const auto& key : split(path, '.')) {
    if (!value->is_object() || !value->contains(key)) return nullptr;
    value = &(*value)[key];
  }
  return *value;
}

bool is_absent(const Option& option) {
  return option.is_block && option.field.present != nullptr && !*option.field.present;
}

/// Calls `visit(option)` for all options and blocks, those inside a block that is null left out.
template <class Visit>
void for_each_present(const std::vector<Option>& table, const Visit& visit) {
  std::string absent;
  for (const Option& option : table) {
    if (!absent.empty() && option.block == absent) continue;
    if (is_absent(option)) absent = option.path;
    visit(option);
  }
}

/// The options as they would be if of all keys with a derived default only `given` had been given.
job::RunOptions rederived(job::RunOptions options, const std::set<std::string>& given) {
  job::RunOptions defaults;
  const std::vector<Option> table = option_table(options), default_table = option_table(defaults);
  for (const auto& key : derived_keys()) {
    if (given.count(key) == 0) find_option(table, key)->read(find_option(default_table, key)->write());
  }
  derive_defaults(options, given);
  return options;
}

/// The keys with a derived default that must be said: without them other values would be derived.
std::set<std::string> keys_to_say(const job::RunOptions& options) {
  const Json wanted = effective(options);
  std::vector<std::string> keys = derived_keys();
  std::set<std::string> needed(keys.begin(), keys.end());
  std::reverse(keys.begin(), keys.end());  // what is derived later is left out first
  for (const auto& key : keys) {
    needed.erase(key);
    if (effective(rederived(options, needed)) != wanted) needed.insert(key);
  }
  return needed;
}

template <class Options>
Json dump_of(Options copy) {
  Json dump = Json::object();
  for_each_present(option_table(copy), [&](const Option& option) {
    if (!option.is_block) object_at(dump, option.block)[option.key()] = option.write();
    if (is_absent(option)) object_at(dump, option.block)[option.key()] = nullptr;
  });
  return dump;
}

bool decides_weights(const Option& option) {
  return option.field.part_of_job;
}

}  // namespace

Json effective(const job::RunOptions& options) {
  return dump_of(options);
}

Json effective(const prompt::PromptSet& set) {
  return dump_of(set);
}

Json minimal(const job::RunOptions& options) {
  job::RunOptions copy = options, defaults;
  const std::vector<Option> table = option_table(copy), default_table = option_table(defaults);
  const std::vector<std::string> derived = derived_keys();
  const std::set<std::string> needed = keys_to_say(options);
  Json dump = Json::object();
  for_each_present(table, [&](const Option& option) {
    if (option.is_block) {
      const bool may_be_null = option.field.present != nullptr;
      if (may_be_null && !is_absent(option)) object_at(dump, option.path);
      return;
    }
    const bool is_derived = std::find(derived.begin(), derived.end(), option.path) != derived.end();
    const bool say =
        is_derived ? needed.count(option.path) > 0 : option.write() != find_option(default_table, option.path)->write();
    if (say) object_at(dump, option.block)[option.key()] = option.write();
  });
  return dump;
}

Json decisive(const job::RunOptions& options) {
  job::RunOptions copy = options;
  Json job = Json::object();
  for_each_present(option_table(copy), [&](const Option& option) {
    if (option.is_block && !is_absent(option)) return;
    if (decides_weights(option)) job[option.path] = option.is_block ? Json(nullptr) : option.write();
  });
  return job;
}

std::string fingerprint(const job::RunOptions& options) { return sha256_hex(decisive(options).dump()); }

std::vector<Difference> differences(const Json& before, const Json& after) {
  job::RunOptions options;
  std::vector<Difference> differences;
  for (const Option& option : option_table(options)) {
    if (option.is_block || !decides_weights(option)) continue;
    const Json old_value = value_at(before, option.path), new_value = value_at(after, option.path);
    if (old_value != new_value) differences.push_back({option.path, old_value.dump(), new_value.dump()});
  }
  return differences;
}

}  // namespace attune::config
