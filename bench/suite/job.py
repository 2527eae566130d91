"""A job: what both sides are asked to do, as a plain dictionary that travels to the peer's process as JSON.

A peer's settings beyond the job are a variant: {"name", "grouped", "attention", "packing", "compile", "environment", "sklearn",
"bf16" (instead of the job's), "plain", "whole"}."""
import json
from pathlib import Path

THREADS = 2
DEFAULTS = {
    "task": "classification",  # or "sft" (prompts with completions, loss on these), "text" (documents, loss on every token), "evaluation"
    "model": None, "train": None, "test": None, "max_length": 128,
    "batch": 32, "epochs": 1, "max_steps": -1, "rate": 2e-4, "warmup": 0.1, "seed": 42,
    "dropout": True,  # as the checkpoint has it; False: none, for gates
    "bf16": False,
    "trained": "all",  # or "head", or the number of last layers that train with everything behind them
    "adapter": None,  # folder of a LoRA adapter to go on from
    "folds": 0, "logging_steps": 500, "threads": THREADS,
}


def job(**settings):
    unknown = set(settings) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"a job has no {', '.join(sorted(unknown))}")
    return {**DEFAULTS, **{key: str(value) if isinstance(value, Path) else value for key, value in settings.items()}}


def read_rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path
