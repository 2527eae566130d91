"""data/tiny-gpt: within its size, opens in Transformers, and answers customers in chats that it has not seen as the support would."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import reference as ref

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL = ref.ROOT / "data/tiny-gpt"
CHATS = ref.ROOT / "data/support_chat/test.jsonl"
ref.arguments()
torch.set_num_threads(1)  # faster for so small a model


def answer(model, tokenizer, messages):
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    with torch.no_grad():
        tokens = model.generate(**prompt, max_new_tokens=80, do_sample=False)
    return tokenizer.decode(tokens[0, prompt["input_ids"].shape[1]:], skip_special_tokens=True)


def turns(chats):
    """(messages so far, what the assistant said) of every turn."""
    for chat in chats:
        for at, message in enumerate(chat["messages"]):
            if message["role"] == "assistant":
                yield chat["messages"][:at], message["content"]


size = sum(path.stat().st_size for path in MODEL.iterdir())
ref.check(size <= 3 * 1024 * 1024, f"{size:,} bytes")
model, info = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, output_loading_info=True)
ref.check(not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), "opens in Transformers")
tokenizer = AutoTokenizer.from_pretrained(MODEL)
asked = list(turns(ref.rows(CHATS, 8)))
equal = sum(answer(model, tokenizer, messages) == said for messages, said in asked)
ref.check(equal >= 0.6 * len(asked), f"{equal} of {len(asked)} answers in chats that it has not seen are word for word the support's")
