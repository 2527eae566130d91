// See labels.h.
#include "attune/prompt/labels.h"

#include <algorithm>
#include <map>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/text/words.h"

namespace attune::prompt {

namespace {

[[noreturn]] void bad_labels(const PromptSet& set, std::string what, std::string where, std::string hint) {
  throw Error(ErrorKind::usage,
              {.file = set.file, .what = std::move(what), .where = std::move(where), .hint = std::move(hint)});
}

using WordsByLabel = std::map<std::string, std::vector<std::string>>;

/// `key`: of the words, for messages.
void check_known(const PromptSet& set, const WordsByLabel& given, const std::string& key,
                 const std::vector<std::string>& labels) {
  for (const auto& [label, words] : given) {
    if (std::find(labels.begin(), labels.end(), label) != labels.end()) continue;
    const std::string nearest = nearest_name(label, labels);
    bad_labels(set, concat("there is no label '", label, "'"), key,
               nearest.empty() ? "the labels are " + join(labels, ", ") : concat("did you mean '", nearest, "'?"));
  }
}

void check_apart(const PromptSet& set, const std::string& key, const LabelWords& all) {
  for (std::size_t i = 0; i < all.labels.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      for (const std::string& word : all.words[i]) {
        if (std::find(all.words[j].begin(), all.words[j].end(), word) == all.words[j].end()) continue;
        bad_labels(set,
                   concat("the labels '", all.labels[j], "' and '", all.labels[i], "' share the word '", word, "'"),
                   key, "give each words of its own");
      }
    }
  }
}

/// A label's word with blanks and case gone.
struct PlainWord {
  std::size_t label;
  std::string text;
};

std::vector<PlainWord> plain_words_of(const LabelWords& all) {
  std::vector<PlainWord> plain;
  for (std::size_t label = 0; label < all.labels.size(); ++label) {
    for (const std::string& word : all.words[label]) {
      std::string text = text::plain_words(word);
      if (!text.empty()) plain.push_back({label, std::move(text)});
    }
  }
  return plain;
}

/// The label of the words that fit, or nothing where there are none or they are of two labels.
class OneLabel {
 public:
  void add(std::size_t label) {
    is_clear_ = is_clear_ && (!label_ || label_ == label);
    label_ = label;
  }
  bool was_added() const { return label_.has_value(); }
  std::optional<std::size_t> get() const { return is_clear_ ? label_ : std::nullopt; }

 private:
  std::optional<std::size_t> label_;
  bool is_clear_ = true;
};

OneLabel label_of_whole(std::string_view answer, const LabelWords& all) {
  OneLabel found;
  for (std::size_t label = 0; label < all.labels.size(); ++label) {
    for (const std::string& word : all.words[label]) {
      if (trim(word) == trim(answer)) found.add(label);
    }
  }
  return found;
}

OneLabel label_at_beginning(const std::string& answer, const std::vector<PlainWord>& words) {
  std::size_t longest = 0;
  for (const PlainWord& word : words) {
    if (text::find_words(answer, word.text) == 0) longest = std::max(longest, word.text.size());
  }
  OneLabel found;
  for (const PlainWord& word : words) {
    if (word.text.size() == longest && text::find_words(answer, word.text) == 0) found.add(word.label);
  }
  return found;
}

/// Whether `word` stands somewhere in the answer where no longer word covers it.
bool stands_alone(const std::string& answer, const PlainWord& word, const std::vector<PlainWord>& words) {
  for (std::size_t at = text::find_words(answer, word.text); at != std::string::npos;
       at = text::find_words(answer, word.text, at + 1)) {
    const auto covers = [&](const PlainWord& other) {
      if (other.text.size() <= word.text.size()) return false;
      for (std::size_t begin = text::find_words(answer, other.text); begin != std::string::npos && begin <= at;
           begin = text::find_words(answer, other.text, begin + 1)) {
        if (begin + other.text.size() >= at + word.text.size()) return true;
      }
      return false;
    };
    if (std::none_of(words.begin(), words.end(), covers)) return true;
  }
  return false;
}

OneLabel label_inside(const std::string& answer, const std::vector<PlainWord>& words) {
  OneLabel found;
  for (const PlainWord& word : words) {
    if (stands_alone(answer, word, words)) found.add(word.label);
  }
  return found;
}

}  // namespace

LabelWords label_words(const PromptSet& set, const std::vector<std::string>& labels, const std::string& verbalizer) {
  check_known(set, set.label_words, "label_words", labels);
  WordsByLabel given = set.label_words;
  std::string key = "label_words";
  for (const Verbalizer& one : set.verbalizers) {
    if (one.name != verbalizer) continue;
    key = concat("verbalizers, '", verbalizer, "'");
    check_known(set, one.label_words, key, labels);
    for (const auto& [label, words] : one.label_words) given[label] = words;
  }
  LabelWords all;
  all.labels = labels;
  for (const std::string& label : labels) {
    if (const auto found = given.find(label); found != given.end()) {
      all.words.push_back(found->second);
      continue;
    }
    std::string word = label;
    std::replace(word.begin(), word.end(), '_', ' ');
    all.words.push_back({std::move(word)});
  }
  check_apart(set, key, all);
  return all;
}

std::optional<std::size_t> parse_answer(std::string_view answer, const LabelWords& words) {
  if (const OneLabel found = label_of_whole(answer, words); found.was_added()) return found.get();
  const std::string plain = text::plain_words(answer);
  const std::vector<PlainWord> candidates = plain_words_of(words);
  if (const OneLabel found = label_at_beginning(plain, candidates); found.was_added()) return found.get();
  return label_inside(plain, candidates).get();
}

}  // namespace attune::prompt
