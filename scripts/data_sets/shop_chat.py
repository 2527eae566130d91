"""Chats between customers of Tarn & Fell, an outdoor shop, and its assistant: a domain that the tiny GPT has never read."""
from . import chats, shop_topics

NAME = "shop_chat"
SEED = 20260301
ROWS = {"test": 72, "validation": 54, "train": 576}

README = """
# Shop chats

702 chats of an imaginary outdoor shop, 18 topics: `train.jsonl` (576 chats), `validation.jsonl` (54), `test.jsonl` (72), each topic equally
often. A row is `{"messages": [{"role", "content"}, …], "topic"}` with roles user and assistant, in a quarter of the rows also a system
message; two to ten messages a chat. The last message is always the assistant's.

**Synthetic.** Written for this project: `scripts/make_data.py` draws the chats from a phrase grammar (`scripts/data_sets/shop_topics.py`) with
a fixed seed; nobody ever wrote them. No first message of a chat stands in two files. Licence: Apache-2.0.

**Not read by [tiny-gpt](../tiny-gpt)**, which is made from other sets: what a training on these chats gains is its own. The shop's prices,
names and rules stand nowhere else.
"""


def files():
    return chats.files(shop_topics, SEED, ROWS)
