// See language_model.h.
#include "attune/job/language_model.h"

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/infer/generation_config.h"
#include "attune/job/execution.h"
#include "attune/job/fits_model.h"

namespace attune::job {

LanguageModel open_language_model(const std::string& path_or_id) {
  LanguageModel opened;
  opened.folder = models::resolve_model_path(path_or_id);
  models::LoadOptions load;
  load.task = models::Task::causal_lm;
  load.dtype = "float32";  // products are in float32: widened once, not at each token
  opened.loaded = models::load_model(opened.folder, load);
  if (!opened.loaded.report.newly_initialised.empty()) {
    throw Error(ErrorKind::model, {.file = opened.folder,
                                   .what = concat("the tensor ", opened.loaded.report.newly_initialised.front(),
                                                  " of the output layer is missing"),
                                   .where = "model.safetensors",
                                   .hint = "name the folder of a causal language model (…ForCausalLM, …LMHeadModel)"});
  }
  opened.loaded.model->set_execution(execution_of(config::defaults({"device=auto", "training.bf16=false"}, machine())));
  opened.tokenizer = std::make_shared<const text::Tokenizer>(text::Tokenizer::from_folder(opened.folder));
  check_vocabulary(*opened.tokenizer, opened.loaded.model->spec(), opened.folder);
  opened.options = infer::folder_options(opened.folder);
  if (opened.options.eos_token_id.empty()) {
    if (const auto end = opened.tokenizer->special_id("eos_token")) opened.options.eos_token_id = {*end};
  }
  return opened;
}

}  // namespace attune::job
