"""Questions on the terms of invented products, each answered by a span of the paragraph."""
import random

from .faq_paragraphs import PARAGRAPHS, SLOTS
from .grammar import jsonl

NAME = "faq_qa"
SEED = 20260105
VARIANTS = 4
HELD_OUT = 4  # the last paragraphs are for validation

README = """
# Questions on terms and conditions

202 questions on the terms of invented bank and phone products, each answered by a span of its paragraph, in the shape of SQuAD:
`id`, `question`, `context`, `answers` = {"text": [...], "answer_start": [...]} with starts in characters. `train.jsonl`, and
`validation.jsonl` with questions on paragraphs that no training row has.

**Synthetic.** Written for this project (`scripts/data_sets/faq_paragraphs.py`); `scripts/make_data.py` fills products and figures in with a
fixed seed. Licence: Apache-2.0.
"""


def fill(text, values):
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def variant(paragraph, rng):
    """Rows of one paragraph with figures of its own. An answer is marked in the paragraph by <k>…</k>, k its question's number."""
    values = {name: rng.choice(choices) for name, choices in SLOTS.items()}
    # Figures of one paragraph differ, so that each answer has one place.
    for kind in ("days", "sum", "share"):
        names = [name for name in values if name.startswith(kind)]
        for name, value in zip(names, rng.sample(SLOTS[names[0]], len(names))):
            values[name] = value
    marked = fill(paragraph["text"], values)
    spans, context = {}, ""
    while "<" in marked:
        before, _, rest = marked.partition("<")
        number, _, rest = rest.partition(">")
        answer, _, marked = rest.partition(f"</{number}>")
        context += before
        spans[int(number)] = (answer, len(context))
        context += answer
    context += marked
    for number, questions in enumerate(paragraph["questions"], 1):
        answer, start = spans[number]
        assert context[start:start + len(answer)] == answer
        yield {"question": fill(rng.choice(questions), values), "context": context, "answers": {"text": [answer], "answer_start": [start]}}


def files():
    rng = random.Random(SEED)
    parts = {"train": [], "validation": []}
    for number, paragraph in enumerate(PARAGRAPHS):
        part = "validation" if number >= len(PARAGRAPHS) - HELD_OUT else "train"
        for turn in range(VARIANTS if part == "train" else 2):
            for k, row in enumerate(variant(paragraph, rng)):
                parts[part].append({"id": f"{number:02d}-{turn}-{k}", **row})
    return {f"{part}.jsonl": jsonl(rows) for part, rows in parts.items()}
