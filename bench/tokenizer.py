#!/usr/bin/env python3
"""attune's tokenizer beside the `tokenizers` library: the same file, the same texts, as many threads, rounds that alternate.

usage: bench/tokenizer.py --program build/release/bench_tokenizer --shared ../shared [--rounds 5] [TOKENIZER…]

Two kinds of text (short questions, long abstracts) and two amounts of work: every field of an encoding (encode_batch), and what
training needs (encode_batch_fast, which leaves offsets out; attune leaves only the tokens' strings out). Medians of rounds over the
same texts, before which both sides have filled their word caches; the first round, with empty caches, is listed beside them. The token
counts must agree. Writes bench/results/tokenizer.json."""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

THREADS = 2
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])  # encode_batch takes as many threads as there are cores to use
os.environ.update(RAYON_NUM_THREADS=str(THREADS), TOKENIZERS_PARALLELISM="true")
import tokenizers

HERE = Path(__file__).resolve().parent
TEXTS = {"banking77": "questions, mean 60 bytes", "medical_abstracts": "abstracts, mean 1.2 kB"}


class Program:
    """bench_tokenizer, waiting between rounds."""

    def __init__(self, program, tokenizer, texts):
        self.process = subprocess.Popen([program, tokenizer, texts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.load_seconds = float(self.process.stdout.readline())

    def round(self, fields):
        self.process.stdin.write(fields + "\n")
        self.process.stdin.flush()
        seconds, tokens = self.process.stdout.readline().split()
        return float(seconds), int(tokens)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def peer_round(tokenizer, texts, fields):
    encode = tokenizer.encode_batch if fields == "all" else tokenizer.encode_batch_fast
    start = time.perf_counter()
    encodings = encode(texts)
    seconds = time.perf_counter() - start
    return seconds, sum(map(len, encodings))


def compare(args, name, data):
    file = str(Path(args.shared) / "tokenizers" / name / "tokenizer.json")
    with open(Path(args.shared) / "data" / data / "train.jsonl", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    size = sum(len(text.encode()) for text in texts)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as listed:
        listed.write("".join(json.dumps(text) + "\n" for text in texts))
        listed.flush()
        rows = []
        for fields in ("all", "ids"):
            program = Program(args.program, file, listed.name)
            start = time.perf_counter()
            peer = tokenizers.Tokenizer.from_file(file)
            load = {"attune_s": program.load_seconds, "peer_s": time.perf_counter() - start}
            peer.no_truncation()
            peer.no_padding()
            first, *rounds = [(program.round(fields), peer_round(peer, texts, fields)) for _ in range(args.rounds + 1)]
            if len({tokens for pair in [first, *rounds] for _, tokens in pair}) != 1:
                sys.exit(f"{name} on {data}: the token counts differ")
            ours, theirs = (statistics.median(pair[side][0] for pair in rounds) for side in (0, 1))
            rows.append({"tokenizer": name, "texts": data, "fields": fields, "bytes": size, "tokens": rounds[0][0][1], "attune_mb_s": size / ours / 1e6,
                         "peer_mb_s": size / theirs / 1e6, "ratio": theirs / ours, "first_ratio": first[1][0] / first[0][0], "load": load, "rounds": [[a[0], b[0]] for a, b in rounds]})
            program.close()
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--shared", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("tokenizers", nargs="*", default=["bert", "gpt2", "roberta", "qwen2", "phi-3"])
    args = parser.parse_args()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    rows = []
    print(f"{'tokenizer':<10} {'texts':<18} {'fields':<6} {'attune':>9} {'peer':>9} {'ratio':>7}  first round")
    for name in args.tokenizers:
        for data in TEXTS:
            for row in compare(args, name, data):
                print(f"{name:<10} {data:<18} {row['fields']:<6} {row['attune_mb_s']:>7.1f}MB {row['peer_mb_s']:>7.2f}MB {row['ratio']:>6.1f}x {row['first_ratio']:>11.1f}x", flush=True)
                rows.append(row)
    result = {"machine": {"cpu": cpu, "cores": os.cpu_count(), "threads": THREADS, "load": os.getloadavg()[0]}, "about": __doc__.split("\n")[0],
              "texts": TEXTS, "peer": f"tokenizers {tokenizers.__version__}", "rows": rows}
    (HERE / "results" / "tokenizer.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
