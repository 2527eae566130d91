"""Customer messages to a bank that also sells mobile plans, each with the intent of the writer."""
import random

from .grammar import expand, jsonl, with_typo
from .intent_phrases import ASIDES, INTENTS, SLOTS

NAME = "intents"
SEED = 20260101
PER_INTENT = {"train": 46, "validation": 10, "test": 18}
FEW = 8  # training rows of each intent in few.jsonl

README = """
# Customer-service intents

1,184 short messages to an imaginary bank that also sells mobile plans, each with one of 16 intents: `train.jsonl` (736 rows),
`validation.jsonl` (160) and `test.jsonl` (288), columns `text` and `label`, all intents equally frequent. `few.jsonl` holds the first
eight training rows of each intent.

**Synthetic.** Written for this project: `scripts/make_data.py` draws the messages from a phrase grammar
(`scripts/data_sets/intent_phrases.py`) with a fixed seed; no message was ever sent by anybody. Licence: Apache-2.0.

What makes it less easy than it looks:
- intents that share their words (a refund wished and a refund awaited, a transfer that hangs and one to be called back, a fee and an
  unknown payment) and indirect wordings that avoid the words one would look for;
- three messages in ten bring up another matter first ("the new card came, thanks, but …"), so that word order counts;
- nearly a fifth of the wordings occurs in the validation and test files only;
- typing slips, lower case, missing punctuation.

Accuracy on the test rows: 0.826 for TF-IDF (words and word pairs) with logistic regression (scikit-learn, C = 10); 0.0625 for the
most frequent class.
"""


def style(text, rng):
    """How people type: lower case, no full stop, slips."""
    if rng.random() < 0.35:
        text = text.lower()
    else:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.4:
        text = text.rstrip(".")
    if rng.random() < 0.05:
        text = text.replace(",", "").replace("?", "")
    for chance in (0.2, 0.06):
        if rng.random() < chance:
            text = with_typo(text, rng)
    return text


def message(intent, templates, rng):
    core = expand(rng.choice(templates), rng, SLOTS)
    chance = rng.random()
    asides = [aside for aside in ASIDES if intent not in aside[1]]
    if chance < 0.2:
        aside = expand(rng.choice(asides)[0], rng, SLOTS)
        core = expand(f"{aside}{rng.choice((', but ', '. But ', '. Anyway, ', '. Now '))}", rng, {}) + " " + core
    elif chance < 0.3:
        aside = expand(rng.choice(asides)[0], rng, SLOTS)
        core = f"{core.rstrip('.?!')}{rng.choice(('. By the way, ', '. And no need to reply to my other mail: ', '. (PS: '))}{aside}"
        core += ")" if "(PS" in core else "."
    opener = rng.choice(SLOTS["opener"]) if rng.random() < 0.35 else ""
    closer = rng.choice(SLOTS["closer"]) if rng.random() < 0.25 else ""
    if opener and not core.startswith(("I ", "I'")):
        core = core[0].lower() + core[1:]
    if core[-1] not in ".?!)":
        core += "."
    return style(f"{opener} {core} {closer}".strip(), rng)


def few_of(rows):
    """The first FEW rows of each intent, in their order."""
    taken = dict.fromkeys(INTENTS, 0)
    few = []
    for row in rows:
        if taken[row["label"]] < FEW:
            taken[row["label"]] += 1
            few.append(row)
    return few


def files():
    rng = random.Random(SEED)
    parts = {part: [] for part in PER_INTENT}
    seen = set()
    for intent, templates in INTENTS.items():
        known = [template for i, template in enumerate(templates) if i not in (3, 7, 11)]
        for part, count in PER_INTENT.items():
            rows = []
            while len(rows) < count:
                text = message(intent, known if part == "train" else templates, rng)
                letters = "".join(c for c in text.lower() if c.isalnum())
                if letters not in seen:
                    seen.add(letters)
                    rows.append({"text": text, "label": intent})
            parts[part] += rows
    for rows in parts.values():
        rng.shuffle(rows)
    return {f"{part}.jsonl": jsonl(rows) for part, rows in parts.items()} | {"few.jsonl": jsonl(few_of(parts["train"]))}
