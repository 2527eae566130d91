#!/usr/bin/env python3
"""The project's data sets for GPT-type models: the rows that their notes promise, columns filled, chats that alternate, and no text in
two files of a set. Standard library only; run by scripts/test.sh."""
import itertools
import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from language_models import texts  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "data"
PARTS = ("train", "validation", "test")
# Set: columns, and those whose values must not stand in two files.
SETS = {
    "support_chat": (("messages", "topic"), ("messages",)),
    "shop_chat": (("messages", "topic"), ("messages",)),
    "phrases_de": (("english", "german"), ("english", "german")),
    "policy_qa": (("context", "question", "answer"), ("context",)),
    "ticket_summary": (("ticket", "summary"), ("ticket",)),
    "house_style": (("plain", "styled"), ("plain", "styled")),
    "ward_notes": (("text", "kind"), ("text",)),
}


def read(name, part):
    with open(DATA / name / f"{part}.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def key(value):
    """What makes two texts the same: letters and digits. Of a chat its first customer message."""
    text = value if isinstance(value, str) else next(message["content"] for message in value if message["role"] == "user")
    return re.sub(r"\W", "", text.lower())


class TextSets(unittest.TestCase):
    def test_rows_are_as_many_as_the_note_says(self):
        for name in SETS:
            note = (DATA / name / "README.md").read_text(encoding="utf-8")
            for part in PARTS:
                promised = re.search(rf"`{part}\.jsonl`\s\((\d[\d,]*)", note)
                self.assertEqual(len(read(name, part)), int(promised[1].replace(",", "")), f"{name}/{part}")

    def test_columns_are_filled(self):
        for name, (columns, _) in SETS.items():
            for part, row in ((part, row) for part in PARTS for row in read(name, part)):
                self.assertEqual(tuple(row), columns, f"{name}/{part}")
                for value in row.values():
                    for text in (value,) if isinstance(value, str) else [message["content"] for message in value]:
                        self.assertTrue(text and text == text.strip() and not re.search(r"[{}\[\]|]|  ", text), f"{name}/{part}: {text!r}")

    def test_no_text_stands_in_two_files(self):
        for name, (_, columns) in SETS.items():
            texts = {part: {key(row[column]) for row in read(name, part) for column in columns} for part in PARTS}
            for first, second in itertools.combinations(PARTS, 2):
                self.assertFalse(texts[first] & texts[second], f"{name}: {first} and {second}")

    def test_chats_alternate_and_end_with_the_assistant(self):
        for name in ("support_chat", "shop_chat"):
            rows = [row for part in PARTS for row in read(name, part)]
            self.assertGreater(sum(row["messages"][0]["role"] == "system" for row in rows), 100)
            self.assertGreater(sum(len(row["messages"]) > 4 for row in rows), 300)
            for row in rows:
                roles = [message["role"] for message in row["messages"] if message["role"] != "system"]
                self.assertEqual(roles, ["user", "assistant"] * (len(roles) // 2))

    def test_the_tiny_gpt_has_read_no_shop_chat(self):
        known = {key(text) for text in texts.own_documents() + texts.chat_texts()}
        said = {key(message["content"]) for row in read("shop_chat", "test") for message in row["messages"] if message["role"] == "assistant"}
        self.assertFalse(said & known)

    def test_answers_stand_in_the_notice(self):
        rows = [row for part in PARTS for row in read("policy_qa", part)]
        unknown = [row for row in rows if row["answer"] == "The notice does not say."]
        self.assertTrue(0.05 < len(unknown) / len(rows) < 0.15)
        for row in rows:
            if row not in unknown:
                self.assertEqual(len(re.findall(rf" {re.escape(row['answer'])}(?!\d)", row["context"])), 1, row)


if __name__ == "__main__":
    unittest.main()
