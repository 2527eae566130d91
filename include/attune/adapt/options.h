// Which part of the model is trained.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/fields.h"

namespace attune::adapt {

struct FreezeOptions {
  std::string layers;  ///< "0-3", "0,2,4-5", "all" or "" for none: encoder layers that stay as they are
  std::optional<std::int64_t> trainable_layers;  ///< instead of `layers`: all but the last n stay as they are
  std::optional<bool> embeddings;                ///< default: true when layers are frozen
  std::vector<std::string> patterns;             ///< globs over parameter names; one that matches nothing is an error
};

struct TuningOptions {
  std::string method = "full";  ///< full, head, freeze
  FreezeOptions freeze;
};

template <class Visitor>
void visit_fields(Visitor& visit, FreezeOptions& options) {
  visit(options.layers,
        {.key = "layers",
         .help = "Encoder layers that stay as they are, counted from 0, as in `0-3` or `0,2,4-5`; `all` "
                 "for every layer.",
         .pattern = "|all|[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*",
         .pattern_words = "layer numbers such as \"0-3\" or \"0,2,4-5\", or \"all\"",
         .literals = {{"null", ""}}});
  visit(options.trainable_layers, {.key = "trainable_layers",
                                   .help = "Instead of `layers`: only this many of the last layers train.",
                                   .range = count_from(0),
                                   .aliases = {"freeze_trainable_layers"}});
  visit(options.embeddings,
        {.key = "embeddings", .help = "Whether the embeddings stay as they are. By default they do when layers do."});
  visit(
      options.patterns,
      {.key = "patterns",
       .help =
           "Parameters that stay as they are, by glob over their names: `*` stands for any characters, dots included. "
           "A pattern that matches nothing is an error."});
}

template <class Visitor>
void visit_fields(Visitor& visit, TuningOptions& options) {
  visit(options.method, {.key = "method",
                         .help = "`full` trains everything, `head` only the head on top, `freeze` what the block "
                                 "`freeze` leaves.",
                         .choices = {"full", "head", "freeze"},
                         .aliases = {"finetuning_type"}});
  visit(options.freeze, {.key = "freeze", .help = "What stays as it is under `method: freeze`."});
}

}  // namespace attune::adapt
