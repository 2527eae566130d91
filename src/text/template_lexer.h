// Splits a template into tokens as Jinja's lexer does with trim_blocks and lstrip_blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "template_value.h"

namespace attune::text::jinja {

enum class TokenKind { data, output_begin, output_end, block_begin, block_end, name, text, integer, real, symbol, end };

struct Token {
  TokenKind kind;
  std::string text;  ///< of data, names, symbols; strings with their escapes resolved
  int line;
  Integer whole = 0;
  double number = 0;
};

/// The last token is `end`. Fault with the line for what is no token.
std::vector<Token> tokenize(std::string_view source);

/// How a message names the token.
std::string describe(const Token& token);

}  // namespace attune::text::jinja
