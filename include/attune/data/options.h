// Where rows come from, which columns mean what, and how rows are divided into splits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace attune::data {

struct ColumnOptions {
  std::string text = "text";
  std::optional<std::string> text_pair;
  std::string label = "label";
  std::optional<std::string> weight;
  std::optional<std::string> group;
  std::optional<std::string> time;
  std::optional<std::string> id;
  std::string words = "tokens";      ///< token-classification
  std::string tags = "ner_tags";     ///< token-classification
  std::string question = "question"; ///< question-answering
  std::string context = "context";   ///< question-answering
  std::string answers = "answers";   ///< question-answering: {"text": […], "answer_start": […]}
};

struct DataOptions {
  std::vector<std::string> train;       ///< one file or several
  std::vector<std::string> validation;
  std::vector<std::string> test;
  ColumnOptions columns;
  std::string template_text;            ///< key "template": builds the text from columns, {{column}}
  std::int64_t max_length = 128;        ///< tokens a row, special tokens included
  std::string on_bad_row = "error";     ///< error, skip
  double val_size = 0.0;                ///< share (< 1) or number of training rows held out where no validation file is given
  double test_size = 0.0;               ///< the same for test rows
  std::string split = "stratified";     ///< how the holdout is drawn: random, stratified, group, time
  std::optional<std::uint64_t> split_seed;  ///< default: the run's first seed
  std::string labels = "auto";          ///< auto, single, multi, regression
  double mlm_probability = 0.15;        ///< fill-mask: share of tokens chosen
  std::int64_t doc_stride = 64;         ///< question-answering: overlap of windows in tokens
};

}  // namespace attune::data
