"""What the checks against the reference libraries share: arguments, small runs of attune, reading its output."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

ROOT = Path(__file__).resolve().parents[3]


def arguments(*flags):
    """The arguments of every check, and the switches of this one as (name, help)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--attune", required=True, help="the built program")
    parser.add_argument("--model", required=True, help="folder of all-MiniLM-L6-v2")
    for name, explanation in flags:
        parser.add_argument(name, action="store_true", help=explanation)
    return parser.parse_args()


def rows(path, limit=None):
    with open(path, encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return found[:limit]


def write_rows(path, items):
    with open(path, "w", encoding="utf-8") as out:
        for item in items:
            out.write(json.dumps(item) + "\n")


def run(program, *args, expect=0, stdin=None):
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, input=stdin)
    if done.returncode != expect:
        sys.exit(f"FAILED: {' '.join(map(str, args))} exited {done.returncode}, expected {expect}\n{done.stderr}")
    return done.stdout


def write_config(path, **blocks):
    Path(path).write_text(json.dumps(blocks))
    return path


def require(condition, what):
    """Ends the check with `what` unless it holds."""
    if not condition:
        print("FAILED  " + what, flush=True)
        sys.exit(1)


def check(condition, what):
    require(condition, what)
    print("ok      " + what, flush=True)


def workspace():
    return tempfile.TemporaryDirectory(prefix="attune-check-")


def events(folder, kind):
    return [event for event in rows(Path(folder) / "events.jsonl") if event["event"] == kind]
