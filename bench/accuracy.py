"""Final test accuracy of attune and of the HF Trainer on the same rows with the same settings: banking77 (train + valid, 10,003 rows),
MiniLM, full fine-tuning, 5 epochs, batch 32, learning rate 2e-4, warmup 10 %, linear. Not a timing: the machine may do other work.

    bench/run.sh accuracy [attune|peer]     # seeds 1, 2, 3 on both sides or one; finished runs are kept in bench/results/accuracy.json
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results/accuracy.json"
SEEDS = (1, 2, 3)
SETTINGS = {"num_train_epochs": 5, "per_device_train_batch_size": 32, "learning_rate": 2e-4, "warmup_steps": 0.1, "lr_scheduler_type": "linear"}
MAX_LENGTH = 128
THREADS = int(os.environ.get("OMP_NUM_THREADS", 2))
ALLOWED_LOSS = 0.005  # attune's mean may lie this much below the reference's


def attune(program, model, train, test, seed, folder):
    config = {"model": {"path": model}, "data": {"train": str(train), "test": str(test), "max_length": MAX_LENGTH},
              "training": {**SETTINGS, "eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False},
              "seeds": [seed], "threads": THREADS, "output_dir": str(folder / f"attune-{seed}")}
    path = folder / f"attune-{seed}.json"
    path.write_text(json.dumps(config))
    done = subprocess.run([program, "train", path, "--json", "--quiet"], stdout=subprocess.PIPE, check=True, text=True)
    results = json.loads(done.stdout)
    return {"test_accuracy": results["test"]["metrics"]["accuracy"], "seconds": results["train"]["train_runtime"]}


def peer(model, train, test, seed, folder):
    done = subprocess.run([sys.executable, HERE / "peer_hf.py", "--model", model, "--train", train, "--test", test, "--seed", str(seed),
                           "--epochs", str(SETTINGS["num_train_epochs"]), "--max-length", str(MAX_LENGTH), "--threads", str(THREADS),
                           "--output", str(folder / f"hf-{seed}")],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    line = json.loads(done.stdout.strip().splitlines()[-1])
    return {"test_accuracy": line["test_accuracy"], "seconds": line["seconds"]}


def finished():
    return json.loads(RESULTS.read_text())["runs"] if RESULTS.exists() else {}


def keep(name, result):
    runs = {**finished(), name: result}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"about": __doc__.split("\n\n")[0], "settings": SETTINGS, "runs": runs}, indent=1) + "\n")
    print(f"{name}: test accuracy {result['test_accuracy']:.4f}", flush=True)


def judge():
    runs = finished()
    means = {side: statistics.mean(runs[f"{side}-{seed}"]["test_accuracy"] for seed in SEEDS) for side in ("attune", "peer")}
    print(f"mean of seeds {SEEDS}: attune {means['attune']:.4f}, HF Trainer {means['peer']:.4f}")
    if means["attune"] < means["peer"] - ALLOWED_LOSS:
        sys.exit(f"attune's mean lies more than {ALLOWED_LOSS} below the reference's")


def run(program, model, shared, sides=("attune", "peer")):
    data = Path(shared) / "data/banking77"
    if not data.is_dir():
        sys.exit(f"{data} is not there: the accuracy case needs it")
    with tempfile.TemporaryDirectory(prefix="attune-accuracy-") as temporary:
        folder = Path(temporary)
        train = folder / "train.jsonl"
        train.write_text((data / "train.jsonl").read_text() + (data / "valid.jsonl").read_text())
        one = {"attune": lambda seed: attune(program, model, train, data / "test.jsonl", seed, folder),
               "peer": lambda seed: peer(model, train, data / "test.jsonl", seed, folder)}
        for side in sides:
            for seed in SEEDS:
                if f"{side}-{seed}" not in finished():
                    keep(f"{side}-{seed}", one[side](seed))
    if len(finished()) == 2 * len(SEEDS):
        judge()


if __name__ == "__main__":
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    run(*sys.argv[1:4], *([tuple(sys.argv[4:])] if sys.argv[4:] else []))
