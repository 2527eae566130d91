// Templates that users write: white space as it is written, nothing undefined, and the names they take.
#include "attune/text/template.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch.h"
#include "raises.h"

using namespace attune;
using text::Template;
using Json = nlohmann::ordered_json;

namespace {

std::string rendered(const std::string& source, const Json& variables = Json::object()) {
  return Template::parse(source, "input").render(variables);
}

}  // namespace

TEST_CASE("A user's template keeps its white space", "[text][template]") {
  CHECK(rendered("a{% if true %}\n  b{% endif %}\nc\n") == "a\n  b\nc\n");
  CHECK(rendered("  {% if true %}x{% endif %}\n\n") == "  x\n\n");
  CHECK(rendered("{# note #}\n{% raw %}\n{{ x }}\n{% endraw %}\n") == "\n\n{{ x }}\n\n");
  CHECK(rendered("a {%- if true -%} b {%- endif +%}\nc") == "ab\nc");
  CHECK(rendered("a\r\nb") == "a\nb");
}

TEST_CASE("To use what is undefined is an error that knows the variable", "[text][template]") {
  for (const char* source : {"{{ title }}", "{% if title %}x{% endif %}", "{{ 'a' ~ title }}", "{{ title | upper }}",
                             "{% for c in title %}{% endfor %}", "{% set t = title %}", "{{ title.x }}",
                             "{{ [title] }}", "{{ title and title is defined }}"}) {
    INFO(source);
    try {
      rendered(source);
      FAIL_CHECK("rendered");
    } catch (const text::UndefinedVariable& error) {
      CHECK(error.name() == "title");
      CHECK(error.kind() == ErrorKind::usage);
      CHECK(std::string(error.what()) == "input: 'title' is undefined (line 1)");
    }
  }
  CHECK_RAISES(rendered("{{ row.x }}", {{"row", Json::object()}}), usage, "a dict has no attribute 'x'");
  CHECK_RAISES(rendered("{{ row['x'] }}", {{"row", Json::object()}}), usage, "input: ");
  CHECK_RAISES(rendered("{% macro f(a) %}{{ a }}{% endmacro %}{{ f() }}"), usage, "the parameter 'a' was not given");
}

TEST_CASE("A template may ask whether something is defined", "[text][template]") {
  CHECK(rendered("{{ title | default('none') }}{{ title | d('') | upper }}") == "none");
  CHECK(rendered("{% if title is defined and title %}x{% endif %}{{ title is undefined }}") == "True");
  CHECK(rendered("{{ row.x is defined }}", {{"row", Json::object()}}) == "False");
  CHECK(rendered("{{ row.x | default(7) }}", {{"row", Json::object()}}) == "7");
  CHECK_RAISES(rendered("{{ title is defined ~ other }}"), usage, "'other' is undefined");
}

TEST_CASE("A template knows the names that it takes from outside", "[text][template]") {
  const auto names = [](const std::string& source) { return Template::parse(source, "input").names(); };
  CHECK(names("{{ b }} {{ a.c[d] | default(e) }} {{ b }}") == std::vector<std::string>{"b", "a", "d", "e"});
  CHECK(names("{% for x in rows %}{{ loop.index }} {{ x }}{% endfor %}{% set y = 1 %}{{ y }}") ==
        std::vector<std::string>{"rows"});
  CHECK(names("{% macro f(p, q=r) %}{{ p }}{{ varargs }}{% endmacro %}{{ f(range(3)) }}") ==
        std::vector<std::string>{"r"});
  CHECK(names("plain").empty());
}

TEST_CASE("The text between tags can be changed, what is inside them not", "[text][template]") {
  const auto shout = [](const std::string& literal) { return "<" + literal + ">"; };
  CHECK(Template::parse("a {{ 'b }}' ~ x }} c", "input", shout).render({{"x", "y"}}) == "<a >b }}y< c>");
}

TEST_CASE("A user's template is refused as a fault of the configuration", "[text][template]") {
  CHECK_RAISES(Template::parse("a\n{{ x | uper }}", "set.json: input"), usage,
               "set.json: input: there is no filter 'uper' (did you mean 'upper'?) (line 2)");
  CHECK_RAISES(Template::parse("\xff", "input"), usage, "not valid UTF-8 at byte 0");
  CHECK_RAISES(Template::parse(std::string((1u << 20) + 1, 'x'), "input"), usage, "more than 1048576 bytes");
  CHECK_RAISES(rendered("{{ raise_exception('no') }}"), data, "no");
  CHECK_RAISES(rendered("{{ 1 + 'a' }}"), usage, "'+' does not take");
}
