"""12 steps beside the reference trainer on MiniLM (dropout 0, same order, fp32, same head): losses of steps 1-2 within 1e-4,
all 12 within 2e-3; learning rates equal."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import reference as ref

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments, set_seed

args = ref.arguments()
STEPS, BATCH, SEED, LENGTH = 12, 16, 7, 64
torch.set_num_threads(2)

with ref.workspace() as temporary:
    folder = Path(temporary)
    items = ref.rows(ref.ROOT / "data/intents/train.jsonl", STEPS * BATCH)
    ref.write_rows(folder / "train.jsonl", items)
    labels = sorted({row["label"] for row in items})

    set_seed(SEED)
    model = AutoModelForSequenceClassification.from_pretrained(
        args.model, num_labels=len(labels), id2label=dict(enumerate(labels)), label2id={l: i for i, l in enumerate(labels)},
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model.save_pretrained(folder / "start")
    tokenizer.save_pretrained(folder / "start")

    common = dict(learning_rate=1e-4, warmup_steps=0.25, weight_decay=0.01, lr_scheduler_type="linear", num_train_epochs=1,
                  per_device_train_batch_size=BATCH, logging_steps=1, max_grad_norm=1.0)
    encoded = [dict(tokenizer(row["text"], truncation=True, max_length=LENGTH), labels=labels.index(row["label"])) for row in items]
    trainer = Trainer(model=model, processing_class=tokenizer, train_dataset=encoded,
                      args=TrainingArguments(output_dir=str(folder / "hf"), seed=SEED, report_to=[], save_strategy="no", use_cpu=True,
                                             disable_tqdm=True, **common))
    trainer.train()
    theirs = [entry for entry in trainer.state.log_history if "loss" in entry]

    config = ref.write_config(folder / "run.json", model={"path": str(folder / "start")},
                              data={"train": str(folder / "train.jsonl"), "max_length": LENGTH},
                              training={**common, "eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False},
                              seeds=[SEED], threads=2, output_dir=str(folder / "ours"))
    ref.run(args.attune, "train", config, "--quiet")
    ours = ref.events(folder / "ours", "log")

ref.check(len(ours) == len(theirs) == STEPS, f"{STEPS} steps each")
for step, (mine, other) in enumerate(zip(ours, theirs), 1):
    allowed = 1e-4 if step <= 2 else 2e-3
    difference = abs(mine["loss"] - float(other["loss"]))
    ref.check(difference <= allowed, f"step {step}: loss {mine['loss']:.5f} / {float(other['loss']):.5f}, differ by {difference:.1e}")
    ref.check(abs(mine["learning_rate"] - float(other["learning_rate"])) <= 1e-12, f"step {step}: learning rate {mine['learning_rate']:.3e}")
    ref.check(abs(mine["grad_norm"] - float(other["grad_norm"])) <= 1e-2 * float(other["grad_norm"]), f"step {step}: gradient norm {mine['grad_norm']:.4f}")
