"""Causal language modelling and LoRA beside Transformers' Trainer and PEFT: the same base (random GPT-2, 6 layers of 384, the real GPT-2
vocabulary), the same paragraphs, batches of 16 rows of at most 128 tokens, fp32, 2 threads, no dropout. The peer pads its batches, as its
collator does. The two sides take turns; medians.

    bench/run.sh language [full|lora]     # needs ../shared
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
STEPS, BATCH, MAX_LENGTH, RATE, RANK, ROUNDS = 30, 16, 128, 5e-4, 8, 3
os.environ.update(OMP_NUM_THREADS="2", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")


def make_base(shared, folder):
    """A random GPT-2 with the real tokenizer, and the paragraphs of a novel as rows."""
    import shutil

    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(n_layer=6, n_head=6, n_embd=384, n_positions=256, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0)
    GPT2LMHeadModel(config).save_pretrained(folder / "base")
    for path in (shared / "tokenizers/gpt2").iterdir():
        if path.name.startswith(("tokenizer", "vocab", "merges", "special")):
            shutil.copy(path, folder / "base")
    novel = next((shared / "data/frankenstein").glob("*.txt")).read_text(encoding="utf-8")
    paragraphs = [" ".join(part.split()) for part in novel.split("\n\n")]
    with open(folder / "rows.jsonl", "w", encoding="utf-8") as out:
        for paragraph in paragraphs:
            if len(paragraph) > 20:
                out.write(json.dumps({"text": paragraph}) + "\n")


def run_peer(folder, method):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForLanguageModeling, Trainer, TrainingArguments

    torch.set_num_threads(2)
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(folder / "base")
    if method == "lora":
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=["c_attn"], fan_in_fan_out=True, task_type="CAUSAL_LM"))
    rows = [json.loads(line)["text"] for line in open(folder / "rows.jsonl", encoding="utf-8")]
    train = [{"input_ids": ids} for ids in tokenizer(rows, truncation=True, max_length=MAX_LENGTH)["input_ids"]]
    trainer = Trainer(model=model, train_dataset=train, data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
                      args=TrainingArguments(output_dir=str(folder / "peer"), per_device_train_batch_size=BATCH, max_steps=STEPS, learning_rate=RATE,
                                             lr_scheduler_type="linear", report_to=[], save_strategy="no", logging_steps=1, use_cpu=True,
                                             disable_tqdm=True))
    result = trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    print(json.dumps({"seconds": result.metrics["train_runtime"], "first_loss": losses[0], "last_loss": losses[-1],
                      "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def attune(program, folder, method):
    tuning = {"method": "lora", "lora": {"r": RANK, "lora_alpha": 2 * RANK, "target_modules": ["c_attn"]}} if method == "lora" else {"method": "full"}
    config = {"model": {"path": str(folder / "base"), "task": "text-generation"}, "tuning": tuning,
              "data": {"train": str(folder / "rows.jsonl"), "max_length": MAX_LENGTH, "append_eos": False, "length_policy": "truncate"},
              "training": {"per_device_train_batch_size": BATCH, "max_steps": STEPS, "learning_rate": RATE, "eval_strategy": "no", "save_strategy": "no",
                           "load_best_model_at_end": False, "logging_steps": 1},
              "threads": 2, "output_dir": str(folder / "attune"), "overwrite_output_dir": True}
    (folder / "run.json").write_text(json.dumps(config))
    process = subprocess.Popen([program, "train", str(folder / "run.json"), "--json", "--quiet"], stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"attune failed with status {status}")
    train = json.loads(out)["train"]
    history = json.loads((folder / "attune/trainer_state.json").read_text())["log_history"]
    losses = [entry["loss"] for entry in history if "loss" in entry]
    return {"seconds": train["train_runtime"], "tokens": train["train_tokens"], "first_loss": losses[0], "last_loss": losses[-1],
            "peak_rss_mib": usage.ru_maxrss / 1024}


def peer(folder, method):
    done = subprocess.run([sys.executable, __file__, "--peer", method, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer")
    parser.add_argument("arguments", nargs="+")
    args = parser.parse_args()
    if args.peer:
        return run_peer(Path(args.arguments[0]), args.peer)
    program, shared, *methods = args.arguments
    print(f"{'case':<6} {'attune':>10} {'peer':>10} {'unit':<9} {'ratio':>6}  memory")
    for method in methods or ["full", "lora"]:
        with tempfile.TemporaryDirectory(prefix="attune-bench-") as temporary:
            folder = Path(temporary)
            make_base(Path(shared), folder)
            pairs = []
            for round_ in range(ROUNDS):
                pairs.append((attune(program, folder, method), peer(folder, method)))
                print(f"  round {round_ + 1}: load {os.getloadavg()[0]:.2f}", file=sys.stderr)
        ours, theirs = (statistics.median(pair[0]["tokens"] / pair[side]["seconds"] for pair in pairs) for side in (0, 1))
        memory = statistics.median(a["peak_rss_mib"] for a, _ in pairs) / statistics.median(b["peak_rss_mib"] for _, b in pairs)
        row = {"case": method, "about": __doc__.split("\n\n")[0], "unit": "tokens/s", "attune": ours, "peer": theirs, "ratio": ours / theirs,
               "memory_ratio": memory, "steps": STEPS, "rounds": pairs}
        (HERE / f"results/language_{method}.json").write_text(json.dumps(row, indent=1) + "\n")
        print(f"{method:<6} {ours:>10.0f} {theirs:>10.0f} {'tokens/s':<9} {ours / theirs:>5.2f}x  {memory:.2f}x", flush=True)


main()
