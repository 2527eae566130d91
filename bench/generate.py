"""Generation, attune beside Transformers' generate(): greedy tokens a second with kept keys, one text and eight at the same time.

generate.py ATTUNE SHARED [--rounds N]: stories260K, and a GPT-2 of 6 layers with random weights (51 M parameters). A side's speed
is new tokens / (time of NEW tokens - time of 1), so that starting, reading and prompts are not part of it; the two sides take turns.
Ids of stories260K must be equal, or nothing is reported.
"""
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

os.environ.update(OMP_NUM_THREADS="2", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
HERE = Path(__file__).resolve().parent
NEW = 128
PROMPTS = ["Once upon a time", "Lily and Tom went to the park.", "The dog was very happy because", "One day, a little boy", "Her mom said",
           "The big red ball", "It was a sunny day and", "They wanted to"]

parser = argparse.ArgumentParser()
parser.add_argument("attune")
parser.add_argument("shared", type=Path)
parser.add_argument("--rounds", type=int, default=3)
args = parser.parse_args()

import torch
import transformers as hf

hf.logging.set_verbosity_error()
torch.set_num_threads(2)


def make_gpt2(folder):
    torch.manual_seed(0)
    config = hf.GPT2Config(n_embd=512, n_layer=6, n_head=8, bos_token_id=None, eos_token_id=None)
    hf.GPT2LMHeadModel(config).save_pretrained(folder)
    source = args.shared / "tokenizers" / "gpt2"
    (folder / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())
    (folder / "generation_config.json").unlink()
    return folder


def ours(folder, prompts, new):
    file = Path(tempfile.gettempdir()) / "attune_bench_prompts.jsonl"
    file.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
    started = time.perf_counter()
    # An id that is never generated: nothing may end before its time.
    done = subprocess.run([args.attune, "generate", folder, "--file", file, "--json", "--max-new-tokens", str(new), "--eos-token-id", "999999"],
                          capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(done.stderr)
    return seconds, [json.loads(line)["ids"] for line in done.stdout.splitlines()]


class Peer:
    def __init__(self, folder):
        self.model = hf.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = hf.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), padding_side="left")
        self.model.generation_config = hf.GenerationConfig()

    def __call__(self, prompts, new):
        ids = [self.tokenizer(prompt)["input_ids"] for prompt in prompts]
        longest = max(map(len, ids))
        batch = torch.tensor([[0] * (longest - len(row)) + row for row in ids])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in ids])
        started = time.perf_counter()
        with torch.inference_mode():
            out = self.model.generate(batch, attention_mask=mask, max_new_tokens=new, do_sample=False, pad_token_id=0)
        return time.perf_counter() - started, out[:, longest:].tolist()


def speed(run, prompts):
    short, _ = run(prompts, 1)
    long, ids = run(prompts, NEW)
    return len(prompts) * (NEW - 1) / (long - short), ids


def compare(name, folder, must_be_equal):
    peer = Peer(folder)
    rows = []
    for prompts in (PROMPTS[:1], PROMPTS):
        pairs = []
        for _ in range(args.rounds):
            mine, my_ids = speed(lambda p, n: ours(folder, p, n), prompts)
            theirs, their_ids = speed(peer, prompts)
            pairs.append((mine, theirs))
            if must_be_equal and my_ids != their_ids:
                sys.exit(f"{name}: the sides generate other ids")
        mine, theirs = (statistics.median(side) for side in zip(*pairs))
        rows.append({"model": name, "texts": len(prompts), "attune_tokens_per_s": mine, "transformers_tokens_per_s": theirs, "ratio": mine / theirs,
                     "rounds": pairs, "load": os.getloadavg()[0]})
        print(f"{name}, {len(prompts)} text(s): attune {mine:.0f} tokens/s, Transformers {theirs:.0f}, ratio {mine / theirs:.2f} (load {os.getloadavg()[0]:.1f})")
    return rows


with tempfile.TemporaryDirectory() as temporary:
    gpt2 = Path(temporary) / "gpt2"
    gpt2.mkdir()
    results = compare("stories260K", args.shared / "models/stories260K/hf", True) + compare("gpt2, 6 layers", make_gpt2(gpt2), False)
(HERE / "results" / "generate.json").write_text(json.dumps({"machine": platform.processor() or platform.machine(), "threads": 2, "new_tokens": NEW,
                                                            "torch": torch.__version__, "transformers": hf.__version__, "cases": results}, indent=2) + "\n")
