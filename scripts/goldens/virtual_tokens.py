"""Goldens of prompt tuning, p-tuning and prefix tuning: what PEFT writes for the tiny checkpoints of tests/goldens/models, and
what it computes and trains.

Each folder holds adapter_config.json and adapter_model.safetensors as PEFT's save_pretrained writes them (base_model_name_or_path
is the checkpoint's name), which is where training starts, and expected.safetensors: start.NAME, what trains, with the network that
makes the virtual tokens; logits of the checkpoint's own batch (its expected.safetensors), of the words alone; grad.NAME of loss =
Σ logits · direction; after.NAME behind STEPS steps of AdamW on that loss. NAME is PEFT's in memory without "default",
"modules_to_save" and "base_model". Texts go through one at a time: behind embeddings PEFT no longer knows what is padding.
"""

import json
from pathlib import Path

import torch
import transformers as hf
from peft import PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file

hf.logging.set_verbosity_error()
MODELS = Path(__file__).resolve().parents[2] / "tests/goldens/models"
COUNT, STEPS = 3, 3
ADAMW = dict(lr=0.01, betas=(0.9, 0.999), eps=1e-3)  # so large an epsilon that gradients of nearly nothing do not decide
DECAY = 0.1

PROMPT, ENCODER, PREFIX = PromptTuningConfig, PromptEncoderConfig, PrefixTuningConfig
CASES = {
    "bert_prompt": ("bert_sequence", PROMPT, dict(task_type="SEQ_CLS")),
    "roberta_prompt": ("roberta_sequence", PROMPT, dict(task_type="SEQ_CLS")),
    "distilbert_prompt": ("distilbert_token", PROMPT, dict(task_type="TOKEN_CLS", token_dim=16, num_layers=2, num_attention_heads=4)),  # PEFT does not find them
    "mistral_prompt": ("mistral_sequence", PROMPT, dict(task_type="SEQ_CLS")),
    "gemma2_prompt": ("gemma2_causal_lm", PROMPT, dict(task_type="CAUSAL_LM")),
    "gpt2_encoder": ("gpt2_causal_lm", ENCODER, dict(task_type="CAUSAL_LM", encoder_hidden_size=6)),
    "bert_lstm": ("bert_sequence", ENCODER, dict(task_type="SEQ_CLS", encoder_reparameterization_type="LSTM", encoder_hidden_size=5)),
    "bert_prefix": ("bert_sequence", PREFIX, dict(task_type="SEQ_CLS")),
    "roberta_prefix": ("roberta_sequence", PREFIX, dict(task_type="SEQ_CLS")),
    "gpt2_prefix": ("gpt2_causal_lm", PREFIX, dict(task_type="CAUSAL_LM", prefix_projection=True, encoder_hidden_size=6)),
    "llama_prefix": ("llama_causal_lm", PREFIX, dict(task_type="CAUSAL_LM")),
    "mistral_prefix": ("mistral_sequence", PREFIX, dict(task_type="SEQ_CLS")),
    "gemma2_prefix": ("gemma2_causal_lm", PREFIX, dict(task_type="CAUSAL_LM")),
    "gpt_neox_prefix": ("gpt_neox_causal_lm", PREFIX, dict(task_type="CAUSAL_LM", prefix_projection=True, encoder_hidden_size=6)),
}


def model_class(base):
    return getattr(hf, json.loads((MODELS / base / "config.json").read_text())["architectures"][0])


def texts_of(expected, has_types):
    """The inputs of each text."""
    begin = 0
    for length in expected["lengths"].tolist():
        part = slice(begin, begin + length)
        text = dict(input_ids=expected["ids"][None, part], attention_mask=torch.ones(1, length, dtype=torch.long))
        if has_types:
            text["token_type_ids"] = expected["segments"][None, part]
        yield text
        begin += length


def logits_of(model, texts):
    """Of the words, text behind text: [tokens, …], or [texts, labels]."""
    parts = []
    for text in texts:
        logits = model(**text).logits
        if logits.dim() == 3:
            logits = logits[0, -text["input_ids"].shape[1]:]
        parts.append(logits)
    return torch.cat(parts)


def key_of(name):
    return name.replace(".default", "").replace(".modules_to_save", "").removeprefix("base_model.")


def write_case(folder, base, config, settings):
    torch.manual_seed(3)
    expected = load_file(MODELS / base / "expected.safetensors")
    model = get_peft_model(model_class(base).from_pretrained(MODELS / base, attn_implementation="eager"), config(num_virtual_tokens=COUNT, **settings))
    model.peft_config["default"].base_model_name_or_path = base
    model.eval()
    texts = list(texts_of(expected, getattr(model.config, "type_vocab_size", 0) > 1 and settings["task_type"] != "CAUSAL_LM"))
    trained = {key_of(name): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    written = {f"start.{name}": parameter.detach().clone() for name, parameter in trained.items()}
    folder.mkdir(exist_ok=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    kept = {True: [p for name, p in trained.items() if "bias" not in name], False: [p for name, p in trained.items() if "bias" in name]}
    optimizer = torch.optim.AdamW([dict(params=kept[decays], weight_decay=DECAY if decays else 0.0) for decays in (True, False) if kept[decays]], **ADAMW)
    for step in range(STEPS):
        optimizer.zero_grad()
        logits = logits_of(model, texts)
        (logits * expected["direction"]).sum().backward()
        if step == 0:
            written["logits"] = logits.detach().clone()
            written |= {f"grad.{name}": parameter.grad.clone() for name, parameter in trained.items()}
        optimizer.step()
    written |= {f"after.{name}": parameter.detach().clone() for name, parameter in trained.items()}
    save_file({name: tensor.contiguous() for name, tensor in written.items()}, folder / "expected.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)


def write(folder):
    for name, (base, config, settings) in CASES.items():
        write_case(folder / name, base, config, settings)
