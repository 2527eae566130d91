"""Measures one case: makes the material, proves that both sides do the same, finds the peer's best settings, and lets the sides take turns."""
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from suite import flops, gates, machine, sides, table
from suite.job import job, read_rows, write_rows

ACCURACY = Path(__file__).resolve().parents[1] / "results/accuracy.json"
COMPILE_LIMIT = 240  # seconds
WHOLE_ROWS, WHOLE_EPOCHS, WANTED = 10003, 5, 0.92  # of time_to_accuracy


@dataclass(frozen=True)
class Bench:
    program: str
    minilm: str
    shared: str
    rounds: int
    quick: bool
    full: bool
    machine: dict
    results: Path

    def make(self, case, folder, **more):
        settings = {**case.settings, **(case.quick if self.quick else {}), **more, "shared": self.shared, "minilm": self.minilm}
        done = subprocess.run([sys.executable, "-m", "suite.material", case.material, folder, json.dumps(settings)], cwd=Path(__file__).parents[1],
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise sides.Failed(f"the material of {case.name} could not be made: {done.stderr[-1500:]}")

    def share(self, case, work, seconds):
        """Share of the measured matrix rate that the job's work in these seconds is."""
        return work / seconds / (self.machine["matrix_tflop_s"][case.precision] * 1e12)


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def make_job(bench, case, folder, **changes):
    settings = {"model": folder / "start", "train": folder / "train.jsonl", **case.job, **(case.quick_job if bench.quick else {})}
    if case.to_the_end and not settings.get("folds"):
        settings["test"] = folder / "test.jsonl"
    if (folder / "adapter").is_dir():
        settings["adapter"] = folder / "adapter"
    return job(**{**settings, **changes})


# --- the two sides in turns

def take_turns(bench, jobs, contestants, folder):
    """Rounds of every contestant's result, {"attune": …, "default": …, "watch": …}; jobs(round) is what they do."""
    rounds = []
    for index in range(bench.rounds):
        this, watch = jobs(index), machine.Watch()
        turn = {name: runner(this) for name, runner in contestants.items()}
        turn["watch"] = watch.read()
        rounds.append(turn)
        doubt = "" if machine.is_idle(turn["watch"]) else "  WARNING: others used the machine"
        say(f"round {index + 1}: " + ", ".join(f"{name} {turn[name]['wall']:.1f} s" for name in contestants) + f"; {turn['watch']}{doubt}")
    return rounds


def attune_runner(bench, folder, **options):
    return lambda this: sides.attune(bench.program, this, folder, **options)


def peer_runner(variant, folder):
    return lambda this: sides.peer(this, variant, folder)


def spread(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def summarise(rounds, names, value, higher_is_better):
    """Medians, ranges and ratios (above 1: attune is better) of value(result, name); memory as a share of the peer's."""
    figures = {name: spread([value(turn[name]) for turn in rounds]) for name in names}
    peers = [name for name in names if name != "attune"]

    def ratios(mine, theirs):
        return [a / b if higher_is_better else b / a for a, b in zip(mine, theirs)]

    own = [value(turn["attune"]) for turn in rounds]
    found = {name: ratios(own, [value(turn[name]) for turn in rounds]) for name in peers}
    memory = {name: statistics.median(turn["attune"]["peak_rss_mib"] / turn[name]["peak_rss_mib"] for turn in rounds) for name in peers}
    ratio = {name: {**spread(values), "median": ratios([figures["attune"]["median"]], [figures[name]["median"]])[0]} for name, values in found.items()}
    return {"figures": figures, "ratios": ratio, "memory_share": memory,
            "peak_rss_mib": {name: statistics.median(turn[name]["peak_rss_mib"] for turn in rounds) for name in names}}


def judged(case, row, bench):
    """Adds validity, and which floors hold."""
    row["valid"] = gates.is_valid(row["gates"])
    row["idle"] = all(machine.is_idle(turn["watch"]) for turn in row["rounds"])
    found = {"seconds": row["figures"]["attune"]["median"], "share": row.get("share"), "memory": row["memory_share"].get("default"),
             "folds_over_one": row.get("folds_over_one"), **{name: ratio["median"] for name, ratio in row["ratios"].items()}}
    at_most = ("seconds", "memory", "folds_over_one")
    row["floors"] = {name: {"wanted": bound, "found": found[name], "passed": found[name] is not None and (found[name] <= bound if name in at_most else found[name] >= bound)}
                     for name, bound in case.floors.items()}
    row["counts"] = case.precision == "fp32" or bench.machine["amx"]
    row["passed"] = row["valid"] and all(floor["passed"] for floor in row["floors"].values())
    return row


# --- gates and the peer's best

def token_gate(bench, this, folder):
    """Ids and marks of all rows, from both sides."""
    theirs = sides.peer(this, {"token_rows": True}, folder)["rows"]
    ours = sides.examples(bench.program, {**this, "folds": 0}, folder, len(theirs) + 1)
    return gates.same_tokens(ours, [(ids, learned) for ids, learned in theirs]), ours


def start_gates(bench, case, this, folder, variants):
    """The first step of attune and of every peer on the gate's batch, by a head that is sure of itself: of a new one every loss is the
    logarithm of the number of labels, whatever the model computes."""
    rows = len(read_rows(folder / "gate.jsonl"))
    model = folder / "sharp" if (folder / "sharp").is_dir() else this["model"]
    one = {**this, "model": str(model), "train": str(folder / "gate.jsonl"), "test": None, "folds": 0, "epochs": 1, "max_steps": 1, "batch": rows, "dropout": False, "logging_steps": 1}
    ours, found = sides.attune(bench.program, one, folder), []
    for name, variant in variants.items():
        found += gates.same_start(ours, sides.peer(one, {**variant, "batch": rows} if variant.get("packing") else variant, folder), case.precision, name)
    return found


def best_tuning(bench, case, this, folder):
    """The fastest of the case's settings of the peer over a part of the rows, by the steady rate; and all rates."""
    names = [name for name in case.tunings if this["bf16"] or not table.TUNINGS[name].get("whole")][:1 if bench.quick else None]
    part = {**this, "folds": 0, "test": None, "epochs": 1}
    if len(names) > 1:
        rows = read_rows(this["train"])
        part["train"] = str(write_rows(folder / "part.jsonl", rows[:max(3 * this["batch"], len(rows) // 3)]))
    rates = {}
    for name in names if len(names) > 1 else ():
        done = sides.peer(part, table.TUNINGS[name], folder)
        rates[name] = done.get("steady_tokens_per_s") or done["rows"] / done["seconds"]
        say(f"peer with {name}: {rates[name]:.0f}")
    return max(rates, key=rates.get) if rates else names[0], rates


def compiled(this, variant, folder):
    """What torch.compile does to the tuned peer: its steady rate, or why there is none."""
    try:
        done = sides.peer(this, {**variant, "compile": True}, folder, limit=COMPILE_LIMIT)
    except sides.Failed as failure:
        return {"failed": str(failure)[-400:]}
    return {"steady_tokens_per_s": done["steady_tokens_per_s"], "seconds": done["seconds"], "peak_rss_mib": done["peak_rss_mib"]}


def packing(this, tokens, rows):
    """TRL's packing with as many tokens a step as the others have on average."""
    return {"packing": True, "batch": max(1, round(this["batch"] * tokens / rows / this["max_length"]))}


# --- kinds of cases

def has_frozen_layers(this):
    """The Trainer computes these with dropout, attune without."""
    return this["trained"] != "all" and this["dropout"]


def training(bench, case, folder):
    """tokens/s, seconds to the first step, seconds of the work, or memory of a training."""
    bench.make(case, folder)
    this = make_job(bench, case, folder)
    tokens, encoded = token_gate(bench, this, folder)
    variants = {"default": {}}
    row = {"gates": [tokens]}
    if case.tunings:
        name, row["peer_settings"] = best_tuning(bench, case, this, folder)
        variants["tuned"], row["tuned"] = table.TUNINGS[name], name
    if case.packed:
        variants["packed"] = packing(this, tokens["attune"]["tokens"], tokens["attune"]["rows"])
    row["gates"] += start_gates(bench, case, this, folder, variants)
    options = {"watch_first_step": case.name == "start"}
    contestants = {"attune": attune_runner(bench, folder, **options), **{name: peer_runner(variant, folder) for name, variant in variants.items()}}
    row["rounds"] = take_turns(bench, lambda index: {**this, "seed": this["seed"] + index}, contestants, folder)
    supervised = (tokens["attune"]["learned"] or tokens["attune"]["rows"]) * this["epochs"] if this["max_steps"] < 0 else None
    for name in variants:
        row["gates"] += gates.same_amounts(row["rounds"], name, supervised, 0.15 if name == "packed" else 0)
        if case.to_the_end:
            row["gates"].append(gates.same_accuracy(row["rounds"], name, line_count(this["test"]), has_frozen_layers(this)))
    row.update(summarise(row["rounds"], contestants, value_of(case.unit), case.unit == "tokens/s"))
    seconds = statistics.median(turn["attune"]["work" if case.unit == "s" else "seconds"] for turn in row["rounds"])
    work = flops.work(this, [ids for ids, _ in encoded], tokens["attune"]["learned"])
    row["work_tflop"] = 1e-12 * work
    if this["max_steps"] < 0:
        row["gates"].append(gates.same_work(work, row["rounds"]))
        row["share"] = bench.share(case, work, seconds)
    if case.compile and not bench.quick:
        row["compiled"] = compiled(this, variants["tuned"], folder)
        if "steady_tokens_per_s" in row["compiled"]:
            row["compiled"]["ratio"] = row["figures"]["attune"]["median"] / row["compiled"]["steady_tokens_per_s"]
    return row


def value_of(unit):
    return {"tokens/s": lambda done: done["tokens"] / done["seconds"], "s to the first step": lambda done: done["first_step"],
            "s": lambda done: done["work"], "MiB": lambda done: done["peak_rss_mib"], "rows/s": lambda done: done["rows"] / done["seconds"]}[unit]


def folds(bench, case, folder):
    """Seconds of a cross-validation, beside one fold alone and, where the case asks, scikit-learn."""
    bench.make(case, folder)
    this = make_job(bench, case, folder)
    tokens, encoded = token_gate(bench, this, folder)
    row = {"gates": [tokens]}
    name, row["peer_settings"] = best_tuning(bench, case, this, folder)
    variants = {"default": {}, "tuned": table.TUNINGS[name]}
    row["tuned"] = name
    row["gates"] += start_gates(bench, case, this, folder, variants)
    if "sklearn" in case.floors:
        variants["sklearn"] = {"sklearn": True}
    contestants = {"attune": lambda given: folds_by_attune(bench, given, folder), **{name: peer_runner(variant, folder) for name, variant in variants.items()}}
    row["rounds"] = take_turns(bench, lambda index: {**this, "seed": this["seed"] + index}, contestants, folder)
    for name in variants:
        row["gates"].append(gates.same_accuracy(row["rounds"], name, tokens["attune"]["rows"], name == "sklearn" or has_frozen_layers(this)))
        row["gates"] += gates.same_amounts(row["rounds"], name, None) if name != "sklearn" else []
        row["gates"].append(gates.gate(f"folds ({name})", all(turn["attune"]["folds"] == turn[name]["folds"] for turn in row["rounds"]), this["folds"], row["rounds"][0][name]["folds"]))
    row.update(summarise(row["rounds"], contestants, value_of("s"), False))
    training_rows, held_out = one_split(read_rows(this["train"]), this["folds"])
    one = {**this, "folds": 0, "train": str(write_rows(folder / "one.jsonl", training_rows)), "test": str(write_rows(folder / "held_out.jsonl", held_out))}
    alone = statistics.median(one_fold_seconds(sides.attune(bench.program, one, folder)) for _ in range(bench.rounds))
    row["one_fold_seconds"], row["folds_over_one"] = alone, row["figures"]["attune"]["median"] / alone
    work = flops.work(this, [ids for ids, _ in encoded], 0)
    row["gates"].append(gates.same_work(work, row["rounds"]))
    row["work_tflop"], row["share"] = 1e-12 * work, bench.share(case, work, row["figures"]["attune"]["median"])
    return row


def one_split(rows, folds):
    """The rows of one fold's training and its held-out rows: every so many-th row of each label."""
    seen, parts = {}, ([], [])
    for row in rows:
        seen[row["label"]] = seen.get(row["label"], 0) + 1
        parts[seen[row["label"]] % folds == 0].append(row)
    return parts


def one_fold_seconds(done):
    """Of a training on one fold's rows, without saving and reopening its model: folds keep none."""
    return done["work_with_ends"] - done["phases"].get("saving", 0)


def folds_by_attune(bench, this, folder):
    done = sides.attune(bench.program, this, folder)
    return {**done, "work": done["work_with_ends"]}


def time_to_accuracy(bench, case, folder):
    """Wall seconds until a model of the wanted accuracy is saved and scored, each side in the precision that is its fastest here (the start is
    compared in fp32); without --full from a part."""
    bench.make(case, folder, **({"rows": None} if bench.full else {}))
    this = make_job(bench, case, folder, epochs=WHOLE_EPOCHS if bench.full else 1, test=folder / "test.jsonl")
    tokens, _ = token_gate(bench, this, folder)
    row = {"gates": [tokens], "whole": bench.full}
    name, row["peer_settings"] = best_tuning(bench, case, this, folder)
    plain = {"default": {"save": True}, "tuned": {**table.TUNINGS[name], "save": True}}
    row["tuned"] = name
    row["gates"] += start_gates(bench, case, this, folder, {name: {**variant, "bf16": False} for name, variant in plain.items()})
    variants = {**plain, "default": {"save": True, "bf16": bench.machine["amx"]}}
    own = attune_runner(bench, folder)
    contestants = {"attune": lambda this: own({**this, "bf16": "auto"}), **{name: peer_runner(variant, folder) for name, variant in variants.items()}}
    row["rounds"] = take_turns(bench, lambda index: {**this, "seed": this["seed"] + index}, contestants, folder)
    more = 0 if bench.full else WHOLE_EPOCHS * WHOLE_ROWS / tokens["attune"]["rows"] - 1
    row.update(summarise(row["rounds"], contestants, lambda done: done["wall"] + more * done["seconds"], False))
    for name in variants:
        row["gates"] += gates.same_amounts(row["rounds"], name, None)
    row["gates"].append(reached(row["rounds"], contestants) if bench.full else reached_before(ACCURACY, row["rounds"][0]["attune"]["bf16"]))
    return row


def reached(rounds, names):
    least = {name: min(turn[name]["accuracy"] for turn in rounds) for name in names}
    return gates.gate(f"test accuracy of at least {WANTED}", min(least.values()) >= WANTED, least["attune"], [least[name] for name in names if name != "attune"])


def reached_before(path, in_bf16):
    """That this job reaches the wanted accuracy on both sides, attune's in the precision that it was timed in, from the whole trainings of
    `bench/run.sh accuracy`."""
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else {}
    own = "attune_bf16" if in_bf16 else "attune"
    means = {side: [run["test_accuracy"] for name, run in runs.items() if name.rpartition("-")[0] == side] for side in (own, "peer")}
    passed = all(values and statistics.mean(values) >= WANTED for values in means.values())
    return gates.gate(f"mean test accuracy of at least {WANTED} (accuracy.json)", passed, means[own], means["peer"])


def evaluation(bench, case, folder):
    """Rows a second of prediction; the head need not have been trained for that."""
    bench.make(case, folder)
    this = make_job(bench, case, folder)
    tokens, encoded = token_gate(bench, {**this, "task": "classification"}, folder)
    row = {"gates": [tokens]}
    name, row["peer_settings"] = best_tuning(bench, case, this, folder)
    variants, row["tuned"] = {"default": {}, "tuned": table.TUNINGS[name]}, name
    contestants = {"attune": attune_runner(bench, folder), **{name: peer_runner(variant, folder) for name, variant in variants.items()}}
    row["rounds"] = take_turns(bench, lambda index: this, contestants, folder)
    for name in variants:
        row["gates"] += same_predictions(row["rounds"][0]["attune"], row["rounds"][0][name], case.precision, name)
    for turn in row["rounds"]:
        turn["attune"]["rows"] = tokens["attune"]["rows"]
    row.update(summarise(row["rounds"], contestants, value_of("rows/s"), True))
    work = flops.work(this, [ids for ids, _ in encoded], 0)
    row["work_tflop"], row["share"] = 1e-12 * work, bench.share(case, work, statistics.median(turn["attune"]["seconds"] for turn in row["rounds"]))
    return row


def same_predictions(ours, theirs, precision, peer):
    loss = gates.relative(ours["loss"], theirs["loss"])
    return [gates.gate(f"loss ({peer})", loss <= gates.LOSS[precision], ours["loss"], theirs["loss"], difference=loss),
            gates.gate(f"accuracy ({peer})", abs(ours["accuracy"] - theirs["accuracy"]) <= (1e-3 if precision == "fp32" else 1e-2), ours["accuracy"], theirs["accuracy"])]


# --- scaling

def check(name, value, bound, at_most=True):
    return {"name": name, "value": value, "bound": ("at most " if at_most else "at least ") + str(bound), "passed": value <= bound if at_most else value >= bound}


def medians(bench, jobs, folder, key):
    """Median of a key of attune's results of each job, in turns."""
    rounds = take_turns(bench, lambda index: None, {name: lambda _, this=this: sides.attune(bench.program, this, folder) for name, this in jobs.items()}, folder)
    return {name: statistics.median(turn[name][key] for turn in rounds) for name in jobs}, rounds


def scaling_tokens(bench, case, folder):
    bench.make(case, folder)
    jobs = {name: make_job(bench, case, folder, train=folder / f"{name}.jsonl") for name in ("even", "mixed", "twice")}
    seconds, rounds = medians(bench, jobs, folder, "seconds")
    tokens = {name: rounds[0][name]["tokens"] for name in jobs}
    each = {name: seconds[name] / tokens[name] for name in jobs}
    return {"rounds": rounds, "checks": [
        check("a token of mixed lengths (padding would cost up to 8 times as much) / a token of even lengths", each["mixed"] / each["even"], 1.35),
        check("seconds of twice the rows / seconds", seconds["twice"] / seconds["even"], 2.2)]}


def scaling_prefix(bench, case, folder):
    bench.make(case, folder)
    folds = 2 if bench.quick else 5
    few, many = (1, 2) if bench.quick else (2, 6)
    jobs = {"full": make_job(bench, case, folder, trained="all", epochs=few), "few": make_job(bench, case, folder, epochs=few), "many": make_job(bench, case, folder, epochs=many),
            "few folds": make_job(bench, case, folder, epochs=few, folds=folds), "many folds": make_job(bench, case, folder, epochs=few, folds=2 * folds)}
    seconds, rounds = medians(bench, jobs, folder, "work_with_ends")
    epoch = statistics.median(turn["full"]["seconds"] for turn in rounds) / few
    return {"rounds": rounds, "checks": [
        check("one more epoch of head and last layer / an epoch of everything", (seconds["many"] - seconds["few"]) / (many - few) / epoch, 0.25),
        check(f"one more fold of {few} epochs / {few} epochs of everything", (seconds["many folds"] - seconds["few folds"]) / folds / epoch / few, 0.25)]}


def scaling_memory(bench, case, folder):
    bench.make(case, folder)
    jobs = {name: make_job(bench, case, folder, train=folder / f"{name}.jsonl") for name in ("small", "large")}
    memory, rounds = medians(bench, jobs, folder, "peak_rss_mib")
    times = line_count(jobs["large"]["train"]) / line_count(jobs["small"]["train"])
    return {"rounds": rounds, "checks": [check(f"peak memory of {times:.0f} times as many rows / peak memory ({memory['large']:.0f} / {memory['small']:.0f} MiB)",
                                               memory["large"] / memory["small"], 1.1)]}


def line_count(path):
    with open(path, "rb") as lines:
        return sum(1 for _ in lines)


def measure(bench, case):
    """The case's result as a dictionary; what fails is said in it."""
    with tempfile.TemporaryDirectory(prefix="attune-bench-") as temporary:
        row = globals()[case.kind](bench, case, Path(temporary))
    if "checks" in row:
        return {**row, "valid": True, "passed": all(found["passed"] for found in row["checks"]), "counts": True,
                "idle": all(machine.is_idle(turn["watch"]) for turn in row["rounds"])}
    return judged(case, row, bench)
