"""A phrase grammar: [a|b|] chooses, {slot} is filled from a table or a function; both nest."""
import json
import re

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")


def expand(text, rng, slots):
    """One random sentence of the template. slots: name -> list of templates, or function of rng."""
    while True:
        match = _CHOICE.search(text)
        if not match:
            break
        text = text[:match.start()] + rng.choice(match.group(1).split("|")) + text[match.end():]

    def fill(match):
        slot = slots[match.group(1)]
        return str(slot(rng)) if callable(slot) else expand(rng.choice(slot), rng, slots)

    return tidy(_SLOT.sub(fill, text))


def tidy(text):
    """Single blanks, none before punctuation."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r" ([,.!?;:])", r"\1", text)


def unique_key(text):
    """Texts that differ in case, blanks and punctuation only are one text."""
    return "".join(c for c in text.lower() if c.isalnum())


def jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def drawn_parts(draw, rng, counts, *columns):
    """{"<part>.jsonl": text} with as many rows draw(rng) as counts says for each part; no text of these columns comes twice."""
    seen, parts = set(), {}
    for part, count in counts.items():
        rows = []
        while len(rows) < count:
            row = draw(rng)
            keys = {unique_key(row[column]) for column in columns}
            if not keys & seen:
                seen |= keys
                rows.append(row)
        parts[f"{part}.jsonl"] = jsonl(rows)
    return parts


def with_typo(text, rng):
    """One slip of the fingers inside a word of five letters or more."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not places:
        return text
    i = rng.choice(places)
    word = words[i]
    at = rng.randrange(1, len(word) - 2)
    words[i] = rng.choice((
        word[:at] + word[at + 1] + word[at] + word[at + 2:],
        word[:at] + word[at + 1:],
        word[:at] + word[at] + word[at:],
    ))
    return " ".join(words)
