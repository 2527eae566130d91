"""Training on a GPU beside Transformers' Trainer (and PEFT): the same random weights, rows and number of steps, fp32 and bf16.

    python3 bench/gpu.py ATTUNE SHARED [--rounds N] [--seconds S] [--steps-scale X] [--out FILE] [CASE…]

ATTUNE is a program built with -DATTUNE_CUDA=ON, SHARED the folder with tokenizers/{bert,gpt2} and data/{banking77,frankenstein}.
Cases: cls32 cls256 (a MiniLM-shaped encoder, full, batches of 32 and 256 short texts, dropout 0.1) lm (GPT-2-small-shaped, full,
16 paragraphs of at most 128 tokens) lora (the same with LoRA r=8); each in fp32 and bf16. The sides take turns, and so do the
cases: a round goes through all of them, and no round begins after S seconds. Medians. What counts are real tokens a second from the
end of step WARM to the end of the last step: on both sides the first steps load kernels. The peer is one process for all cases, so
that importing it is paid once; from the second round on its kernels are loaded, attune's never are. It pads its batches, as its
collator does. attune's hashes of the weights at steps 32, 64, … are part of its time, as is logging every step on both sides.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
WARM, RANK, MAX_LENGTH = 20, 8, 128
CASES = {  # base, batch, steps, method
    "cls32": ("bert", 32, 220, "full"),
    "cls256": ("bert", 256, 100, "full"),
    "lm": ("gpt2", 16, 80, "full"),
    "lora": ("gpt2", 16, 100, "lora"),
}


def make_bert(shared, folder):
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    rows = [json.loads(line) for line in open(shared / "data/banking77/train.jsonl", encoding="utf-8")]
    labels = sorted({row["label"] for row in rows})
    torch.manual_seed(0)
    config = BertConfig(vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
                        num_labels=len(labels), id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)})
    BertForSequenceClassification(config).save_pretrained(folder)
    shutil.copy(shared / "tokenizers/bert/tokenizer.json", folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "BertTokenizerFast", "do_lower_case": True, "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]",
        "unk_token": "[UNK]", "mask_token": "[MASK]"}))
    with open(folder / "rows.jsonl", "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps({"text": row["text"], "label": row["label"]}) + "\n")


def make_gpt2(shared, folder):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config(embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0)).save_pretrained(folder)
    shutil.copy(shared / "tokenizers/gpt2/tokenizer.json", folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "GPT2TokenizerFast", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}))
    novel = next((shared / "data/frankenstein").glob("*.txt")).read_text(encoding="utf-8")
    with open(folder / "rows.jsonl", "w", encoding="utf-8") as out:
        for part in novel.split("\n\n"):
            paragraph = " ".join(part.split())
            if len(paragraph) > 20:
                out.write(json.dumps({"text": paragraph}) + "\n")


def attune(program, base, work, batch, steps, method, bf16):
    is_lm = base.name == "gpt2"
    tuning = {"method": "full"}
    if method == "lora":
        tuning = {"method": "lora", "lora": {"r": RANK, "lora_alpha": 2 * RANK, "target_modules": ["c_attn"]}}
    data = {"train": str(base / "rows.jsonl"), "max_length": MAX_LENGTH}
    if is_lm:
        data.update(append_eos=False, length_policy="truncate")
    config = {"model": {"path": str(base), "task": "text-generation" if is_lm else "text-classification"}, "tuning": tuning, "data": data,
              "training": {"per_device_train_batch_size": batch, "max_steps": steps, "learning_rate": 1e-4, "eval_strategy": "no",
                           "save_strategy": "no", "load_best_model_at_end": False, "logging_steps": 1, "bf16": bf16},
              "device": "cuda", "seeds": [42], "output_dir": str(work / "attune"), "overwrite_output_dir": True}
    (work / "run.json").write_text(json.dumps(config))
    started = time.time()
    process = subprocess.Popen([program, "train", str(work / "run.json"), "--json", "--progress", "json"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    times, losses, said = {}, [], []
    for line in process.stderr:
        now = time.time()
        event = json.loads(line) if line.startswith("{") else {"event": ""}
        if event["event"] == "step":
            times[event["step"]] = now
        elif event["event"] == "log":
            losses.append(event["loss"])
        elif not event["event"]:
            said.append(line)
    out = process.stdout.read()
    if process.wait() != 0:
        raise RuntimeError(f"attune failed: {''.join(said)[-600:]}")
    result = json.loads(out)
    tokens = result["train"]["train_tokens"]
    return {"seconds": times[steps] - times[WARM], "tokens": tokens * (steps - WARM) / steps, "first_loss": losses[0], "last_loss": losses[-1],
            "gpu_peak": result.get("gpu_memory_peak"), "whole": time.time() - started}


def peer_case(base, work, batch, steps, method, bf16):
    import torch
    from transformers import (AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, DataCollatorForLanguageModeling,
                              DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments)

    started = time.time()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    tokenizer = AutoTokenizer.from_pretrained(base)
    rows = [json.loads(line) for line in open(base / "rows.jsonl", encoding="utf-8")]
    texts = [row["text"] for row in rows]
    if base.name == "gpt2":
        tokenizer.pad_token = tokenizer.eos_token
        model = AutoModelForCausalLM.from_pretrained(base)
        if method == "lora":
            from peft import LoraConfig, get_peft_model

            model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=["c_attn"], fan_in_fan_out=True,
                                                     task_type="CAUSAL_LM"))
        train = [{"input_ids": ids} for ids in tokenizer(texts, truncation=True, max_length=MAX_LENGTH)["input_ids"]]
        more = {"data_collator": DataCollatorForLanguageModeling(tokenizer, mlm=False)}
    else:
        model = AutoModelForSequenceClassification.from_pretrained(base)
        encoded = tokenizer(texts, truncation=True, max_length=MAX_LENGTH)
        train = [{"input_ids": ids, "attention_mask": mask, "labels": model.config.label2id[row["label"]]}
                 for ids, mask, row in zip(encoded["input_ids"], encoded["attention_mask"], rows)]
        more = {"processing_class": tokenizer}
    times, tokens = {}, []
    collate = more.pop("data_collator", None) or DataCollatorWithPadding(tokenizer)

    def counted(rows):
        tokens.append(sum(len(row["input_ids"]) for row in rows))
        return collate(rows)

    class Times(TrainerCallback):
        def on_step_end(self, arguments, state, control, **kwargs):
            if state.global_step in (WARM, steps):
                torch.cuda.synchronize()
                times[state.global_step] = time.time()

    trainer = Trainer(model=model, train_dataset=train, callbacks=[Times()], data_collator=counted, **more,
                      args=TrainingArguments(output_dir=str(work / "peer"), per_device_train_batch_size=batch, max_steps=steps, learning_rate=1e-4,
                                             lr_scheduler_type="linear", seed=42, report_to=[], save_strategy="no", logging_steps=1, bf16=bf16,
                                             disable_tqdm=True))
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {"seconds": times[steps] - times[WARM], "tokens": sum(tokens[WARM:steps]), "first_loss": losses[0], "last_loss": losses[-1],
            "gpu_peak": torch.cuda.max_memory_allocated(), "whole": time.time() - started}


def serve():
    """The peer's process: a line of JSON asks for a case, a line answers."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print is no answer
    for line in sys.stdin:
        case = json.loads(line)
        try:
            answer = peer_case(Path(case["base"]), Path(case["work"]), case["batch"], case["steps"], case["method"], case["bf16"])
        except Exception as error:  # one case must not end the others
            answer = {"error": f"{type(error).__name__}: {error}"[:600]}
        print(json.dumps(answer), file=answers, flush=True)


def median(pairs, side, key):
    return statistics.median(pair[side][key] for pair in pairs)


def summary(title, batch, steps, pairs):
    ours, theirs = (median(pairs, side, "tokens") / median(pairs, side, "seconds") for side in (0, 1))
    memory = median(pairs, 0, "gpu_peak") / median(pairs, 1, "gpu_peak") if pairs[0][0]["gpu_peak"] else None
    return {"case": title, "unit": "tokens/s", "attune": ours, "peer": theirs, "ratio": ours / theirs, "memory_ratio": memory,
            "step_ms": [1e3 * median(pairs, side, "seconds") / (steps - WARM) for side in (0, 1)], "batch": batch, "steps": steps,
            "rounds": pairs}


def show(results):
    print(f"{'case':<12} {'attune':>9} {'peer':>9} tokens/s {'ratio':>6}  {'ms a step':>13}  memory rounds  first loss")
    for row in results:
        first = [row["rounds"][0][side]["first_loss"] for side in (0, 1)]
        print(f"{row['case']:<12} {row['attune']:>9.0f} {row['peer']:>9.0f} {row['ratio']:>14.2f}x  {row['step_ms'][0]:>5.1f} / {row['step_ms'][1]:>5.1f}  "
              f"{row['memory_ratio'] or float('nan'):>5.2f}x {len(row['rounds']):>6}  {first[0]:.4f} {first[1]:.4f}")


def main():
    if sys.argv[1:] == ["--serve"]:
        return serve()
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("shared", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--steps-scale", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("cases", nargs="*")
    args = parser.parse_intermixed_args()
    begin = time.time()
    measured = {}
    with tempfile.TemporaryDirectory(prefix="attune-bench-") as temporary:
        work = Path(temporary)
        bases = {"bert": make_bert, "gpt2": make_gpt2}
        for name, make in bases.items():
            (work / name).mkdir()
            make(args.shared, work / name)
        log = open(work / "peer.log", "w", encoding="utf-8")
        peer = subprocess.Popen([sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        wanted = [(name, bf16) for name in args.cases or CASES for bf16 in (False, True)]
        for number in range(args.rounds):
            for name, bf16 in wanted:
                if time.time() - begin > args.seconds:
                    break
                base, batch, steps, method = CASES[name]
                steps = max(WARM + 5, round(steps * args.steps_scale))
                title = f"{name} {'bf16' if bf16 else 'fp32'}"
                try:
                    ours = attune(args.program, work / base, work, batch, steps, method, bf16)
                    case = {"base": str(work / base), "work": str(work), "batch": batch, "steps": steps, "method": method, "bf16": bf16}
                    print(json.dumps(case), file=peer.stdin, flush=True)
                    theirs = json.loads(peer.stdout.readline() or '{"error": "the peer ended"}')
                    if "error" in theirs:
                        raise RuntimeError(f"peer failed: {theirs['error']}")
                except (RuntimeError, KeyError, ValueError) as error:
                    print(f"{title}: {error}", flush=True)
                    continue
                measured.setdefault((title, batch, steps), []).append((ours, theirs))
                print(f"round {number + 1} {title}: {ours['seconds']:.2f} s, peer {theirs['seconds']:.2f} s; with loading "
                      f"{ours['whole']:.1f} s, peer {theirs['whole']:.1f} s; at {time.time() - begin:.0f} s", flush=True)
            results = [summary(*key, pairs) for key, pairs in measured.items()]
            if args.out:
                args.out.write_text(json.dumps(results, indent=1) + "\n")
        peer.stdin.close()
        peer.wait()
    show(results)


main()
