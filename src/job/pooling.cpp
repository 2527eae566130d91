// See pooling.h.
#include "job/pooling.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

constexpr const char* kModules = "modules.json";
constexpr const char* kPoolingFolder = "1_Pooling";
constexpr const char* kPythonModules = "sentence_transformers.models.";

std::string file_in(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / name).string();
}

[[noreturn]] void refuse_pooling(const std::string& file, const std::string& what) {
  throw Error(ErrorKind::model,
              {.file = file,
               .what = what,
               .where = "",
               .hint = "vectors are the mean of a text's tokens or its first token, scaled to length 1 "
                       "or not: take another model"});
}

std::string text_in(const Json& object, const char* key) {
  const bool has = object.is_object() && object.contains(key) && object[key].is_string();
  return has ? object[key].get<std::string>() : std::string();
}

/// Older files have a flag for each kind, newer ones name it.
bool reads_first_token(const std::string& file) {
  const Json config = files::read_json(file);
  std::vector<std::string> kinds;
  if (const std::string named = text_in(config, "pooling_mode"); !named.empty()) kinds.push_back(named);
  for (const auto& [key, value] : config.items()) {
    if (key.starts_with("pooling_mode_") && value == Json(true))
      kinds.push_back(key.substr(sizeof("pooling_mode_") - 1));
  }
  if (kinds.size() == 1 && (kinds.front() == "mean" || kinds.front() == "mean_tokens")) return false;
  if (kinds.size() == 1 && (kinds.front() == "cls" || kinds.front() == "cls_token")) return true;
  refuse_pooling(file, concat("texts are pooled by '", join(kinds, "', '"), "'"));
}

Json module_entry(std::size_t number, const std::string& path, const char* type) {
  return {
      {"idx", number}, {"name", std::to_string(number)}, {"path", path}, {"type", std::string(kPythonModules) + type}};
}

}  // namespace

task::Pooling read_pooling(const std::string& folder) {
  task::Pooling pooling;
  const std::string file = file_in(folder, kModules);
  if (!path_exists(file, ErrorKind::model)) return pooling;
  const Json modules = files::read_json(file);
  if (!modules.is_array()) refuse_pooling(file, "this is no list of modules");
  for (const Json& one : modules) {
    const std::string type = text_in(one, "type");
    if (type.ends_with(".Pooling")) {
      pooling.first_token = reads_first_token(file_in(folder, text_in(one, "path") + "/config.json"));
    } else if (type.ends_with(".Normalize")) {
      pooling.normalize = true;
    } else if (!type.ends_with(".Transformer")) {
      refuse_pooling(file, concat("there is a module '", type, "'"));
    }
  }
  return pooling;
}

void write_pooling(const PoolingFiles& written, const std::string& folder) {
  const auto& [pooling, hidden_size, max_length] = written;
  Json modules = {module_entry(0, "", "Transformer"), module_entry(1, kPoolingFolder, "Pooling")};
  if (pooling.normalize) modules.push_back(module_entry(2, "2_Normalize", "Normalize"));
  files::write_json(file_in(folder, kModules), modules);
  files::write_json(file_in(folder, "sentence_bert_config.json"),
                    {{"max_seq_length", max_length}, {"do_lower_case", false}});
  fs::create_directories(fs::path(folder) / kPoolingFolder);
  files::write_json(file_in(folder, std::string(kPoolingFolder) + "/config.json"),
                    {{"word_embedding_dimension", hidden_size},
                     {"pooling_mode_cls_token", pooling.first_token},
                     {"pooling_mode_mean_tokens", !pooling.first_token},
                     {"pooling_mode_max_tokens", false},
                     {"pooling_mode_mean_sqrt_len_tokens", false}});
}

}  // namespace attune::job
