"""Goldens of LoRA and IA3 adapters: what PEFT writes for the tiny checkpoints of tests/goldens/models, and what it computes.

Each folder holds adapter_config.json and adapter_model.safetensors as PEFT's save_pretrained writes them (base_model_name_or_path
is the checkpoint's name) and expected.safetensors: logits of the checkpoint's own batch (its expected.safetensors), and grad.KEY,
by the keys of adapter_model.safetensors, of loss = Σ logits · direction. What trains is perturbed, so that nothing is zero.
"""

import json
from pathlib import Path

import torch
import transformers as hf
from peft import IA3Config, LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

hf.logging.set_verbosity_error()
MODELS = Path(__file__).resolve().parents[2] / "tests/goldens/models"

CASES = {
    "bert_bias_all": ("bert_sequence", dict(task_type="SEQ_CLS", r=3, lora_alpha=5, bias="all")),
    "distilbert_dora": ("distilbert_token", dict(task_type="TOKEN_CLS", r=2, use_dora=True, target_modules=["q_lin", "lin2"], bias="lora_only")),
    "distilbert_saved": ("distilbert_sequence", dict(task_type="SEQ_CLS", r=2, target_modules=r".*layer\.1\..*(q|v)_lin", init_lora_weights="gaussian")),
    "bert_span": ("bert_span", dict(task_type="QUESTION_ANS", r=2, target_modules=["query", "output.dense"], exclude_modules=["attention.output.dense"])),
    "gpt2_dora": ("gpt2_causal_lm", dict(task_type="CAUSAL_LM", r=2, use_dora=True, fan_in_fan_out=True, target_modules=["c_attn", "c_proj"])),
    "llama_embeddings": ("llama_causal_lm", dict(task_type="CAUSAL_LM", r=4, lora_alpha=6, target_modules=["embed_tokens", "q_proj", "down_proj"],
                                                 rank_pattern={"layers.1.mlp.down_proj": 2}, alpha_pattern={"q_proj": 9})),
    "mistral_all_linear": ("mistral_sequence", dict(task_type="SEQ_CLS", r=3, use_rslora=True, target_modules="all-linear")),
    "phi3_blocks": ("phi3_causal_lm", dict(task_type="CAUSAL_LM", r=2, target_modules=["qkv_proj", "gate_up_proj"], layers_to_transform=[1])),
    "bert_ia3": ("bert_sequence", dict(task_type="SEQ_CLS", method=IA3Config)),
    "gpt2_ia3": ("gpt2_causal_lm", dict(task_type="CAUSAL_LM", method=IA3Config)),
    "qwen3_ia3": ("qwen3_causal_lm", dict(task_type="CAUSAL_LM", method=IA3Config, target_modules=["k_proj", "up_proj", "down_proj"], feedforward_modules=["down_proj"])),
    "bert_ia3_all": ("bert_span", dict(task_type="QUESTION_ANS", method=IA3Config, target_modules=r".*(query|dense)", feedforward_modules=["intermediate.dense"])),
    "gpt_neox_saved": ("gpt_neox_causal_lm", dict(task_type="CAUSAL_LM", r=2, modules_to_save=["embed_in", "lm_head"])),
}


def classes():
    """The class of a checkpoint's head, by name."""
    return {folder.name: getattr(hf, json.loads((folder / "config.json").read_text())["architectures"][0]) for folder in MODELS.iterdir()}


def padded(values, lengths, longest):
    rows, begin = [], 0
    for length in lengths.tolist():
        row = torch.zeros(longest, dtype=torch.long)
        row[:length] = values[begin:begin + length]
        rows.append(row)
        begin += length
    return torch.stack(rows)


def logits_of(output, live):
    if "start_logits" in output:
        return torch.stack([output.start_logits, output.end_logits], -1)[live]
    return output.logits if output.logits.dim() == 2 else output.logits[live]


def key_of(name):
    """In memory → in the file."""
    return name.replace(".default", "").replace(".modules_to_save", "").replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


def write_case(folder, base, settings):
    torch.manual_seed(3)
    expected = load_file(MODELS / base / "expected.safetensors")
    settings = dict(settings)
    method = settings.pop("method", LoraConfig)
    model = get_peft_model(classes()[base].from_pretrained(MODELS / base), method(**settings))
    model.peft_config["default"].base_model_name_or_path = base
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape) * 0.1)
    model.eval()
    lengths = expected["lengths"]
    longest = int(lengths.max())
    mask = (torch.arange(longest)[None] < lengths[:, None]).long()
    inputs = dict(input_ids=padded(expected["ids"], lengths, longest), attention_mask=mask)
    if getattr(model.config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = padded(expected["segments"], lengths, longest)
    # Not through PEFT's own class for the task: that for span QA loses token_type_ids.
    logits = logits_of(model.get_base_model()(**inputs), mask.bool())
    (logits * expected["direction"]).sum().backward()
    grads = {f"grad.{key_of(name)}": p.grad for name, p in model.named_parameters() if p.requires_grad}
    folder.mkdir(exist_ok=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    save_file({name: t.detach().contiguous() for name, t in (grads | {"logits": logits}).items()}, folder / "expected.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)


def write(folder):
    for name, (base, settings) in CASES.items():
        write_case(folder / name, base, settings)
