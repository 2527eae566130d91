// See language_model.h.
#include "attune/job/language_model.h"

#include <utility>

#include "attune/base/error.h"
#include "attune/config/config.h"
#include "attune/job/execution.h"
#include "attune/job/open_folder.h"
#include "attune/job/text_generation.h"

namespace attune::job {

LanguageModel open_language_model(const std::string& path_or_id, const std::vector<std::string>& overrides) {
  const ModelFolder parts = look_into(models::resolve_model_path(path_or_id), models::Task::causal_lm);
  if (parts.task != models::Task::causal_lm) {
    throw Error(ErrorKind::model, {.file = parts.path,
                                   .what = "the adapter is of no causal language model",
                                   .where = "adapter_config.json, task_type",
                                   .hint = "name an adapter that was trained for text-generation"});
  }
  LanguageModel opened;
  models::LoadOptions options;
  options.dtype = "float32";  // products are in float32: widened once, not at each token
  opened.loaded = load(parts, options);
  opened.loaded.model->set_execution(execution_of(config::defaults({"device=auto", "training.bf16=false"}, machine())));
  opened.tokenizer = load_tokenizer(parts, opened.loaded.model->spec());
  opened.folder = parts.tokenizer;
  opened.options = generation_options(parts.generation, *opened.tokenizer);
  RunOptions run = options_of_run(parts, overrides);
  opened.chats = chat_templates_of(parts, run, overrides);
  opened.data = std::move(run.data);
  return opened;
}

}  // namespace attune::job
