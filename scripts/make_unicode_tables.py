#!/usr/bin/env python3
"""Generates src/text/unicode_tables.cpp by measuring the `tokenizers` library.

usage: make_unicode_tables.py [OUTPUT]

The library mixes Unicode versions (its regex engine 16, Rust's standard library 17, normalisation 12, BERT's punctuation and marks
about 8), so its own answers for every code point are the only truth. Python's unicodedata serves for two things that cannot be read
off directly: the value of a combining class known to be non-zero, and which pairs are worth trying for composition."""
import os
import sys
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
ALL = "".join(map(chr, POINTS))
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()


def ranges(points):
    """Sorted code points as [first, last] pairs."""
    out = []
    for c in sorted(points):
        if out and c == out[-1][1] + 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def regex_class(pattern):
    return set(POINTS) - set(map(ord, normalizers.Replace(Regex(pattern), "").normalize_str(ALL)))


def each(normalizer):
    """What a normaliser makes of every code point alone (line feed, the separator, aside)."""
    points = [c for c in POINTS if c != 10]
    lines = normalizer.normalize_str("\n".join(map(chr, points))).split("\n")
    assert len(lines) == len(points)
    return dict(zip(points, lines))


def bert(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **on})


def categories():
    rows = []
    for name in CATEGORIES:
        rows += [(first, last, name) for first, last in ranges(regex_class(r"\p{%s}" % name))]
    return sorted(rows)


def whitespace():
    kept = set(map(ord, "".join(piece for piece, _ in pre_tokenizers.WhitespaceSplit().pre_tokenize_str(ALL))))
    space = set(POINTS) - kept
    assert space == regex_class(r"\s"), "the regex engine and Rust disagree on white space"
    return space


def rust_numeric():
    text = "a" + "a".join(chr(c) for c in POINTS if c != ord("a")) + "a"
    pieces = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str(text)
    return {ord(piece) for piece, _ in pieces if len(piece) == 1 and piece != "a"}


def rust_word(space):
    points = [c for c in POINTS if c not in space]
    pieces = pre_tokenizers.Whitespace().pre_tokenize_str(" ".join("a" + chr(c) for c in points))
    return {ord(piece[1]) for piece, _ in pieces if len(piece) == 2 and piece[0] == "a"}


def bert_control():
    points = [c for c in POINTS if c != ord("a")]
    pieces = bert(clean_text=True).normalize_str("a".join(map(chr, points))).split("a")
    return {c for c, piece in zip(points, pieces, strict=True) if piece == ""}


def lowercase_ranges():
    lower = each(normalizers.Lowercase())
    special = {c: text for c, text in lower.items() if len(text) != 1}
    assert special == {0x130: "i\u0307"}, special
    assert {c: t for c, t in each(bert(lowercase=True)).items()} == lower
    deltas = {c: ord(text) - c for c, text in lower.items() if c not in special and ord(text) != c}
    rows = []
    for c, delta in sorted(deltas.items()):
        last = rows[-1] if rows else None
        if last and last[3] == delta and c - last[1] in (1, 2) and last[2] in (0, c - last[1]):
            last[2], last[1] = c - last[1], c
        else:
            rows.append([c, c, 0, delta])
    return [(first, last, stride or 1, delta) for first, last, stride, delta in rows]


def script_ranges():
    """[first, last, group] of UnicodeScripts, which cuts only between code points of different groups and never beside one that fits
    all. That leaves groups without names: each run of code points is compared with one of every group so far."""
    scripts = pre_tokenizers.UnicodeScripts()

    def cuts(text):
        return {begin for _, (begin, _) in scripts.pre_tokenize_str(text)}

    def cut_between(a, b):
        return 1 in cuts(chr(a) + chr(b))

    latin_han = cuts("".join(f"a{chr(c)}\u4eac{chr(c)}" for c in POINTS))
    points = [c for i, c in enumerate(POINTS) if 4 * i + 1 in latin_han or 4 * i + 3 in latin_han]
    starts = cuts("".join(map(chr, points)))
    rows, groups = [], []
    for i, c in enumerate(points):
        if rows and i not in starts:
            group = rows[-1][2]
        else:
            group = next((n for n, known in enumerate(groups, 1) if not cut_between(known, c)), None)
            if group is None:
                groups.append(c)
                group = len(groups)
        if rows and rows[-1][2] == group and rows[-1][1] == c - 1:
            rows[-1][1] = c
        else:
            rows.append([c, c, group])
    return rows


def combining_classes(nfd):
    def reordered(c):
        text = chr(c)
        one, two = "\u0345" + text, text + "\u0334"
        return nfd.normalize_str(one) != one or nfd.normalize_str(two) != two

    values = {}
    for c in POINTS:
        if unicodedata.combining(chr(c)) and nfd.normalize_str(chr(c)) == chr(c) and reordered(c):
            values[c] = unicodedata.combining(chr(c))
    rows = []
    for c, value in sorted(values.items()):
        if rows and rows[-1][1] == c - 1 and rows[-1][2] == value:
            rows[-1][1] = c
        else:
            rows.append([c, c, value])
    return rows


def hangul(c):
    return 0xAC00 <= c <= 0xD7A3


def decompositions():
    canonical = {c: t for c, t in each(normalizers.NFD()).items() if t != chr(c) and not hangul(c)}
    compatibility = {c: t for c, t in each(normalizers.NFKD()).items() if t != chr(c) and t != canonical.get(c) and not hangul(c)}
    return canonical, compatibility


def compositions(nfc):
    rows = []
    for c in POINTS:
        parts = unicodedata.decomposition(chr(c)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            first, second = (int(part, 16) for part in parts)
            if nfc.normalize_str(chr(first) + chr(second)) == chr(c):
                rows.append((first, second, c))
    return sorted(rows)


def array(kind, name, rows):
    """A C++ array of brace-enclosed rows, filled to the line width, and the span that names it."""
    lines, line = [], " "
    for row in rows:
        item = f" {row},"
        if len(line) + len(item) > 118:
            lines.append(line)
            line = " "
        line += item
    lines.append(line)
    body = "\n".join(lines)
    return f"constexpr {kind} k_{name}[] = {{\n{body}\n}};\n", f"const std::span<const {kind}> {name}(k_{name});\n"


def hexes(*values):
    return "{" + ", ".join(f"{value:#x}" for value in values) + "}"


def main():
    default = os.path.join(os.path.dirname(__file__), "..", "src", "text", "unicode_tables.cpp")
    output = sys.argv[1] if len(sys.argv) > 1 else default
    space = whitespace()
    canonical, compatibility = decompositions()
    text, rows = [], {"canonical": [], "compatibility": []}
    for name, table in (("canonical", canonical), ("compatibility", compatibility)):
        for c, result in sorted(table.items()):
            rows[name].append(f"{{{c:#x}, {len(text)}, {len(result)}}}")
            text += map(ord, result)
    assert regex_class(r"\d") == regex_class(r"\p{Nd}"), "the regex engine's \\d is no longer Nd"
    sets = {
        "regex_word": regex_class(r"\w"),
        "rust_numeric": rust_numeric(),
        "rust_word": rust_word(space),
        "bert_control": bert_control(),
        "bert_punctuation": set(POINTS) - set(map(ord, "".join(p for p, _ in pre_tokenizers.Punctuation("removed").pre_tokenize_str(ALL)))),
        "bert_mark_nonspacing": {c for c, t in each(bert(strip_accents=True)).items() if t == ""},
        "combining_marks": {c for c, t in each(normalizers.StripAccents()).items() if t == ""},
    }
    arrays = [array("CategoryRange", "categories", [f"{{{a:#x}, {b:#x}, {n}}}" for a, b, n in categories()])]
    arrays += [array("CodeRange", name, [hexes(*row) for row in ranges(points)]) for name, points in sets.items()]
    arrays += [
        array("LowercaseRange", "lowercase", [f"{{{a:#x}, {b:#x}, {s}, {d}}}" for a, b, s, d in lowercase_ranges()]),
        array("ScriptRange", "scripts", [f"{{{a:#x}, {b:#x}, {n}}}" for a, b, n in script_ranges()]),
        array("ClassRange", "combining_classes", [f"{{{a:#x}, {b:#x}, {v}}}" for a, b, v in combining_classes(normalizers.NFD())]),
        array("Decomposition", "canonical", rows["canonical"]),
        array("Decomposition", "compatibility", rows["compatibility"]),
        array("Composition", "compositions", [hexes(*row) for row in compositions(normalizers.NFC())]),
        array("char32_t", "decomposition_text", [f"{c:#x}" for c in text]),
    ]
    with open(output, "w", encoding="ascii") as file:
        file.write(f"// Generated by scripts/make_unicode_tables.py from tokenizers {tokenizers.__version__}; do not edit.\n")
        file.write('#include "unicode_tables.h"\n\n// clang-format off\nnamespace attune::text::unicode::tables {\n\nusing enum Category;\n\nnamespace {\n\n')
        file.write("\n".join(data for data, _ in arrays))
        file.write("\n}  // namespace\n\n" + "".join(span for _, span in arrays))
        file.write("\n}  // namespace attune::text::unicode::tables\n// clang-format on\n")


if __name__ == "__main__":
    main()
