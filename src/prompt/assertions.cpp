// See assertions.h.
#include "attune/prompt/assertions.h"

#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/text/regex.h"
#include "attune/text/words.h"

namespace attune::prompt {

namespace {

[[noreturn]] void bad_pattern(const std::string& file, const std::string& assertion, const std::string& pattern,
                              const std::string& why) {
  throw Error(ErrorKind::usage, {.file = file,
                                 .what = concat("'", pattern, "' cannot be searched: ", why),
                                 .where = concat("assertion '", assertion, "'"),
                                 .hint = "write a simpler regular expression"});
}

std::int64_t words_in(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::int64_t words = 0;
  for (std::string word; stream >> word;) ++words;
  return words;
}

/// Collects what is wrong with one text.
class Complaints {
 public:
  void add(const std::string& what) { all_ += (all_.empty() ? "" : "; ") + what; }

  void check_size(std::int64_t size, const char* unit, const std::optional<std::int64_t>& least,
                  const std::optional<std::int64_t>& most) {
    if (least && size < *least) add(concat("it has ", size, " ", unit, ", at least ", *least, " are asked for"));
    if (most && size > *most) add(concat("it has ", size, " ", unit, ", at most ", *most, " are asked for"));
  }

  const std::string& text() const { return all_; }

 private:
  std::string all_;
};

}  // namespace

/// An assertion ready to be checked.
struct Assertions::Compiled {
  Compiled(const Assertion& assertion, std::string set_file) : asked(assertion), file(std::move(set_file)) {
    for (const std::string& pattern : asked.matches) matches.push_back(compile(pattern));
    for (const std::string& pattern : asked.not_matches) not_matches.push_back(compile(pattern));
  }

  text::Regex compile(const std::string& pattern) const {
    try {
      return text::Regex((asked.ignore_case ? "(?i)" : "") + pattern);
    } catch (const std::invalid_argument& error) {
      bad_pattern(file, asked.name, pattern, error.what());
    }
  }

  std::string cased(std::string_view text) const {
    return asked.ignore_case ? text::to_lower(text) : std::string(text);
  }

  bool is_found(const text::Regex& regex, const std::string& pattern, std::string_view text) const {
    try {
      return regex.matches_somewhere(text);
    } catch (const std::invalid_argument& error) {
      bad_pattern(file, asked.name, pattern, error.what());
    }
  }

  void check_texts(std::string_view text, Complaints& complaints) const {
    const std::string shown = cased(text);
    for (const std::string& part : asked.contains) {
      if (shown.find(cased(part)) == std::string::npos) complaints.add(concat("'", part, "' does not occur"));
    }
    for (const std::string& part : asked.not_contains) {
      if (shown.find(cased(part)) != std::string::npos) complaints.add(concat("'", part, "' occurs"));
    }
    for (std::size_t i = 0; i < matches.size(); ++i) {
      if (!is_found(matches[i], asked.matches[i], text))
        complaints.add(concat("'", asked.matches[i], "' matches nowhere"));
    }
    for (std::size_t i = 0; i < not_matches.size(); ++i) {
      if (is_found(not_matches[i], asked.not_matches[i], text))
        complaints.add(concat("'", asked.not_matches[i], "' matches"));
    }
  }

  void check_tone(std::string_view text, Complaints& complaints) const {
    const std::string words = text::plain_words(text);
    const auto occurs = [&](const std::string& word) {
      return text::find_words(words, text::plain_words(word)) != std::string::npos;
    };
    bool has_wanted = asked.wanted_words.empty();
    for (const std::string& word : asked.wanted_words) has_wanted = has_wanted || occurs(word);
    if (!has_wanted) complaints.add(concat("none of the wanted words occurs (", join(asked.wanted_words, ", "), ")"));
    for (const std::string& word : asked.unwanted_words) {
      if (occurs(word)) complaints.add(concat("the unwanted word '", word, "' occurs"));
    }
  }

  bool counts_tokens() const { return asked.min_tokens || asked.max_tokens; }

  Assertion asked;
  std::string file;
  std::vector<text::Regex> matches, not_matches;
};

Assertions::Assertions(const std::vector<Assertion>& assertions, const std::string& file) {
  std::vector<Compiled> compiled;
  for (const Assertion& assertion : assertions) compiled.emplace_back(assertion, file);
  compiled_ = std::make_shared<const std::vector<Compiled>>(std::move(compiled));
}

bool Assertions::counts_tokens() const {
  for (const Compiled& assertion : *compiled_) {
    if (assertion.counts_tokens()) return true;
  }
  return false;
}

std::vector<FailedAssertion> Assertions::check(std::string_view text,
                                               const std::function<std::int64_t(std::string_view)>& tokens) const {
  const auto chars = static_cast<std::int64_t>(to_utf32(text).size());
  const std::int64_t words = words_in(text);
  const std::int64_t token_count = counts_tokens() ? tokens(text) : 0;
  std::vector<FailedAssertion> failed;
  for (const Compiled& assertion : *compiled_) {
    Complaints complaints;
    const Assertion& asked = assertion.asked;
    assertion.check_texts(text, complaints);
    complaints.check_size(chars, "characters", asked.min_chars, asked.max_chars);
    complaints.check_size(words, "words", asked.min_words, asked.max_words);
    complaints.check_size(token_count, "tokens", asked.min_tokens, asked.max_tokens);
    assertion.check_tone(text, complaints);
    if (!complaints.text().empty()) failed.push_back({asked.name, complaints.text()});
  }
  return failed;
}

}  // namespace attune::prompt
