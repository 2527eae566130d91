"""scikit-learn recomputes every reported figure of a cross-validation from its out-of-fold predictions.

With --medical also that of 5 folds over all 2,770 rows of ../shared/data/medical_abstracts (some minutes).
"""
import json
import os
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import classification as sk
import reference as ref

import numpy as np
import scipy.stats

TOLERANCE = 1e-9
args = ref.arguments(("--medical", "also cross-validate on medical_abstracts of ../shared"))


def largest_gap(reported, expected, where):
    """The largest difference of two trees of the same shape; texts and absent numbers must be equal."""
    if isinstance(expected, dict):
        ref.require(set(reported) == set(expected), f"{where}: {sorted(reported)} reported, {sorted(expected)} recomputed")
        return max(largest_gap(reported[key], expected[key], f"{where}.{key}") for key in expected)
    if isinstance(expected, (list, tuple)):
        ref.require(len(reported) == len(expected), f"{where}: {len(reported)} entries reported, {len(expected)} recomputed")
        return max(largest_gap(r, e, f"{where}[{i}]") for i, (r, e) in enumerate(zip(reported, expected)))
    if expected is None or isinstance(expected, str):
        ref.require(reported == expected, f"{where}: {reported} reported, {expected} recomputed")
        return 0.0
    gap = abs(float(reported) - float(expected))
    ref.require(gap <= TOLERANCE, f"{where}: {reported} reported, {expected} recomputed")
    return gap


def compare(reported, expected, where):
    gap = largest_gap(reported, expected, where)
    ref.check(True, f"{where}: {', '.join(expected)} (largest difference {gap:.1e})")


def check_folds(cv, lines, folds):
    """Every row is held out once, and each fold has each label's share of the rows (to one row)."""
    ref.check(sorted(line["row"] for line in lines) == list(range(cv["rows"])), f"each of {cv['rows']} rows is held out once")
    shares = [Counter(line["gold"] for line in lines if line["fold"] == fold) for fold in range(1, folds + 1)]
    gaps = [max(share[label] for share in shares) - min(share[label] for share in shares) for label in lines[0]["scores"]]
    ref.check(max(gaps) <= 1, "the folds are stratified")


def check_intervals(cv, folder):
    """Mean, sd and the corrected interval of Nadeau & Bengio over the folds, cut at what a metric can be, from the folds' metrics and sizes."""
    trained = np.array([event["rows"] for event in ref.events(folder, "train_begin")[:len(cv["folds"])]])
    held_out = np.array([fold["metrics"]["rows"] for fold in cv["folds"]])
    k, ratio = len(held_out), (held_out / trained).mean()
    names = [name for name in cv["folds"][0]["metrics"] if name != "rows"]
    scores = {name: np.array([fold["metrics"][name] for fold in cv["folds"]]) for name in names}
    mean = {name: score.mean() for name, score in scores.items()}
    sd = {name: score.std(ddof=1) for name, score in scores.items()}
    reach = {name: scipy.stats.t.ppf(0.975, k - 1) * sd[name] * np.sqrt(1 / k + ratio) for name in names}
    ranges = {"mcc": (-1, 1), "loss": (0, np.inf), "log_loss": (0, np.inf)}  # all others are shares
    interval = {name: list(np.clip([mean[name] - reach[name], mean[name] + reach[name]], *ranges.get(name, (0, 1)))) for name in names}
    compare({key: cv[key] for key in ("mean", "sd", "interval")}, {"mean": mean, "sd": sd, "interval": interval}, "over folds")


def recompute(folder, folds):
    cv = json.loads((folder / "cv/cv_results.json").read_text())
    lines = ref.rows(folder / "cv/oof_predictions.jsonl")
    check_folds(cv, lines, folds)
    for fold in cv["folds"]:
        part = [line for line in lines if line["fold"] == fold["fold"] and line["repeat"] == fold["repeat"]]
        compare(fold["metrics"], sk.values(sk.Predictions(part)), f"fold {fold['fold']}")
    pooled = sk.Predictions(lines)
    compare(cv["pooled"]["metrics"], sk.values(pooled) | sk.detail(pooled), "pooled")
    ref.check(np.abs(pooled.written - pooled.probabilities).max() <= TOLERANCE, "the scores are the softmax of the logits")
    check_intervals(cv, folder)
    accuracy, interval = cv["mean"]["accuracy"], cv["interval"]["accuracy"]
    print(f"accuracy {accuracy:.4f}, 95 % over folds [{interval[0]:.4f}, {interval[1]:.4f}]; "
          f"always the most frequent label {cv['pooled']['metrics']['majority_rate']:.4f}", flush=True)


def cross_validate(rows, **blocks):
    with ref.workspace() as temporary:
        folder = Path(temporary)
        ref.write_rows(folder / "rows.jsonl", rows)
        data = {"train": str(folder / "rows.jsonl")} | blocks.pop("data")
        config = ref.write_config(folder / "run.json", model={"path": args.model}, data=data, early_stopping={"patience": 1},
                                  threads=2, output_dir=str(folder / "out"), **blocks)
        ref.run(args.attune, "train", config, "--quiet")
        recompute(folder / "out", blocks["cross_validation"]["folds"])


cross_validate(ref.rows(ref.ROOT / "data/intents/train.jsonl", 240), data={"max_length": 32}, tuning={"method": "head"},
               training={"num_train_epochs": 2, "learning_rate": 1e-3, "per_device_train_batch_size": 16},
               cross_validation={"folds": 3, "inner_validation": 0.2}, seeds=[3])
if args.medical:
    abstracts = Path(os.environ.get("ATTUNE_SHARED", ref.ROOT / "../shared")) / "data/medical_abstracts"
    ref.require(abstracts.is_dir(), f"--medical: {abstracts} is not there")
    cross_validate([row for split in ("train", "valid", "test") for row in ref.rows(abstracts / f"{split}.jsonl")],
                   data={"max_length": 128}, tuning={"method": "freeze", "freeze": {"layers": "0-3"}},
                   training={"num_train_epochs": 4, "learning_rate": 3e-4, "per_device_train_batch_size": 16, "warmup_steps": 0.1},
                   cross_validation={"folds": 5, "stratify": True, "inner_validation": 0.1, "refit": False}, seeds=[42])
