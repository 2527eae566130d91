"""Runs the benchmark cases: A/B/A/B, medians, ratios, with gates that make a comparison valid. Started by bench/run.sh."""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
os.environ.update(OMP_NUM_THREADS="2", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

parser = argparse.ArgumentParser()
parser.add_argument("--attune", required=True)
parser.add_argument("--model", required=True)
parser.add_argument("--shared", required=True)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("cases", nargs="*")
args = parser.parse_args()


def data_files():
    shared = Path(args.shared) / "data/banking77"
    if shared.is_dir():
        return "banking77", shared / "train.jsonl"
    return "intents", HERE.parent / "data/intents/train.jsonl"


DATA, TRAIN = data_files()


def attune(folder, name, **training):
    dropout = {} if training.pop("dropout", True) else {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = {"model": {"path": args.model, **dropout}, "data": {"train": str(TRAIN), "max_length": 128},
              "training": {"per_device_train_batch_size": 32, "learning_rate": 2e-4, "warmup_steps": 0.1, "eval_strategy": "no", "save_strategy": "no",
                           "load_best_model_at_end": False, "logging_steps": 1, **training},
              "seeds": [42], "threads": 2, "output_dir": str(folder / name)}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(config))
    started = time.time()
    process = subprocess.Popen([args.attune, "train", str(path), "--json", "--progress", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = None
    losses = []
    for line in process.stderr:
        if line.startswith("{") and '"log"' in line:
            event = json.loads(line)
            if event.get("event") == "log":
                first = first or time.time() - started
                losses.append(event["loss"])
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"attune failed with status {status}")
    train = json.loads(out)["train"]
    return {"first_step": first, "seconds": train["train_runtime"], "steps": train["train_steps"], "tokens": train["train_tokens"], "losses": losses,
            "peak_rss_mib": usage.ru_maxrss / 1024}


def peer(folder, name, *flags):
    started = time.time()
    process = subprocess.Popen([sys.executable, HERE / "peer_hf.py", "--model", args.model, "--train", str(TRAIN), "--output", str(folder / name), *map(str, flags)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = [json.loads(line) for line in process.stdout if line.startswith("{") and ('"first_step"' in line or '"seconds"' in line)]
    if process.wait() != 0:
        sys.exit("the peer failed")
    result = lines[-1]
    result["first_step"] = lines[0]["first_step"] - started
    return result


def interleave(ours, theirs):
    pairs = []
    for index in range(args.rounds):
        pairs.append((ours(index), theirs(index)))
        print(f"  round {index + 1}: load {os.getloadavg()[0]:.2f}", file=sys.stderr)
    return pairs


def median(values):
    return statistics.median(values)


def case_start(folder):
    """Process start to the end of the first optimiser step, and peak memory of that run."""
    pairs = interleave(lambda i: attune(folder, f"start-{i}", max_steps=1), lambda i: peer(folder, f"hf-start-{i}", "--max-steps", 1))
    ours, theirs = median([a["first_step"] for a, _ in pairs]), median([b["first_step"] for _, b in pairs])
    return {"unit": "s", "attune": ours, "peer": theirs, "ratio": theirs / ours,
            "memory_ratio": median([a["peak_rss_mib"] for a, _ in pairs]) / median([b["peak_rss_mib"] for _, b in pairs]), "rounds": pairs}


def case_full_fp32(folder):
    """Full fine-tuning on short texts, fp32, batch 32, dropout as in the checkpoint: real tokens per second."""
    gate_ours = attune(folder, "gate", max_steps=2, dropout=False)
    gate_peer = peer(folder, "hf-gate", "--max-steps", 2, "--no-dropout")
    steps = 80
    pairs = interleave(lambda i: attune(folder, f"full-{i}", max_steps=steps), lambda i: peer(folder, f"hf-full-{i}", "--max-steps", steps))
    tokens = pairs[0][0]["tokens"]
    ours, theirs = median([tokens / a["seconds"] for a, _ in pairs]), median([tokens / b["seconds"] for _, b in pairs])
    return {"unit": "tokens/s", "attune": ours, "peer": theirs, "ratio": ours / theirs,
            "memory_ratio": median([a["peak_rss_mib"] for a, _ in pairs]) / median([b["peak_rss_mib"] for _, b in pairs]),
            "gates": {"same_steps": all(a["steps"] == b["steps"] for a, b in pairs), "first_losses_without_dropout": [gate_ours["losses"], gate_peer["losses"]]},
            "rounds": pairs}


CASES = {"start": case_start, "full_fp32": case_full_fp32}


def main():
    chosen = args.cases or list(CASES)
    for name in chosen:
        if name not in CASES:
            sys.exit(f"unknown case {name}; known: {', '.join(CASES)}")
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    machine = {"cpu": next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor()), "threads": 2,
               "data": DATA, "rounds": args.rounds}
    print(f"{'case':<12} {'attune':>10} {'HF Trainer':>10} {'unit':<9} {'ratio':>6}  memory")
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="attune-bench-") as temporary:
            row = CASES[name](Path(temporary))
        (results / f"{name}.json").write_text(json.dumps({"machine": machine, "case": name, "about": CASES[name].__doc__, **row}, indent=1) + "\n")
        print(f"{name:<12} {row['attune']:>10.2f} {row['peer']:>10.2f} {row['unit']:<9} {row['ratio']:>5.2f}x  {row['memory_ratio']:.2f}x", flush=True)


main()
