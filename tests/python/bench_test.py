"""The benchmark's parts that time nothing. bench/run.sh --list and --report need no library outside Python's own: on a machine without the reference
environment they say what there is to measure, and what was measured."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from suite.measure import one_fold_seconds  # noqa: E402


def bench(*arguments):
    """Runs bench/run.sh with a python3 that finds no installed packages, and a home in which nothing lies."""
    with tempfile.TemporaryDirectory() as home:
        bare = Path(home) / "python3"
        bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -B "$@"\n', encoding="utf-8")
        bare.chmod(0o755)
        environment = {"PATH": f"{home}:{os.environ['PATH']}", "HOME": home, "ATTUNE_CACHE": home}
        return subprocess.run([ROOT / "bench/run.sh", *arguments], env=environment, capture_output=True, text=True, check=False)


class Bench(unittest.TestCase):
    def test_cases_are_named(self):
        done = bench("--list")
        self.assertEqual(done.returncode, 0, done.stderr)
        names = [line.split()[0] for line in done.stdout.splitlines()]
        self.assertIn("full_fp32", names)
        self.assertIn("folds_head", names)
        self.assertEqual(len(names), len(set(names)))

    def test_the_tables_are_those_of_the_results(self):
        results = ROOT / "bench/RESULTS.md"
        before = results.read_text(encoding="utf-8")
        try:
            done = bench("--report")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(results.read_text(encoding="utf-8"), before)
        finally:
            results.write_text(before, encoding="utf-8")

    def test_one_fold_alone_is_timed_without_what_folds_do_not_do(self):
        self.assertEqual(one_fold_seconds({"work_with_ends": 2.5, "phases": {"saving": 0.5, "training": 2}}), 2)
        self.assertEqual(one_fold_seconds({"work_with_ends": 2.5, "phases": {"training": 2}}), 2.5)


if __name__ == "__main__":
    unittest.main()
