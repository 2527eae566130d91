"""The peer: Transformers' Trainer as a user writes it. Prints one JSON line at the end of the first step and one at the end."""
import argparse
import json
import resource
import time

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--train", required=True)
parser.add_argument("--output", required=True)
parser.add_argument("--max-length", type=int, default=128)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--max-steps", type=int, default=-1)
parser.add_argument("--epochs", type=float, default=1)
parser.add_argument("--learning-rate", type=float, default=2e-4)
parser.add_argument("--warmup", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--no-dropout", action="store_true")
parser.add_argument("--group-by-length", action="store_true")
parser.add_argument("--test")
args = parser.parse_args()

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainerCallback, TrainingArguments

torch.set_num_threads(args.threads)
rows = [json.loads(line) for line in open(args.train, encoding="utf-8")]
labels = sorted({row["label"] for row in rows})
tokenizer = AutoTokenizer.from_pretrained(args.model)
dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0} if args.no_dropout else {}
torch.manual_seed(args.seed)
model = AutoModelForSequenceClassification.from_pretrained(args.model, num_labels=len(labels), **dropout)


def encode(items):
    encoded = tokenizer([row["text"] for row in items], truncation=True, max_length=args.max_length)
    return [{"input_ids": ids, "attention_mask": mask, "labels": labels.index(row["label"])}
            for ids, mask, row in zip(encoded["input_ids"], encoded["attention_mask"], items)]


class FirstStep(TrainerCallback):
    def on_step_end(self, arguments, state, control, **kwargs):
        if state.global_step == 1:
            print(json.dumps({"first_step": time.time()}), flush=True)


train = encode(rows)
trainer = Trainer(
    model=model, processing_class=tokenizer, train_dataset=train, callbacks=[FirstStep()],
    args=TrainingArguments(output_dir=args.output, per_device_train_batch_size=args.batch, max_steps=args.max_steps, num_train_epochs=args.epochs,
                           learning_rate=args.learning_rate, warmup_steps=args.warmup, lr_scheduler_type="linear", seed=args.seed, report_to=[],
                           save_strategy="no", logging_steps=1 if 0 < args.max_steps < 50 else 500, use_cpu=True, disable_tqdm=True,
                           train_sampling_strategy="group_by_length" if args.group_by_length else "random"))
result = trainer.train()
losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
out = {"seconds": result.metrics["train_runtime"], "steps": trainer.state.global_step, "losses": losses,
       "tokens_per_epoch": sum(len(row["input_ids"]) for row in train),
       "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
if args.test:
    test = [json.loads(line) for line in open(args.test, encoding="utf-8")]
    predictions = trainer.predict(encode(test)).predictions.argmax(-1)
    out["test_accuracy"] = float(sum(labels[p] == row["label"] for p, row in zip(predictions, test)) / len(test))
print(json.dumps(out), flush=True)
