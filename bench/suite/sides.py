"""Runs one job on one side, in a process of its own, and returns what it did: seconds, steps, tokens, losses, peak memory.

Seconds: `wall` from the start of the process to its end, `cpu` those of its threads together, `seconds` of training (or of predicting), `work` of everything but setting up
(reading, tokenising, hashing, loading the model), the evaluation of test rows and saving; folds load and evaluate as part of the work.
`first_step`: from the start of the process to the end of the first optimiser step."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BEFORE = {"reading", "tokenising", "hashing"}
AROUND = BEFORE | {"loading", "evaluating", "scoring", "saving"}
ENVIRONMENT = {"OMP_NUM_THREADS": "2", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


class Failed(Exception):
    """A side did not do its job; the message is the end of what it wrote to stderr."""


def run(command, on_line=None, environment=None, limit=None):
    """Output, seconds (wall and of CPU) and peak memory of a process; on_line(line, seconds since the start) is told each line of stderr as it comes.

    A process that runs longer than `limit` seconds is ended, with those that it started, and has failed."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+", errors="replace") as errors:
        started = time.time()
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=subprocess.PIPE if on_line else errors, text=True, cwd=HERE.parent,
                                   env={**os.environ, **ENVIRONMENT, **(environment or {})}, start_new_session=limit is not None)
        alarm = threading.Timer(limit or 0, os.killpg, (process.pid, signal.SIGKILL))
        if limit is not None:
            alarm.start()
        for line in process.stderr if on_line else ():
            on_line(line, time.time() - started)
            errors.write(line)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.time() - started
        alarm.cancel()
        if limit is not None and wall >= limit:
            raise Failed(f"{Path(command[0]).name} took more than {limit} s")
        for file in (out, errors):
            file.seek(0)
        if process.returncode != 0:
            raise Failed(f"{Path(command[0]).name} ended with {process.returncode}: {errors.read()[-1500:]}")
        return {"out": out.read(), "started": started, "measured": {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak_rss_mib": usage.ru_maxrss / 1024}}


def tuning(job):
    if job["adapter"]:
        return {"method": "lora", "lora": {"adapter": job["adapter"]}}
    if job["trained"] == "head":
        return {"method": "head"}
    if job["trained"] != "all":
        return {"method": "freeze", "freeze": {"trainable_layers": job["trained"]}}
    return {"method": "full"}


def config(job, output):
    """The job as attune's configuration."""
    model = {"path": job["model"]}
    data = {"train": job["train"], "max_length": job["max_length"]}
    training = {"per_device_train_batch_size": job["batch"], "num_train_epochs": job["epochs"], "max_steps": job["max_steps"],
                "learning_rate": job["rate"], "warmup_steps": job["warmup"], "lr_scheduler_type": "linear", "bf16": job["bf16"],
                "logging_steps": job["logging_steps"], "eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False}
    if job["task"] in ("sft", "text"):
        model["task"] = "text-generation"
        data["length_policy"] = "truncate"
    if job["task"] == "text":
        data["append_eos"] = False
    if not job["dropout"]:
        model.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, classifier_dropout=0.0)
    if job["test"]:
        data["test"] = job["test"]
    whole = {"model": model, "data": data, "tuning": tuning(job), "training": training, "seeds": [job["seed"]], "threads": job["threads"],
             "output_dir": str(output), "overwrite_output_dir": True,
             "cost": {"measure_rate": False}}  # its matrices would count as memory of runs over a minute
    if job["folds"]:
        whole["cross_validation"] = {"folds": job["folds"], "inner_validation": 0}
    return whole


def write_config(job, folder):
    path = Path(folder) / "attune.json"
    path.write_text(json.dumps(config(job, Path(folder) / "attune")), encoding="utf-8")
    return path


def events(folder, kind):
    with open(Path(folder) / "attune/events.jsonl", encoding="utf-8") as lines:
        return [event for event in map(json.loads, lines) if event["event"] == kind]


def attune(program, job, folder, watch_first_step=False):
    if job["task"] == "evaluation":
        return attune_evaluation(program, job, folder)
    first = []

    def on_line(line, seconds):
        if not first and '"event":"step"' in line.replace(" ", ""):
            first.append(seconds)

    progress = ["--progress", "json"] if watch_first_step else ["--quiet"]
    done = run([program, "train", write_config(job, folder), "--json", *progress], on_line if watch_first_step else None)
    results, end, logs = json.loads(done["out"]), events(folder, "run_end")[-1], events(folder, "log")
    resolved = json.loads((Path(folder) / "attune/config.resolved.json").read_text(encoding="utf-8"))
    result = {**done["measured"], "bf16": resolved["training"]["bf16"], "work": work(end, AROUND), "work_with_ends": work(end, BEFORE), "phases": end["phases"],
              "first_step": first[0] if first else None, "trained": events(folder, "model")[0]["trained"],
              "steps": sum(event["step"] for event in events(folder, "train_end")),
              "losses": [event["loss"] for event in logs], "grad_norms": [event["grad_norm"] for event in logs], **counted(results, job)}
    shutil.rmtree(Path(folder) / "attune")
    return result


def work(run_end, without):
    return run_end["seconds"] - sum(seconds for name, seconds in run_end["phases"].items() if name in without)


def counted(results, job):
    """Tokens, seconds, FLOP (of the training, of folds all) and accuracy of attune's results."""
    flop = results["cost"]["run" if job["folds"] else "training"]["flops"]
    if job["folds"]:
        folds = results["cross_validation"]
        return {"accuracy": folds["pooled"]["metrics"]["accuracy"], "folds": len(folds["folds"]), "flop": flop}
    train = results["train"]
    accuracy = results["test"]["metrics"]["accuracy"] if job["test"] else None
    return {"seconds": train["train_runtime"], "tokens": train["train_tokens"], "train_loss": train["train_loss"],
            "accuracy": accuracy, "flop": flop}


def attune_evaluation(program, job, folder):
    """Predicts labelled rows and scores them; `seconds` are those of predicting."""
    seconds = {}

    def on_line(line, _):
        if '"phase_end"' in line:
            event = json.loads(line)
            seconds[event["name"]] = event["seconds"]

    settings = ["--set", f"training.bf16={json.dumps(job['bf16'])}", "--set", f"training.per_device_eval_batch_size={job['batch']}",
                "--set", f"threads={job['threads']}", "--set", f"data.max_length={job['max_length']}"]
    done = run([program, "evaluate", job["model"], job["train"], "--json", "--progress", "json", *settings], on_line)
    metrics = json.loads(done["out"])
    metrics = metrics.get("metrics", metrics)
    return {**done["measured"], "seconds": seconds["predicting"], "phases": seconds, "accuracy": metrics["accuracy"], "loss": metrics["loss"], "rows": metrics.get("rows")}


def peer(job, variant, folder, limit=None):
    """The job by the reference libraries. Lines of its stdout that are JSON objects are its report."""
    path = Path(folder) / "peer.json"
    path.write_text(json.dumps({"job": job, "variant": variant, "output": str(Path(folder) / "peer")}), encoding="utf-8")
    done = run([sys.executable, "-m", "suite.peer", path], environment=variant.get("environment"), limit=limit)
    shutil.rmtree(Path(folder) / "peer", ignore_errors=True)
    result = {}
    for line in done["out"].splitlines():
        if line.startswith('{"'):
            result.update(json.loads(line))
    if "first_step" in result:
        result["first_step"] -= done["started"]
    result.setdefault("work", result.get("seconds"))
    return {**done["measured"], **result}


def examples(program, job, folder, count):
    """Token ids, and what is learned of them, of the first rows as attune encodes them: [(ids, learned or None)]."""
    out = run([program, "train", write_config(job, folder), "--quiet", "--json", "--show-examples", count])["out"]
    rows = [json.loads(line) for line in out.splitlines()]
    return [(row["ids"], [bool(learned) for learned in row["learned"]] if "learned" in row else None) for row in rows]
