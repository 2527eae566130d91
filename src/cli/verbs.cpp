// See verbs.h.
#include "cli/verbs.h"

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/infer/options.h"
#include "cli/field_options.h"
#include "cli/refusals.h"

namespace attune::cli {

namespace {

using Run = std::function<int()>;

constexpr std::int64_t kMostSteps = 1'000'000'000'000;

void add_json(CLI::App& verb, app::OutputOptions& options) {
  verb.add_flag("--json", options.json, "Results as JSON on stdout");
}

void add_progress(CLI::App& verb, app::OutputOptions& options) {
  verb.add_flag("--quiet,-q", options.quiet, "Only warnings and errors on stderr");
  verb.add_option("--progress", options.progress,
                  "What stderr shows meanwhile: a bar, plain lines, events as JSON lines, nothing; auto takes the bar on a terminal")
      ->check(CLI::IsMember({"auto", "none", "plain", "bar", "json"}));
}

void add_output(CLI::App& verb, app::OutputOptions& options) {
  add_json(verb, options);
  add_progress(verb, options);
}

/// One value each time: rows or a configuration may stand behind it.
void add_repeatable(CLI::App& verb, const std::string& name, std::vector<std::string>& values, const char* value, const std::string& help) {
  verb.add_option(name, values, help + " (repeatable)")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name(value);
}

void add_overrides(CLI::App& verb, std::vector<std::string>& overrides) {
  add_repeatable(verb, "--set", overrides, "KEY=VALUE", "Sets a configuration key: --set training.learning_rate=1e-4");
}

Run add_train(CLI::App& verb) {
  auto options = std::make_shared<app::TrainVerb>();
  verb.add_option("config", options->config, "Configuration file (JSON)")->required();
  add_overrides(verb, options->overrides);
  verb.add_option("--resume", options->resume, "Go on from a checkpoint: a folder, or the newest one when none is named")
      ->expected(0, 1)
      ->default_str("")
      ->each([](const std::string&) {});
  verb.add_flag("--dry-run", options->dry_run, "Read everything, say what would be done, write nothing");
  verb.add_option("--show-examples", options->show_examples, "Show the first N training rows as tokens with what is learned of each (--json: a line a row), and stop")
      ->check(CLI::Range(std::int64_t{1}, kMostSteps, "a whole number from 1 on"));
  add_output(verb, options->output);
  return [options, &verb] {
    if (verb.count("--resume") > 0 && options->resume.empty()) options->resume = "auto";
    return app::run_train(*options);
  };
}

Run add_sweep(CLI::App& verb) {
  auto options = std::make_shared<app::SweepVerb>();
  verb.add_option("config", options->config, "Configuration file (JSON) of what all runs have in common")->required();
  add_repeatable(verb, "--vary", options->vary, "KEY=V1,V2", "Values to try for a key, or a JSON list of them; every combination is run: --vary training.learning_rate=1e-4,3e-4");
  add_overrides(verb, options->overrides);
  verb.add_flag("--resume", options->resume, "Go on with a sweep that was stopped: finished points are kept");
  verb.add_flag("--dry-run", options->dry_run, "List the points, write nothing");
  add_output(verb, options->output);
  return [options] { return app::run_sweep(*options); };
}

Run add_meta_train(CLI::App& verb) {
  auto options = std::make_shared<app::MetaTrainVerb>();
  verb.add_option("config", options->config, "Configuration file (JSON) with a block meta")->required();
  add_overrides(verb, options->overrides);
  verb.add_flag("--resume", options->resume, "Go on where a signal stopped it");
  add_output(verb, options->output);
  return [options] { return app::run_meta_train(*options); };
}

Run add_evaluate(CLI::App& verb) {
  auto options = std::make_shared<app::EvaluateVerb>();
  verb.add_option("model", options->model, "Folder of a tuned model")->required();
  verb.add_option("data", options->data, "Files of labelled rows; default: the run's test files, else its validation files");
  add_repeatable(verb, "--require", options->require, "GATE", "Gate, exit 20 when it fails: --require 'accuracy>=0.9'");
  verb.add_option("--predictions", options->predictions, "Also write the predictions to this file");
  add_overrides(verb, options->overrides);
  add_output(verb, options->output);
  return [options] { return app::run_evaluate(*options); };
}

Run add_predict(CLI::App& verb) {
  auto options = std::make_shared<app::PredictVerb>();
  verb.add_option("model", options->model, "Folder of a tuned model")->required();
  verb.add_option("data", options->data, "Files of rows; without one, a text a line is read from stdin");
  verb.add_flag("--logits", options->logits, "Add the logits to each line");
  verb.add_flag("--token-logprobs", options->token_logprobs, "Of a language model: add the log-probability of each scored token");
  add_overrides(verb, options->overrides);
  add_progress(verb, options->output);
  return [options] { return app::run_predict(*options); };
}

Run add_generate(CLI::App& verb) {
  auto options = std::make_shared<app::GenerateVerb>();
  verb.add_option("model", options->model, "A causal language model: folder or Hub id")->required();
  verb.add_option("--prompt,-p", options->prompt, "Text to continue; without it, a prompt a line is read from stdin");
  verb.add_option("--file,-f", options->file, "File of prompts: a line each, or rows (.jsonl, .csv, …) that become prompts as in training");
  verb.add_flag("--chat", options->chat, "A conversation through the model's chat template, a line of stdin a turn");
  verb.add_option("--system", options->system, "System message of the chat");
  add_repeatable(verb, "--set", options->overrides, "KEY=VALUE", "Sets a key by which rows of --file are read: --set data.template=null");
  add_json(verb, options->output);
  infer::GenerationOptions defaults;
  const AddFields add{verb, options->settings};
  visit_fields(add, defaults);
  return [options] { return app::run_generate(*options); };
}

Run add_prompt(CLI::App& verb) {
  auto options = std::make_shared<app::PromptVerb>();
  verb.add_option("action", options->action, "run (put every wording of the prompt set to the rows), stability (how much the answers depend on how one asks), optimise (search the best way to ask)")
      ->required()
      ->check(CLI::IsMember({"run", "stability", "optimise"}));
  verb.add_option("config", options->config, "Configuration file (JSON) with a block \"prompting\"")->required();
  add_overrides(verb, options->overrides);
  verb.add_flag("--resume", options->resume, "Go on with a run that was stopped: answers that were written down are kept");
  verb.add_option("--show-examples", options->show_examples, "Show the prompts of the first N rows as the model would read them, and the answers that would be scored (--json: a line a prompt), and stop")
      ->check(CLI::Range(std::int64_t{1}, kMostSteps, "a whole number from 1 on"));
  add_output(verb, options->output);
  return [options] { return app::run_prompt(*options); };
}

Run add_learning_curve(CLI::App& verb) {
  auto options = std::make_shared<app::LearningCurveVerb>();
  verb.add_option("config", options->config, "Configuration file (JSON) with a block \"learning_curve\"")->required();
  add_overrides(verb, options->overrides);
  verb.add_flag("--resume", options->resume, "Go on with curves that were stopped: finished points are kept");
  verb.add_flag("--dry-run", options->dry_run, "List the points, write nothing");
  add_output(verb, options->output);
  return [options] { return app::run_learning_curve(*options); };
}

Run add_compare(CLI::App& verb) {
  auto options = std::make_shared<app::CompareVerb>();
  verb.add_option("config", options->config, "Configuration file (JSON) with a block \"compare\"")->required();
  add_overrides(verb, options->overrides);
  verb.add_flag("--resume", options->resume, "Go on with a comparison that was stopped: what is finished is kept");
  verb.add_flag("--dry-run", options->dry_run, "List the methods and their candidates, write nothing");
  add_output(verb, options->output);
  return [options] { return app::run_compare(*options); };
}

Run add_tokenize(CLI::App& verb) {
  auto options = std::make_shared<app::TokenizeVerb>();
  verb.add_option("model", options->model, "Folder with tokenizer.json, vocab.txt, or vocab.json and merges.txt")->required();
  verb.add_flag("--no-special-tokens", options->no_special_tokens, "Leave [CLS], [SEP] and the like out");
  verb.add_flag("--pair", options->pair, "Lines are TEXT<TAB>PAIR");
  verb.add_flag("--json-lines", options->json_lines, "Lines are JSON: \"TEXT\", or with --pair [\"TEXT\", \"PAIR\"]");
  return [options] { return app::run_tokenize(*options); };
}

Run add_verify(CLI::App& verb) {
  auto options = std::make_shared<app::VerifyVerb>();
  verb.add_option("run", options->run, "Output folder of a run, a study of prompts, a comparison, learning curves or a meta-training")->required();
  verb.add_option("--steps", options->steps, "Replay only the first N steps (episodes of a meta-training); of prompts ask only the first N rows again")
      ->check(CLI::Range(std::int64_t{1}, kMostSteps, "a whole number from 1 on"));
  verb.add_option("--runs", options->runs, "Of a comparison or learning curves repeat N trainings (default 1); 0 repeats nothing")
      ->check(CLI::Range(std::int64_t{0}, kMostSteps, "a whole number from 0 on"));
  add_output(verb, options->output);
  return [options] { return app::run_verify(*options); };
}

Run add_merge(CLI::App& verb) {
  auto options = std::make_shared<app::MergeVerb>();
  verb.add_option("adapter", options->adapter, "Folder of a LoRA adapter")->required();
  verb.add_option("--output,-o", options->destination, "New folder for the merged model")->required();
  add_json(verb, options->output);
  return [options] { return app::run_merge(*options); };
}

Run add_config(CLI::App& verb) {
  auto options = std::make_shared<app::ConfigVerb>();
  verb.add_option("action", options->action, "init (a starting file), check, show (all effective settings), schema, docs")
      ->required()
      ->check(CLI::IsMember({"init", "check", "show", "schema", "docs"}));
  verb.add_option("config", options->config, "Configuration file (check, show)");
  verb.add_option("--task", options->task, concat("Task of the starting file (init): ", join(config::starter_tasks(), ", ")));
  add_overrides(verb, options->overrides);
  return [options] { return app::run_config(*options); };
}

Run add_info(CLI::App& verb) {
  auto options = std::make_shared<app::InfoVerb>();
  verb.add_option("model", options->model, "A model folder or Hub id; without one: this build and machine");
  add_json(verb, options->output);
  return [options] { return app::run_info(*options); };
}

struct Verb {
  const char* name;
  const char* help;
  Run (*add)(CLI::App&);
};

constexpr Verb kVerbs[] = {
    {"train", "Fine-tune a model as a configuration says", add_train},
    {"sweep", "Try settings, choose by the validation rows or folds", add_sweep},
    {"meta-train", "Make a start for few examples from several data sets", add_meta_train},
    {"evaluate", "Score a tuned model on labelled rows", add_evaluate},
    {"predict", "Predict rows of a file or lines of stdin, as JSON lines", add_predict},
    {"generate", "Continue prompts or chat with a language model", add_generate},
    {"prompt", "Ask a language model as it is, with prompts", add_prompt},
    {"compare", "Put many methods to the same test rows, and say which is worth it", add_compare},
    {"learning-curve", "How scores grow with the number of labels", add_learning_curve},
    {"tokenize", "Show how a model's tokenizer splits lines of stdin", add_tokenize},
    {"verify", "Check that a run or a study can be reproduced", add_verify},
    {"merge", "Make one model of a LoRA adapter and its base", add_merge},
    {"config", "Write, check or explain configurations", add_config},
    {"info", "Describe this build or a model", add_info},
};

}  // namespace

int run(int argc, char** argv) {
  CLI::App program("attune: adapts pre-trained transformers to a domain and shows whether it was worth it", "attune");
  program.require_subcommand(1);
  program.set_version_flag("--version", ATTUNE_VERSION);
  Run chosen;
  std::vector<std::string> verbs;
  for (const Verb& verb : kVerbs) {
    verbs.emplace_back(verb.name);
    CLI::App* sub = program.add_subcommand(verb.name, verb.help);
    sub->callback([&chosen, run = verb.add(*sub)] { chosen = run; });
  }
  refuse_unknown_verb(argc, argv, verbs);
  refuse_empty_arguments(argc, argv);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    std::ostringstream text;
    const int code = program.exit(help_or_version, text, text);
    console::print(text.str());
    return code;
  } catch (const CLI::ParseError& error) {
    refuse_parse_error(program, error);
  }
  return chosen();
}

}  // namespace attune::cli
