"""Chats between customers of Harbour Bank and its assistant, of two to ten messages."""
import random

from .chat_topics import BYE, GREETINGS, SLOTS, SYSTEM, THANKS, TOPICS
from .grammar import expand, jsonl, unique_key, with_typo

NAME = "support_chat"
SEED = 20260201
ROWS = {"test": 88, "validation": 66, "train": 704}

README = """
# Support chats

858 chats of an imaginary bank that also sells mobile plans, 22 topics: `train.jsonl` (704 chats), `validation.jsonl` (66), `test.jsonl` (88),
each topic equally often. A row is `{"messages": [{"role", "content"}, …], "topic"}` with roles user and assistant, in a quarter of the rows also a
system message; two to ten messages a chat. The last message is always the assistant's.

**Synthetic.** Written for this project: `scripts/make_data.py` draws the chats from a phrase grammar (`scripts/data_sets/chat_topics.py`)
with a fixed seed; nobody ever wrote them. No first message of a chat stands in two files. Licence: Apache-2.0.

What is in them: the assistant asks back before it answers, takes up what the customer said (shop, sum, place, day) several messages later, and
answers questions that follow. Customers write as people do (lower case, slips, no full stop); the assistant does not.
"""


def bind(rng):
    """One value for every slot, so that a sum or a shop stays the same through the chat."""
    amount = rng.choice((f"£{rng.randrange(5, 90)}", f"£{rng.randrange(100, 900, 10)}", f"£{rng.randrange(5, 60)}.{rng.randrange(10, 99)}"))
    values = {"amount": amount}
    for name, choices in SLOTS.items():
        values[name] = rng.choice(choices)
    values = {name: value.replace("{city}", values["city"]) for name, value in values.items()}
    return {name: (lambda _, value=value: value) for name, value in values.items()}


def as_typed(text, rng):
    """A customer's message, as people type."""
    if rng.random() < 0.25:
        text = text[0].lower() + text[1:] if not text.startswith(("I ", "I'")) else text
    if rng.random() < 0.3:
        text = text.rstrip(".")
    return with_typo(text, rng) if rng.random() < 0.08 else text


def chat(topic, rng):
    slots = bind(rng)
    messages = []

    def say(role, template):
        text = expand(template, rng, slots)
        text = text[0].upper() + text[1:] if role == "assistant" else as_typed(text, rng)
        messages.append({"role": role, "content": text})

    if rng.random() < 0.25:
        messages.append({"role": "system", "content": SYSTEM})
    opening = rng.choice(topic["open"])
    say("user", f"{rng.choice(GREETINGS)}{rng.choice((',', '!', '.'))} {opening}" if rng.random() < 0.35 else opening)
    for question, reply in topic["steps"]:
        say("assistant", question)
        say("user", reply)
    say("assistant", rng.choice(topic["answer"]))
    for question, answer in rng.sample(topic["more"], min(len(topic["more"]), rng.choice((0, 0, 1, 1, 2)))):
        say("user", question)
        say("assistant", answer)
    if rng.random() < 0.4:
        thanks, welcome = rng.choice(THANKS)
        say("user", thanks)
        say("assistant", rng.choice(welcome))
        if messages[-1]["content"].endswith("?"):
            say("user", BYE[0])
            say("assistant", BYE[1][0])
    return messages


def files():
    rng = random.Random(SEED)
    seen, parts = {}, {}
    for part, count in ROWS.items():
        rows = []
        for name, topic in TOPICS.items():
            wanted = len(rows) + count // len(TOPICS)
            while len(rows) < wanted:
                messages = chat(topic, rng)
                # The first message of a chat stays in one file; whole chats are unique.
                first = unique_key(next(m["content"] for m in messages if m["role"] == "user"))
                whole = unique_key(" ".join(m["content"] for m in messages))
                if seen.setdefault(first, part) == part and whole not in seen:
                    seen[whole] = part
                    rows.append({"messages": messages, "topic": name})
        rng.shuffle(rows)
        parts[f"{part}.jsonl"] = jsonl(rows)
    return parts
