"""Prints a table: for every model type, what attune trained and saved (the whole model, a LoRA and a DoRA adapter, a merged one)
opens in Transformers or PEFT, with which keys out of place and how far logits are from `attune predict --logits`.

roundtrip.py --attune PROGRAM [TYPE…]: tiny random bases with the tokenizer of tests/goldens/app/tiny_bert. Exits 1 unless every row holds."""
import argparse
import json
import shutil
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import adapters
import reference as ref

import torch
import transformers as hf

warnings.filterwarnings("ignore")
hf.logging.set_verbosity_error()
hf.utils.logging.disable_progress_bar()
TINY = ref.ROOT / "tests/goldens/app/tiny_bert"
TEXTS = ["my card is lost", "where is my refund", "change my address please now"]
ALLOWED = 2e-5
POST = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=64)
PRE = dict(POST, num_key_value_heads=1, pad_token_id=0, bos_token_id=1, eos_token_id=2)
GEMMA = dict(PRE, head_dim=8)
BASES = {
    "bert": hf.BertConfig(**POST),
    "distilbert": hf.DistilBertConfig(dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=64),
    "electra": hf.ElectraConfig(**POST, embedding_size=8),
    "roberta": hf.RobertaConfig(**dict(POST, max_position_embeddings=66), pad_token_id=0),
    "xlm-roberta": hf.XLMRobertaConfig(**dict(POST, max_position_embeddings=66), pad_token_id=0),
    "gpt2": hf.GPT2Config(n_positions=64, n_embd=16, n_layer=2, n_head=2, pad_token_id=0, bos_token_id=1, eos_token_id=2),
    "gpt_neox": hf.GPTNeoXConfig(**POST, pad_token_id=0, bos_token_id=1, eos_token_id=2),
    "llama": hf.LlamaConfig(**PRE),
    "smollm3": hf.SmolLM3Config(**PRE, no_rope_layers=[1, 0]),
    "mistral": hf.MistralConfig(**PRE),
    "qwen2": hf.Qwen2Config(**PRE),
    "qwen3": hf.Qwen3Config(**PRE, head_dim=8),
    "gemma": hf.GemmaConfig(**GEMMA),
    "gemma2": hf.Gemma2Config(**GEMMA),
    "gemma3_text": hf.Gemma3TextConfig(**GEMMA),
    "phi3": hf.Phi3Config(**PRE),
}
METHODS = {
    "model": {"method": "full"},
    "LoRA": {"method": "lora", "lora": {"r": 4, "target_modules": "all-linear"}},
    "DoRA": {"method": "lora", "lora": {"r": 2, "use_dora": True, "target_modules": "all-linear"}},
}


def make_base(name, folder):
    config = BASES[name]
    config.vocab_size = json.loads((TINY / "config.json").read_text())["vocab_size"]
    torch.manual_seed(1)
    hf.AutoModel.from_config(config).save_pretrained(folder)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TINY / file, folder / file)
    return folder


def train(program, base, output, tuning):
    config = ref.write_config(
        output.parent / "run.json", model={"path": str(base)}, data={"train": str(output.parent / "train.jsonl"), "max_length": 32}, tuning=tuning,
        training={"max_steps": 4, "learning_rate": 0.01, "per_device_train_batch_size": 8, "save_strategy": "no"}, seeds=[1], threads=1,
        output_dir=str(output))
    ref.run(program, "train", config, "--quiet")


def logits_of(model, base):
    tokenizer = hf.PreTrainedTokenizerFast(tokenizer_file=str(base / "tokenizer.json"), pad_token="[PAD]")
    rows = []
    with torch.no_grad():
        for text in TEXTS:
            ids = torch.tensor([tokenizer(text)["input_ids"]])
            rows.append(model.eval()(input_ids=ids).logits[0])
    return torch.stack(rows)


def predicted(program, folder):
    lines = ref.run(program, "predict", folder, "--logits", "--quiet", stdin="\n".join(TEXTS) + "\n").splitlines()
    return torch.tensor([json.loads(line)["logits"] for line in lines])


def open_saved(folder, what):
    if what in ("LoRA", "DoRA"):
        return adapters.open_in_peft(folder, hf.AutoModelForSequenceClassification)
    model, info = hf.AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    return model, {key: value for key in ("missing_keys", "unexpected_keys", "mismatched_keys") if (value := info[key])}


def row(program, name, what, folder, base):
    model, problems = open_saved(folder, what)
    difference = (predicted(program, folder) - logits_of(model, base)).abs().max().item()
    keys = ", ".join(f"{len(value)} {key}" for key, value in problems.items()) or "all fit"
    holds = not problems and difference <= ALLOWED
    print(f"{name:12} {what:12} {keys:28} {difference:.1e}{'' if holds else '   FAILED'}", flush=True)
    return holds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attune", required=True)
    parser.add_argument("types", nargs="*")
    args = parser.parse_args()
    print(f"{'type':12} {'what':12} {'keys':28} largest difference of a logit")
    failed = 0
    for name in args.types or BASES:
        with ref.workspace() as temporary:
            folder = Path(temporary)
            base = make_base(name, folder / "base")
            ref.write_rows(folder / "train.jsonl", [{"text": text, "label": text.split()[-1]} for text in TEXTS] * 8)
            for what, tuning in METHODS.items():
                train(args.attune, base, folder / what, tuning)
                failed += not row(args.attune, name, what, folder / what, base)
            ref.run(args.attune, "merge", folder / "DoRA", "--output", folder / "merged")
            failed += not row(args.attune, name, "DoRA merged", folder / "merged", base)
    sys.exit(f"{failed} rows failed" if failed else 0)


if __name__ == "__main__":
    main()
