// attune tokenize: lines of stdin → {"ids", "tokens", "offsets"} lines.
#include <nlohmann/json.hpp>

#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/files/standard_input.h"
#include "attune/models/model.h"
#include "attune/text/tokenizer.h"

namespace attune::app {

namespace {

text::TextInput split_pair(std::string_view line, std::int64_t number) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos) {
    throw Error(ErrorKind::data, {.file = "<stdin>", .what = "there is no tab between the two texts", .where = concat("line ", number),
                                  .hint = "with --pair a line is TEXT<TAB>PAIR"});
  }
  return {.text = line.substr(0, tab), .pair = line.substr(tab + 1)};
}

}  // namespace

int run_tokenize(const TokenizeVerb& options) {
  const text::Tokenizer tokenizer = text::Tokenizer::from_folder(models::resolve_model_path(options.model));
  text::EncodeOptions encode;
  encode.add_special_tokens = !options.no_special_tokens;
  files::StandardInput lines;
  for (std::string line; lines.next(line);) {
    const text::TextInput input = options.pair ? split_pair(line, lines.line_number()) : text::TextInput{.text = line};
    const text::Encoding encoding = tokenizer.encode(input, encode);
    files::Json out = {{"ids", encoding.ids}, {"tokens", encoding.tokens}, {"offsets", encoding.offsets}};
    if (options.pair) out["type_ids"] = encoding.type_ids;
    console::print(files::json_text(out, -1) + "\n");
  }
  return 0;
}

}  // namespace attune::app
