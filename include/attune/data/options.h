// Where rows come from, which columns mean what, and how rows are divided into splits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/fields.h"

namespace attune::data {

struct ColumnOptions {
  std::string text = "text";
  std::optional<std::string> text_pair;
  std::string label = "label";
  std::optional<std::string> weight;
  std::optional<std::string> group;
  std::optional<std::string> time;
  std::optional<std::string> id;
  std::string words = "tokens";       ///< token-classification
  std::string tags = "ner_tags";      ///< token-classification
  std::string question = "question";  ///< question-answering
  std::string context = "context";    ///< question-answering
  std::string answers = "answers";    ///< question-answering: {"text": […], "answer_start": […]}
  std::string prompt = "prompt";          ///< text-generation
  std::string completion = "completion";  ///< text-generation
  std::string messages = "messages";            ///< text-generation: [{"role", "content"}, …]
  std::string conversations = "conversations";  ///< text-generation: ShareGPT's [{"from", "value"}, …]
};

/// A part of the training rows to train on (subset.h).
struct SubsetOptions {
  bool enabled = false;                        ///< set by the presence of the block
  std::optional<std::int64_t> rows = {};       ///< in all …
  std::optional<std::int64_t> per_class = {};  ///< … or of each class
  std::uint64_t seed = 42;
  std::string short_classes = "error";         ///< error, all: what a class gives that has fewer rows
};

struct DataOptions {
  std::vector<std::string> train;  ///< one file or several
  std::map<std::string, double> train_weights;  ///< by file of `train`: passes over its rows an epoch; 1 where it is not named
  std::vector<std::string> validation;
  std::vector<std::string> test;
  std::vector<std::string> unlabelled;  ///< rows whose labels, if they have any, are never read
  ColumnOptions columns;
  std::string template_text;         ///< key "template": builds the text from columns, {{column}}
  std::string prompts;  ///< file of a prompt set that writes the rows as prompts; "" = rows are taken as they are
  std::string wording;  ///< of it; "" = the first of train_wordings, else the only one
  std::vector<std::string> train_wordings;  ///< of it: each training row in all of these, "*" for every one; empty = `wording`
  std::vector<std::string> kept_columns;  ///< no key: columns that examples carry along (Example::columns)
  std::int64_t max_length = 128;     ///< tokens a row, special tokens included
  std::string on_bad_row = "error";  ///< error, skip
  std::int64_t rows_in_memory_mib = 8;  ///< memory for training rows, and as much for their tokens; the rest lies in a file
  std::string openings_file;  ///< where openings of test rows are noted; "" = test_openings.jsonl beside the run's folder
  SubsetOptions subset;
  double val_size = 0.0;   ///< share (< 1) or number of training rows held out where no validation file is given
  double test_size = 0.0;  ///< the same for test rows
  std::string split = "stratified";           ///< how the holdout is drawn: random, stratified, group, time
  std::optional<std::uint64_t> split_seed;    ///< default: the run's first seed
  std::string labels = "auto";                ///< auto, single, multi, regression
  std::optional<std::string> positive_label;  ///< of two labels; default: the second by name
  double mlm_probability = 0.15;              ///< fill-mask: share of tokens chosen
  std::int64_t doc_stride = 64;               ///< question-answering: overlap of windows in tokens
  std::string format = "auto";         ///< text-generation: shape of the rows (language_row.h)
  std::string text_unit = "line";      ///< text-generation: what one row of a .txt file is: line, paragraph, file
  bool append_eos = true;              ///< text-generation: texts and completions end with the end-of-text token
  std::string length_policy = "auto";  ///< text-generation: auto, split, truncate, truncate_left, drop, error
  std::string token_cache_dir;         ///< text-generation, fill-mask: where tokens are kept between runs; "" = nowhere
  std::string chat_template;           ///< text-generation: "" = the checkpoint's own; chatml, alpaca, or a file
};

template <class Visitor>
void visit_language_columns(Visitor& visit, ColumnOptions& options) {
  visit(options.prompt, {.key = "prompt",
                         .help = "Column with what comes before the text to be learned: a prompt, a source text, or the "
                                 "messages of a chat so far (text-generation).",
                         .aliases = {"source", "prompt_column", "source_column"}});
  visit(options.completion, {.key = "completion",
                             .help = "Column with the text to be learned: the answer, the target text, or the messages that "
                                     "go on with those of the prompt (text-generation).",
                             .aliases = {"target", "completion_column", "target_column"}});
  visit(options.messages,
        {.key = "messages",
         .help = "Column with a chat as a list of `{\"role\", \"content\"}` (text-generation); a column `tools` beside it "
                 "is given to the chat template.",
         .aliases = {"messages_column"}});
  visit(options.conversations, {.key = "conversations",
                                .help = "Column with a chat in ShareGPT's shape, a list of `{\"from\", \"value\"}` "
                                        "(text-generation).",
                                .aliases = {"conversations_column"}});
}

template <class Visitor>
void visit_fields(Visitor& visit, ColumnOptions& options) {
  visit(options.text, {.key = "text",
                       .help = "Column with the text.",
                       .aliases = {"text_column", "text_column_name", "text_column_names"}});
  visit(options.text_pair, {.key = "text_pair", .help = "Column with a second text that is encoded beside the first."});
  visit(
      options.label,
      {.key = "label",
       .help = "Column with what is to be learned: a text or whole number (one class), a list (several classes), or a "
               "number (regression).",
       .aliases = {"label_column", "label_column_name"}});
  visit(options.weight,
        {.key = "weight", .help = "Column with the weight of each row in the loss. By default every row weighs 1."});
  visit(options.group, {.key = "group",
                        .help = "Column that says which rows belong together, such as patient or account. Rows of one "
                                "group never fall into two splits or folds."});
  visit(options.time,
        {.key = "time",
         .help = "Column with the date or time of a row; with `split: time` the latest rows are held out."});
  visit(options.id, {.key = "id", .help = "Column with the row's own name. By default `id` where a row has one, else "
                                            "the row's number in the files, from 0."});
  visit(options.words,
        {.key = "words", .help = "Column with the list of words (token-classification).", .aliases = {"words_column"}});
  visit(options.tags, {.key = "tags",
                       .help = "Column with the list of tags, one a word (token-classification).",
                       .aliases = {"tags_column"}});
  visit(options.question,
        {.key = "question", .help = "Column with the question (question-answering).", .aliases = {"question_column"}});
  visit(options.context, {.key = "context",
                          .help = "Column with the passage that holds the answer (question-answering).",
                          .aliases = {"context_column"}});
  visit(options.answers,
        {.key = "answers",
         .help = "Column with the answers as in SQuAD: an object of two lists, `text` and `answer_start` "
                 "(question-answering).",
         .aliases = {"answer_column", "answers_column"}});
  visit_language_columns(visit, options);
}

template <class Visitor>
void visit_prompt_fields(Visitor& visit, DataOptions& options) {
  visit(options.prompts,
        {.key = "prompts",
         .help = "File of a prompt set (docs/prompts.md) in one wording of which the rows are written as prompts (text-generation, "
                 "fill-mask): the model is tuned to say the words of the row's label behind the prompt or in its gap, and evaluated by how "
                 "likely it holds the words of all labels; with `prompting.answer: text` it is tuned to write the row's own text. "
                 "`prompting.examples` and `prompting.score` count as in `attune prompt run`.",
         .literals = {{"null", ""}}});
  visit(options.wording, {.key = "wording",
                          .help = "Which wording of `prompts`, as `attune prompt run` names them. By default the first of `train_wordings`, "
                                  "else the only one.",
                          .literals = {{"null", ""}}});
  visit(options.train_wordings,
        {.key = "train_wordings",
         .help = "Several wordings of `prompts`, or `*` for all: each training row stands in every one of them, so that an epoch is as many "
                 "times longer. Validation and test rows are asked in `wording` alone. They write answers alike. By default `wording`."});
}

template <class Visitor>
void visit_fields(Visitor& visit, SubsetOptions& options) {
  visit(options.rows, {.key = "rows",
                       .help = "So many rows in all, each class with its share of them where rows have labels.",
                       .range = count_from(1)});
  visit(options.per_class, {.key = "per_class",
                            .help = "So many rows of each class (text-classification with one class a row).",
                            .range = count_from(1)});
  visit(options.seed, {.key = "seed",
                       .help = "Seed of the drawing. Under one seed a smaller part lies in every larger one. The run's seeds "
                               "have no say in it: all of them train on the same rows."});
  visit(options.short_classes,
        {.key = "short_classes",
         .help = "What happens where a class has fewer rows than `per_class`: `error` stops, `all` takes those that there are.",
         .choices = {"error", "all"}});
}

template <class Visitor>
void visit_holdout_fields(Visitor& visit, DataOptions& options) {
  visit(options.val_size, {.key = "val_size",
                           .help = "Training rows held out for validation: a share below 1 or a number of rows.",
                           .range = share_or_count(),
                           .aliases = {"val_set_size", "validation_size", "val_split_fraction"}});
  visit(options.test_size, {.key = "test_size",
                            .help = "Training rows held out for the final test: a share below 1 or a number of rows.",
                            .range = share_or_count(),
                            .aliases = {"test_split_size"}});
  visit(
      options.split,
      {.key = "split",
       .help = "How rows are held out: at random, with equal class shares (stratified), by whole groups, or the latest "
               "in time. By default `group` where a group column is named, else `time` where a time column is named, "
               "else `stratified` for classes and `random` for the rest.",
       .choices = {"random", "stratified", "group", "time"}});
  visit(options.split_seed,
        {.key = "split_seed", .help = "Seed of the drawing. By default the first of the run's seeds."});
}

template <class Visitor>
void visit_language_fields(Visitor& visit, DataOptions& options) {
  visit(options.format,
        {.key = "format",
         .help = "Shape of the rows (text-generation): `text` (documents), `prompt_completion` (two texts, or two lists of "
                 "messages), `messages`, `sharegpt`, or `alpaca` (instruction, input, output). `auto` goes by the columns "
                 "of each row. Of documents every token is learned, of the others only completions and what the assistant "
                 "says; of two lists only what it says in the second.",
         .choices = {"auto", "text", "prompt_completion", "messages", "sharegpt", "alpaca"}});
  visit(options.text_unit, {.key = "text_unit",
                            .help = "What one row of a .txt file is (text-generation): a `line`, a `paragraph` (up to an "
                                    "empty line), or the whole `file`.",
                            .choices = {"line", "paragraph", "file"}});
  visit(options.append_eos, {.key = "append_eos",
                             .help = "Ends documents and completions with the tokenizer's end-of-text token, which is "
                                     "learned too (text-generation). Chats end as their template says."});
  visit(options.length_policy,
        {.key = "length_policy",
         .help = "What happens to rows longer than `max_length` (text-generation): `split` cuts them into windows that "
                 "share one token, so that every token is learned once; `truncate` drops their end, `truncate_left` their "
                 "beginning, `drop` the row; `error` stops. `auto`: `split` for documents, `truncate_left` for prompts whose answer is "
                 "to be generated, `truncate` for the rest. All are counted.",
         .choices = {"auto", "split", "truncate", "truncate_left", "drop", "error"}});
  visit(options.token_cache_dir,
        {.key = "token_cache_dir",
         .help = "Folder in which the tokens of the rows are kept for the next run (text-generation, fill-mask): they are "
                 "used again as long as rows, tokenizer, template, settings and program are the same. Files in it may be "
                 "removed at any time. By default nothing is kept.",
         .literals = {{"null", ""}},
         .part_of_job = false});
  visit(options.chat_template,
        {.key = "chat_template",
         .help = "Template of chats (text-generation): a file with a Jinja template, or `chatml` or `alpaca`, which are "
                 "built in. By default the checkpoint's own. The template is saved with the model.",
         .literals = {{"null", ""}}});
}

template <class Visitor>
void visit_fields(Visitor& visit, DataOptions& options) {
  visit(options.train,
        {.key = "train",
         .help = "Training rows: a file or a list of files (.jsonl, .csv, .tsv, .txt, each also as .gz).",
         .aliases = {"train_file", "train_files"},
         .required = true});
  visit(options.train_weights,
        {.key = "train_weights",
         .help = "Mixes training files: `{\"chats.jsonl\": 2, \"old.jsonl\": 0.25}` reads every row of the first twice an "
                 "epoch and another quarter of the second each epoch. Files that are not named are read once.",
         .range = above(0)});
  visit(options.validation, {.key = "validation",
                             .help = "Validation rows: a file or a list of files.",
                             .aliases = {"validation_file", "validation_files", "eval_file", "dev_file"}});
  visit(options.test, {.key = "test",
                       .help = "Test rows, looked at once at the end: a file or a list of files.",
                       .aliases = {"test_file", "test_files"}});
  visit(options.unlabelled,
        {.key = "unlabelled",
         .help = "Rows without labels for `tuning.self_training`: a file or a list of files. Labels that they have are not read. Rows with "
                 "the text of a validation, test or labelled training row are left out and counted.",
         .aliases = {"unlabelled_file", "unlabeled", "unlabeled_file"}});
  visit(options.openings_file,
        {.key = "openings_file",
         .help = "File in which each opening of test rows is noted by their hash, so that it can be said how often they have been "
                 "looked at; all verbs that score test rows count in it. By default `test_openings.jsonl` in the folder that holds "
                 "`output_dir` or the model's folder.",
         .literals = {{"null", ""}},
         .part_of_job = false});
  visit(options.columns, {.key = "columns", .help = "Which column of the rows means what."});
  visit(options.template_text, {.key = "template",
                                .help = "Builds the text from columns: `{{amount}} at {{merchant}}`.",
                                .literals = {{"null", ""}}});
  visit_prompt_fields(visit, options);
  visit(options.max_length, {.key = "max_length",
                             .help = "Tokens a row, special tokens included; what is longer is cut. Prompts that ask for labels may be as "
                                     "long as the model allows.",
                             .range = count_from(3),
                             .aliases = {"max_seq_length", "max_seq_len", "cutoff_len", "sequence_len"}});
  visit(options.on_bad_row, {.key = "on_bad_row",
                             .help = "`error` stops at the first row that cannot be read or made into tokens (a chat that its "
                                     "template refuses, a row of which nothing is learned); `skip` counts and lists such "
                                     "rows and goes on.",
                             .choices = {"error", "skip"}});
  visit(options.rows_in_memory_mib,
        {.key = "rows_in_memory_mib",
         .help = "Memory, in MiB, for the training rows, and as much again for their tokens. What does not fit goes to a temporary "
                 "file beside `output_dir`, which leaves at least as much of the disk free as it takes; the results are the same. "
                 "Folds, `val_size` and `test_size` need all rows in memory whatever this says, validation and test rows always "
                 "lie there.",
         .range = count_from(0),
         .part_of_job = false});
  visit(options.subset,
        {.key = "subset",
         .help = "Trains on a part of the training rows, drawn after held-out rows were taken away and before folds are made. The labels "
                 "are still those of all training rows, so that models of different parts have the same classes. Null or left "
                 "out: all rows.",
         .present = &options.subset.enabled});
  visit_holdout_fields(visit, options);
  visit(options.labels, {.key = "labels",
                         .help = "Kind of the labels: one class a row, several, or a number; `auto` takes it from the "
                                 "training rows.",
                         .choices = {"auto", "single", "multi", "regression"}});
  visit(options.positive_label,
        {.key = "positive_label",
         .help =
             "Of two labels the one that is looked for, such as `fraud`: precision, recall, F1 of the positive class, "
             "ROC-AUC and PR-AUC are its. It becomes the second label of the model. By default the second by name or "
             "number.",
         .aliases = {"pos_label"}});
  visit(options.mlm_probability, {.key = "mlm_probability",
                                  .help = "Share of the tokens that are to be guessed (fill-mask).",
                                  .range = {.min = 0, .max = 1, .min_excluded = true, .max_excluded = true}});
  visit(options.doc_stride, {.key = "doc_stride",
                             .help = "Tokens by which neighbouring windows of a long passage overlap "
                                     "(question-answering).",
                             .range = count_from(0)});
  visit_language_fields(visit, options);
}

}  // namespace attune::data
