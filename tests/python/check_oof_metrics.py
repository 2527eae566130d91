"""scikit-learn recomputes every reported metric of a cross-validation from oof_predictions.jsonl."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import reference as ref

import numpy as np
from sklearn import metrics

args = ref.arguments()


def recompute(folder):
    cv = json.loads((folder / "cv/cv_results.json").read_text())
    lines = ref.rows(folder / "cv/oof_predictions.jsonl")
    labels = sorted(lines[0]["scores"], key=lambda name: list(lines[0]["scores"]).index(name))

    def compare(reported, part, where):
        gold = [line["gold"] for line in part]
        predicted = [line["label"] for line in part]
        logits = np.array([line["logits"] for line in part], dtype=np.float64)
        scores = np.exp(logits - logits.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
        expected = {
            "accuracy": metrics.accuracy_score(gold, predicted),
            "f1_macro": metrics.f1_score(gold, predicted, average="macro", labels=labels, zero_division=0),
            "f1_micro": metrics.f1_score(gold, predicted, average="micro", labels=labels, zero_division=0),
            "f1_weighted": metrics.f1_score(gold, predicted, average="weighted", labels=labels, zero_division=0),
            "precision_macro": metrics.precision_score(gold, predicted, average="macro", labels=labels, zero_division=0),
            "recall_macro": metrics.recall_score(gold, predicted, average="macro", labels=labels, zero_division=0),
            "mcc": metrics.matthews_corrcoef(gold, predicted),
            "log_loss": metrics.log_loss(gold, scores, labels=labels),
            "loss": metrics.log_loss(gold, scores, labels=labels),
        }
        if len(labels) > 2 and len(set(gold)) == len(labels):
            expected["roc_auc"] = metrics.roc_auc_score([labels.index(g) for g in gold], scores, multi_class="ovr", average="macro")
        for name, value in expected.items():
            ref.check(abs(reported[name] - value) <= 1e-9, f"{where}: {name} {reported[name]:.10f}")

    for fold in cv["folds"]:
        compare(fold["metrics"], [l for l in lines if l["fold"] == fold["fold"] and l["repeat"] == fold["repeat"]], f"fold {fold['fold']}")
    compare(cv["pooled"]["metrics"], lines, "pooled")


with ref.workspace() as temporary:
    folder = Path(temporary)
    ref.write_rows(folder / "rows.jsonl", ref.rows(ref.ROOT / "data/intents/train.jsonl", 240))
    config = ref.write_config(folder / "run.json", model={"path": args.model}, data={"train": str(folder / "rows.jsonl"), "max_length": 32},
                              tuning={"method": "head"}, training={"num_train_epochs": 2, "learning_rate": 1e-3, "per_device_train_batch_size": 16},
                              early_stopping={"patience": 1}, cross_validation={"folds": 3, "inner_validation": 0.2}, seeds=[3], threads=2,
                              output_dir=str(folder / "out"))
    ref.run(args.attune, "train", config, "--quiet")
    recompute(folder / "out")
