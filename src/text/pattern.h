// What Split and Replace look for: a literal string or a regular expression of the reference (Oniguruma, Ruby syntax),
// run by PCRE2 with every character class spelled out from our own tables, so that the engine's Unicode version does
// not matter.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aligned_text.h"
#include "json_node.h"
#include "scanner.h"

namespace attune::text {

class Pattern {
 public:
  /// From {"String": …} or {"Regex": …}. Throws Error{model} naming a construct that we cannot run as the reference
  /// does.
  explicit Pattern(const JsonNode& node);
  Pattern(Pattern&&) noexcept;
  ~Pattern();

  /// Successive matches that do not overlap, empty ones included. Throws Error{model} when matching takes too long.
  std::vector<Span> find_all(std::string_view text) const;
  /// What matches a well-known pattern without the regex engine, or nullptr.
  Scanner scanner() const { return scanner_; }

 private:
  struct Program;
  void find_literal(std::string_view text, std::vector<Span>& matches) const;
  void find_regex(std::string_view text, std::vector<Span>& matches) const;

  std::string source_;
  std::string file_;
  Scanner scanner_ = nullptr;
  std::unique_ptr<Program> program_;  ///< nothing for a literal and for a pattern that has a scanner
};

/// The same expression in PCRE2's syntax, independent of its Unicode tables. Throws std::invalid_argument with what is
/// unsupported.
std::string translate_regex(std::string_view ruby);

}  // namespace attune::text
