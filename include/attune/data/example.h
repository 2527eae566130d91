// One row of a data set, as read: text or ids, and what it should be learned as.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "attune/base/boxed.h"
#include "attune/files/packed.h"

namespace attune::data {

/// A file's name, held once for all rows of the file that share a copy of this.
class FileName {
 public:
  FileName() : name_(nameless()) {}
  FileName(std::string name) : name_(std::make_shared<const std::string>(std::move(name))) {}  // NOLINT: stands for a text
  FileName(const char* name) : FileName(std::string(name)) {}                                  // NOLINT
  FileName(std::shared_ptr<const std::string> name) : name_(std::move(name)) {}                // NOLINT
  operator const std::string&() const { return *name_; }                                       // NOLINT: reads as one
  friend bool operator==(const FileName& a, const FileName& b) { return *a.name_ == *b.name_; }
  friend bool operator==(const FileName& a, const std::string& b) { return *a.name_ == b; }
  friend std::ostream& operator<<(std::ostream& out, const FileName& file) { return out << *file.name_; }

 private:
  static const std::shared_ptr<const std::string>& nameless() {
    static const auto kNameless = std::make_shared<const std::string>();
    return kNameless;
  }

  std::shared_ptr<const std::string> name_;
};

/// Where a row came from, for messages: "intents.jsonl:17".
struct Origin {
  FileName file;
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

/// Data sets have a million rows: what few of them have is boxed.
struct Example {
  std::int64_t row = 0;  ///< 0-based number in the data set (all files in order): the key of dropout and of predictions
  Origin origin;
  std::string id;            ///< the row's own id, else its number in the files that were read
  Boxed<std::string> group;  ///< patient, account, …; "" when there is no group column
  Boxed<std::string> time;   ///< sortable value of the time column; ""
  double weight = 1.0;

  std::string text;                 ///< for span QA the question
  Boxed<std::string> text_pair;     ///< for span QA the context, for prompts the completion
  Boxed<std::string> messages;      ///< chats: the list of messages as JSON (OpenAI's shape); text is then what they say, for people
  Boxed<std::string> tools;         ///< chats: the list of tools as JSON; ""
  Boxed<std::string> columns;       ///< the columns that were asked for (DataOptions::kept_columns) as a JSON object; ""
  Boxed<std::vector<std::string>> words;            ///< token labels: the words, text is empty
  Boxed<std::vector<std::int32_t>> input_ids;       ///< rows that skip the tokenizer
  Boxed<std::vector<std::int32_t>> token_type_ids;  ///< optional, with input_ids
  std::uint32_t prompt_messages = 0;  ///< chats: of how many messages, from the first on, nothing is learned
  bool has_pair = false;
  bool awaits_answer = false;     ///< prompts without a completion and chats without the last answer, which is to be generated
  bool has_empty_answer = false;  ///< chats: in a turn that is learned the assistant says nothing
  bool label_is_number = false;   ///< the label column holds a number: whether that names a class, the other rows decide

  Target target;
};

// For files::LongList.
void pack(const Example& example, files::Packer& packer);
void unpack(files::Unpacker& packed, Example& example);
std::size_t memory_of(const Example& example);

}  // namespace attune::data
