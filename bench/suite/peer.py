"""The peers, as a user of the reference libraries writes them: Transformers' Trainer, PEFT, TRL's SFTTrainer, scikit-learn on embeddings.

    python -m suite.peer FILE     # {"job", "variant", "output"}; prints JSON lines: one after the first step, one at the end
"""
import json
import sys
import time

from suite.job import read_rows


def say(**fields):
    print(json.dumps(fields), flush=True)


class Counter:
    """Counts what every training step was given, and when it ended."""

    def __init__(self):
        self.tokens, self.supervised, self.ends = [], [], []

    def attach(self, trainer):
        from transformers import TrainerCallback

        counter, step = self, trainer.training_step

        def counted_step(model, inputs, *rest, **named):
            mask, labels = inputs.get("attention_mask"), inputs["labels"]
            counter.tokens.append(int(mask.sum()) if mask is not None else inputs["input_ids"].numel())
            counter.supervised.append(int((labels != -100).sum()))
            return step(model, inputs, *rest, **named)

        class Ends(TrainerCallback):
            def on_step_end(self, arguments, state, control, **_):
                counter.ends.append(time.time())
                if len(counter.ends) == 1:
                    say(first_step=counter.ends[0])

        trainer.training_step = counted_step
        trainer.add_callback(Ends())
        return trainer

    def steady_tokens_per_second(self):
        """Over the second half of the steps: without what is only paid once, such as compiling."""
        half = len(self.ends) // 2
        return sum(self.tokens[half:]) / (self.ends[-1] - self.ends[half - 1]) if half else None


def training_arguments(job, variant, output):
    return {"output_dir": output, "per_device_train_batch_size": job["batch"], "num_train_epochs": job["epochs"], "max_steps": job["max_steps"],
            "learning_rate": job["rate"], "warmup_steps": job["warmup"], "lr_scheduler_type": "linear", "seed": job["seed"],
            "bf16": variant.get("bf16", job["bf16"]), "train_sampling_strategy": "group_by_length" if variant.get("grouped") else "random",
            "torch_compile": bool(variant.get("compile")), "report_to": [], "save_strategy": "no", "logging_steps": job["logging_steps"],
            "use_cpu": True, "disable_tqdm": True}


def load(job, variant, kind, **more):
    """A model of the job's checkpoint, with the dropout and attention that are asked for."""
    if not job["dropout"]:
        more.update({"embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0} if job["task"] in ("sft", "text")
                    else {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    if variant.get("attention"):
        more["attn_implementation"] = variant["attention"]
    model = kind.from_pretrained(job["model"], **more)
    if job["adapter"]:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, job["adapter"], is_trainable=True)
    return model


def freeze(model, trained):
    """Only the head (with the pooler, as attune has it), or only so many last layers and what comes behind them, keep their gradients."""
    if trained == "all":
        return
    layers = model.config.num_hidden_layers
    first = layers if trained == "head" else layers - trained
    frozen = ["embeddings."] + [f"encoder.layer.{i}." for i in range(first)]
    for name, parameter in model.base_model.named_parameters():
        if name.startswith(tuple(frozen)):
            parameter.requires_grad_(False)


def encode(tokenizer, rows, labels, max_length):
    encoded = tokenizer([row["text"] for row in rows], truncation=True, max_length=max_length)
    return [{"input_ids": ids, "attention_mask": mask, "labels": labels[row["label"]]}
            for ids, mask, row in zip(encoded["input_ids"], encoded["attention_mask"], rows)]


def classifier_parts(job):
    """The tokenizer, and the checkpoint's numbers of the labels; a checkpoint without them gets those of the rows."""
    from transformers import AutoConfig, AutoTokenizer

    labels = sorted({row["label"] for row in read_rows(job["train"])})
    known = AutoConfig.from_pretrained(job["model"]).label2id
    return AutoTokenizer.from_pretrained(job["model"]), known if set(labels) <= set(known) else {label: i for i, label in enumerate(labels)}


def make_classifier_trainer(job, variant, output, train, tokenizer, labels):
    from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments

    model = load(job, variant, AutoModelForSequenceClassification, num_labels=len(labels))
    freeze(model, job["trained"])
    return Trainer(model=model, processing_class=tokenizer, train_dataset=train, args=TrainingArguments(**training_arguments(job, variant, output)))


def encode_answers(tokenizer, rows, max_length):
    """Prompts with completions as one text whose labels are those of the completion, as TRL encodes them."""
    encoded = []
    for row in rows:
        prompt, whole = (tokenizer(text)["input_ids"] for text in (row["prompt"], row["prompt"] + row["completion"] + tokenizer.eos_token))
        shared = next((i for i, (one, other) in enumerate(zip(prompt, whole)) if one != other), len(prompt))
        encoded.append({"input_ids": whole[:max_length], "labels": ([-100] * shared + whole[shared:])[:max_length]})
    return encoded


def make_language_trainer(job, variant, output):
    """TRL's trainer, or (`plain`) Transformers' without TRL's metrics over all logits."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForSeq2Seq, Trainer, TrainingArguments
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    model = load(job, variant, AutoModelForCausalLM)
    arguments = training_arguments(job, variant, output)
    if variant.get("plain"):
        return Trainer(model=model, processing_class=tokenizer, train_dataset=encode_answers(tokenizer, read_rows(job["train"]), job["max_length"]),
                       data_collator=DataCollatorForSeq2Seq(tokenizer), args=TrainingArguments(**arguments))
    arguments["per_device_train_batch_size"] = variant.get("batch", job["batch"])
    return SFTTrainer(model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(read_rows(job["train"])),
                      args=SFTConfig(**arguments, max_length=job["max_length"], completion_only_loss=job["task"] == "sft", gradient_checkpointing=False,
                                     packing=bool(variant.get("packing"))))


def train(trainer):
    """Trains and returns what was done."""
    counter = Counter()
    result = counter.attach(trainer).train()
    history = trainer.state.log_history
    return {"seconds": result.metrics["train_runtime"], "steps": trainer.state.global_step, "tokens": sum(counter.tokens),
            "supervised": sum(counter.supervised), "train_loss": result.training_loss, "steady_tokens_per_s": counter.steady_tokens_per_second(),
            "losses": [entry["loss"] for entry in history if "loss" in entry],
            "grad_norms": [float(entry["grad_norm"]) for entry in history if "grad_norm" in entry],
            "trained": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)}


def accuracy(trainer, rows):
    output = trainer.predict(rows)
    return float((output.predictions.argmax(-1) == output.label_ids).mean())


def classification(job, variant, output):
    tokenizer, labels = classifier_parts(job)
    trainer = make_classifier_trainer(job, variant, output, encode(tokenizer, read_rows(job["train"]), labels, job["max_length"]), tokenizer, labels)
    done = train(trainer)
    if job["test"]:
        done["accuracy"] = accuracy(trainer, encode(tokenizer, read_rows(job["test"]), labels, job["max_length"]))
    if variant.get("save"):
        trainer.save_model(output)
    return done


def language(job, variant, output):
    return train(make_language_trainer(job, variant, output))


def folds_of(job, rows):
    import numpy
    from sklearn.model_selection import StratifiedKFold

    labels = numpy.array([row["labels"] for row in rows])
    return labels, StratifiedKFold(job["folds"], shuffle=True, random_state=job["seed"]).split(labels, labels)


def folds(job, variant, output):
    """A loop of trainings in one process; the texts are tokenised once."""
    tokenizer, labels = classifier_parts(job)
    rows = encode(tokenizer, read_rows(job["train"]), labels, job["max_length"])
    started, right, done = time.time(), 0.0, []
    for chosen, held_out in folds_of(job, rows)[1]:
        trainer = make_classifier_trainer(job, variant, output, [rows[i] for i in chosen], tokenizer, labels)
        done.append(train(trainer))
        right += accuracy(trainer, [rows[i] for i in held_out]) * len(held_out)
    work = time.time() - started
    return {"work": work, "seconds": work, "folds": len(done), "steps": sum(fold["steps"] for fold in done), "tokens": sum(fold["tokens"] for fold in done),
            "trained": done[0]["trained"], "accuracy": right / len(rows)}


def embeddings(job, variant, rows, tokenizer):
    """What the head reads (the pooled first token), computed once, texts of about the same length together."""
    import torch
    from transformers import AutoModelForSequenceClassification

    model = load(job, variant, AutoModelForSequenceClassification).eval()
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    pooled = torch.empty(len(rows), model.config.hidden_size)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=job["bf16"]):
        for start in range(0, len(order), 64):
            chosen = order[start:start + 64]
            batch = tokenizer.pad([{"input_ids": rows[i]["input_ids"], "attention_mask": rows[i]["attention_mask"]} for i in chosen], return_tensors="pt")
            pooled[chosen] = model.base_model(**batch).pooler_output.float()
    return pooled.numpy()


def sklearn_folds(job, variant, output):
    """Logistic regression per fold over embeddings that are computed once."""
    from sklearn.linear_model import LogisticRegression

    tokenizer, labels = classifier_parts(job)
    rows = encode(tokenizer, read_rows(job["train"]), labels, job["max_length"])
    started = time.time()
    features = embeddings(job, variant, rows, tokenizer)
    embedded = time.time()
    targets, splits = folds_of(job, rows)
    right, count = 0, 0
    for chosen, held_out in splits:
        model = LogisticRegression(max_iter=1000).fit(features[chosen], targets[chosen])
        right += int((model.predict(features[held_out]) == targets[held_out]).sum())
        count += 1
    ended = time.time()
    return {"work": ended - started, "seconds": ended - embedded, "fit_seconds": ended - embedded, "folds": count, "accuracy": right / len(rows)}


def evaluation(job, variant, output):
    from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding, Trainer, TrainingArguments

    tokenizer, labels = classifier_parts(job)
    rows = encode(tokenizer, read_rows(job["train"]), labels, job["max_length"])
    if variant.get("grouped"):
        rows.sort(key=lambda row: len(row["input_ids"]))
    trainer = Trainer(model=load(job, variant, AutoModelForSequenceClassification), data_collator=DataCollatorWithPadding(tokenizer),
                      args=TrainingArguments(output_dir=output, per_device_eval_batch_size=job["batch"], bf16=job["bf16"] and not variant.get("whole"),
                                             bf16_full_eval=job["bf16"] and bool(variant.get("whole")), torch_compile=bool(variant.get("compile")),
                                             report_to=[], use_cpu=True, disable_tqdm=True))
    started = time.time()
    result = trainer.predict(rows)
    return {"seconds": time.time() - started, "rows": len(rows), "tokens": sum(len(row["input_ids"]) for row in rows),
            "accuracy": float((result.predictions.argmax(-1) == result.label_ids).mean()), "loss": result.metrics["test_loss"]}


def token_rows(job, variant, output):
    """Ids, and what is learned of them, as the peer encodes the rows: [[ids, learned or []]]."""
    if job["task"] in ("sft", "text"):
        data = make_language_trainer(job, variant, output).train_dataset
        return [[list(row["input_ids"]), [label != -100 for label in row["labels"]]] for row in data]
    tokenizer, labels = classifier_parts(job)
    return [[row["input_ids"], []] for row in encode(tokenizer, read_rows(job["train"]), labels, job["max_length"])]


def choose(job, variant):
    if variant.get("token_rows"):
        return lambda *parts: {"rows": token_rows(*parts)}
    if job["folds"]:
        return sklearn_folds if variant.get("sklearn") else folds
    return {"classification": classification, "sft": language, "text": language, "evaluation": evaluation}[job["task"]]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        asked = json.load(file)
    job = asked["job"]
    work = choose(job, asked["variant"])
    import torch

    torch.set_num_threads(job["threads"])
    torch.manual_seed(job["seed"])  # of a head that the checkpoint lacks
    say(**work(job, asked["variant"], asked["output"]))


if __name__ == "__main__":
    main()
