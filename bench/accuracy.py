"""Final test accuracy of attune and of the HF Trainer on the same rows with the same settings: banking77 (train + valid, 10,003 rows),
MiniLM, full fine-tuning, 5 epochs, batch 32, learning rate 2e-4, warmup 10 %, linear. Not a timing: the machine may do other work.

    bench/run.sh accuracy [attune|attune_bf16|peer]     # seeds 1, 2, 3 on all sides or some; finished runs are kept in bench/results/accuracy.json
"""
import json
import statistics
import sys
import tempfile
from pathlib import Path

from suite import sides
from suite.job import job

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results/accuracy.json"
SEEDS = (1, 2, 3)
SETTINGS = {"epochs": 5, "batch": 32, "rate": 2e-4, "warmup": 0.1}
ALLOWED_LOSS = 0.005  # attune's mean may lie this much below the reference's


def finished():
    return json.loads(RESULTS.read_text())["runs"] if RESULTS.exists() else {}


def keep(name, result):
    kept = {"test_accuracy": result["accuracy"], "seconds": result["seconds"]}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"about": __doc__.split("\n\n")[0], "settings": SETTINGS, "runs": {**finished(), name: kept}}, indent=1) + "\n")
    print(f"{name}: test accuracy {result['accuracy']:.4f}", flush=True)


def judge(sides):
    runs = finished()
    means = {side: statistics.mean(runs[f"{side}-{seed}"]["test_accuracy"] for seed in SEEDS) for side in sides
             if all(f"{side}-{seed}" in runs for seed in SEEDS)}
    print(f"mean of seeds {SEEDS}: " + ", ".join(f"{side} {mean:.4f}" for side, mean in means.items()))
    for side, mean in means.items():
        if mean < means.get("peer", 0) - ALLOWED_LOSS:
            sys.exit(f"the mean of {side} lies more than {ALLOWED_LOSS} below the reference's")


def run(program, model, shared, *chosen):
    data = Path(shared) / "data/banking77"
    with tempfile.TemporaryDirectory(prefix="attune-accuracy-") as temporary:
        train = Path(temporary) / "train.jsonl"
        train.write_text((data / "train.jsonl").read_text() + (data / "valid.jsonl").read_text())
        one = {"attune": lambda this: sides.attune(program, this, temporary),
               "attune_bf16": lambda this: sides.attune(program, {**this, "bf16": True}, temporary),
               "peer": lambda this: sides.peer(this, {}, temporary)}
        for side in chosen or one:
            for seed in SEEDS:
                if f"{side}-{seed}" not in finished():
                    keep(f"{side}-{seed}", one[side](job(model=model, train=train, test=data / "test.jsonl", seed=seed, **SETTINGS)))
    judge(list(one))


if __name__ == "__main__":
    run(*sys.argv[1:])
