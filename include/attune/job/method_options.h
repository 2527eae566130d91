// Methods as `attune compare` names them: each answers the same rows, with settings of its own on top of the
// configuration.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/fields.h"

namespace attune::job {

/// Keys of the configuration with one value each, as JSON text: {"tuning.method", "\"head\""}.
struct KeyValues {
  std::vector<std::pair<std::string, std::string>> values;
};

/// Keys with several values each.
struct KeyChoices {
  std::vector<std::pair<std::string, std::vector<std::string>>> values;
};

struct MethodOptions {
  std::string name;
  std::string kind;  ///< of study::method_kinds()
  KeyValues set;
  KeyChoices vary;
  std::vector<std::string> wordings;  ///< of a prompt set, by name; empty = all
};

/// What `attune compare` sets side by side.
struct CompareOptions {
  std::vector<MethodOptions> methods;
  std::int64_t selection_budget = 4;
  std::int64_t predictions = 1000;
};

template <class Visitor>
void visit_fields(Visitor& visit, MethodOptions& options) {
  visit(options.name, {.key = "name",
                       .help = "How results name the method, and its folder in `methods`.",
                       .pattern = "[A-Za-z0-9][A-Za-z0-9 ._+-]{0,59}",
                       .pattern_words = "a text of at most 60 letters, digits, blanks and . _ + - that begins with a "
                                        "letter or digit",
                       .required = true});
  visit(options.kind,
        {.key = "kind",
         .help = "`majority` (always the most frequent label of the training rows), `words` (logistic regression on "
                 "TF-IDF weights of words), `prompt` (a language model asked as the block `prompting` says), `train` "
                 "(a model tuned as the configuration says).",
         .choices = {"majority", "words", "prompt", "train"},
         .required = true});
  visit(options.set, {.key = "set",
                      .help = "What the method changes in the configuration, key by key: `{\"tuning.method\": "
                              "\"head\", \"training.learning_rate\": 0.001}`."});
  visit(options.vary, {.key = "vary",
                       .help = "Values to choose among by the validation rows: `{\"training.learning_rate\": [0.001, "
                               "0.01]}`. Every combination is a candidate."});
  visit(options.wordings,
        {.key = "wordings", .help = "Which wordings of the prompt set are candidates, by name. By default all."});
}

template <class Visitor>
void visit_fields(Visitor& visit, CompareOptions& options) {
  visit(options.methods,
        {.key = "methods", .help = "What is compared. All methods answer the same test rows.", .part_of_job = false});
  visit(options.selection_budget,
        {.key = "selection_budget",
         .help = "How many candidates (values of `vary` × wordings) a method may choose among by the validation rows: "
                 "the same for all, so that none wins by having been tried more often.",
         .range = count_from(1),
         .part_of_job = false});
  visit(options.predictions,
        {.key = "predictions",
         .help = "For the recommendation the cost of a method is that of training it once and answering so many rows.",
         .range = count_from(1),
         .part_of_job = false});
}

}  // namespace attune::job
