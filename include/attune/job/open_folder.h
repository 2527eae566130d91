// The one place that opens what a user calls a model: a folder with a whole model, or one with an adapter on its base.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/job/options.h"
#include "attune/models/model.h"
#include "attune/text/chat_template.h"
#include "attune/text/tokenizer.h"

namespace attune::job {

/// Where the parts of a model lie. An adapter that another tool wrote has no files of its own but the adapter's: the
/// base's count then.
struct ModelFolder {
  std::string path;        ///< the weights, or the adapter
  std::string base;        ///< "" = a whole model
  std::string tokenizer;   ///< tokenizer and chat templates
  std::string generation;  ///< generation_config.json
  models::Task task = models::Task::base;  ///< whose head the folder has
  bool has_vector_head = false;            ///< instead one that reads the vectors of texts (src/job/vector_head.h)
};

/// Where tokenizer and generation_config.json of the adapter in `path` on the model in `base` lie.
std::string tokenizer_folder(const std::string& path, const std::string& base);
std::string generation_folder(const std::string& path, const std::string& base);

/// `path` as models::resolve_model_path gives it. `wanted`: the task that a whole model is opened for, whatever head its
/// config.json names. Error{model} when nothing tells the task, or the base is missing or another one.
ModelFolder look_into(const std::string& path, std::optional<models::Task> wanted = {});

/// Whether a run made the folder: then it remembers how its rows were read.
bool is_of_run(const ModelFolder& folder);
/// Whether an override ("data.columns.text=note") sets the key.
bool sets_key(const std::vector<std::string>& overrides, std::string_view key);
/// Whether somebody said how long rows may be; `options`: as they are under the overrides, of a folder that no run made.
bool says_max_length(const data::DataOptions& options, const std::vector<std::string>& overrides);

/// The options of the run that made the folder (its config.resolved.json), else the defaults, under `overrides`. Where the model was
/// trained, where tokens were kept and by which metric the best model was chosen says nothing about how it is used, and is left out.
RunOptions options_of_run(const ModelFolder& folder, const std::vector<std::string>& overrides);

/// Its chat templates, with data.chat_template in place of the default one where an override names it: that of the training is
/// saved with the model.
std::shared_ptr<const text::ChatTemplates> chat_templates_of(const ModelFolder& folder, RunOptions& options, const std::vector<std::string>& overrides);

/// The weights, with the folder's task whatever `options` says of it. Error{model} when the head is missing.
models::LoadedModel load(const ModelFolder& folder, models::LoadOptions options);

/// Its tokenizer, when its ids fit the model.
std::shared_ptr<const text::Tokenizer> load_tokenizer(const ModelFolder& folder, const models::ModelSpec& spec);

}  // namespace attune::job
