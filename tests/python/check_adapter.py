"""A trained LoRA adapter opens in PEFT without missing or unexpected keys, and PEFT gives the logits of `attune predict --logits`; an
adapter that PEFT trained and saved predicts in attune as in PEFT; `attune merge` gives a folder that Transformers opens."""
import json
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import adapters
import reference as ref

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

warnings.filterwarnings("ignore")
TEXTS = ["where is my new card?", "The app says my top-up failed, twice!", "naïve café — 50 €", "ok"]


def predicted(folder):
    lines = ref.run(ref_args.attune, "predict", folder, "--logits", stdin="\n".join(TEXTS) + "\n").splitlines()
    return torch.tensor([json.loads(line)["logits"] for line in lines])


def logits(model, folder):
    batch = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        return model.eval()(**batch).logits


def close(ours, theirs, what):
    difference = (ours - theirs).abs().max().item()
    ref.check(difference <= 2e-5, f"{what}: logits differ by {difference:.2e} (allowed 2e-5)")


ref_args = ref.arguments()
VARIANTS = {
    "lora": {"r": 4},
    "dora, all-linear": {"r": 2, "use_dora": True, "target_modules": "all-linear"},
    "rslora, biases, embeddings": {"r": 4, "use_rslora": True, "bias": "all", "target_modules": ["query", "word_embeddings"]},
}
with ref.workspace() as temporary:
    folder = Path(temporary)
    ref.write_rows(folder / "train.jsonl", ref.rows(ref.ROOT / "data/intents/train.jsonl", 96))
    for number, (name, lora) in enumerate(VARIANTS.items()):
        output = folder / f"run-{number}"
        config = ref.write_config(
            folder / "run.json", model={"path": ref_args.model}, data={"train": str(folder / "train.jsonl"), "max_length": 64},
            tuning={"method": "lora", "lora": lora}, seeds=[1], threads=2, output_dir=str(output),
            training={"max_steps": 6, "learning_rate": 5e-3, "per_device_train_batch_size": 16, "save_strategy": "no"})
        ref.run(ref_args.attune, "train", config, "--quiet")
        model, problems = adapters.open_in_peft(output, AutoModelForSequenceClassification)
        ref.check(not problems, f"{name}: no missing, unexpected or mismatched keys in PEFT {problems or ''}")
        close(predicted(output), logits(model, output), name)
        merged = folder / f"merged-{number}"
        ref.run(ref_args.attune, "merge", output, "--output", merged)
        whole, info = AutoModelForSequenceClassification.from_pretrained(merged, output_loading_info=True)
        ref.check(not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), f"{name}, merged: no such keys in Transformers")
        close(predicted(output), logits(whole, merged), f"{name}, merged")
    again = folder / "by-peft"
    model.save_pretrained(again)
    (again / "config.json").write_text((output / "config.json").read_text())
    close(predicted(again), logits(model, output), "saved by PEFT, read by attune")
