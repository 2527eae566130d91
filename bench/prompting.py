"""Scoring labels behind prompts beside a loop over Transformers: 20 wordings of the same question, 500 rows of banking77, 5 labels, 8 examples in
front of each row, GPT-2's shape with 6 layers and random weights, fp32, 2 threads.

    bench/run.sh prompting     # needs ../shared

attune scores all 50,000 texts. The loop scores those of every 50th row (2 %), text by text and in batches of the labels of a prompt; its time is scaled. The probabilities
of the labels must be the same on these rows (1e-5), and so must the chosen label; else nothing is reported.
"""
import argparse
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
os.environ.update(OMP_NUM_THREADS="2", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
LABELS = ["activate_my_card", "card_arrival", "exchange_rate", "lost_or_stolen_card", "top_up_failed"]
ROWS, EVERY, ROUNDS, TOLERANCE = 500, 50, 3, 1e-5
INSTRUCTIONS = ["Which intent has the message of the customer?", "Name the intent of the customer's message.", "Sort the message of a bank's customer into one of five topics.",
                "Read the message and say what it is about.", "You help the support team of a bank. Say which topic each message has."]
INPUTS = ["Message: {{ text }}\nIntent:", "Customer: {{ text }}\nTopic:", "{{ text }}\nThis is about", "\"{{ text }}\" ->"]


def read_rows(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def material(shared, folder):
    """8 examples, the same for every row, and the rows; all 5 labels. Wordings are instructions times inputs."""
    from suite.material import save_gpt2

    save_gpt2(folder, shared)
    rows = [row for split in ("train", "valid", "test") for row in read_rows(shared / f"data/banking77/{split}.jsonl") if row["label"] in LABELS]
    examples = [[row for row in rows if row["label"] == label] for label in LABELS]
    pool = [examples[i % len(LABELS)][i // len(LABELS)] for i in range(8)]
    pool.sort(key=lambda row: row["label"])
    others = [row for row in rows if row["text"] not in {example["text"] for example in pool}][:ROWS]
    for name, chosen in {"train": pool, "validation": others}.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in chosen))
    prompts = {"instruction": INSTRUCTIONS, "header": "{{ instruction }}", "input": INPUTS, "answer": " {{ answer }}", "separator": "\n\n"}
    (folder / "prompts.json").write_text(json.dumps(prompts))
    config = {"model": {"path": str(folder / "start"), "task": "text-generation"}, "data": {"train": str(folder / "train.jsonl"), "validation": str(folder / "validation.jsonl")},
              "prompting": {"prompts": str(folder / "prompts.json"), "examples": {"k": 8, "order": "by_label", "per_row": False}}, "threads": 2,
              "overwrite_output_dir": True, "output_dir": str(folder / "out")}
    (folder / "run.json").write_text(json.dumps(config))
    return pool, others


def attune(program, folder):
    """Seconds of the whole program, tokens, and the probabilities by wording and row."""
    started = time.perf_counter()
    done = subprocess.run([program, "prompt", "run", str(folder / "run.json"), "--json", "--quiet"], capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(done.stderr)
    results = json.loads(done.stdout)
    scores = {wording["name"]: [row["scores"] for row in read_rows(folder / f"out/wordings/{number}.jsonl")] for number, wording in enumerate(results["wordings"], 1)}
    return {"seconds": seconds, "tokens": results["tokens"], "computed_tokens": results["computed_tokens"], "scores": scores}


def wordings():
    """By attune's names, in its order."""
    return {f"default/instruction={i}/input={j}": (instruction, shown) for i, instruction in enumerate(INSTRUCTIONS, 1) for j, shown in enumerate(INPUTS, 1)}


def prompt_of(instruction, shown, pool, row):
    show = lambda text: shown.replace("{{ text }}", text)
    return "\n\n".join([instruction, *(show(one["text"]) + " " + one["label"].replace("_", " ") for one in pool), show(row["text"])])


class Loop:
    def __init__(self, folder):
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(2)
        self.torch, self.tokenizer = torch, AutoTokenizer.from_pretrained(folder / "start")
        self.model = AutoModelForCausalLM.from_pretrained(folder / "start", dtype=torch.float32).eval()

    def score(self, prompts, batched):
        """Seconds, and the labels' probabilities of each prompt."""
        torch, found, started = self.torch, [], time.perf_counter()
        with torch.no_grad():
            for prompt in prompts:
                begin = len(self.tokenizer(prompt)["input_ids"])
                texts = [self.tokenizer(prompt + " " + label.replace("_", " "))["input_ids"] for label in LABELS]
                if batched:
                    longest = max(map(len, texts))
                    padded = torch.tensor([ids + [0] * (longest - len(ids)) for ids in texts])
                    mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in texts])
                    logits = self.model(padded, attention_mask=mask).logits
                else:
                    logits = [self.model(torch.tensor([ids])).logits[0] for ids in texts]
                sums = [sum(float(torch.log_softmax(of_text[i - 1], 0)[ids[i]]) for i in range(begin, len(ids))) for of_text, ids in zip(logits, texts)]
                top = max(sums)
                total = sum(math.exp(value - top) for value in sums)
                found.append([math.exp(value - top) / total for value in sums])
        return time.perf_counter() - started, found


def orders(pool):
    """attune draws in which order examples of a label stand: every order that it may have drawn."""
    by_label = [[one for one in pool if one["label"] == label] for label in sorted({one["label"] for one in pool})]
    for chosen in itertools.product(*(itertools.permutations(group) for group in by_label)):
        yield [one for group in chosen for one in group]


def drawn_order(loop, pool, row, scores):
    """The order whose first prompt has attune's probabilities."""
    wording = next(iter(wordings().values()))
    for order in orders(pool):
        if compare([scores], loop.score([prompt_of(*wording, order, row)], False)[1])[0] <= TOLERANCE:
            return order
    sys.exit("no order of the examples gives attune's probabilities: no figure")


def compare(ours, theirs):
    """The largest difference of a probability, and the rows where another label is chosen."""
    worst, turned = 0.0, 0
    for mine, other in zip(ours, theirs, strict=True):
        mine = [mine[label] for label in LABELS]
        worst = max(worst, max(abs(a - b) for a, b in zip(mine, other)))
        turned += max(range(5), key=mine.__getitem__) != max(range(5), key=other.__getitem__)
    return worst, turned


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("attune")
    parser.add_argument("shared", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    from suite import machine

    with tempfile.TemporaryDirectory(prefix="attune-bench-") as name:
        folder = Path(name)
        pool, rows = material(args.shared, folder)
        loop, rounds, asked = Loop(folder), [], []
        for number in range(args.rounds):
            watch = machine.Watch()
            mine = attune(args.attune, folder)
            if not asked:
                pool = drawn_order(loop, pool, rows[0], mine["scores"][next(iter(wordings()))][0])
                asked = [prompt_of(*wording, pool, row) for wording in wordings().values() for row in rows[::EVERY]]
            ours = [mine["scores"][wording][i] for wording in wordings() for i in range(0, len(rows), EVERY)]
            for batched in (False, True):
                seconds, theirs = loop.score(asked, batched)
                worst, turned = compare(ours, theirs)
                if worst > TOLERANCE or turned:
                    sys.exit(f"the probabilities differ by {worst:.2e}, and {turned} of {len(asked)} choices: no figure")
                mine["batched" if batched else "loop"] = seconds * len(rows) * len(wordings()) / len(asked)
            mine["watch"] = watch.read()
            rounds.append({key: value for key, value in mine.items() if key != "scores"} | {"difference": worst})
            print(f"  round {number + 1}: attune {mine['seconds']:.1f} s, loop {mine['loop']:.0f} s, in batches {mine['batched']:.0f} s (both scaled); {mine['watch']}", file=sys.stderr, flush=True)
    median = {key: statistics.median(turn[key] for turn in rounds) for key in ("seconds", "loop", "batched", "difference")}
    result = {"case": "prompting", "texts": len(rows) * len(wordings()) * len(LABELS), "tokens": rounds[0]["tokens"], "computed_tokens": rounds[0]["computed_tokens"], "rounds": rounds,
              "median": median, "ratios": {"loop": median["loop"] / median["seconds"], "batched": median["batched"] / median["seconds"]},
              "cpu": machine.cpu()}
    (HERE / "results/prompting.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"attune {median['seconds']:.1f} s for {result['texts']} texts, {result['computed_tokens']} of {result['tokens']} tokens computed; loop {median['loop']:.0f} s ({result['ratios']['loop']:.1f}x), "
          f"in batches {median['batched']:.0f} s ({result['ratios']['batched']:.1f}x); largest difference of a probability {median['difference']:.1e}")


if __name__ == "__main__":
    main()
