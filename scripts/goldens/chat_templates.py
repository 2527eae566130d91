"""Goldens of the chat-template engine: templates written for these tests, and what Transformers' renderer makes of them."""

import copy
import datetime
import json
import random

import transformers.utils.chat_template_utils as renderer

CALL = {"function": {"name": "weather", "arguments": {"city": "Köln", "days": 3, "exact": True, "unit": None}}}
VARIABLES = {
    "messages": [
        {"role": "system", "content": "  Be brief.\n"},
        {"role": "user", "content": [{"type": "text", "text": "How warm is <Köln>?"}, {"type": "image"}]},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "assistant", "content": "<think>\nwarm\n</think>\n\n21.5 °C"},
    ],
    "tools": None,
    "add_generation_prompt": True,
    "bos_token": "<s>",
    "text": "Hello, World",
    "umlauts": " äöü ß ΑΣ ΣΑ\t",
    "whole": 7,
    "real": 2.5,
    "nothing": None,
    "numbers": [3, 1, 2, 1],
    "words": ["pear", "Apple", "fig", "apple"],
    "rows": [{"k": "a", "n": 2}, {"k": "B", "n": 1}, {"k": "b", "n": 3}, {"n": 4}],
    "tree": [{"name": "a", "children": [{"name": "b", "children": [{"name": "c", "children": []}]}, {"name": "d", "children": []}]}],
    "mapping": {"z": 1, "y": [1, "two", None, 2.5], "items": "shadowed"},
    "html": "<a href='x'>&\"</a>",
    "large": 18446744073709551615,
}

# Each line or block shows one thing; what a line prints stands between bars.
TEMPLATES = {
    "chat": "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>\n{% if m.content is string %}{{ m.content | trim }}{% else %}{% for part in m.content %}{{ part.text if part.type == 'text' else '<' ~ part['type'] ~ '>' }}{% endfor %}{% endif %}{% for call in m.tool_calls %}{{ call.function | tojson }}{% endfor %}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
    "generation": "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}°{% endgeneration %}{% else %}{{ m.role }}{% endif %}{{ '\\n' }}{% endfor %}",
    "generation_in_macro": "x{% macro f(m) %}[{% generation %}{{ m }}{% endgeneration %}]{% endmacro %}{{ f('ä') }}{{ f('bc') }}{% set kept %}{% generation %}k{% endgeneration %}{% endset %}{{ kept }}",
    "white_space": "a  {%- if true %}  b\n  {% endif %}\n  {% set x = 1 %}\n\n   c{% if true +%}\n d\n{%- endif -%}\n\n e {{- ' f ' -}} \n g\n   {#- gone -#}  h\n  {# line #}\ni\n   {%+ if true %}j{% endif %}\n",
    "raw": " {% raw %} {{ x }} {% if %}{% endraw %} |{%- raw -%}  y  {%- endraw -%}  |",
    "strings": r"""{{ 'a\nb' "c" 'it\'s' "\u00e9\x41\101\t|" }}{{ 'q\q\é' }}""",
    "numbers": "{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 1_000 + 0x1f }} {{ 1e16 }} {{ 1.5e-7 }} {{ 0.1 + 0.2 }} {{ -real }} {{ 3.0 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ large }} {{ true + 1 }} {{ 10 ** 20 }}",
    "printing": "{{ none }} {{ true }} {{ absent }}| {{ [1, 'a', none, 2.5, ('b',), {'k': \"it's\"}] }} {{ (1, 2) }} {{ {} }} {{ umlauts }}{{ [umlauts, '\\x00\\u200b'] }} {{ range(3) }} {{ mapping.keys() }} {{ mapping.items() }}",
    "truth": "{% for v in [0, 1, '', 'a', [], [0], {}, none, 0.0, absent, range(0)] %}{{ 'T' if v else 'F' }}{% endfor %} {{ 0 or 'x' }} {{ 1 and 'y' }} {{ not 1 }}",
    "comparisons": "{{ 1 < 2 < 3 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 2 in numbers }} {{ 'ell' in text }} {{ 'z' in mapping }} {{ 5 not in numbers }} {{ absent == nothing }} {{ absent == missing }} {{ (1,) == [1] }}",
    "slices": "{{ text[0] }} {{ text[-1] }} {{ text[:5] }} {{ text[7:] }} {{ text[::-1] }} {{ text[-5:-2] }} {{ numbers[1:] }} {{ numbers[::2] }} {{ umlauts[1:3] }} {{ (1, 2, 3)[:2] }} {{ range(10)[2:8:3] }} {{ numbers[9] }}|{{ text['upper']() }}",
    "attributes": "{{ mapping.z }} {{ mapping['z'] }} {{ mapping.absent }}| {{ mapping['items'] }} {{ mapping.get('q', 'none') }} {{ mapping.items() | first }} {{ rows.0.k }} {{ nothing.x }}| {{ text.nope }}|",
    "undefined_is_an_error": "{{ absent.attribute }}",
    "undefined_in_sum": "{{ 'a' + absent }}",
    "concatenation": "{{ 'a' ~ 1 ~ none ~ 2.5 ~ absent }} {{ 'ab' * 2 }} {{ [1] * 2 + [3] }} {{ 'a' + 'b' }}",
    "sum_of_text_and_number": "{{ 'a' + 1 }}",
    "inline_if": "{{ 'yes' if whole > 5 else 'no' }} {{ 'only' if false }}| {{ 'a' if false else 'b' if false else 'c' }}",
    "loop": "{% for w in words %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }} {{ loop.previtem }}<{{ w }}>{{ loop.nextitem }} {{ loop.cycle('x', 'y') }}{{ loop.changed(w | lower) }};{% endfor %}",
    "loop_filter": "{% for n in numbers if n > 1 %}{{ loop.index }}/{{ loop.length }}:{{ n }} {% else %}none{% endfor %}{% for n in [] %}{% else %}empty{% endfor %}",
    "loop_control": "{% for n in range(9) %}{% if n == 2 %}{% continue %}{% endif %}{% if n == 5 %}{% break %}{% endif %}{{ n }}{% else %}else{% endfor %}{% for n in [1] %}{% break %}{% else %}after break{% endfor %}{% for n in [1] %}{% continue %}{% else %}after continue{% endfor %}",
    "loop_unpacking": "{% for k, v in mapping.items() %}{{ k }}={{ v }};{% endfor %}{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for c in 'äb' %}{{ c }}.{% endfor %}",
    "recursion": "{% for node in tree recursive %}{{ loop.depth }}{{ node.name }}{% if node.children %}({{ loop(node.children) }}){% endif %}{% endfor %}",
    "scopes": "{% set x = 1 %}{% for n in [1, 2] %}{{ x }}{% set x = 9 %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set x = 5 %}{% endif %}{{ x }}{% with x = 7, y = x %}{{ x }}{{ y }}{% endwith %}{{ x }}",
    "namespaces": "{% set ns = namespace(n=0, found=false) %}{% for w in words %}{% set ns.n = ns.n + 1 %}{% if w == 'fig' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.n }}{{ ns.found }} {{ ns }}{{ ns.absent }}|",
    "namespace_is_needed": "{% set d = {'a': 1} %}{% set d.a = 2 %}",
    "set_forms": "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set t %} x {{ a }} {% endset %}[{{ t }}]{% set u | trim | upper %} low {% endset %}[{{ u }}]{% set l = [1,\n 2,] %}{{ l }}",
    "macros": "{% macro f(a, b='B', c=a) %}<{{ a }}{{ b }}{{ c }}>{% endmacro %}{{ f(1) }}{{ f(1, c=2) }}{{ f() }}{{ f(b=1, a=2) }}{% macro g(x) %}{{ x }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ g(1, 2, 3, k=4) }}{{ f.name }}{{ f.arguments }}",
    "macro_recursion": "{% macro down(n) %}{{ n }}{% if n %},{{ down(n - 1) }}{% endif %}{% endmacro %}{{ down(4) }}",
    "macro_arguments": "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}",
    "call_blocks": "{% macro list_of(xs) %}{% for x in xs %}[{{ caller(x) }}]{% endfor %}{% endmacro %}{% call(x) list_of(numbers) %}{{ x * 2 }}{% endcall %}{% macro plain() %}({{ caller() }}){% endmacro %}{% call plain() %}in{% endcall %}",
    "filter_blocks": "{% filter upper | replace('B', '-') %}abc{{ text }}{% endfilter %}",
    "text_filters": "{{ text | upper }}|{{ text | lower }}|{{ umlauts | upper }}|{{ umlauts | lower }}|{{ umlauts | title }}|{{ 'hELLO wORLD-foo' | title }}|{{ umlauts | trim }}|{{ 'xxaxx' | trim('x') }}|{{ 'abc' | capitalize }}|{{ 'a b' | center(9) }}|{{ 'one two three' | wordcount }}|{{ text | replace('l', 'L') }}|{{ text | replace('l', 'L', 1) }}|{{ 'a\n\n b' | indent(2) }}|{{ 'a\nb' | indent('> ', true) }}|{{ text | truncate(9) }}|{{ text | truncate(6, true) }}|{{ whole | string }}",
    "escaping": "{{ html | e }} {{ html | safe }} {{ (html | safe) + '<' }} {{ '<' + ('<' | safe) }} {{ (html | safe) ~ '<' }} {{ [html | e] }} {{ ('%s<' | safe) % '<' }} {{ ('<b>' | safe)[1:] }} {{ ('<' | safe) is escaped }} {{ '<' | e | forceescape }}",
    "number_filters": "{{ '42' | int }} {{ '4.9' | int }} {{ 'x' | int }} {{ 'x' | int(-1) }} {{ '0x1f' | int(base=16) }} {{ 3.99 | int }} {{ '2.5' | float }} {{ -3 | abs }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 42.55 | round(1, 'floor') }} {{ 1.1 | round(method='ceil') }} {{ 1234 | round(-2) }}",
    "sequence_filters": "{{ words | sort }} {{ words | sort(case_sensitive=true, reverse=true) }} {{ words | unique | list }} {{ numbers | sum }} {{ rows | sum('n') }} {{ words | min }} {{ numbers | max }} {{ numbers | first }} {{ numbers | last }} {{ [] | first }}| {{ numbers | reverse | list }} {{ text | reverse }} {{ numbers | join('-') }} {{ rows | join(',', attribute='n') }} {{ 'abc' | list }} {{ mapping | length }} {{ text | count }}",
    "selection": "{{ words | map('upper') | list }} {{ rows | map(attribute='k') | list }} {{ rows | map(attribute='k', default='?') | join }} {{ numbers | select('odd') | list }} {{ numbers | reject('gt', 1) | list }} {{ [0, 1, ''] | select | list }} {{ rows | selectattr('k') | map(attribute='n') | list }} {{ rows | rejectattr('n', 'in', [1, 4]) | list | length }} {{ rows | selectattr('k', 'equalto', 'a') | first }}",
    "generators_are_used_up": "{% set g = words | map('upper') %}{{ g | list | length }}{{ g | list | length }} {{ 'true' if [] | select }}",
    "grouping": "{% for k, items in rows | groupby('k', default='-') %}{{ k }}:{{ items | map(attribute='n') | join(',') }};{% endfor %}{% for g in [{'k': 1}] | groupby('k') %}{{ g.grouper }}{{ g.list }}{{ g }}{% endfor %}{{ mapping | dictsort }} {{ {'b': 1, 'A': 2} | dictsort(by='value', reverse=true) }} {{ numbers | batch(3, 0) | list }} {{ numbers | slice(3, '-') | list }}",
    "json": "{{ mapping | tojson }} {{ messages[2].tool_calls[0] | tojson(indent=2) }} {{ umlauts | tojson }} {{ umlauts | tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': 2} | tojson(sort_keys=true, separators=(',', ':')) }} {{ [] | tojson(indent=1) }} {{ {1: 2.0, none: true, 'q': '\\x01\"\\\\/'} | tojson }} {{ '😀' | tojson(true) }}",
    "json_of_undefined": "{{ absent | tojson }}",
    "defaults": "{{ absent | default('d') }} {{ nothing | default('d') }} {{ nothing | default('d', true) }} {{ '' | d('e', boolean=true) }}",
    "formatting": "{{ '%s-%d' | format('a', 3) }} {{ '%5.2f|%-4s|%04d|%x|%%' % (2.5, 'b', 7, 255) }} {{ '%(a)s' | format(a=1) }} {{ '{} {1}'.format(1) if false else '{0} {k!r:>5} {2[a]}'.format(1, 2, {'a': 'x'}, k='q') }} {{ '{:,} {:.1f} {:>4}'.format(1234567, 2.25, 'r') }}",
    "tests": "{% for v in [none, true, 1, 1.5, 'a', [1], (1,), {}, range(2)] %}{{ v is none }}{{ v is boolean }}{{ v is integer }}{{ v is float }}{{ v is number }}{{ v is string }}{{ v is mapping }}{{ v is sequence }}{{ v is iterable }} {% endfor %}{{ 3 is odd }}{{ 4 is divisibleby 2 }}{{ 'a' is lower }}{{ 'A' is upper }}{{ absent is defined }}{{ absent is not defined }}{{ 1 is eq 1 }}{{ 1 is in [1] }}{{ 'upper' is filter }}{{ 'odd' is test }}{{ true is true }}{{ range is callable }}",
    "text_methods": "{{ text.split(', ') }}{{ 'a  b c'.split() }}{{ 'a,b,c'.split(',', 1) }}{{ 'a,b,c'.rsplit(',', 1) }}{{ 'a\\nb\\r\\nc'.splitlines() }}{{ text.startswith('He') }}{{ text.endswith(('d', 'x')) }}{{ ' x '.strip() }}{{ 'xxa'.lstrip('x') }}{{ 'axx'.rstrip('x') }}{{ text.find('o') }}{{ text.rfind('o') }}{{ text.count('l') }}{{ text.replace('l', '') }}{{ '-'.join(['a', 'b']) }}{{ 'äb'.upper() }}{{ 'a b'.title() }}{{ 'AbC'.swapcase() }}{{ '7'.zfill(3) }}{{ '12'.isdigit() }}{{ 'a=b'.partition('=') }}{{ 'prefix'.removeprefix('pre') }}{{ 'x'.ljust(3) }}|",
    "other_methods": "{{ numbers.count(1) }}{{ numbers.index(2) }}{{ mapping.values() | list | length }}{{ 'z' in mapping.keys() }}{{ (1, 2).count(1) }}",
    "sandbox": "{{ numbers.append is defined }}{{ mapping.update is defined }}{{ text.__class__ }}|",
    "sandbox_call": "{{ numbers.append(4) }}",
    "globals": "{{ range(2, 8, 3) | list }}{{ dict(a=1, **{'b': 2}) }}{{ dict([('x', 1)]) }}{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{% set j = joiner('; ') %}{{ j() }}1{{ j() }}2 {{ strftime_now('%d %b %Y, %A %H:%M %%') }}",
    "raised": "{% if messages[0].role != 'user' %}{{ raise_exception('The first message must be of the user') }}{% endif %}",
    "division_by_zero": "{{ 1 // 0 }}",
    "unknown_filter": "{% for x in [] %}{{ x | nope }}{% endfor %}",
    "unknown_filter_in_dead_branch": "{% if false %}{{ 1 | nope }}{% endif %}{{ 'a' if true else 1 | nope }}",
    "unclosed": "{% for x in numbers %}{{ x }}",
    "bad_bracket": "{{ (1, 2] }}",
    "python_colon": "{% for x in numbers: %}{{ x }}{% endfor %}{% if true: %}y{% endif %}",
    "line_ends": "a\r\nb\r{% if true %}\r\nc{% endif %}\r\n",
}

NAMES = ["text", "umlauts", "whole", "real", "nothing", "numbers", "words", "rows", "mapping", "html", "absent"]
LITERALS = ["0", "-3", "12", "1.5", "''", "'a'", "'l, '", "true", "none", "[]", "{}"]
FILTERS = [
    "upper", "title", "trim", "length", "list", "first", "last", "reverse", "int", "round", "join('-')", "sort", "unique | list", "sum",
    "default('D', true)", "tojson", "dictsort", "e", "replace('l', 'L')", "indent(1, true)", "truncate(5, true)", "batch(2) | list",
    "map('string') | list", "select('odd') | list", "selectattr('k') | list", "groupby('k')", "string | center(9)", "max", "abs",
]  # fmt: skip
TESTS = ["defined", "none", "string", "mapping", "sequence", "iterable", "number", "odd", "divisibleby 3", "lower", "in numbers", "eq 1"]
METHODS = ["upper()", "split()", "split('l', 1)", "strip('Hd')", "find('o')", "startswith('H')", "get('z')", "items()", "count(1)", "x", "k"]


def expression(draw, depth=0):
    """A random expression over VARIABLES."""
    inner = lambda: expression(draw, depth + 1)  # noqa: E731
    kind = draw.randrange(11) if depth < 3 else 0
    if kind < 2:
        return draw.choice(NAMES if kind or draw.random() < 0.6 else LITERALS)
    if kind < 5:
        return f"{inner()} | {draw.choice(FILTERS)}"
    if kind == 5:
        return f"({inner()} {draw.choice(['+', '-', '*', '/', '//', '%', '~'])} {inner()})"
    if kind == 6:
        return f"({inner()} {draw.choice(['==', '!=', '<', '>=', 'in', 'not in', 'and', 'or'])} {inner()})"
    if kind == 7:
        return f"({inner()} is {draw.choice(['', 'not '])}{draw.choice(TESTS)})"
    if kind == 8:
        # Of a variable: Jinja folds constants at compile time, where a subscript that fails is undefined.
        return f"({draw.choice(NAMES)} | {draw.choice(FILTERS)})[{draw.choice(['0', '-1', '1:', ':-1', '::-1', '::2', repr('k')])}]"
    if kind == 9:
        return f"({inner()}).{draw.choice(METHODS)}"
    return f"({inner()} if {inner()} else {inner()})"


def render(template):
    try:
        compiled = renderer._cached_compile_jinja_template(template)
        text, spans = renderer._render_with_assistant_indices(compiled, documents=None, **copy.deepcopy(VARIABLES))
        return {"text": text, "generation_spans": [list(span) for span in spans]}
    except Exception as error:
        return {"error": type(error).__name__}


def random_expressions(count):
    """Random expressions and what they print, half of them errors at most; those that print an address are left out."""
    draw, rows, errors = random.Random(20261123), [], 0
    while len(rows) < count:
        template = "{{ " + expression(draw) + " }}"
        outcome = render(template)
        if " at 0x" in outcome.get("text", "") or len(outcome.get("text", "")) > 200:
            continue
        if "error" in outcome and (errors := errors + 1) > count // 4:
            continue
        rows.append({"template": template, **outcome})
    return rows


def write(folder):
    class FixedNow(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 7, 26, 12, 0, 0)

    renderer.datetime = FixedNow
    cases = [{"name": name, "template": template, **render(template)} for name, template in TEMPLATES.items()]
    cases += [{"name": f"random {i}", **row} for i, row in enumerate(random_expressions(200))]
    rows = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    text = f'{{"variables": {json.dumps(VARIABLES, ensure_ascii=False)},\n"cases": [\n{rows}\n]}}\n'
    (folder / "rendered.json").write_text(text, encoding="utf-8")
