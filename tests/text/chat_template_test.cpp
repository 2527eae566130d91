// Errors and limits of chat templates, and what the goldens cannot show.
#include "attune/text/chat_template.h"

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "catch.h"
#include "raises.h"

using namespace attune;
using text::ChatTemplate;
using Json = nlohmann::ordered_json;

namespace {

std::string render(const std::string& source, const Json& variables = Json::object(),
                   const text::RenderOptions& options = {}) {
  return ChatTemplate::parse(source, "chat.jinja").render(variables, options).text;
}

}  // namespace

TEST_CASE("A template that Jinja cannot compile is refused with its line", "[text][chat_template]") {
  const auto parse = [](const std::string& source) { return ChatTemplate::parse(source, "chat.jinja"); };
  CHECK_RAISES(parse("a\n{% if x %}\nb"), model,
               "chat.jinja: found the end of the template, expected 'endif' (line 3)");
  CHECK_RAISES(parse("\n{{ x | uper }}"), model, "there is no filter 'uper' (did you mean 'upper'?) (line 2)");
  CHECK_RAISES(parse("{{ x is defind }}"), model, "there is no test 'defind' (did you mean 'defined'?)");
  CHECK_RAISES(parse("{{ x | random }}"), model, "Jinja's filter 'random' is not supported");
  CHECK_RAISES(parse("{% include 'a' %}"), model, "the tag 'include' is not supported");
  CHECK_RAISES(parse("{% nope %}"), model, "there is no tag 'nope' here");
  CHECK_RAISES(parse("{% break %}"), model, "'break' stands outside of a loop");
  CHECK_RAISES(parse("{% for x in y %}{% generation %}{% break %}{% endgeneration %}{% endfor %}"), model, "'break'");
  CHECK_RAISES(parse("{% for x in y %}{% set loop = 1 %}{% endfor %}"), model, "cannot assign to 'loop'");
  CHECK_RAISES(parse("{% set none = 1 %}"), model, "cannot assign to 'none'");
  CHECK_RAISES(parse("{{ 'a }}"), model, "a string is not closed");
  CHECK_RAISES(parse("{# a"), model, "a comment is not closed");
  CHECK_RAISES(parse("{% raw %} a"), model, "'raw' is not closed");
  CHECK_RAISES(parse("{{ (1] }}"), model, "unexpected ']', expected ')'");
  CHECK_RAISES(parse("{{ 1 ? 2 }}"), model, "unexpected character '?'");
  CHECK_RAISES(parse("{{ f(a=1, 2) }}"), model, "wrong order");
  CHECK_RAISES(parse("{{ f(a=1, a=2) }}"), model, "the argument 'a' is given twice");
  CHECK_RAISES(parse("{% macro f(a, a) %}{% endmacro %}"), model, "two parameters 'a'");
  CHECK_RAISES(parse("{% macro f(a=1, b) %}{% endmacro %}"), model, "needs a default");
  CHECK_RAISES(parse("{% call x %}{% endcall %}"), model, "the tag 'call' needs a call");
  CHECK_RAISES(parse(R"({{ '\N{BULLET}' }})"), model, "\\N{");
  CHECK_RAISES(parse(R"({{ '\ud800' }})"), model, "stands for no character");
  CHECK_RAISES(parse("\xff"), model, "not valid UTF-8 at byte 0");
  CHECK_RAISES(parse(std::string((1u << 20) + 1, 'x')), model, "more than 1048576 bytes");
}

TEST_CASE("What fails while rendering names the line of the template", "[text][chat_template]") {
  const Json data = Json::parse(R"({"message": {"role": "user", "content": null}, "list": [1]})");
  CHECK_RAISES(render("a\n\n{{ message.name.first }}", data), model,
               "chat.jinja: a dict has no attribute 'name' (line 3)");
  CHECK_RAISES(render("{{ 'a' + message.content }}", data), model, "'+' does not take str and NoneType");
  CHECK_RAISES(render("{{ absent.x }}"), model, "'absent' is undefined");
  CHECK_RAISES(render("{{ absent() }}"), model, "'absent' is undefined");
  CHECK_RAISES(render("{{ list.append(1) }}", data), model, "the sandbox does not give 'append' of a list");
  CHECK_RAISES(render("{{ 'a'.encode() }}"), model, "the attribute 'encode' of a str is not supported");
  CHECK_RAISES(render("{{ list | map('upper') }}", data), model, "a generator cannot be printed");
  CHECK_RAISES(render("{{ [1, 'a'] | sort }}"), model, "have no order");
  CHECK_RAISES(render("{{ 10 ** 60 }}"), model, "more than 127 bits");
  CHECK_RAISES(render("{% macro f(a) %}{% endmacro %}\n{{ f(b=1) }}"), model,
               "the macro 'f' takes no argument 'b' (line 2)");
  CHECK_RAISES(render("{{ x.replace('a') }}", {{"x", "a"}}), model, "replace() needs the argument 'new'");
  CHECK_RAISES(render("{{ x | trim(1, 2) }}", {{"x", "a"}}), model, "trim() takes at most 1 arguments, found 2");
  CHECK_RAISES(render("{{ x | trim(q=1) }}", {{"x", "a"}}), model, "named arguments");
  CHECK_RAISES(render("{{ x }}", {{"x", "\xff"}}), data, "not valid UTF-8");
}

TEST_CASE("raise_exception gives the template's own message, as a fault of the data", "[text][chat_template]") {
  CHECK_RAISES(render("\n{{ raise_exception('Roles must alternate: ' ~ role) }}", {{"role", "tool"}}), data,
               "chat.jinja: Roles must alternate: tool (line 2)");
}

TEST_CASE("A template cannot take more than its limits", "[text][chat_template]") {
  const auto refuse = [](const std::string& source, const std::string& part) {
    CHECK_RAISES(render(source, {{"x", "text"}}), model, part);
  };
  refuse("{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}", "more than 20000000 steps");
  refuse("{% for a in range(100001) %}{% endfor %}", "a range has more than 100000 items");
  refuse("{{ range(10 ** 30) }}", "too large");
  refuse("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "more than 1000 levels");
  refuse("{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}", "more than 1000 levels");
  refuse("{{ 'a' * 10 ** 12 }}", "a text of more than 67108864 bytes");
  refuse("{{ x | center(10 ** 12) }}", "a text of more than");
  refuse("{{ x.ljust(10 ** 18) }}", "a text of more than");
  refuse("{{ x | indent(10 ** 18) }}", "a text of more than");
  refuse("{{ x.replace('', x * 1000000).replace('t', x * 1000000) }}", "a text of more than");
  refuse("{{ [0] * 10 ** 12 }}", "more than 20000000 steps");
  refuse("{{ [1] | batch(10 ** 12, 0) | list }}", "more than 20000000 steps");
  refuse("{{ [1] | slice(10 ** 12) | list }}", "more than 20000000 steps");
  refuse("{{ '%1001d' % 1 }}", "larger than 1000");
  refuse("{{ '{:99999999999}'.format(1) }}", "larger than 1000");
  refuse("{% for a in range(99999) %}{{ x * 1000 }}{% endfor %}", "a text of more than");
  refuse("{% for a in range(99999) %}{% set y = x * 1000 %}{% endfor %}", "more than 20000000 steps");
  refuse("{% set ns = namespace(l=[]) %}{% for a in range(999) %}{% set ns.l = [ns.l] %}{% endfor %}",
         "nests more than 200");
  refuse("{% set ns = namespace(g=[1]) %}{% for a in range(999) %}{% set ns.g = ns.g | map('int') %}{% endfor %}",
         "nests more than 200");
  refuse("{% set ns = namespace() %}{% set ns.self = ns %}{{ ns }}", "more than 1000 levels");
  refuse("{{ " + std::string(300, '(') + "1" + std::string(300, ')') + " }}", "nests more than 400 levels");
  refuse(
      "{{ 1" +
          [] {
            std::string sum;
            for (int i = 0; i < 300; ++i) sum += "+1";
            return sum;
          }() +
          " }}",
      "nests more than 200");
}

TEST_CASE("Limits can be given", "[text][chat_template]") {
  const text::RenderOptions few{.limits = {.steps = 100, .text_bytes = 10, .depth = 20}};
  CHECK(render("{{ 'a' * 10 }}", {}, few) == "aaaaaaaaaa");
  CHECK_RAISES(render("{{ 'a' * 11 }}", {}, few), model, "a text of more than 10 bytes");
  CHECK_RAISES(render("{{ 'aaaaaa' }}{{ 'aaaaaa' }}", {}, few), model, "a text of more than 10 bytes");
  CHECK_RAISES(render("{% for a in range(200) %}{% endfor %}", {}, few), model, "more than 100 steps");
}

TEST_CASE("Objects that refer to each other are freed", "[text][chat_template]") {  // what LeakSanitizer looks at
  CHECK(render("{% set a = namespace() %}{% set b = namespace(a=a) %}{% set a.b = b %}"
               "{% macro f() %}{% endmacro %}{% set a.f = f %}"
               "{% for x in [1, 2] %}{{ loop.changed(loop) }}{% set a.loop = loop %}{% endfor %}{{ a.loop.index }}") ==
        "TrueFalse2");
}

TEST_CASE("One template renders on several threads", "[text][chat_template]") {
  const ChatTemplate shared = ChatTemplate::parse("{% for m in messages %}{{ m | upper }}{% endfor %}", "chat.jinja");
  std::vector<std::string> texts(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    threads.emplace_back([&, i] {
      const Json variables{{"messages", Json::array({"a", std::to_string(i)})}};
      for (int round = 0; round < 100; ++round) texts[i] = shared.render(variables).text;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < texts.size(); ++i) CHECK(texts[i] == "A" + std::to_string(i));
}

TEST_CASE("A template says whether it marks what the assistant wrote", "[text][chat_template]") {
  CHECK(ChatTemplate::parse("{% generation %}{% endgeneration %}", "a").marks_generation());
  CHECK_FALSE(ChatTemplate::parse("{# {% generation %} #}", "a").marks_generation());
}

TEST_CASE("Without a given time strftime_now takes the clock", "[text][chat_template]") {
  const std::string year = render("{{ strftime_now('%Y') }}");
  CHECK(year.size() == 4);
  CHECK(year >= "2025");
}
