"""Runs of attune that these scripts start: a configuration is written beside the results, and failures end the script."""
import json
import subprocess
import sys
import time


def train(attune, config, path, dry_run=False):
    """Writes `config` to `path` and trains (or only checks). Returns the seconds it took."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    start = time.monotonic()
    done = subprocess.run([str(attune), "train", str(path), *(["--dry-run"] if dry_run else [])])
    if done.returncode:
        sys.exit(f"error: attune train {path} ended with {done.returncode}")
    return time.monotonic() - start
