"""Contrastive few-example tuning beside the SetFit library: MiniLM, 8 and 16 rows a class, the same rows and pairs (num_iterations 20), one epoch of batches
of 16 pairs, learning rate 2e-5, logistic regression on the vectors, 2 threads. SetFit trains in fp32, attune under `bf16: "auto"`: once with batches in random
order, as SetFit's (`attune`), once with batches of pairs that share texts (`shared`: texts_per_batch 12).

    bench/run.sh setfit [--data NAME] [--sizes 8,16] [--seeds 1,2,3,4,5] [--sides setfit,attune,shared] [--threads 2] [--quick]
                                                         # needs ../shared; --quick: seed 1, num_iterations 1, nothing is written

Data: ten intents of banking77 (below) and the five classes of medical_abstracts, cut at 128 tokens. Each run is a process of its own; the sides take turns.
Every run is added to results/setfit.json at once (all take some hours), in the place of an older one of the same data, size, seed and side.
Two times are told: of the training (pairs, encoder, head; without loading the model and without test rows), and of the whole process. They are those of the runs
that had the machine for themselves: with one thread, which leaves a core to other work, or beside others a run counts for accuracy alone.
"""
import argparse
import json
import operator
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
THREADS, TEXTS_PER_BATCH = 2, 12
os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", TRANSFORMERS_VERBOSITY="error")
INTENTS = ["activate_my_card", "balance_not_updated_after_bank_transfer", "card_arrival", "card_payment_fee_charged", "declined_transfer",
           "exchange_rate", "lost_or_stolen_card", "pending_transfer", "request_refund", "top_up_failed"]
DATA = {"banking77": {"labels": INTENTS, "max_length": 64}, "medical_abstracts": {"labels": None, "max_length": 128}}
SIZES, SEEDS, SIDES = (8, 16), (1, 2, 3, 4, 5), ("attune", "setfit", "shared")
RESULTS = HERE / "results/setfit.json"


def read_rows(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def material(shared, name, size, seed, folder):
    """`size` rows a class, drawn under the seed from the training rows, and all test rows of the classes."""
    labels, source = DATA[name]["labels"], shared / "data" / name
    rows = {split: [{"text": row["text"], "label": row["label"]} for row in read_rows(source / f"{split}.jsonl") if labels is None or row["label"] in labels]
            for split in ("train", "test")}
    drawn = random.Random(seed)
    chosen = []
    for label in sorted({row["label"] for row in rows["train"]}):
        chosen += drawn.sample([row for row in rows["train"] if row["label"] == label], size)
    drawn.shuffle(chosen)
    write_rows(folder / "train.jsonl", chosen)
    write_rows(folder / "test.jsonl", rows["test"])


def timed(command):
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return time.perf_counter() - started, json.loads(done.stdout.strip().splitlines()[-1] if command[0] == sys.executable else done.stdout)


def attune(program, job, folder, texts_per_batch=None):
    contrastive = {"num_iterations": job["num_iterations"], "texts_per_batch": texts_per_batch}
    config = {"model": {"path": job["model"]}, "data": {"train": str(folder / "train.jsonl"), "test": str(folder / "test.jsonl"), "max_length": job["max_length"]},
              "tuning": {"method": "contrastive", "contrastive": contrastive},
              "training": {"save_strategy": "no", "bf16": "auto"}, "seeds": [job["seed"]], "threads": job["threads"], "overwrite_output_dir": True, "output_dir": str(folder / "attune")}
    (folder / "run.json").write_text(json.dumps(config))
    seconds, results = timed([program, "train", str(folder / "run.json"), "--json", "--quiet"])
    return {"accuracy": results["test"]["metrics"]["accuracy"], "training": results["phases"]["training"] + results["phases"]["embedding"], "process": seconds,
            "bf16": json.loads((folder / "attune/config.resolved.json").read_text())["training"]["bf16"]}


def setfit(job, folder):
    (folder / "job.json").write_text(json.dumps(job))
    seconds, found = timed([sys.executable, str(HERE / "few_examples.py"), "--peer", str(folder)])
    return {**found, "process": seconds}


def peer(folder):
    """SetFit on the job of the folder; prints accuracy and seconds."""
    sys.path.remove(str(HERE))  # so that no file here hides a package
    import torch
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression

    job, rows = json.loads((folder / "job.json").read_text()), {name: read_rows(folder / f"{name}.jsonl") for name in ("train", "test")}
    torch.set_num_threads(job["threads"])
    body = SentenceTransformer(job["model"], device="cpu")
    body.max_seq_length = job["max_length"]
    model = SetFitModel(model_body=body, model_head=LogisticRegression())
    arguments = TrainingArguments(output_dir=str(folder / "setfit"), batch_size=16, num_epochs=1, num_iterations=job["num_iterations"], seed=job["seed"],
                                  report_to="none", logging_strategy="no", save_strategy="no", show_progress_bar=False)
    columns = {key: [row[key] for row in rows["train"]] for key in ("text", "label")}
    trainer = Trainer(model=model, args=arguments, train_dataset=Dataset.from_dict(columns))
    started = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - started
    predicted = model.predict([row["text"] for row in rows["test"]])
    right = sum(str(label) == row["label"] for label, row in zip(predicted, rows["test"], strict=True))
    print(json.dumps({"accuracy": right / len(rows["test"]), "training": seconds}))


def run_one(args, name, size, seed):
    """The sides, one after another, on one draw of rows; the last first on every other seed."""
    from suite import machine

    job = {"model": str(args.model), "max_length": DATA[name]["max_length"], "num_iterations": 1 if args.quick else 20, "seed": seed, "threads": args.threads}
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    with tempfile.TemporaryDirectory(prefix="attune-bench-") as temporary:
        folder = Path(temporary)
        material(args.shared, name, size, seed, folder)
        runs = {"attune": lambda: attune(args.attune, job, folder), "shared": lambda: attune(args.attune, job, folder, TEXTS_PER_BATCH), "setfit": lambda: setfit(job, folder)}
        found = {}
        for side in sorted(args.sides.split(","), reverse=seed % 2 == 0):
            watch = machine.Watch()
            found[side] = {**runs[side](), "threads": args.threads, "watch": watch.read(), "date": time.strftime("%Y-%m-%d")}
    print(f"  {name}, {size} a class, seed {seed}: " + "; ".join(
        f"{side} {of['accuracy']:.4f} in {of['training']:.1f} s ({of['process']:.1f} s)" for side, of in found.items()), file=sys.stderr, flush=True)
    return {"data": name, "size": size, "seed": seed, "sides": found}


def keep(run):
    """Adds the runs of one draw of rows to the results, in the place of older ones of the same sides."""
    from suite import machine

    kept = json.loads(RESULTS.read_text())["runs"] if RESULTS.exists() else []
    key = operator.itemgetter("data", "size", "seed")
    older = next((other["sides"] for other in kept if key(other) == key(run)), {})
    run = {**run, "sides": {**older, **run["sides"]}}
    runs = sorted([other for other in kept if key(other) != key(run)] + [run], key=key)
    RESULTS.write_text(json.dumps({"case": "setfit", "about": __doc__.split("\n\n")[0], "cpu": machine.cpu(), "runs": runs}, indent=1) + "\n")
    return runs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("attune", nargs="?")
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("shared", nargs="?", type=Path)
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--data", choices=sorted(DATA))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--sides", default=",".join(SIDES), help=f"of {', '.join(SIDES)}")
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    if args.peer:
        return peer(args.peer)
    if not set(args.sides.split(",")) <= set(SIDES):
        parser.error(f"--sides {args.sides}: there are {', '.join(SIDES)}")
    from suite import report

    runs = []
    for name in [args.data] if args.data else sorted(DATA):
        for size in map(int, args.sizes.split(",")):
            for seed in SEEDS[:1] if args.quick else map(int, args.seeds.split(",")):
                run = run_one(args, name, size, seed)
                runs = runs + [run] if args.quick else keep(run)
    rows = report.few_examples(runs)
    for row in rows:
        print(report.few_examples_line(row))
    for verdict in report.few_examples_verdicts(rows):
        print(verdict)


if __name__ == "__main__":
    main()
