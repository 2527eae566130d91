// What a model is asked: the file of a prompt set, and how examples are chosen for it. docs/prompts.md is the manual;
// module config reads the file (attune/config/prompt_set.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/fields.h"

namespace attune::prompt {

/// The texts of a prompt. Each is a list of variants of which a wording takes one; templates are Jinja
/// (text/template.h).
struct Texts {
  std::vector<std::string> instruction;
  std::vector<std::string> background;
  std::vector<std::string> tone;
  std::vector<std::string> header;
  std::vector<std::string> input;
  std::vector<std::string> answer;
  std::vector<std::string> separator;
};

/// A named wording: what it leaves empty is the prompt set's.
struct NamedWording {
  std::string name;
  Texts texts;
};

/// Label words under a name: labels that it leaves out have the prompt set's.
struct Verbalizer {
  std::string name;
  std::map<std::string, std::vector<std::string>> label_words;
};

/// Wordings that rules make (FormatSpread, arXiv 2310.11324): each list is a factor, its first entry need not be the
/// plain one.
struct Rules {
  std::vector<std::string> letter_case = {"as_is"};
  std::vector<std::string> punctuation = {":"};
  std::vector<std::string> order = {"header_first"};
};

/// What a generated text must be like (assertions.h).
struct Assertion {
  std::string name;
  std::vector<std::string> contains, not_contains;
  std::vector<std::string> matches, not_matches;
  std::optional<std::int64_t> min_chars, max_chars;
  std::optional<std::int64_t> min_words, max_words;
  std::optional<std::int64_t> min_tokens, max_tokens;
  std::vector<std::string> wanted_words, unwanted_words;
  bool ignore_case = true;
};

struct PromptSet {
  std::string about;
  Texts texts = {
      .instruction = {""},
      .background = {""},
      .tone = {""},
      .header =
          {"{% if background %}{{ background }}\n{% endif %}{% if tone %}{{ tone }}\n{% endif %}{{ instruction }}"},
      .input = {"{{ text }}"},
      .answer = {" {{ answer }}"},
      .separator = {"\n\n"}};
  bool chat = false;
  std::map<std::string, std::vector<std::string>> label_words;
  std::vector<Verbalizer> verbalizers;
  std::vector<NamedWording> wordings;
  Rules rules;
  std::vector<Assertion> assertions;
  std::string file;  ///< no key: where it was read from, for messages
};

/// How the examples in front of a row are chosen (examples.h).
struct FewShotOptions {
  std::int64_t k = 0;
  std::string choose = "balanced";  ///< random, balanced, nearest
  std::string order = "random";     ///< random, as_chosen, nearest_last, by_label
  bool per_row = true;
  std::uint64_t seed = 42;                  ///< no key: the run's seeds, one after another
  std::optional<std::uint64_t> order_seed;  ///< default: seed
};

template <class Visitor>
void visit_fields(Visitor& visit, Texts& texts) {
  visit(texts.instruction,
        {.key = "instruction",
         .help = "What the model is to do: a text, or a list of texts, of which every wording takes one. The "
                 "same holds for the other texts."});
  visit(texts.background, {.key = "background", .help = "What the model should know about the field it works in."});
  visit(texts.tone, {.key = "tone", .help = "How the model is to speak."});
  visit(texts.header,
        {.key = "header",
         .help = "What stands once at the beginning: a Jinja template of `instruction`, `background` and `tone`. "
                 "An empty text leaves it out."});
  visit(texts.input,
        {.key = "input",
         .help = "How a row is shown: a Jinja template of the row's columns, of `text` and `text_pair` (what `data` "
                 "makes of them) and, for models that fill gaps, of `mask`, where the label word is to stand.",
         .aliases = {"template"}});
  visit(texts.answer,
        {.key = "answer",
         .help = "How an answer stands behind its input: a Jinja template of `answer`, which is the label word, "
                 "or the row's answer where texts are asked for. In chats and gaps blanks at its ends are dropped."});
  visit(texts.separator, {.key = "separator", .help = "What stands between header, examples and row."});
}

template <class Visitor>
void visit_fields(Visitor& visit, NamedWording& wording) {
  visit(wording.name, {.key = "name",
                       .help = "How results name the wording.",
                       .pattern = "[^/=]+",
                       .pattern_words = "a text without / and =",
                       .required = true});
  visit_fields(visit, wording.texts);
}

template <class Visitor>
void visit_fields(Visitor& visit, Verbalizer& verbalizer) {
  visit(verbalizer.name, {.key = "name",
                          .help = "How results name the label words.",
                          .pattern = "[^/=]+",
                          .pattern_words = "a text without / and =",
                          .required = true});
  visit(verbalizer.label_words,
        {.key = "label_words", .help = "As above; labels that are left out have the words above."});
}

template <class Visitor>
void visit_fields(Visitor& visit, Rules& rules) {
  visit(rules.letter_case,
        {.key = "case",
         .help = "Letters of `input` and `answer` outside of `{{ … }}`: as they are, lower or upper case.",
         .choices = {"as_is", "lower", "upper"}});
  visit(rules.punctuation,
        {.key = "punctuation",
         .help = "What stands for a `:` of `input` and `answer` that a blank, a line end or a `{{ … }}` "
                 "follows, as in `Intent:`."});
  visit(rules.order,
        {.key = "order",
         .help = "Whether the header stands before the examples, or behind them, right before the row (in a chat then "
                 "in its turn).",
         .choices = {"header_first", "examples_first"}});
}

template <class Visitor>
void visit_assertion_sizes(Visitor& visit, Assertion& assertion) {
  visit(assertion.min_chars, {.key = "min_chars", .help = "Fewest characters (code points).", .range = count_from(0)});
  visit(assertion.max_chars, {.key = "max_chars", .help = "Most characters (code points).", .range = count_from(0)});
  visit(assertion.min_words,
        {.key = "min_words", .help = "Fewest words, as blanks part them.", .range = count_from(0)});
  visit(assertion.max_words, {.key = "max_words", .help = "Most words, as blanks part them.", .range = count_from(0)});
  visit(assertion.min_tokens, {.key = "min_tokens", .help = "Fewest tokens of the model.", .range = count_from(0)});
  visit(assertion.max_tokens, {.key = "max_tokens", .help = "Most tokens of the model.", .range = count_from(0)});
}

template <class Visitor>
void visit_fields(Visitor& visit, Assertion& assertion) {
  visit(assertion.name, {.key = "name", .help = "How results name the assertion.", .required = true});
  visit(assertion.contains, {.key = "contains", .help = "Texts that must all occur."});
  visit(assertion.not_contains, {.key = "not_contains", .help = "Texts of which none may occur."});
  visit(assertion.matches,
        {.key = "matches", .help = "Regular expressions (Python's syntax) that must all match somewhere."});
  visit(assertion.not_matches, {.key = "not_matches", .help = "Regular expressions that may match nowhere."});
  visit_assertion_sizes(visit, assertion);
  visit(assertion.wanted_words,
        {.key = "wanted_words",
         .help = "The tone to be met: one of these words must occur, as a whole word in any case."});
  visit(assertion.unwanted_words,
        {.key = "unwanted_words",
         .help = "The tone to be avoided: none of these words may occur, as a whole word in any case."});
  visit(assertion.ignore_case,
        {.key = "ignore_case", .help = "Whether texts and regular expressions fit in any case of letters."});
}

template <class Visitor>
void visit_fields(Visitor& visit, PromptSet& set) {
  visit(set.about, {.key = "about", .help = "What the prompts are for, for people."});
  visit_fields(visit, set.texts);
  visit(
      set.chat,
      {.key = "chat",
       .help = "Whether prompts are chats in the model's own template: the header is the system's turn, an example one "
               "of the user and one of the assistant, the row the user's last."});
  visit(set.label_words,
        {.key = "label_words",
         .help =
             "Words that stand for a label: `{\"card_arrival\": \"card arrival\", \"yes\": [\"yes\", \"true\"]}`. The "
             "first is shown in examples, all are scored. By default the label's name with blanks for `_`.",
         .aliases = {"verbalizer"}});
  visit(set.verbalizers, {.key = "verbalizers",
                          .help = "Several sets of label words, each under a name: every wording is put once with each "
                                  "of them. Without any there is "
                                  "one, `label_words`."});
  visit(
      set.wordings,
      {.key = "wordings",
       .help =
           "Named wordings: what they give takes the place of the texts above. Without any there is one, `default`."});
  visit(set.rules, {.key = "rules",
                    .help = "Wordings made by rule, each combination one, as in FormatSpread (arXiv 2310.11324)."});
  visit(set.assertions, {.key = "assertions", .help = "What generated texts must be like."});
}

template <class Visitor>
void visit_fields(Visitor& visit, FewShotOptions& options) {
  visit(options.k,
        {.key = "k", .help = "Examples in front of a row.", .range = between(0, 1000), .aliases = {"num_fewshot"}});
  visit(options.choose,
        {.key = "choose",
         .help = "Which rows become examples: any, as many of each class as can be, or those most similar to the "
                 "row.",
         .choices = {"random", "balanced", "nearest"}});
  visit(options.order,
        {.key = "order",
         .help = "In which order they stand: at random, as they were chosen (the most similar first), the most "
                 "similar last, or by the name of their label.",
         .choices = {"random", "as_chosen", "nearest_last", "by_label"}});
  visit(options.per_row,
        {.key = "per_row",
         .help = "Whether each row draws examples of its own. Otherwise all rows have the same, but for those that "
                 "would see their own text; a common beginning is computed once."});
  visit(options.order_seed,
        {.key = "order_seed",
         .help = "Seed of a random order. By default the seed of the run, under which examples are drawn."});
}

}  // namespace attune::prompt
