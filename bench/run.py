"""Runs cases of the benchmark suite: the sides take turns, medians and ratios, with the gates that make a comparison valid.

Started by bench/run.sh. Writes bench/results/<case>.json and renews the tables of bench/RESULTS.md; with --quick the figures are worthless
(small, one round) and only show that everything works: they go to .bench/quick and into no table."""
import argparse
import datetime
import json
import os
import sys
from pathlib import Path

from suite import machine, report, sides, table
from suite.measure import Bench, measure

HERE = Path(__file__).resolve().parent
os.environ.update(sides.ENVIRONMENT)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--attune")
    parser.add_argument("--model")
    parser.add_argument("--shared")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true", help="time_to_accuracy trains to the end instead of timing a part (an hour or more)")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--report", action="store_true", help="only renew the tables of RESULTS.md")
    parser.add_argument("cases", nargs="*")
    return parser.parse_args()


def show_list():
    for case in table.CASES.values():
        print(f"{case.name:<20} {case.about}" + (f" [floors: {', '.join(f'{name} {bound}' for name, bound in case.floors.items())}]" if case.floors else ""))


def warn_if_busy():
    found = machine.idle_now()
    if not machine.is_idle(found):
        print(f"WARNING: the machine is not idle ({found}): quote nothing of this run", file=sys.stderr)


def run_case(bench, case):
    """Measures and writes one case; true unless it failed or is invalid."""
    print(f"{case.name}: {case.about}", file=sys.stderr, flush=True)
    row = {"case": case.name, "about": case.about, "unit": case.unit, "precision": case.precision, "quick": bench.quick, "date": datetime.date.today().isoformat(),
           "machine": bench.machine}
    try:
        row.update(measure(bench, case))
        (bench.results / f"{case.name}.json").write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
    except sides.Failed as failure:
        row.update(valid=False, failed=str(failure))
    print(report.summary(row), flush=True)
    return row["valid"]


def main():
    args = arguments()
    if args.list:
        return show_list()
    results = HERE / "results" if not args.quick else HERE.parent / ".bench/quick"
    if not args.report:
        cases = table.chosen(args.cases)
        results.mkdir(parents=True, exist_ok=True)
        warn_if_busy()
        bench = Bench(program=args.attune, minilm=args.model, shared=args.shared, rounds=args.rounds or (1 if args.quick else 3), quick=args.quick, full=args.full,
                      machine=machine.describe(args.attune), results=results)
        valid = [run_case(bench, case) for case in cases]
    if not args.quick:
        report.renew(HERE / "RESULTS.md", HERE / "results")
    if not args.report and not all(valid):
        sys.exit("some rows failed or are invalid")


main()
