"""A saved model opens in Transformers without missing or unexpected keys; after one step with rate 0 (warmup) its body is bit-equal
to the base and gives bit-equal hidden states; after training, Transformers and `attune predict --logits` agree within 2e-5."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import reference as ref

import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

TEXTS = ["where is my new card?", "The app says my top-up failed, twice!", "naïve café — 50 €", "ok"]


def config(folder, data, output, **training):
    return ref.write_config(
        folder / "run.json", model={"path": ref_args.model}, data={"train": str(data), "max_length": 64},
        training={"eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False, **training}, seeds=[1], threads=2,
        output_dir=str(output))


def open_in_transformers(folder):
    model, info = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        ref.check(not info[key], f"{folder.name}: no {key}")
    return model.eval()


ref_args = ref.arguments()
with ref.workspace() as temporary:
    folder = Path(temporary)
    data = folder / "train.jsonl"
    ref.write_rows(data, ref.rows(ref.ROOT / "data/intents/train.jsonl", 96))

    ref.run(ref_args.attune, "train", config(folder, data, folder / "untrained", max_steps=1, warmup_steps=1), "--quiet")
    untrained = open_in_transformers(folder / "untrained")
    base = AutoModel.from_pretrained(ref_args.model).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / "untrained")
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        ref.check(torch.equal(base(**batch).last_hidden_state, untrained.bert(**batch).last_hidden_state),
                  "nothing trained: hidden states are bit-equal to the base's")

    ref.run(ref_args.attune, "train", config(folder, data, folder / "trained", max_steps=6, learning_rate=1e-4,
                                             per_device_train_batch_size=16), "--quiet")
    trained = open_in_transformers(folder / "trained")
    lines = ref.run(ref_args.attune, "predict", folder / "trained", "--logits", stdin="\n".join(TEXTS) + "\n").splitlines()
    ours = torch.tensor([json.loads(line)["logits"] for line in lines])
    with torch.no_grad():
        theirs = trained(**tokenizer(TEXTS, padding=True, return_tensors="pt")).logits
    difference = (ours - theirs).abs().max().item()
    ref.check(difference <= 2e-5, f"trained: logits differ by {difference:.2e} (allowed 2e-5)")
    with torch.no_grad():
        ref.check(not torch.equal(base(**batch).last_hidden_state, trained.bert(**batch).last_hidden_state), "training moved the body")
