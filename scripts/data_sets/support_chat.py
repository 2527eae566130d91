"""Chats between customers of Harbour Bank and its assistant, of two to ten messages."""
from . import chat_topics, chats

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


def files():
    return chats.files(chat_topics, SEED, ROWS)
