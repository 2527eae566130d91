"""12 steps beside the reference trainer on MiniLM (dropout 0, same order, same head), in float32 and in bf16. Learning rates are
equal. float32: losses of steps 1-2 within 1e-4, all 12 within 2e-3, gradient norms within 1 %. bf16: losses within 1e-3 (seen:
1.1e-4), gradient norms within 1 %; and attune's bf16 is at most 3 times as far from its float32 as the reference's is from its own."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import reference as ref

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments, set_seed

args = ref.arguments()
STEPS, BATCH, SEED, LENGTH = 12, 16, 7, 64
COMMON = dict(learning_rate=1e-4, warmup_steps=0.25, weight_decay=0.01, lr_scheduler_type="linear", num_train_epochs=1,
              per_device_train_batch_size=BATCH, logging_steps=1, max_grad_norm=1.0)
torch.set_num_threads(2)


def reference_steps(folder, encoded, tokenizer, bf16):
    model = AutoModelForSequenceClassification.from_pretrained(folder / "start")
    trainer = Trainer(model=model, processing_class=tokenizer, train_dataset=encoded,
                      args=TrainingArguments(output_dir=str(folder / "hf"), seed=SEED, report_to=[], save_strategy="no", use_cpu=True,
                                             disable_tqdm=True, bf16=bf16, **COMMON))
    trainer.train()
    return [{key: float(entry[key]) for key in ("loss", "grad_norm", "learning_rate")}
            for entry in trainer.state.log_history if "loss" in entry]


def attune_steps(folder, bf16):
    out = folder / f"ours-{bf16}"
    config = ref.write_config(folder / "run.json", model={"path": str(folder / "start")},
                              data={"train": str(folder / "train.jsonl"), "max_length": LENGTH},
                              training={**COMMON, "bf16": bf16, "eval_strategy": "no", "save_strategy": "no",
                                        "load_best_model_at_end": False},
                              seeds=[SEED], threads=2, output_dir=str(out))
    ref.run(args.attune, "train", config, "--quiet")
    return ref.events(out, "log")


def worst(one, other):
    return max(abs(a["loss"] - b["loss"]) for a, b in zip(one, other))


def compare(name, ours, theirs, allowed_loss, allowed_norm):
    ref.check(len(ours) == len(theirs) == STEPS, f"{name}: {STEPS} steps each")
    for step, (mine, other) in enumerate(zip(ours, theirs), 1):
        difference = abs(mine["loss"] - other["loss"])
        ref.check(difference <= allowed_loss(step), f"{name} step {step}: loss {mine['loss']:.5f} / {other['loss']:.5f}, differ by {difference:.1e}")
        ref.check(abs(mine["learning_rate"] - other["learning_rate"]) <= 1e-12, f"{name} step {step}: learning rate {mine['learning_rate']:.3e}")
        ref.check(abs(mine["grad_norm"] - other["grad_norm"]) <= allowed_norm * other["grad_norm"],
                  f"{name} step {step}: gradient norm {mine['grad_norm']:.4f} / {other['grad_norm']:.4f}")


with ref.workspace() as temporary:
    folder = Path(temporary)
    items = ref.rows(ref.ROOT / "data/intents/train.jsonl", STEPS * BATCH)
    ref.write_rows(folder / "train.jsonl", items)
    labels = sorted({row["label"] for row in items})

    set_seed(SEED)
    start = AutoModelForSequenceClassification.from_pretrained(
        args.model, num_labels=len(labels), id2label=dict(enumerate(labels)), label2id={l: i for i, l in enumerate(labels)},
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    start.save_pretrained(folder / "start")
    tokenizer.save_pretrained(folder / "start")
    encoded = [dict(tokenizer(row["text"], truncation=True, max_length=LENGTH), labels=labels.index(row["label"])) for row in items]

    theirs, ours = reference_steps(folder, encoded, tokenizer, False), attune_steps(folder, False)
    compare("float32", ours, theirs, lambda step: 1e-4 if step <= 2 else 2e-3, 1e-2)
    theirs_half, ours_half = reference_steps(folder, encoded, tokenizer, True), attune_steps(folder, True)
    compare("bf16", ours_half, theirs_half, lambda step: 1e-3, 1e-2)
    moved, their_move = worst(ours_half, ours), worst(theirs_half, theirs)
    ref.check(0 < moved <= 3 * their_move, f"bf16 moves losses by up to {moved:.1e}, the reference's by {their_move:.1e}")
