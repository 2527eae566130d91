"""Chats of two to ten messages between customers and an assistant, drawn from the topics of one business (a module such as
chat_topics: TOPICS, SLOTS, GREETINGS, THANKS, BYE, SYSTEM)."""
import random

from .grammar import expand, jsonl, unique_key, with_typo


def bind(rng, business):
    """One value for every slot, so that a sum or a shop stays the same through the chat."""
    amount = rng.choice((f"£{rng.randrange(5, 90)}", f"£{rng.randrange(100, 900, 10)}", f"£{rng.randrange(5, 60)}.{rng.randrange(10, 99)}"))
    values = {"amount": amount}
    for name, choices in business.SLOTS.items():
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


def chat(topic, rng, business):
    slots = bind(rng, business)
    messages = []

    def say(role, template):
        text = expand(template, rng, slots)
        text = text[0].upper() + text[1:] if role == "assistant" else as_typed(text, rng)
        messages.append({"role": role, "content": text})

    if rng.random() < 0.25:
        messages.append({"role": "system", "content": business.SYSTEM})
    opening = rng.choice(topic["open"])
    say("user", f"{rng.choice(business.GREETINGS)}{rng.choice((',', '!', '.'))} {opening}" if rng.random() < 0.35 else opening)
    for question, reply in topic["steps"]:
        say("assistant", question)
        say("user", reply)
    say("assistant", rng.choice(topic["answer"]))
    for question, answer in rng.sample(topic["more"], min(len(topic["more"]), rng.choice((0, 0, 1, 1, 2)))):
        say("user", question)
        say("assistant", answer)
    if rng.random() < 0.4:
        thanks, welcome = rng.choice(business.THANKS)
        say("user", thanks)
        say("assistant", rng.choice(welcome))
        if messages[-1]["content"].endswith("?"):
            say("user", business.BYE[0])
            say("assistant", business.BYE[1][0])
    return messages


def files(business, seed, counts):
    """{"<part>.jsonl": text} with as many chats as counts says for each part, each topic equally often."""
    rng = random.Random(seed)
    seen, parts = {}, {}
    for part, count in counts.items():
        rows = []
        for name, topic in business.TOPICS.items():
            wanted = len(rows) + count // len(business.TOPICS)
            while len(rows) < wanted:
                messages = chat(topic, rng, business)
                # The first message of a chat stays in one file; whole chats are unique.
                first = unique_key(next(m["content"] for m in messages if m["role"] == "user"))
                whole = unique_key(" ".join(m["content"] for m in messages))
                if seen.setdefault(first, part) == part and whole not in seen:
                    seen[whole] = part
                    rows.append({"messages": messages, "topic": name})
        rng.shuffle(rows)
        parts[f"{part}.jsonl"] = jsonl(rows)
    return parts
