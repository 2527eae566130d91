"""rouge-score, sacrebleu and the SQuAD script recompute every figure that attune reports of generated texts, from the texts it wrote.

They live in an environment of their own (scripts/reference_env.sh overlap); without it this check is skipped.
"""
import importlib.util
import json
import logging
import math
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import reference as ref

if importlib.util.find_spec("sacrebleu") is None:
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    overlap = Path(os.environ.get("ATTUNE_CACHE") or Path(caches) / "attune") / "reference-overlap/bin/python"
    if not overlap.exists():
        print("skipped: check_generated_texts.py (scripts/reference_env.sh overlap makes what it needs)")
        sys.exit()
    os.execv(overlap, [str(overlap), *sys.argv])

from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF
from transformers.data.metrics import squad_metrics

logging.getLogger("sacrebleu").setLevel(logging.ERROR)  # it takes texts without a full stop for tokenised ones
TOLERANCE = 1e-9
ROUGE = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
args = ref.arguments()


def recomputed(lines):
    texts = [(line["generated"], line["reference"]) for line in lines if "generated" in line]
    generated, references = map(list, zip(*texts))
    scorer = rouge_scorer.RougeScorer(ROUGE, use_stemmer=False)
    rouge = [scorer.score(reference, text) for text, reference in texts]
    metrics = {name: math.fsum(score[name].fmeasure for score in rouge) / len(texts) for name in ROUGE}
    metrics["bleu"] = BLEU().corpus_score(generated, [references]).score
    metrics["chrf"] = CHRF().corpus_score(generated, [references]).score
    metrics["chrf++"] = CHRF(word_order=2).corpus_score(generated, [references]).score
    metrics["exact_match"] = 100 * math.fsum(squad_metrics.compute_exact(reference, text) for text, reference in texts) / len(texts)
    metrics["f1"] = 100 * math.fsum(squad_metrics.compute_f1(reference, text) for text, reference in texts) / len(texts)
    return metrics | {"generated": len(texts)}


def compare(reported, lines, where):
    expected = recomputed(lines)
    gaps = {name: abs(reported[name] - value) for name, value in expected.items()}
    for name, gap in gaps.items():
        ref.require(gap <= TOLERANCE, f"{where}: {name} is {reported[name]} in the report and {expected[name]} recomputed")
    figures = ", ".join(f"{name} {expected[name]:.4g}" for name in ("rougeL", "bleu", "chrf", "f1"))
    ref.check(True, f"{where}: {figures} (largest difference {max(gaps.values()):.1e})")


def without_prefix(folder, file, prefix):
    return {key.removeprefix(prefix): value for key, value in json.loads((folder / file).read_text()).items()}


def train(folder, name, **more):
    settings = json.loads((ref.ROOT / f"configs/{name}.json").read_text())
    settings["data"] |= {split: str(ref.ROOT / settings["data"][split]) for split in ("train", "validation", "test")}
    settings["model"]["path"] = str(ref.ROOT / settings["model"]["path"])
    settings["training"] |= {"max_steps": 40, "eval_strategy": "steps", "eval_steps": 40, "predict_with_generate": True}
    settings |= {"generation": {"max_new_tokens": 24}, "output_dir": str(folder / "out"), "threads": 2} | more
    ref.run(args.attune, "train", ref.write_config(folder / "run.json", **settings), "--quiet")
    return settings


def check_task(name, **more):
    with ref.workspace() as temporary:
        folder = Path(temporary)
        settings = train(folder, name, **more)
        out = folder / "out"
        compare(without_prefix(out, "eval_results.json", "eval_"), ref.rows(out / "eval_predictions.jsonl"), f"{name}, validation")
        compare(without_prefix(out, "test_results.json", "test_"), ref.rows(out / "predictions.jsonl"), f"{name}, test")
        scored = ref.run(args.attune, "evaluate", out, settings["data"]["test"], "--json", "--quiet", "--predictions", folder / "again.jsonl")
        compare(json.loads(scored)["metrics"], ref.rows(folder / "again.jsonl"), f"{name}, attune evaluate")


def check_folds():
    with ref.workspace() as temporary:
        folder = Path(temporary)
        data = {"train": str(ref.ROOT / "data/support_chat/validation.jsonl"), "max_length": 256}
        ref.run(args.attune, "train", ref.write_config(
            folder / "run.json", model={"path": str(ref.ROOT / "data/tiny-gpt"), "task": "text-generation"}, data=data,
            training={"max_steps": 5, "predict_with_generate": True}, generation={"max_new_tokens": 24}, threads=2,
            cross_validation={"folds": 2, "inner_validation": 0.1}, output_dir=str(folder / "out")), "--quiet")
        cv = json.loads((folder / "out/cv/cv_results.json").read_text())
        lines = ref.rows(folder / "out/cv/oof_predictions.jsonl")
        for fold in cv["folds"]:
            compare(fold["metrics"], [line for line in lines if line["fold"] == fold["fold"]], f"chats, fold {fold['fold']}")
        compare(cv["pooled"]["metrics"], lines, "chats, pooled")


check_task("answer")
check_folds()
check_task("translate", generation={"max_new_tokens": 24, "num_beams": 3})
check_task("summarise", tuning={"method": "lora", "lora": {"r": 8}})
check_task("house_style", generation={"max_new_tokens": 24, "do_sample": True, "temperature": 0.8, "seed": 5})
