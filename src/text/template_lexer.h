// Splits a template into tokens as Jinja's lexer does.
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

/// What templates of one kind are read with.
enum class Dialect {
  chat,   ///< Transformers': trim_blocks, lstrip_blocks, the last line end is dropped; what is undefined is printed as nothing
  exact,  ///< white space stands as it is written; to use what is undefined is a Fault (Jinja's StrictUndefined)
};

/// The last token is `end`. Fault with the line for what is no token.
std::vector<Token> tokenize(std::string_view source, Dialect dialect);

/// How a message names the token.
std::string describe(const Token& token);

}  // namespace attune::text::jinja
