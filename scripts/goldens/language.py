"""Goldens of causal language modelling: a tiny random GPT-2 with a byte-level BPE of its own whose padding token is its
end-of-text token, a chat template with {% generation %} spans, and what Transformers computes with both.

tiny_gpt/ is a checkpoint as save_pretrained writes it. expected.json: "documents" (text, ids with the end-of-text token, the log
probability of each token but the first, their mean loss), "completions" (the same for the completion of a prompt), "chats"
(messages, ids and assistant mask of apply_chat_template).
"""

import json
import random

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

hf.logging.set_verbosity_error()

TEMPLATE = """{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == 'assistant' %}
        {%- generation %}{{- message.content + '<|im_end|>' }}{% endgeneration %}
    {%- else %}
        {{- message.content + '<|im_end|>' }}
    {%- endif %}
    {{- '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
# The same without marks, and one whose beginning depends on what follows.
PLAIN = """{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""
COUNTING = "{{- messages | length }}" + PLAIN
DOCUMENTS = ["The meter reads 42 units.", "Eine Straße, zwei Wörter: naïve café 你好.", "One line\nand another line,\n\nthen the end."]
COMPLETIONS = [("Q: Where is my card?\nA:", " It was sent on Monday."), ("Translate: Haus =>", " house"), ("", "nothing before")]
CHATS = [
    [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "Hi! What can I do?"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "card lost"}, {"role": "assistant", "content": "Block it in the app."},
     {"role": "user", "content": "where?"}, {"role": "assistant", "content": "Cards → Block ✓"}],
]


def make_tokenizer():
    rng = random.Random(0)
    words = "the card is lost where my account was sent on monday app block it in help what can do line end meter reads units".split()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([" ".join(rng.choices(words, k=12)) for _ in range(200)], trainer)
    fast = hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>", bos_token="<|endoftext|>", pad_token="<|endoftext|>",
                                      additional_special_tokens=["<|im_start|>", "<|im_end|>"], model_max_length=128)
    fast.chat_template = TEMPLATE
    return fast


def scored(model, ids, first):
    """Log probabilities of ids[first:], and their mean loss."""
    with torch.no_grad():
        log_p = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
    chosen = [log_p[i - 1, ids[i]].item() for i in range(first, len(ids))]
    return {"ids": ids, "logprobs": chosen, "loss": -sum(chosen) / len(chosen)}


def write(folder):
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    config = hf.GPT2Config(vocab_size=len(tokenizer), n_positions=128, n_embd=16, n_layer=2, n_head=2, n_inner=32, bos_token_id=0, eos_token_id=0,
                           pad_token_id=0, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    model = hf.GPT2LMHeadModel(config).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder / "tiny_gpt")
    tokenizer.save_pretrained(folder / "tiny_gpt")
    end = [tokenizer.eos_token_id]
    expected = {"documents": [], "completions": [], "chats": []}
    for text in DOCUMENTS:
        expected["documents"].append({"text": text, **scored(model, tokenizer(text)["input_ids"] + end, 1)})
    for prompt, completion in COMPLETIONS:
        ids = tokenizer(prompt + completion, return_offsets_mapping=True)
        first = next(i for i, (_, stop) in enumerate(ids["offset_mapping"]) if stop > len(prompt))
        row = scored(model, ids["input_ids"] + end, max(1, first))
        expected["completions"].append({"prompt": prompt, "completion": completion, "first": first, **row})
    for messages in CHATS:
        row = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
        expected["chats"].append({"messages": messages, "ids": row["input_ids"], "mask": row["assistant_masks"],
                                  "text": tokenizer.apply_chat_template(messages, tokenize=False)})
    (folder / "plain_chatml.jinja").write_text(PLAIN)
    (folder / "counting.jinja").write_text(COUNTING)
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
