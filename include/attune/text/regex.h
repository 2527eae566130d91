// A regular expression of a user over names, such as the paths of a model's layers, or texts: PCRE2, whose syntax is that
// of Python's `re` for everything that such patterns use.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace attune::text {

class Regex {
 public:
  /// Throws std::invalid_argument with the reason when `pattern` is none.
  explicit Regex(const std::string& pattern);
  Regex(Regex&&) noexcept;
  ~Regex();

  /// Whether it matches `text` from end to end (Python's fullmatch). Throws std::invalid_argument when that takes too
  /// long.
  bool matches_whole(std::string_view text) const;
  /// Whether it matches a part of `text` (Python's search). Throws as matches_whole does.
  bool matches_somewhere(std::string_view text) const;
  /// What the first group of a match from the beginning of `text` caught (Python's match); "" = no match.
  std::string first_group(std::string_view text) const;

 private:
  struct Program;
  std::unique_ptr<Program> program_;
};

/// `text` so that a pattern finds it as it is.
std::string escape_regex(std::string_view text);

}  // namespace attune::text
