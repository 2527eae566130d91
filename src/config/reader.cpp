// See reader.h.
#include "reader.h"

#include <algorithm>
#include <utility>

#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "foreign.h"

namespace attune::config {

namespace {

constexpr const char* kFlatBlock =
    "training";  // Transformers' TrainingArguments are flat: their keys are taken at top level too

/// A value as a message shows it: short, and an object or list by its kind.
std::string found_words(const Json& value) {
  constexpr std::size_t kLongest = 60;
  if (value.is_object()) return value.empty() ? "an empty object" : "an object";
  if (value.is_array() && value.empty()) return "an empty list";
  if (value == "") return "an empty text";
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() <= kLongest) return text;
  if (value.is_array()) return "a list";
  std::size_t end = kLongest;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // never inside a character
  return text.substr(0, end) + "…";
}

/// "a.b" and 1 → {"a": {"b": 1}}: an override is a small file.
Json nested(const std::string& path, const Json& value) {
  const std::vector<std::string> keys = split(path, '.');
  Json object = value;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) object = Json::object({{*key, std::move(object)}});
  return object;
}

/// The text behind the "=" as JSON, or as text when it is none.
Json override_value(const std::string& text) {
  try {
    return files::parse_json(text, "--set", {.kind = ErrorKind::usage});
  } catch (const Error&) {
    return text;
  }
}

std::string choice_hint(const Json& value, const Field& field) {
  if (!value.is_string()) return "";
  const std::vector<std::string> choices(field.choices.begin(), field.choices.end());
  const std::string nearest = nearest_name(value.get<std::string>(), choices);
  return nearest.empty() ? "" : concat("did you mean \"", nearest, "\"?");
}

}  // namespace

Reader::Reader(const std::vector<Option>& table, std::string file) : table_(table), file_(std::move(file)) {
  for (const Option& option : table_) {
    for (const Alias& alias : option.field.aliases) aliases_[std::string(alias.name)] = {&option, &alias};
  }
}

void Reader::add_file(const Json& document) {
  layer_ = {.number = layer_.number + 1, .is_override = false, .source = file_};
  walk(document, "");
}

void Reader::add_override(const std::string& text) {
  layer_ = {.number = layer_.number + 1, .is_override = true, .source = "--set"};
  if (find_invalid_utf8(text)) {
    report(layer_, "", "found a text that is not valid UTF-8", "check the encoding of the terminal");
    return;
  }
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    report(layer_, text, "found no key and value", "write --set key=value, as in --set training.learning_rate=2e-5");
    return;
  }
  const std::string raw = text.substr(equals + 1);
  const Json value = override_value(raw);
  if (value.is_number() || value.is_boolean()) layer_.raw = raw;
  walk(nested(text.substr(0, equals), value), "");
}

void Reader::walk(const Json& object, const std::string& block) {
  for (const auto& [key, value] : object.items()) {
    const Place place = place_of(block, key);
    const std::string written = child_path(block, key);
    if (place.option == nullptr) {
      report_unknown(block, key);
    } else if (place.option->is_block) {
      open_block(*place.option, value, written);
    } else {
      assign(place, value, written);
    }
  }
}

Reader::Place Reader::place_of(const std::string& block, const std::string& key) const {
  if (key.find('.') != std::string::npos) return {};
  if (const Option* option = find_option(table_, child_path(block, key))) return {option};
  const bool flat = block.empty() || block == kFlatBlock;
  if (const auto alias = aliases_.find(key);
      alias != aliases_.end() && (flat || alias->second.option->block == block)) {
    return alias->second;
  }
  if (block.empty()) return {find_option(table_, child_path(kFlatBlock, key))};
  return {};
}

void Reader::open_block(const Option& block, const Json& value, const std::string& written) {
  const bool may_be_absent = block.field.present != nullptr;
  if (value.is_object()) {
    if (may_be_absent) set_presence(block.path, true, written);
    walk(value, block.path);
  } else if (value.is_null()) {
    forget_earlier(block.path);
    if (may_be_absent) set_presence(block.path, false, written);
  } else {
    report(layer_, written, concat("found ", found_words(value), ", expected ", block.expected), "");
    faulty_.insert(block.path);
  }
}

void Reader::assign(const Place& place, const Json& value, const std::string& written) {
  const Option& option = *place.option;
  Assignment assignment{layer_, written, value, std::nullopt};
  if (place.alias != nullptr) assignment.range = place.alias->range;
  if (const Option* block = find_option(table_, option.block); block != nullptr && block->field.present != nullptr) {
    set_presence(block->path, true, written);
  }
  if (written != option.path) notes_.push_back(concat(layer_.source, ": read '", written, "' as ", option.path));

  const auto earlier = assignments_.find(option.path);
  if (earlier != assignments_.end() && earlier->second.layer.number == layer_.number) {
    report(assignment.layer, assignment.written,
           concat("the same setting is given as '", earlier->second.written, "' too"),
           concat("keep one of them, best '", option.path, "'"));
    faulty_.insert(option.path);
  }
  assignments_[option.path] = std::move(assignment);
}

void Reader::forget_earlier(const std::string& block) {
  const auto is_inside = [&](const std::string& path) { return path.starts_with(block + "."); };
  std::erase_if(assignments_, [&](const auto& entry) {
    return is_inside(entry.first) && entry.second.layer.number < layer_.number;
  });
  std::erase_if(presence_, [&](const auto& entry) {
    return is_inside(entry.first) && entry.second.first < layer_.number;
  });
}

void Reader::set_presence(const std::string& block, bool present, const std::string& written) {
  const auto earlier = presence_.find(block);
  if (earlier != presence_.end() && earlier->second == std::pair(layer_.number, !present)) {
    report(layer_, written, concat("'", block, "' is both null and given"), "remove one of the two");
    faulty_.insert(block);
  }
  if (!present) {
    std::erase_if(assignments_, [&](const auto& entry) { return entry.first.rfind(block + ".", 0) == 0; });
  }
  presence_[block] = {layer_.number, present};
}

void Reader::report_unknown(const std::string& block, const std::string& key) {
  report(layer_, child_path(block, key), concat("unknown key '", key, "'"), unknown_key_hint(block, key));
}

std::string Reader::unknown_key_hint(const std::string& block, const std::string& key) {
  if (find_option(table_, child_path(block, key)) != nullptr)
    return "write an object: {\"a\": {\"b\": …}}, not \"a.b\"";
  if (const auto hint = foreign_key_hint(key); !hint.empty()) return std::string(hint);
  if (const auto paths = keys_elsewhere(key); !paths.empty()) {
    faulty_.insert(paths.begin(), paths.end());
    return "did you mean '" + join(paths, "' or '") + "'?";
  }

  std::vector<std::string> keys, flat_keys;
  for (const Option& option : table_) {
    if (option.block == block) keys.push_back(option.key());
    if (block.empty() && option.block == kFlatBlock) flat_keys.push_back(option.key());
  }
  std::string nearest = nearest_name(key, keys);
  for (const auto& [name, place] : aliases_) {
    if (block.empty() || block == kFlatBlock || place.option->block == block) flat_keys.push_back(name);
  }
  if (nearest.empty()) nearest = nearest_name(key, flat_keys);
  if (nearest.empty()) return concat("the keys ", block.empty() ? "" : "of '" + block + "' ", "are ", join(keys, ", "));
  faulty_.insert(place_of(block, nearest).option->path);
  return concat("did you mean '", nearest, "'?");
}

std::vector<std::string> Reader::keys_elsewhere(const std::string& key) const {
  std::vector<std::string> paths;
  for (const Option& option : table_) {
    const auto& aliases = option.field.aliases;
    const bool named = option.field.key == key || std::any_of(aliases.begin(), aliases.end(),
                                                              [&](const Alias& alias) { return alias.name == key; });
    if (named) paths.push_back(option.path);
  }
  return paths;
}

void Reader::outrank(const std::string& winner, const std::vector<std::string>& losers) {
  if (!is_override(winner) || assignments_.at(winner).value.is_null()) return;
  std::vector<std::string> dropped;
  for (const std::string& loser : losers) {
    const auto found = assignments_.find(loser);
    if (found == assignments_.end() || found->second.layer.is_override || found->second.value.is_null()) continue;
    dropped.push_back(loser);
    assignments_.erase(found);
  }
  if (!dropped.empty()) notes_.push_back(concat("--set: ", winner, " takes the place of ", join(dropped, " and "), " in ", file_));
}

void Reader::fill() {
  for (const Option& option : table_) {
    if (option.is_block) {
      const auto presence = presence_.find(option.path);
      const bool present = presence != presence_.end() && presence->second.second;
      if (option.field.present != nullptr) *option.field.present = present;
    } else {
      fill_option(option);
    }
  }
}

bool Reader::is_override(const std::string& path) const {
  const auto found = assignments_.find(path);
  return found != assignments_.end() && found->second.layer.is_override;
}

bool Reader::is_faulty(const std::string& path) const {
  return std::any_of(faulty_.begin(), faulty_.end(),
                     [&](const std::string& faulty) { return (path + ".").rfind(faulty + ".", 0) == 0; });
}

void Reader::fill_option(const Option& option) {
  const auto found = assignments_.find(option.path);
  const bool is_default = found == assignments_.end() || (found->second.value.is_null() && !option.takes_null);
  if (is_default) {
    if (option.lacks_value() && !is_faulty(option.path)) {
      problems_.push_back({file_, option.path, concat("required key '", option.field.key, "' is missing"),
                           std::string(option.field.help)});
      faulty_.insert(option.path);
    }
    return;
  }
  const Assignment& assignment = found->second;
  const Json& value = assignment.value;
  if (!value.is_null()) given_.insert(option.path);  // (null asks for the default)
  if (assignment.range && value.is_number() && !assignment.range->contains(value.get<double>())) {
    report(assignment.layer, assignment.written,
           concat("found ", found_words(value), ", expected a number ", assignment.range->words()),
           concat("use ", option.path));
  } else if (option.field.required && (value == "" || value == Json::array())) {
    report(assignment.layer, assignment.written, concat("found ", found_words(value)), "give a value");
  } else if (option.read_list) {
    const std::size_t before = problems_.size();
    if (!option.read_list(value, assignment.layer.source, assignment.written, problems_)) {
      report(assignment.layer, assignment.written, concat("found ", found_words(value), ", expected ", option.expected), "");
    }
    if (problems_.size() == before) return;
  } else if (option.read(value) || (assignment.layer.raw && option.read(*assignment.layer.raw))) {
    return;
  } else {
    report(assignment.layer, assignment.written, concat("found ", found_words(value), ", expected ", option.expected),
           choice_hint(value, option.field));
  }
  faulty_.insert(option.path);
}

void Reader::report(const Layer& layer, const std::string& written, std::string what, std::string hint) {
  problems_.push_back({layer.source, written, std::move(what), std::move(hint)});
}

}  // namespace attune::config
