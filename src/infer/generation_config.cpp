// See generation_config.h.
#include "attune/infer/generation_config.h"

#include <algorithm>
#include <any>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"

namespace attune::infer {

namespace {

using files::Json;

/// Keys of generation_config.json that would change the text, and the value that changes nothing besides null.
struct Foreign {
  const char* key;
  const char* neutral;
};
constexpr Foreign kForeign[] = {{"typical_p", "1.0"},
                                {"top_h", "null"},
                                {"epsilon_cutoff", "0.0"},
                                {"eta_cutoff", "0.0"},
                                {"min_length", "0"},
                                {"bad_words_ids", "null"},
                                {"suppress_tokens", "null"},
                                {"begin_suppress_tokens", "null"},
                                {"forced_bos_token_id", "null"},
                                {"forced_eos_token_id", "null"},
                                {"sequence_bias", "null"},
                                {"exponential_decay_length_penalty", "null"},
                                {"guidance_scale", "1"},
                                {"penalty_alpha", "null"},
                                {"num_beam_groups", "1"},
                                {"diversity_penalty", "0.0"},
                                {"watermarking_config", "null"},
                                {"prompt_lookup_num_tokens", "null"},
                                {"dola_layers", "null"},
                                {"max_time", "null"},
                                {"remove_invalid_values", "false"}};

bool read(const Json& json, bool& value, const Field&) {
  if (!json.is_boolean()) return false;
  value = json.get<bool>();
  return true;
}

bool read(const Json& json, double& value, const Field& field) {
  if (!json.is_number() || !field.range.contains(json.get<double>())) return false;
  value = json.get<double>();
  return true;
}

bool read(const Json& json, std::int64_t& value, const Field& field) {
  if (!json.is_number_integer() || !field.range.contains(json.get<double>())) return false;
  value = json.get<std::int64_t>();
  return true;
}

bool read(const Json& json, std::uint64_t& value, const Field&) {
  if (!json.is_number_unsigned()) return false;
  value = json.get<std::uint64_t>();
  return true;
}

bool read(const Json& json, std::string& value, const Field& field) {
  const std::string text = json.is_string() ? json.get<std::string>() : json.dump();
  for (const Literal& literal : field.literals) {
    if (literal.json == text && !json.is_string()) {
      value = literal.value;
      return true;
    }
  }
  const bool is_choice =
      field.choices.empty() || std::find(field.choices.begin(), field.choices.end(), text) != field.choices.end();
  if (!json.is_string() || !is_choice) return false;
  value = text;
  return true;
}

template <class T>
bool read(const Json& json, std::optional<T>& value, const Field& field) {
  return read(json, value.emplace(), field);
}

template <class T>
bool read(const Json& json, std::vector<T>& value, const Field& field) {
  const Json list = json.is_array() ? json : Json::array({json});
  value.clear();
  return std::all_of(list.begin(), list.end(),
                     [&](const Json& element) { return read(element, value.emplace_back(), field); });
}

/// What is wanted, for people.
std::string words(const Field& field) {
  std::vector<std::string> choices(field.choices.begin(), field.choices.end());
  return choices.empty() ? field.range.words() : join(choices, ", ");
}

[[noreturn]] void refuse(ErrorKind kind, const std::string& file, const Field& field, const Json& found) {
  const std::string wanted = words(field);
  throw Error(
      kind, {.file = file,
             .what = concat("found ", files::json_text(found, -1), wanted.empty() ? "" : ", expected a value ", wanted),
             .where = std::string(field.key),
             .hint = std::string(field.help)});
}

/// Sets the options that an object names; null is as absent.
struct FromJson {
  const Json& object;
  const std::string& file;

  template <class T>
  void operator()(T& value, const Field& field) const {
    const auto found = object.find(field.key);
    if (found == object.end() || found->is_null()) return;
    if (!read(*found, value, field)) refuse(ErrorKind::model, file, field, *found);
  }
};

/// The texts of a command line as JSON of the option's kind.
Json json_of(const std::vector<std::string>& texts, const std::string&) {
  return texts.back();
}
Json json_of(const std::vector<std::string>& texts, const std::vector<std::string>&) {
  return texts;
}
Json number_of(const std::string& text) {
  const Json number = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return number.is_discarded() ? Json(text) : number;
}
Json json_of(const std::vector<std::string>& texts, const std::vector<std::int64_t>&) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(number_of(text));
  return list;
}
template <class T>
Json json_of(const std::vector<std::string>& texts, const T&) {
  return number_of(texts.back());
}

struct FromTexts {
  const std::map<std::string, std::vector<std::string>>& given;

  template <class T>
  void operator()(T& value, const Field& field) const {
    const auto found = given.find(std::string(field.key));
    if (found == given.end()) return;
    const Json json = json_of(found->second, value);
    if (!read(json, value, field)) refuse(ErrorKind::usage, "", field, json);
  }
};

Json object_in(const std::string& path) {
  if (!path_exists(path, ErrorKind::model)) return Json::object();
  Json object = files::read_json(path);
  if (object.is_object()) return object;
  throw Error(
      ErrorKind::model,
      {.file = path, .what = concat("found ", object.type_name(), ", expected an object"), .where = {}, .hint = {}});
}

/// What a folder says of generating: generation_config.json, or without that file config.json.
struct FolderFile {
  std::string path;
  Json object;
  bool is_own = false;  ///< generation_config.json
};

FolderFile file_in(const std::string& folder) {
  const std::string own = (std::filesystem::path(folder) / "generation_config.json").string();
  if (path_exists(own, ErrorKind::model)) return {.path = own, .object = object_in(own), .is_own = true};
  const std::string config = (std::filesystem::path(folder) / "config.json").string();
  return {.path = config, .object = object_in(config)};
}

Field end_tokens() {
  return {.key = "eos_token_id", .range = count_from(0)};
}

void warn_of_foreign_keys(const Json& object, const std::string& file) {
  for (const Foreign& foreign : kForeign) {
    const auto found = object.find(foreign.key);
    if (found == object.end() || found->is_null() || *found == Json::parse(foreign.neutral)) continue;
    log::warning(concat(file, ": ", foreign.key, " is not followed, so texts may differ from those of Transformers"));
  }
}

/// An option that was given but changes nothing. `block`: of the configuration, with its dot; "" = the command line.
template <class Map>
void refuse_idle(const Map& given, const std::vector<const char*>& keys, const std::string& needs,
                 const std::string& block = "") {
  for (const char* key : keys) {
    if (!given.contains(key)) continue;
    throw Error(ErrorKind::usage, {.file = {},
                                   .what = concat(key, " changes nothing without ", needs),
                                   .where = block + key,
                                   .hint = concat(block.empty() ? "add --" : "set " + block, needs, " or leave it out")});
  }
}

/// `block` as above.
void refuse_contradictions(const GenerationOptions& options, const std::string& block = "") {
  const auto refuse = [&](const char* key, const std::string& what, const char* hint) {
    throw Error(ErrorKind::usage, {.file = {}, .what = what, .where = block + key, .hint = hint});
  };
  if (std::find(options.stop_strings.begin(), options.stop_strings.end(), "") != options.stop_strings.end()) {
    refuse("stop_strings", "an empty stop string would end every text before it begins", "leave it out");
  }
  if (options.max_new_tokens && options.min_new_tokens > *options.max_new_tokens) {
    refuse("min_new_tokens", concat(options.min_new_tokens, " tokens at least and ", *options.max_new_tokens, " at most"),
           "lower it, or raise max_new_tokens");
  }
}

using Settings = std::map<std::string, std::any>;

/// The settings that are given, by key.
struct TakeGiven {
  Settings& settings;

  template <class T>
  void operator()(const Given<T>& option, const Field& field) const {
    if (option.given) settings[std::string(field.key)] = option.value;
  }
  template <class T>
  void operator()(const std::optional<T>& option, const Field& field) const {
    if (option) settings[std::string(field.key)] = option;
  }
};

struct FromSettings {
  const Settings& settings;

  template <class T>
  void operator()(T& value, const Field& field) const {
    const auto found = settings.find(std::string(field.key));
    if (found != settings.end()) value = std::any_cast<T>(found->second);
  }
};

}  // namespace

GenerationOptions folder_options(const std::string& folder) {
  GenerationOptions options;
  const FolderFile said = file_in(folder);
  const FromJson visit{said.object, said.path};
  if (said.is_own) {
    visit_fields(visit, options);
    warn_of_foreign_keys(said.object, said.path);
  } else {
    visit(options.eos_token_id, end_tokens());
  }
  return options;
}

void check_folder_end_tokens(const std::string& folder, std::int64_t vocab_size) {
  const FolderFile said = file_in(folder);
  std::vector<std::int64_t> ids;
  FromJson{said.object, said.path}(ids, end_tokens());
  const auto beyond = std::ranges::find_if(ids, [&](std::int64_t id) { return id >= vocab_size; });
  if (beyond == ids.end()) return;
  throw Error(ErrorKind::model, {.file = said.path,
                                 .what = concat("found ", *beyond, ", the model's vocabulary has ", vocab_size, " tokens"),
                                 .where = std::string(end_tokens().key),
                                 .hint = concat("write ids from 0 to ", vocab_size - 1, ", or download the file again")});
}

void set_options(const std::map<std::string, std::vector<std::string>>& given, GenerationOptions& options) {
  const FromTexts visit{given};
  visit_fields(visit, options);
  if (!options.do_sample) refuse_idle(given, {"temperature", "top_k", "top_p", "min_p"}, "do_sample");
  if (options.num_beams == 1) refuse_idle(given, {"length_penalty", "early_stopping"}, "num_beams");
  refuse_contradictions(options);
}

GenerationOptions with_settings(GenerationOptions options, const GenerationSettings& settings) {
  GenerationSettings copy = settings;
  Settings given;
  const TakeGiven take{given};
  visit_fields(take, copy);
  options.do_sample = false;
  if (given.contains("max_length")) options.max_new_tokens.reset();
  const FromSettings visit{given};
  visit_fields(visit, options);
  constexpr const char* kBlock = "generation.";
  if (!options.do_sample) refuse_idle(given, {"temperature", "top_k", "top_p", "min_p", "seed"}, "do_sample", kBlock);
  if (options.num_beams == 1) refuse_idle(given, {"length_penalty", "early_stopping"}, "num_beams", kBlock);
  refuse_contradictions(options, kBlock);
  return options;
}

}  // namespace attune::infer
