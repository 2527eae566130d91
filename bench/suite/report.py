"""Writes the tables of RESULTS.md from bench/results/*.json, between the marks `<!-- figures: NAME -->` and `<!-- end -->`. The text around
them is written by hand and holds no figures of its own."""
import json
import re
import statistics

from suite import table
from suite.job import THREADS
from suite.machine import BUSY

MARK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def number(value):
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def markdown(header, rows):
    if not rows:
        return "Not measured yet.\n"
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def results_of(folder):
    """Results of the suite's cases in the table's order."""
    found = [(case, read(folder / f"{name}.json")) for name, case in table.CASES.items()]
    return [(case, row) for case, row in found if row and "valid" in row]


# --- what the terminal and the tables say of one case

def verdict(row):
    if not row["valid"]:
        return "INVALID"
    return ("yes" if row["passed"] else "no") if row["counts"] else "not counted (no AMX)"


def failed_gates(row):
    return [gate["name"] for gate in row.get("gates", []) if not gate["passed"]]


def figure(row, name):
    found = row["figures"][name]
    return f"{number(found['median'])} ({number(found['low'])}–{number(found['high'])})"


def summary(row):
    """One line for the terminal; of an invalid row no figure."""
    if "failed" in row:
        return f"{row['case']}: FAILED: {row['failed']}"
    if not row["valid"]:
        return f"{row['case']}: INVALID, no figure: " + "; ".join(failed_gates(row))
    if "checks" in row:
        return f"{row['case']}: " + "; ".join(f"{check['name']} {number(check['value'])} ({check['bound']}): {'ok' if check['passed'] else 'NOT REACHED'}" for check in row["checks"])
    ratios = ", ".join(f"{name} {number(row['figures'][name]['median'])} (ratio {number(ratio['median'])}, memory {number(row['memory_share'][name])}x)"
                       for name, ratio in row["ratios"].items())
    share = f", {100 * row['share']:.0f} % of the matrix rate" if row.get("share") else ""
    return f"{row['case']}: attune {number(row['figures']['attune']['median'])} {row['unit']}{share}; {ratios}; floors: {verdict(row)}"


def floors_text(row):
    names = {"default": "default {}x", "tuned": "tuned {}x", "memory": "memory {}x", "seconds": "{} s", "share": "share {}", "folds_over_one": "{}x one fold", "sklearn": "scikit-learn {}x"}
    return ", ".join(names[name].format(number(floor["wanted"])) + ("" if floor["passed"] else " (not reached)") for name, floor in row["floors"].items())


# --- tables

def peers_of(row):
    return [name for name in row["ratios"] if name not in ("default", "tuned")]


def cases(folder):
    lines = []
    for case, row in results_of(folder):
        if "figures" not in row:
            continue
        if not row["valid"]:
            lines.append([case.name, "invalid: " + "; ".join(failed_gates(row)), *[""] * 8, "INVALID"])
            continue
        pair = [text for name in ("default", "tuned") for text in ((figure(row, name), number(row["ratios"][name]["median"]) + "x") if name in row["ratios"] else ("", ""))]
        lines.append([case.name, case.unit, figure(row, "attune"), *pair, number(row["memory_share"]["default"]) + "x",
                      f"{100 * row['share']:.0f} %" if row.get("share") else "", floors_text(row), verdict(row)])
    measured = {case.name for case, _ in results_of(folder)}
    missing = [name for name in table.CASES if name not in measured]
    return markdown(["case", "unit", "attune", "peer at defaults", "ratio", "peer tuned", "ratio", "memory", "share of matrix rate", "floors", "reached"], lines) + (
        f"\n\nNot measured: {', '.join(missing)}." if missing else "")


def others(folder):
    """Other peers, torch.compile, and the settings that were the tuned peer's."""
    lines = []
    for case, row in results_of(folder):
        if "figures" not in row or not row["valid"]:
            continue
        for name in peers_of(row):
            lines.append([case.name, name, figure(row, name), number(row["ratios"][name]["median"]) + "x"])
        if "one_fold_seconds" in row:
            lines.append([case.name, "one fold alone (attune)", number(row["one_fold_seconds"]), f"{number(row['folds_over_one'])} folds' cost"])
        found = row.get("compiled")
        if found:
            lines.append([case.name, "torch.compile, compiling left out", number(found["steady_tokens_per_s"]), number(found["ratio"]) + "x"] if "ratio" in found
                         else [case.name, "torch.compile", "does not work", ""])
        if row.get("peer_settings"):
            lines.append([case.name, "settings tried for the tuned peer", ", ".join(f"{name}: {number(rate)}" for name, rate in row["peer_settings"].items()), row["tuned"]])
    return markdown(["case", "peer", "figure", "ratio, or choice"], lines)


def scaling(folder):
    lines = [[case.name, check["name"], number(check["value"]), check["bound"], "yes" if check["passed"] else "no"]
             for case, row in results_of(folder) if "checks" in row for check in row["checks"]]
    return markdown(["case", "cost", "found", "wanted", "reached"], lines)


def gates(folder):
    lines = []
    for case, row in results_of(folder):
        if "gates" in row:
            losses = [gate["difference"] for gate in row["gates"] if gate["name"].startswith(("first loss", "loss"))]
            busiest = max(turn["watch"]["others"] + turn["watch"]["stolen"] for turn in row["rounds"])
            lines.append([case.name, f"{sum(gate['passed'] for gate in row['gates'])} of {len(row['gates'])}", f"{max(losses):.1e}" if losses else "",
                          len(row["rounds"]), f"{100 * busiest:.0f} %", row["date"]])
    return markdown(["case", "gates passed", "largest difference of the first loss", "rounds", "others' share of the machine, at most", "date"], lines)


def machine(folder):
    blocks = [row["machine"] for _, row in results_of(folder)]
    if not blocks:
        return markdown([], [])
    block = blocks[-1]
    rates = {name: f"{min(b['matrix_tflop_s'][name] for b in blocks):.3f}–{max(b['matrix_tflop_s'][name] for b in blocks):.3f} TFLOP/s" for name in ("fp32", "bf16")}
    versions = block["versions"]
    lines = [["CPU", f"{block['cpu']}, {block['cores']} cores, {block['threads']} threads, {block['memory_gib']} GiB"], ["its flags", ", ".join(block["flags"]) + ("" if block["amx"] else "; no AMX")],
             ["matrix products", ", ".join(f"{name} {rate}" for name, rate in rates.items())],
             ["memory", ", ".join(f"{name} {rate} GB/s" for name, rate in block["memory_gb_s"].items())],
             ["versions", ", ".join(f"{name} {value}" for name, value in versions.items())]]
    return markdown(["machine", ""], lines)


def accuracy(folder):
    found = read(folder / "accuracy.json")
    if not found:
        return markdown([], [])
    runs = found["runs"]
    seeds = sorted({name.split("-")[1] for name in runs})
    sides = [[runs.get(f"{side}-{seed}", {}).get("test_accuracy") for seed in seeds] for side in ("attune", "attune_bf16", "peer")]
    lines = [[seed, *(f"{side[i]:.4f}" if side[i] is not None else "" for side in sides)] for i, seed in enumerate(seeds)]
    lines.append(["mean", *(f"{statistics.mean(side):.4f}" if None not in side else "" for side in sides)])
    return markdown(["seed", "attune", "attune, bf16", "HF Trainer"], lines)


def tokenizer(folder):
    found = read(folder / "tokenizer.json")
    lines = [[row["tokenizer"], row["texts"], row["fields"], f"{row['attune_mb_s']:.1f}", f"{row['peer_mb_s']:.2f}", f"{row['ratio']:.1f}x", f"{row['first_ratio']:.1f}x" if 'first_ratio' in row else ""]
             for row in (found or {}).get("rows", [])]
    return markdown(["tokenizer", "texts", "fields", "attune, MB/s", "tokenizers, MB/s", "ratio", "ratio of the first round"], lines)


def generate(folder):
    found = read(folder / "generate.json")
    lines = [[row["model"], row["texts"], number(row["attune_tokens_per_s"]), number(row["transformers_tokens_per_s"]), f"{row['ratio']:.2f}x"] for row in (found or {}).get("cases", [])]
    return markdown(["model", "texts at a time", "attune, tokens/s", "Transformers, tokens/s", "ratio"], lines)


def language(folder):
    names = {"full": ("full, paragraphs", "Trainer"), "lora": ("LoRA on c_attn, r 8", "PEFT"), "sft": ("full, instructions, loss on answers", "TRL")}
    found = {name: read(folder / f"language_{name}.json") for name in names}
    lines = [[names[name][0], names[name][1], number(row["attune"]), number(row["peer"]), f"{row['ratio']:.2f}x", f"{row['memory_ratio']:.2f}x", f"{row['gate']['loss_difference']:.0e}"]
             for name, row in found.items() if row]
    return markdown(["case", "peer", "attune, tokens/s", "peer, tokens/s", "ratio", "memory", "difference of the first loss"], lines)


def others_share(run):
    return run["watch"]["others"] + run["watch"]["stolen"]


BATCHES = {"attune": "random", "shared": "sharing texts"}  # few-example tuning: what batches attune makes


def few_examples(runs):
    """By attune's batches, data and size: mean accuracies, their mean difference with its standard error, and of the seeds on which both sides had the machine
    for themselves the median seconds and their ratio."""
    def row_of(ours, name, size):
        pairs = [(run["sides"][ours], run["sides"]["setfit"]) for run in runs if (run["data"], run["size"]) == (name, size) and {ours, "setfit"} <= set(run["sides"])]
        timed = [pair for pair in pairs if all(side["threads"] == THREADS and others_share(side) <= BUSY for side in pair)]
        off = [mine["accuracy"] - theirs["accuracy"] for mine, theirs in pairs]
        row = {"data": name, "size": size, "batches": BATCHES[ours], "seeds": len(pairs), "difference": statistics.mean(off) if off else None,
               "standard_error": statistics.stdev(off) / len(off) ** 0.5 if len(off) > 1 else None,
               "timed": len(timed), "others": max((others_share(side) for pair in timed for side in pair), default=None)}
        for side, some, quiet in zip(("attune", "setfit"), zip(*pairs), zip(*timed) if timed else ((), ())):
            row[side] = {"accuracy": statistics.mean(run["accuracy"] for run in some),
                         **{key: statistics.median(run[key] for run in quiet) for key in ("training", "process") if quiet}}
        row["ratio"] = {key: row["setfit"][key] / row["attune"][key] for key in ("training", "process") if timed}
        return row

    rows = [row_of(ours, name, size) for ours in BATCHES for name, size in sorted({(run["data"], run["size"]) for run in runs})]
    return [row for row in rows if row["seeds"]]


def difference_text(row):
    return f"{row['difference']:+.4f}" + ("" if row["standard_error"] is None else f" ± {row['standard_error']:.4f}")


def few_examples_line(row):
    line = (f"{row['data']}, {row['size']} a class, batches {row['batches']}, {row['seeds']} seeds: accuracy {row['attune']['accuracy']:.4f} and {row['setfit']['accuracy']:.4f} "
            f"(difference {difference_text(row)})")
    if not row["timed"]:
        return line + ", no run had the machine for itself"
    return line + (f", {row['timed']} timed: training {row['attune']['training']:.1f} and {row['setfit']['training']:.1f} s "
                   f"({row['ratio']['training']:.1f}x), process {row['ratio']['process']:.1f}x")


def few_examples_verdicts(rows):
    """One for each kind of batches."""
    of_kind = [[row for row in rows if row["batches"] == batches] for batches in BATCHES.values()]
    return [f"batches {some[0]['batches']}: {few_examples_verdict(some)}" for some in of_kind if some]


def few_examples_verdict(rows):
    mean, slowest = statistics.mean(row["difference"] for row in rows), min((row["ratio"]["training"] for row in rows if row["timed"]), default=0)
    reached = mean >= 0 and slowest >= table.FEW_EXAMPLES_FLOOR
    return (f"mean difference {mean:+.4f} (must not be below 0), least ratio {slowest:.1f}x (floor {table.FEW_EXAMPLES_FLOOR}x): "
            + ("reached" if reached else "not reached"))


def setfit(folder):
    found = read(folder / "setfit.json")
    if not found:
        return markdown([], [])
    rows = few_examples(found["runs"])
    lines = [[row["data"], row["size"], row["batches"], row["seeds"], f"{row['attune']['accuracy']:.4f}", f"{row['setfit']['accuracy']:.4f}", difference_text(row),
              row["timed"]] + ([number(row["attune"]["training"]), number(row["setfit"]["training"]), f"{row['ratio']['training']:.1f}x",
                                f"{row['ratio']['process']:.1f}x", f"{100 * row['others']:.0f} %"] if row["timed"] else [""] * 5) for row in rows]
    return markdown(["data", "rows a class", "attune's batches", "seeds", "attune, accuracy", "SetFit, accuracy", "difference (± standard error)", "seeds timed", "attune, s", "SetFit, s",
                     "training", "whole process", "others' share of the machine, at most"], lines) + "\n" + "\n".join(f"* {verdict[0].upper()}{verdict[1:]}." for verdict in few_examples_verdicts(rows)) + "\n"


TABLES = {function.__name__: function for function in (machine, cases, others, gates, scaling, accuracy, tokenizer, language, generate, setfit)}


def renew(page, folder):
    """RESULTS.md with every marked table made anew."""
    text = page.read_text(encoding="utf-8")
    page.write_text(MARK.sub(lambda found: found[1] + "\n" + TABLES[found[2]](folder) + "\n" + found[3], text), encoding="utf-8")
