// The CSV parser: RFC 4180 by table, positions in errors.
#include "attune/data/csv.h"

#include "attune/data/record.h"
#include "catch.h"
#include "raises.h"

namespace {

using attune::data::CsvParser;
using Table = std::vector<std::vector<std::string>>;

Table rows_of(std::string_view text, char separator = ',') {
  CsvParser parser(text, separator, "x.csv");
  Table rows;
  for (std::vector<std::string> cells; parser.next(cells);) rows.push_back(cells);
  return rows;
}

}  // namespace

TEST_CASE("CSV is read as RFC 4180 says", "[data][csv]") {
  struct Case {
    const char* name;
    std::string_view text;
    Table rows;
  };
  const std::vector<Case> cases = {
      {"plain", "a,b\n1,2\n", {{"a", "b"}, {"1", "2"}}},
      {"no end of line at the end", "a,b\n1,2", {{"a", "b"}, {"1", "2"}}},
      {"CRLF", "a,b\r\n1,2\r\n", {{"a", "b"}, {"1", "2"}}},
      {"quotes with separator", "\"a,b\",c\n", {{"a,b", "c"}}},
      {"doubled quotes", "\"say \"\"hi\"\"\",x\n", {{"say \"hi\"", "x"}}},
      {"line end inside of quotes", "\"a\r\nb\",c\n\"d\ne\",f", {{"a\r\nb", "c"}, {"d\ne", "f"}}},
      {"empty cells", ",\n\"\",\n", {{"", ""}, {"", ""}}},
      {"separator at the end of the text", "a,", {{"a", ""}}},
      {"quoted cell at the end of the text", "a,\"b\"", {{"a", "b"}}},
      {"a lone quoted empty cell is a row", "\"\"\n", {{""}}},
      {"empty lines are passed over", "\na\n\n\r\nb\n\n", {{"a"}, {"b"}}},
      {"a quote inside an unquoted cell", "5\" pipe,x\n", {{"5\" pipe", "x"}}},
      {"a lone carriage return is text", "a\rb,c\n", {{"a\rb", "c"}}},
      {"blanks belong to the cell", " a , b\n", {{" a ", " b"}}},
      {"nothing", "", {}},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(rows_of(c.text) == c.rows);
  }
  CHECK(rows_of("a,b\tc\n\"d\te\"\tf", '\t') == Table{{"a,b", "c"}, {"d\te", "f"}});
}

TEST_CASE("CSV rows know the line on which they start", "[data][csv]") {
  CsvParser parser("a\n\n\"b\n\nb\"\nc", ',', "x.csv");
  std::vector<std::string> cells;
  std::vector<std::int64_t> lines;
  while (parser.next(cells)) lines.push_back(parser.line());
  CHECK(lines == std::vector<std::int64_t>{1, 3, 6});
}

TEST_CASE("CSV errors name line and column", "[data][csv]") {
  CHECK_RAISES(rows_of("a,b\nx,\"never\nclosed\n"), data, "x.csv:2:3: the quote that opens here is never closed");
  CHECK_RAISES(rows_of("é,\"b\" c\n"), data, "x.csv:1:6: text follows a closing quote");

  CsvParser parser("\"a\"x,1\nb,2\n", ',', "x.csv");
  std::vector<std::string> cells;
  CHECK_THROWS_AS(parser.next(cells), attune::data::BadRow);
  REQUIRE(parser.next(cells));
  CHECK(cells == std::vector<std::string>{"b", "2"});
  CHECK(parser.line() == 2);
}
