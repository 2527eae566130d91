// A folder opened to generate text: the one place that turns a name into a causal LM with its tokenizer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attune/data/options.h"
#include "attune/infer/options.h"
#include "attune/job/prepare.h"
#include "attune/models/model.h"
#include "attune/text/chat_template.h"
#include "attune/text/tokenizer.h"

namespace attune::job {

struct LanguageModel {
  models::LoadedModel loaded;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  infer::GenerationOptions options;  ///< the folder's; end tokens also from the tokenizer where no file names any
  std::string folder;                ///< of tokenizer and chat templates
  data::DataOptions data;            ///< how the run that made the folder read its rows, else the defaults; max_length fits the model
  std::shared_ptr<const text::ChatTemplates> chats;
};

/// A folder of a model or an adapter, or a Hub id; on the first GPU where there is one, in float32. `overrides` change how rows
/// are read ("data.template=null"). Error{model} when it holds no causal LM, or one without its output layer.
LanguageModel open_language_model(const std::string& path_or_id, const std::vector<std::string>& overrides = {});

/// Rows of a file as prompts: read as the run that made the model read its own, without or with answers, each up to its answer.
/// A bad row is an Error{data}, or skipped and warned of, as data.on_bad_row says.
Rows read_prompts(const LanguageModel& opened, const std::string& file);
/// Sets rows.encoded to prompts (Encoded::prompt) of the examples, of documents all of their text, cut as data.length_policy says,
/// which is warned of under the name of their file.
void encode_prompts(const LanguageModel& opened, const std::string& file, Rows& rows);

}  // namespace attune::job
