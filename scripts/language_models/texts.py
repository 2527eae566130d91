"""The project's own texts (training files of data/) as documents, and reading and writing rows."""
import csv
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
# Set: columns that are documents of their own.
COLUMNS = {
    "ward_notes": ("text",), "ticket_summary": ("ticket", "summary"), "policy_qa": ("context", "question"), "house_style": ("plain", "styled"),
    "phrases_de": ("english", "german"), "intents": ("text",), "triage": ("note",),
}


def read_rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def own_documents(part="train"):
    """Every text of the project's own sets, each once, in the order of the files; for validation only what training has not."""
    texts = []
    for name, columns in COLUMNS.items():
        path = DATA / name / f"{part}.jsonl"
        if path.exists():
            texts += [row[column] for row in read_rows(path) for column in columns]
    texts += (DATA / "domain_text" / f"{part}.txt").read_text(encoding="utf-8").splitlines()
    seen = set() if part == "train" else set(own_documents())
    return [text for text in dict.fromkeys(texts) if text not in seen]


def chat_texts(part="train"):
    """What is said in the support chats, message by message."""
    return [message["content"] for row in read_rows(DATA / "support_chat" / f"{part}.jsonl") for message in row["messages"]]


def labelled_own(part="train"):
    """(set, text, label) of the project's own labelled sets."""
    rows = [("intents", row["text"], row["label"]) for row in read_rows(DATA / "intents" / f"{part}.jsonl")]
    if part == "train":
        rows += [("triage", row["note"], row["outcome"]) for row in read_rows(DATA / "triage/train.jsonl")]
        with open(DATA / "transactions/train.csv", encoding="utf-8", newline="") as lines:
            rows += [("transactions", f"{row['amount']} {row['currency']} at {row['merchant']}, {row['channel']}, {row['country']}", row["label"])
                     for row in csv.DictReader(lines)][:600]
    return rows
