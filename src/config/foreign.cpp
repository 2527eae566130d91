// See foreign.h. Keys of Transformers' TrainingArguments and example scripts, LLaMA-Factory and axolotl, and of translators' trainers.
#include "foreign.h"

#include <algorithm>
#include <array>

namespace attune::config {

namespace {

struct ForeignKey {
  std::string_view key;
  std::string_view hint;
};

constexpr std::string_view kOffline = "attune never uses the network; remove it";
constexpr std::string_view kNoFp16 = "float16 needs loss scaling, which attune does not do; use \"bf16\"";
constexpr std::string_view kOneVerbOneThing = "the verb of the command says what is done; remove it";
constexpr std::string_view kAlways = "attune always does this; remove it";
constexpr std::string_view kDevice = "write \"device\": \"cpu\"";
constexpr std::string_view kNotYet = "attune cannot do this yet; remove it";

constexpr std::array kForeignKeys = {
    ForeignKey{"fp16", kNoFp16},
    ForeignKey{"fp16_opt_level", kNoFp16},
    ForeignKey{"bf16_full_eval", "evaluation computes as training does; use \"bf16\""},
    ForeignKey{"no_cuda", kDevice},
    ForeignKey{"use_cpu", kDevice},
    ForeignKey{"do_train", kOneVerbOneThing},
    ForeignKey{"do_eval", kOneVerbOneThing},
    ForeignKey{"do_predict", kOneVerbOneThing},
    ForeignKey{"push_to_hub", kOffline},
    ForeignKey{"hub_model_id", kOffline},
    ForeignKey{"hub_token", kOffline},
    ForeignKey{"token", kOffline},
    ForeignKey{"use_auth_token", kOffline},
    ForeignKey{"report_to", "every run writes events.jsonl and report.html; remove it"},
    ForeignKey{"run_name", "the last part of \"output_dir\" names the run; remove it"},
    ForeignKey{"logging_dir", "logs lie in \"output_dir\"; remove it"},
    ForeignKey{"disable_tqdm", "use --progress none"},
    ForeignKey{"trust_remote_code", "attune never runs code of a model; remove it"},
    ForeignKey{"tokenizer_name", "the tokenizer is read from the model's folder; remove it"},
    ForeignKey{"config_name", "config.json is read from the model's folder; remove it"},
    ForeignKey{"cache_dir", "set the environment variable HF_HOME to look elsewhere for a Hub id"},
    ForeignKey{"model_revision", "name the folder of the snapshot in \"model.path\""},
    ForeignKey{"dataset_name", "attune never uses the network; name files in \"data.train\""},
    ForeignKey{"dataset_dir", "name files in \"data.train\""},
    ForeignKey{"dataset", "name files in \"data.train\""},
    ForeignKey{"pad_to_max_length", "attune does not pad; remove it"},
    ForeignKey{"padding", "attune does not pad; remove it"},
    ForeignKey{"packing", "attune always packs and never attends across rows; remove it"},
    ForeignKey{"remove_unused_columns", kAlways},
    ForeignKey{"save_safetensors", kAlways},
    ForeignKey{"full_determinism", "attune is always deterministic for one number of threads; remove it"},
    ForeignKey{"average_tokens_across_devices", kAlways},
    ForeignKey{"dataloader_num_workers", "rows are tokenised once, with all cores; remove it"},
    ForeignKey{"dataloader_pin_memory", "rows are tokenised once, with all cores; remove it"},
    ForeignKey{"preprocessing_num_workers", "rows are tokenised once, with all cores; remove it"},
    ForeignKey{"overwrite_cache", "attune's caches know what they were made of; remove it"},
    ForeignKey{"max_train_samples", "make a smaller file and name it in \"data.train\""},
    ForeignKey{"evals_per_epoch", "use \"eval_strategy\": \"steps\" with \"eval_steps\""},
    ForeignKey{"saves_per_epoch", "use \"save_strategy\": \"steps\" with \"save_steps\""},
    ForeignKey{"warmup_epochs", "use \"warmup_steps\" with a share of all steps"},
    ForeignKey{"unfrozen_parameters", "use \"tuning.freeze\", which names what stays as it is"},
    ForeignKey{"freeze_trainable_modules", "use \"tuning.freeze.patterns\", which names what stays as it is"},
    ForeignKey{"freeze_extra_modules", "use \"tuning.freeze.patterns\", which names what stays as it is"},
    ForeignKey{"torch_compile", kNotYet},
    ForeignKey{"tf32", kNotYet},
    ForeignKey{"deepspeed", kNotYet},
    ForeignKey{"fsdp", kNotYet},
    ForeignKey{"neftune_noise_alpha", kNotYet},
    ForeignKey{"max_tokens", "use \"tokens_per_batch\" for batches, \"generation.max_new_tokens\" for generated texts"},
    ForeignKey{"batch_type", "use \"batch_by\""},
    ForeignKey{"auto_find_batch_size", kNotYet},
    ForeignKey{"load_in_4bit", kNotYet},
    ForeignKey{"load_in_8bit", kNotYet},
    ForeignKey{"quantization_config", kNotYet},
};

}  // namespace

std::string_view foreign_key_hint(std::string_view key) {
  const auto found = std::find_if(kForeignKeys.begin(), kForeignKeys.end(),
                                  [key](const ForeignKey& foreign) { return foreign.key == key; });
  return found == kForeignKeys.end() ? std::string_view() : found->hint;
}

}  // namespace attune::config
