"""Documents from a folder of public data sets (banking77, clinc150, tinyshakespeare, …, one folder each); only training and validation
files are read, so that test rows stay unseen. A set that is not there is said and left out."""
import json
import sys

from .texts import read_rows

# Set: columns that are documents, column pairs (text, label) for examples in context.
ROW_SETS = {
    "banking77": (("text",), ("text", "label")),
    "clinc150": (("text",), ("text", "label")),
    "sms_spam": (("text",), ("text", "label")),
    "medical_abstracts": (("text",), ("text", "label")),
    "mts_dialog": (("dialogue", "summary"), ("summary", "label")),
    "pubmedqa": (("context", "long_answer"), ("question", "final_decision")),
    "xquad": (("context",), None),
}
TEXT_FILES = {"train": ("tinyshakespeare/train.txt", "frankenstein/frankenstein.txt", "botchan/botchan.txt"), "validation": ("tinyshakespeare/valid.txt",)}
SHORTEST, LONGEST = 200, 1200  # characters of a piece of a book


def pieces(text):
    """Paragraphs of a book, joined until they are long enough to be a document."""
    found, current = [], ""
    for paragraph in text.replace("\r", "").split("\n\n"):
        current = f"{current}\n\n{paragraph}".strip()
        if len(current) >= SHORTEST:
            found += [current[i:i + LONGEST] for i in range(0, len(current), LONGEST)]
            current = ""
    return found


def rows_of(folder, name, part):
    names = {"train": ("train.jsonl",), "validation": ("valid.jsonl", "validation.jsonl")}[part]
    path = next((folder / name / file for file in names if (folder / name / file).exists()), None)
    return read_rows(path) if path else []


def column(row, name):
    value = row.get(name)
    return "\n".join(value) if isinstance(value, list) else value


def read(folder, part):
    """(documents, (set, text, label) rows) of a part."""
    documents, labelled = [], []
    for name, (columns, pair) in ROW_SETS.items():
        rows = rows_of(folder, name, part)
        if not rows and part == "train":
            print(f"{folder}: no {name}, left out", file=sys.stderr)
        documents += [column(row, key) for row in rows for key in columns if column(row, key)]
        labelled += [(name, column(row, pair[0]), column(row, pair[1])) for row in rows if pair and column(row, pair[0]) and column(row, pair[1])]
    for file in TEXT_FILES[part]:
        if (folder / file).exists():
            documents += pieces((folder / file).read_text(encoding="utf-8"))
    return list(dict.fromkeys(documents)), labelled
