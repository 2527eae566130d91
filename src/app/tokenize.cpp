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

using files::Json;

/// One line of input; it owns the texts.
struct Line {
  std::string text, pair;
};

[[noreturn]] void bad_line(const std::string& what, std::int64_t number, const std::string& hint) {
  throw Error(ErrorKind::data, {.file = concat("<stdin>:", number), .what = what, .where = "", .hint = hint});
}

Line read_plain(const std::string& line, bool pair, std::int64_t number) {
  if (!pair) return {line, ""};
  const std::size_t tab = line.find('\t');
  if (tab == std::string::npos) bad_line("there is no tab between the two texts", number, "with --pair a line is TEXT<TAB>PAIR");
  return {line.substr(0, tab), line.substr(tab + 1)};
}

Line read_json(const std::string& line, bool pair, std::int64_t number) {
  const Json value = files::parse_json(line, concat("<stdin>:", number), {.kind = ErrorKind::data});
  if (!pair && value.is_string()) return {value.get<std::string>(), ""};
  if (pair && value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string()) {
    return {value[0].get<std::string>(), value[1].get<std::string>()};
  }
  bad_line(concat("found ", value.type_name(), pair ? ", expected a list of two texts" : ", expected a text"), number,
           pair ? "with --pair --json-lines a line is [\"TEXT\", \"PAIR\"]" : "with --json-lines a line is \"TEXT\"");
}

/// Lines as far as they are there already: a block of a file at a time, and one by one from a keyboard.
std::vector<Line> read_block(const TokenizeVerb& options, files::StandardInput& input) {
  std::vector<Line> lines;
  for (std::string line; input.next(line);) {
    const std::int64_t number = input.line_number();
    lines.push_back(options.json_lines ? read_json(line, options.pair, number) : read_plain(line, options.pair, number));
    if (!input.at_hand()) break;
  }
  return lines;
}

}  // namespace

int run_tokenize(const TokenizeVerb& options) {
  const text::Tokenizer tokenizer = text::Tokenizer::from_folder(models::resolve_model_path(options.model));
  text::EncodeOptions encode;
  encode.add_special_tokens = !options.no_special_tokens;
  files::StandardInput input;
  for (std::vector<Line> lines = read_block(options, input); !lines.empty(); lines = read_block(options, input)) {
    std::vector<text::TextInput> inputs;
    for (const Line& line : lines) {
      inputs.push_back({.text = line.text});
      if (options.pair) inputs.back().pair = line.pair;
    }
    for (const text::Encoding& encoding : tokenizer.encode_batch(inputs, encode)) {
      Json out = {{"ids", encoding.ids}, {"tokens", encoding.tokens}, {"offsets", encoding.offsets}};
      if (options.pair) out["type_ids"] = encoding.type_ids;
      console::print(files::json_text(out, -1) + "\n");
    }
    console::flush();
  }
  return 0;
}

}  // namespace attune::app
