// Assertions on generated texts: what must and must not occur, how long they are, which words set their tone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/prompt/options.h"

namespace attune::prompt {

struct FailedAssertion {
  std::string name;
  std::string why;  ///< "'refund' does not occur", "it has 31 words, at most 30 are asked for"
};

class Assertions {
 public:
  /// Error{usage} for a regular expression that is none. `file` names the prompt set.
  Assertions(const std::vector<Assertion>& assertions, const std::string& file);

  /// Whether check() needs a count of tokens.
  bool counts_tokens() const;

  /// Those that the text fails, each with everything that is wrong. `tokens` counts the tokens of a text; it is called
  /// at most once, and only where counts_tokens(). Error{usage} for a regular expression that takes too long.
  std::vector<FailedAssertion> check(std::string_view text,
                                     const std::function<std::int64_t(std::string_view)>& tokens = {}) const;

 private:
  struct Compiled;
  std::shared_ptr<const std::vector<Compiled>> compiled_;
};

}  // namespace attune::prompt
