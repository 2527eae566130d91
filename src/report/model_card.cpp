// The model card.
#include "attune/report/model_card.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/report/units.h"
#include "html_sections.h"
#include "html_text.h"

namespace attune::report {
namespace {

using files::Json;

/// JSON strings are YAML strings.
std::string yaml_text(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Markdown that means nothing: what steers tables, links, emphasis and HTML is escaped, line breaks become blanks.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string text_of(const Json& object, std::initializer_list<const char*> path) {
  const Json& value = member(object, path);
  return value.is_string() ? value.get<std::string>() : "";
}

std::string pipeline_tag(const std::string& task) {
  if (task == "masked-lm" || task == "masked_lm") return "fill-mask";
  for (const char* known : {"text-classification", "token-classification", "question-answering", "fill-mask", "text-generation"}) {
    if (task == known) return known;
  }
  return "";
}

/// A Hub id such as "org/name"; a path of this machine says nothing to others.
bool is_hub_id(const std::string& name) {
  const bool plain_name =
      !name.empty() &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == std::string::npos;
  std::error_code ignored;
  return plain_name && std::count(name.begin(), name.end(), '/') == 1 && name.front() != '/' && name.front() != '.' &&
         name.back() != '/' && !std::filesystem::exists(name, ignored);
}

std::string base_name(const std::string& path) {
  const std::filesystem::path folder = path;
  const std::string name = folder.filename().string();
  return name.empty() ? folder.parent_path().filename().string() : name;
}

std::string card_name(const Json& summary) {
  const std::string name = base_name(text_of(summary, {"output_dir"}));
  return name.empty() ? "model" : name;
}

std::string number(double value) {
  return print_number("%.4f", value);
}

/// What people call the adapter that the method trains; "" where it trains none.
std::string adapter_name(const Json& summary) {
  static const std::map<std::string, std::string> names = {{"lora", "a LoRA adapter"},
                                                           {"ia3", "an IA3 adapter"},
                                                           {"prompt_tuning", "a prompt-tuning adapter"},
                                                           {"p_tuning", "a p-tuning adapter"},
                                                           {"prefix_tuning", "a prefix-tuning adapter"}};
  const auto found = names.find(text_of(summary, {"settings", "tuning", "method"}));
  return found == names.end() ? "" : found->second;
}

bool has_vector_head(const Json& summary) {
  const std::string method = text_of(summary, {"settings", "tuning", "method"});
  return method == "contrastive" || method == "prototype";
}

/// How the folder is opened.
std::string opening(const Json& summary) {
  if (const std::string adapter = adapter_name(summary); !adapter.empty()) {
    return adapter + " that loads with PEFT's `PeftModel.from_pretrained`";
  }
  if (!has_vector_head(summary)) return "loads with Transformers' `from_pretrained`";
  return "loads with `SentenceTransformer(folder)`, or Transformers' `AutoModel.from_pretrained`, and makes vectors of "
         "texts. The head on these is `classifier.safetensors`: logits = `weight` · vector + `bias`, in the order of the "
         "labels below (with vectors of length 1 where `config_setfit.json` says `normalize_embeddings`)";
}

std::string front_matter(const Json& summary, const MainSplit& split) {
  const std::string base = text_of(summary, {"base_model"}),
                    tag = pipeline_tag(text_of(summary, {"settings", "model", "task"}));
  std::string yaml = concat("---\nlibrary_name: ", !adapter_name(summary).empty()   ? "peft"
                                                       : has_vector_head(summary) ? "sentence-transformers"
                                                                                  : "transformers",
                            "\n");
  if (is_hub_id(base)) yaml += "base_model: " + yaml_text(base) + "\n";
  if (!tag.empty()) yaml += "pipeline_tag: " + tag + "\n";
  yaml += "tags:\n- attune\n- fine-tuned\n";
  if (split.metrics == nullptr) return yaml + "---\n";
  const std::vector<std::string> names = headline_metrics(*split.metrics);
  if (!names.empty()) yaml += "metrics:\n";
  for (const std::string& name : names) yaml += "- " + yaml_text(name) + "\n";
  if (names.empty() || tag.empty()) return yaml + "---\n";
  yaml +=
      concat("model-index:\n- name: ", yaml_text(card_name(summary)), "\n  results:\n  - task:\n      type: ", tag,
             "\n    dataset:\n      name: ", yaml_text(split.name + " rows"), "\n      type: custom\n    metrics:\n");
  for (const std::string& name : names) {
    yaml +=
        concat("    - type: ", yaml_text(name), "\n      value: ", number((*split.metrics)[name].get<double>()), "\n");
  }
  return yaml + "---\n";
}

std::string results_text(const Json& summary, const MainSplit& split) {
  if (split.metrics == nullptr) return "";
  const Json &rows = member(*split.metrics, {"rows"}), &windows = member(*split.metrics, {"windows"});
  const std::string in_windows = windows.is_number() ? concat(" in ", value_text(windows), " windows") : "";
  std::string text = concat("\n## Results\n\nOn the ", split.name, " rows",
                            rows.is_number() ? concat(" (", value_text(rows), in_windows, ")") : "",
                            ".\n\n| metric | value | 95 % interval |\n|---|---:|---|\n");
  for (const std::string& name : headline_metrics(*split.metrics)) {
    const Json& interval = member(*split.intervals, {name.c_str()});
    text += concat("| ", plain(metric_label(name, *split.metrics)), " | ", number((*split.metrics)[name].get<double>()), " | ",
                   has_width(interval)
                       ? concat(number(interval[0].get<double>()), " – ", number(interval[1].get<double>()))
                       : "",
                   " |\n");
  }
  Json majority = member(summary, {"majority", split.name.c_str()});
  if (!majority.is_number()) majority = member(*split.metrics, {"majority_rate"});
  if (majority.is_number())
    text += concat("\nAlways giving the most frequent label reaches an accuracy of ", number(majority.get<double>()),
                   ".\n");
  return text;
}

std::string labels_text(const Json& summary) {
  const Json& labels = member(summary, {"labels"});
  if (!labels.is_array() || labels.empty()) return "";
  std::vector<std::string> names;
  for (const Json& label : labels) names.push_back(plain(value_text(label)));
  return "\n## Labels\n\n" + join(names, ", ") + "\n";
}

/// A number, a text, or the texts of a list with commas between them; "" for what says nothing.
std::string setting_text(const Json& value) {
  if (value.is_null() || value == Json::array() || value == Json("")) return "";
  if (!value.is_array()) return plain(value_text(value));
  std::vector<std::string> parts;
  for (const Json& part : value) parts.push_back(plain(value_text(part)));
  return join(parts, ", ");
}

/// A table of the settings that decided what was learned: of those that contradict one another only the one that
/// counted.
std::string settings_table(const Json& summary) {
  std::string rows;
  const auto add = [&](const char* name, const Json& block, const char* key) {
    if (const std::string text = setting_text(member(block, {key})); !text.empty())
      rows += concat("| ", plain(name), " | ", text, " |\n");
  };
  const Json& training = member(summary, {"settings", "training"});
  const Json& steps = member(training, {"max_steps"});
  const char* length = steps.is_number() && steps.get<double>() > 0 ? "max_steps" : "num_train_epochs";
  const bool by_tokens = text_of(training, {"batch_by"}) == "tokens";
  const char* batch = by_tokens ? "tokens_per_batch" : "per_device_train_batch_size";
  for (const char* key : {length, batch, "gradient_accumulation_steps", "learning_rate",
                          "lr_scheduler_type", "warmup_steps", "weight_decay"}) {
    add(key, training, key);
  }
  const Json& tuning = member(summary, {"settings", "tuning"});
  const std::string method = text_of(tuning, {"method"});
  add("tuning", tuning, "method");
  if (!adapter_name(summary).empty()) {
    for (const char* key : {"r", "lora_alpha", "lora_dropout", "num_virtual_tokens", "prompt_tuning_init", "prompt_tuning_init_text",
                            "encoder_reparameterization_type", "prefix_projection", "encoder_hidden_size", "target_modules",
                            "feedforward_modules", "modules_to_save", "use_rslora", "use_dora"}) {
      if (member(tuning, {method.c_str(), key}) != Json(false)) add(key, member(tuning, {method.c_str()}), key);
    }
  }
  if (method == "contrastive") {
    for (const char* key : {"sampling_strategy", "num_iterations", "head"}) add(key, member(tuning, {"contrastive"}), key);
  }
  if (method == "freeze") {
    add("frozen layers", member(tuning, {"freeze"}), "layers");
    add("last layers that train", member(tuning, {"freeze"}), "trainable_layers");
    add("frozen embeddings", member(tuning, {"freeze"}), "embeddings");
    add("frozen parameters", member(tuning, {"freeze"}), "patterns");
  }
  return rows.empty() ? "" : "| setting | value |\n|---|---|\n" + rows;
}

std::string training_text(const Json& summary) {
  std::string text = "\n## Training\n\n";
  if (const Json& splits = member(summary, {"data", "splits"}); splits.is_object()) {
    std::vector<std::string> parts;
    for (const auto& [name, split] : splits.items())
      parts.push_back(concat(value_text(member(split, {"rows"})), " ", plain(name)));
    const Json& of = member(summary, {"data", "subset", "of"});
    if (of.is_number() && !parts.empty()) parts.front() += concat(" (of ", value_text(of), ")");
    if (!parts.empty()) text += "Rows: " + join(parts, ", ") + ".\n\n";
  }
  if (const Json& rounds = member(summary, {"self_training"}); rounds.is_array() && !rounds.empty()) {
    text += concat("Self-training: beside them ", value_text(member(rounds[rounds.size() - 1], {"taken"})),
                   " rows that nobody labelled, with the labels on which wordings of the prompt agreed.\n\n");
  }
  if (const std::string trained = text_of(summary, {"model", "description"}); !trained.empty())
    text += concat("The run ", plain(trained), ".\n\n");
  text += settings_table(summary);
  return text + "\nAll settings stand in `config.resolved.json`, the whole course of the training in `report.html`.\n";
}

}  // namespace

std::string model_card(const Json& summary) {
  const MainSplit split = main_split(summary);
  std::string card = front_matter(summary, split) + "\n# " + plain(card_name(summary)) + "\n\n";
  if (const std::string about = text_of(summary, {"about"}); !about.empty()) card += plain(about) + "\n\n";
  const std::string base = base_name(text_of(summary, {"base_model"}));
  card += concat("Fine-tuned with attune", base.empty() ? "" : " from `" + base + "`", "; ", opening(summary), ".\n");
  return card + results_text(summary, split) + labels_text(summary) + training_text(summary);
}

}  // namespace attune::report
