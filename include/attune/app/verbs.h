// The verbs of the program: an options struct and a run_<verb> each. Results go to stdout, progress and logs to stderr.
// The functions return the process's exit code; what goes wrong is thrown as Error.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace attune::app {

struct OutputOptions {
  bool json = false;              ///< results as JSON on stdout
  bool quiet = false;             ///< only warnings and errors on stderr
  std::string progress = "auto";  ///< auto, none, plain, bar, json
};

struct TrainVerb {
  std::string config;
  std::vector<std::string> overrides;
  std::string resume;  ///< "" = as configured
  bool dry_run = false;
  std::int64_t show_examples = 0;  ///< > 0: show so many training rows as tokens and stop
  OutputOptions output;
};
int run_train(const TrainVerb& options);

struct SweepVerb {
  std::string config;
  std::vector<std::string> overrides;
  std::vector<std::string> vary;  ///< "training.learning_rate=1e-4,3e-4": a value each time
  bool resume = false;
  bool dry_run = false;
  OutputOptions output;
};
int run_sweep(const SweepVerb& options);

struct MetaTrainVerb {
  std::string config;
  std::vector<std::string> overrides;
  bool resume = false;
  OutputOptions output;
};
int run_meta_train(const MetaTrainVerb& options);

struct EvaluateVerb {
  std::string model;                   ///< tuned model folder
  std::vector<std::string> data;       ///< default: the test (else validation) files of the run
  std::vector<std::string> require;    ///< "accuracy>=0.9"
  std::vector<std::string> overrides;  ///< data.columns.text=… for files of another shape
  std::string predictions;             ///< where to write predictions.jsonl; "" = nowhere
  OutputOptions output;
};
int run_evaluate(const EvaluateVerb& options);

struct PredictVerb {
  std::string model;
  std::vector<std::string> data;  ///< JSONL, CSV, TSV; none = one text a line from stdin
  std::vector<std::string> overrides;
  bool logits = false;
  bool token_logprobs = false;  ///< causal LMs: log p of each learned token
  OutputOptions output;
};
int run_predict(const PredictVerb& options);

struct GenerateVerb {
  std::string model;
  std::string prompt;  ///< "" = from file, chat, or a line a prompt from stdin
  std::string file;
  bool chat = false;
  std::string system;                                        ///< first message of a chat
  std::map<std::string, std::vector<std::string>> settings;  ///< of infer::GenerationOptions, by name
  std::vector<std::string> overrides;                        ///< data.columns.prompt=… for a file of another shape
  OutputOptions output;
};
int run_generate(const GenerateVerb& options);

struct PromptVerb {
  std::string action;  ///< run, stability, optimise
  std::string config;
  std::vector<std::string> overrides;
  bool resume = false;
  std::int64_t show_examples = 0;  ///< > 0: show the prompts of so many rows and stop
  OutputOptions output;
};
int run_prompt(const PromptVerb& options);

struct CompareVerb {
  std::string config;
  std::vector<std::string> overrides;
  bool resume = false;
  bool dry_run = false;
  OutputOptions output;
};
int run_compare(const CompareVerb& options);

struct LearningCurveVerb {
  std::string config;
  std::vector<std::string> overrides;
  bool resume = false;
  bool dry_run = false;
  OutputOptions output;
};
int run_learning_curve(const LearningCurveVerb& options);

struct TokenizeVerb {
  std::string model;
  bool no_special_tokens = false;
  bool pair = false;        ///< text and pair are separated by a tab
  bool json_lines = false;  ///< a line is a JSON string; with `pair` a list of two
};
int run_tokenize(const TokenizeVerb& options);

struct VerifyVerb {
  std::string run;
  std::optional<std::int64_t> steps;
  std::optional<std::int64_t> runs;  ///< of a comparison or a learning curve
  OutputOptions output;
};
int run_verify(const VerifyVerb& options);

struct MergeVerb {
  std::string adapter;
  std::string destination;  ///< folder of the merged model
  OutputOptions output;
};
int run_merge(const MergeVerb& options);

struct ConfigVerb {
  std::string action;  ///< init, check, schema, show, docs
  std::string config;
  std::string task = "text-classification";  ///< for init
  std::vector<std::string> overrides;
};
int run_config(const ConfigVerb& options);

struct InfoVerb {
  std::string model;  ///< "" = the program itself
  OutputOptions output;
};
int run_info(const InfoVerb& options);

}  // namespace attune::app
