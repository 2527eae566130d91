"""Causal language modelling beside Transformers' Trainer (full), PEFT (lora) and TRL (sft: instructions, loss on answers only): the same
base (random GPT-2, 6 layers of 384, the real GPT-2 vocabulary), the same rows, batches of 16 of at most 128 tokens, fp32, 2 threads, no
dropout. The peers pad their batches, as their collators do. The two sides take turns; medians.

    bench/run.sh language [full|lora|sft]     # needs ../shared; sft needs trl
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
STEPS, BATCH, MAX_LENGTH, RATE, RANK, ROUNDS = 8, 16, 128, 5e-4, 8, 3
os.environ.update(OMP_NUM_THREADS="2", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")


def make_base(shared, folder, method):
    """A random GPT-2 with the real tokenizer; the paragraphs of a novel as rows, or instructions with answers."""
    import shutil

    import torch
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(n_layer=6, n_head=6, n_embd=384, n_positions=256, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0)
    GPT2LMHeadModel(config).save_pretrained(folder / "base")
    for path in (shared / "tokenizers/gpt2").iterdir():
        if path.name.startswith(("tokenizer", "vocab", "merges", "special")):
            shutil.copy(path, folder / "base")
    if method == "sft":
        rows = sft_rows(shared, AutoTokenizer.from_pretrained(folder / "base"))
    else:
        novel = next((shared / "data/frankenstein").glob("*.txt")).read_text(encoding="utf-8")
        paragraphs = [" ".join(part.split()) for part in novel.split("\n\n")]
        rows = [{"text": paragraph} for paragraph in paragraphs if len(paragraph) > 20]
    for name, chosen in {"rows.jsonl": rows, "gate.jsonl": rows[:BATCH]}.items():
        with open(folder / name, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in chosen)


def sft_rows(shared, tokenizer):
    """Instructions with answers that fit whole, so that neither side cuts one."""
    rows = []
    for item in json.load(open(shared / "data/llamafactory_demo/alpaca_en_demo.json", encoding="utf-8")):
        prompt = f"### Instruction:\n{item['instruction']}\n{item.get('input') or ''}\n\n### Response:\n"
        if item["output"].strip() and len(tokenizer(prompt + item["output"])["input_ids"]) < MAX_LENGTH:
            rows.append({"prompt": prompt, "completion": item["output"].strip()})
    return rows


def read_rows(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def training_arguments(folder, steps):
    return {"output_dir": str(folder / "peer"), "per_device_train_batch_size": BATCH, "max_steps": steps, "learning_rate": RATE,
            "lr_scheduler_type": "linear", "report_to": [], "save_strategy": "no", "logging_steps": 1, "use_cpu": True, "disable_tqdm": True}


def run_peer(folder, method, data, steps):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForLanguageModeling, Trainer, TrainingArguments

    torch.set_num_threads(2)
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(folder / "base")
    rows = read_rows(folder / data)
    if method == "sft":
        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer

        trainer = SFTTrainer(model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(rows),
                             args=SFTConfig(**training_arguments(folder, steps), max_length=MAX_LENGTH, completion_only_loss=True,
                                            gradient_checkpointing=False, bf16=False))
    else:
        if method == "lora":
            from peft import LoraConfig, get_peft_model

            model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=["c_attn"], fan_in_fan_out=True, task_type="CAUSAL_LM"))
        encoded = tokenizer([row["text"] for row in rows], truncation=True, max_length=MAX_LENGTH)["input_ids"]
        trainer = Trainer(model=model, train_dataset=[{"input_ids": ids} for ids in encoded],
                          data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
                          args=TrainingArguments(**training_arguments(folder, steps)))
    result = trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    norms = [entry["grad_norm"] for entry in trainer.state.log_history if "grad_norm" in entry]
    print(json.dumps({"seconds": result.metrics["train_runtime"], "first_loss": losses[0], "last_loss": losses[-1], "first_grad_norm": norms[0],
                      "trained": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
                      "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def attune(program, folder, method, data, steps):
    tuning = {"method": "lora", "lora": {"r": RANK, "lora_alpha": 2 * RANK, "target_modules": ["c_attn"]}} if method == "lora" else {"method": "full"}
    rows = {"train": str(folder / data), "max_length": MAX_LENGTH, "length_policy": "truncate"}
    if method != "sft":
        rows["append_eos"] = False
    config = {"model": {"path": str(folder / "base"), "task": "text-generation"}, "tuning": tuning, "data": rows,
              "training": {"per_device_train_batch_size": BATCH, "max_steps": steps, "learning_rate": RATE, "eval_strategy": "no", "save_strategy": "no",
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
    norms = [entry["grad_norm"] for entry in history if "grad_norm" in entry]
    return {"seconds": train["train_runtime"], "tokens": train["train_tokens"], "first_loss": losses[0], "last_loss": losses[-1],
            "first_grad_norm": norms[0], "peak_rss_mib": usage.ru_maxrss / 1024}


def peer(folder, method, data, steps):
    done = subprocess.run([sys.executable, __file__, "--peer", method, str(folder), data, str(steps)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"the peer failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def gate(program, folder, method):
    """One step on one batch that is the whole data: order does not matter, so losses and gradient norms must be the same.

    The Trainer divides the sum over the predicted tokens by the number of labels, and where a row's first token has a label, that nothing
    predicts, it counts too: its figures are put right here."""
    ours, theirs = attune(program, folder, method, "gate.jsonl", 1), peer(folder, method, "gate.jsonl", 1)
    counted = 1.0 if method == "sft" else ours["tokens"] / (ours["tokens"] - BATCH)
    loss = abs(ours["first_loss"] / (theirs["first_loss"] * counted) - 1)
    norm = abs(ours["first_grad_norm"] / (theirs["first_grad_norm"] * counted) - 1)
    result = {"attune": ours, "peer": theirs, "loss_difference": loss, "grad_norm_difference": norm,
              "passed": loss <= 1e-4 and (method == "lora" or norm <= 1e-2) and ours["first_grad_norm"] > 0}
    if not result["passed"]:
        sys.exit(f"{method}: the two sides do not train the same: {json.dumps(result)}")
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer")
    parser.add_argument("arguments", nargs="+")
    args = parser.parse_args()
    if args.peer:
        folder, data, steps = args.arguments
        return run_peer(Path(folder), args.peer, data, int(steps))
    program, shared, *methods = args.arguments
    print(f"{'case':<6} {'attune':>10} {'peer':>10} {'unit':<9} {'ratio':>6}  memory")
    for method in methods or ["full", "lora", "sft"]:
        with tempfile.TemporaryDirectory(prefix="attune-bench-") as temporary:
            folder = Path(temporary)
            make_base(Path(shared), folder, method)
            gated = gate(program, folder, method)
            pairs = []
            for round_ in range(ROUNDS):
                pairs.append((attune(program, folder, method, "rows.jsonl", STEPS), peer(folder, method, "rows.jsonl", STEPS)))
                print(f"  round {round_ + 1}: load {os.getloadavg()[0]:.2f}", file=sys.stderr)
        # The same rows and steps on both sides in another order: tokens differ a little, so attune's count serves both.
        ours, theirs = (statistics.median(pair[0]["tokens"] / pair[side]["seconds"] for pair in pairs) for side in (0, 1))
        memory = statistics.median(a["peak_rss_mib"] for a, _ in pairs) / statistics.median(b["peak_rss_mib"] for _, b in pairs)
        row = {"case": method, "about": __doc__.split("\n\n")[0], "unit": "tokens/s", "attune": ours, "peer": theirs, "ratio": ours / theirs,
               "memory_ratio": memory, "steps": STEPS, "gate": gated, "rounds": pairs}
        (HERE / f"results/language_{method}.json").write_text(json.dumps(row, indent=1) + "\n")
        print(f"{method:<6} {ours:>10.0f} {theirs:>10.0f} {'tokens/s':<9} {ours / theirs:>5.2f}x  {memory:.2f}x", flush=True)


main()
