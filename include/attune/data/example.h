// One row of a data set, as read: text or ids, and what it should be learned as.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace attune::data {

/// Where a row came from, for messages: "intents.jsonl:17".
struct Origin {
  std::string file;
  std::int64_t line = 0;  ///< 1-based line where the row starts
};

struct Answer {
  std::string text;
  std::int64_t start = 0;  ///< code point offset into the context
};

/// What a row should be learned as; std::monostate when the row has no label (prediction, masked language modelling).
struct ClassLabel { std::string name; };                 ///< strings; integer labels are their decimal digits
struct LabelSet { std::vector<std::string> names; };     ///< multi-label
struct Value { double value; };                          ///< regression
struct TokenTags { std::vector<std::string> tags; };     ///< one per word
struct Answers { std::vector<Answer> answers; };         ///< span question answering; empty = unanswerable
using Target = std::variant<std::monostate, ClassLabel, LabelSet, Value, TokenTags, Answers>;

struct Example {
  std::int64_t row = 0;  ///< 0-based number in the data set (all files in order): the key of dropout and of predictions
  Origin origin;
  std::string id;     ///< the row's own id, else its number in the files that were read
  std::string group;  ///< patient, account, …; "" when there is no group column
  std::string time;   ///< sortable value of the time column; ""
  double weight = 1.0;

  std::string text;       ///< for span QA the question
  std::string text_pair;  ///< for span QA the context, for prompts the completion
  bool has_pair = false;
  std::string messages;  ///< chats: the list of messages as JSON (OpenAI's shape); text is then what they say, for people
  bool awaits_answer = false;  ///< prompts without a completion and chats without the last answer, which is to be generated
  std::size_t prompt_messages = 0;  ///< chats: of how many messages, from the first on, nothing is learned
  bool has_empty_answer = false;    ///< chats: in a turn that is learned the assistant says nothing
  std::string tools;     ///< chats: the list of tools as JSON; ""
  std::vector<std::string> words;           ///< token labels: the words, text is empty
  std::vector<std::int32_t> input_ids;      ///< rows that skip the tokenizer
  std::vector<std::int32_t> token_type_ids; ///< optional, with input_ids

  Target target;
};

}  // namespace attune::data
