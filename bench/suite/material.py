"""Makes what a case trains on: rows, a checkpoint from which both sides start (with the same head), and rows for the gates.

    python -m suite.material KIND FOLDER SETTINGS     # a process of its own, so that torch is not in the runner

Kinds: `banking` (banking77, 77 intents, MiniLM), `abstracts` (texts of 20 to 60 tokens, 5 classes, BERT-base shape with random weights),
`answers` (instructions with answers, GPT-2 shape of 6 layers with random weights), `lengths` and `stream` (generated rows). Each writes train.jsonl, gate.jsonl
(one batch for one step), test.jsonl where there is one, the folder start, of classifiers the folder sharp, and, with "adapter", the
folder adapter."""
import json
import random
import sys
from pathlib import Path

from suite.job import read_rows, write_rows

RANK = 8


def take(rows, count, seed):
    """So many rows in a drawn order, with at least one of every label first where the count allows it."""
    rows = list(rows)
    random.Random(seed).shuffle(rows)
    seen, first, rest = set(), [], []
    for row in rows:
        (rest if row["label"] in seen else first).append(row)
        seen.add(row["label"])
    chosen = (first + rest)[:count or len(rows)]
    random.Random(seed + 1).shuffle(chosen)
    return chosen


def one_of_each(rows, size):
    """Rows of one batch that holds every label, so that both sides see all of them."""
    return take(rows, size, 0)


SHARP = 10.0  # times the weights of a new head


def save_classifier(folder, source, labels, config=None):
    """A checkpoint with a head for the labels: the source's weights, or random ones of the shape `config`. The folder sharp gets
    the same with a larger head, for the gates."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(0)
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}
    if config is None:
        model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=len(labels), **names)
    else:
        config.update({"num_labels": len(labels), **names})
        model = AutoModelForSequenceClassification.from_config(config)
    for name, factor in (("start", 1.0), ("sharp", SHARP)):
        with torch.no_grad():
            model.classifier.weight.mul_(factor)
        model.save_pretrained(folder / name)
        AutoTokenizer.from_pretrained(source).save_pretrained(folder / name)


def save_adapter(folder, kind, targets):
    """A LoRA adapter on the checkpoint, with the sharp head where there is one. B starts at 0 as usual; A is the same on both sides
    because both read it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    torch.manual_seed(1)
    model = {"SEQ_CLS": AutoModelForSequenceClassification, "CAUSAL_LM": AutoModelForCausalLM}[kind].from_pretrained(folder / ("sharp" if kind == "SEQ_CLS" else "start"))
    adapted = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=targets, fan_in_fan_out=kind == "CAUSAL_LM", task_type=kind))
    adapted.save_pretrained(folder / "adapter")


def banking(folder, settings):
    data = Path(settings["shared"]) / "data/banking77"
    rows, test = read_rows(data / "train.jsonl") + read_rows(data / "valid.jsonl"), read_rows(data / "test.jsonl")
    write_rows(folder / "train.jsonl", take(rows, settings.get("rows"), 0))
    write_rows(folder / "gate.jsonl", one_of_each(rows, 96))
    write_rows(folder / "test.jsonl", take(test, settings.get("test_rows"), 0))
    save_classifier(folder, settings["minilm"], sorted({row["label"] for row in rows}))


def bert_tokenizer(shared, folder):
    """The folder of a fast tokenizer made of the shared tokenizer.json alone."""
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(tokenizer_file=str(Path(shared) / "tokenizers/bert/tokenizer.json"), unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
                            pad_token="[PAD]", mask_token="[MASK]").save_pretrained(folder)
    return folder


def cut_words(tokenizer, text, rng):
    """The beginning of a text that is 20 to 60 tokens long with its special tokens."""
    wanted, words = rng.randint(20, 60), text.split()
    for low in range(1, len(words) + 1):
        if len(tokenizer(" ".join(words[:low]))["input_ids"]) > wanted:
            break
    return " ".join(words[:max(1, low - 1)])


def abstracts(folder, settings):
    from transformers import AutoTokenizer, BertConfig

    source = bert_tokenizer(settings["shared"], folder / "tokenizer")
    tokenizer, rng = AutoTokenizer.from_pretrained(source), random.Random(0)
    rows = take(read_rows(Path(settings["shared"]) / "data/medical_abstracts/train.jsonl"), settings["rows"], 0)
    rows = [{"text": cut_words(tokenizer, row["text"], rng), "label": f"class {row['label']}"} for row in rows]
    write_rows(folder / "train.jsonl", rows)
    write_rows(folder / "gate.jsonl", one_of_each(rows, 32))
    (folder / "tokenizer/config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    save_classifier(folder, source, sorted({row["label"] for row in rows}), BertConfig(vocab_size=len(tokenizer)))
    if settings.get("adapter"):
        save_adapter(folder, "SEQ_CLS", ["query", "value"])


def save_gpt2(folder, shared):
    """GPT-2's shape with 6 of its 12 layers, and its tokenizer."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config(n_layer=6)).save_pretrained(folder / "start")
    end = "<|endoftext|>"
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(Path(shared) / "tokenizers/gpt2/tokenizer.json"), bos_token=end, eos_token=end, unk_token=end,
                                        pad_token=end)
    tokenizer.save_pretrained(folder / "start")
    return tokenizer


def answers(folder, settings):
    """Instructions with answers that fit whole, so that neither side cuts one."""
    tokenizer, rows = save_gpt2(folder, settings["shared"]), []
    for item in json.loads((Path(settings["shared"]) / "data/llamafactory_demo/alpaca_en_demo.json").read_text(encoding="utf-8")):
        prompt = f"### Instruction:\n{item['instruction']}\n{item.get('input') or ''}\n\n### Response:\n"
        completion = item["output"].strip()
        if completion and len(tokenizer(prompt + completion)["input_ids"]) < settings["max_length"]:
            rows.append({"prompt": prompt, "completion": completion})
    random.Random(0).shuffle(rows)
    write_rows(folder / "train.jsonl", rows[:settings["rows"]])
    write_rows(folder / "gate.jsonl", rows[:settings["batch"]])
    if settings.get("adapter"):
        save_adapter(folder, "CAUSAL_LM", ["c_attn"])


WORDS = "card account payment money bank app transfer cash machine refund charge fee code lost new old why how when can my the a is not".split()


def texts_of(lengths, seed):
    """Rows of two classes whose texts have so many words, each one token."""
    rng = random.Random(seed)
    for length in lengths:
        yield {"text": " ".join(rng.choices(WORDS, k=length)), "label": rng.choice(("no", "yes"))}


def lengths(folder, settings):
    """Files with so many texts of so many words: {"name": [[count, words], ...]}, mixed."""
    for name, groups in settings["files"].items():
        words = [length for count, length in groups for _ in range(count)]
        random.Random(0).shuffle(words)
        write_rows(folder / f"{name}.jsonl", texts_of(words, 1))
    save_classifier(folder, settings["minilm"], ["no", "yes"])


def stream(folder, settings):
    """Files with many short texts for a small model, written row by row."""
    from transformers import BertConfig

    for name, count in settings["files"].items():
        rng = random.Random(2)
        write_rows(folder / f"{name}.jsonl", texts_of((rng.randint(3, 9) for _ in range(count)), 3))
    save_classifier(folder, settings["minilm"], ["no", "yes"],
                    BertConfig(vocab_size=30522, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, max_position_embeddings=64))


KINDS = {"banking": banking, "abstracts": abstracts, "answers": answers, "lengths": lengths, "stream": stream}


if __name__ == "__main__":
    KINDS[sys.argv[1]](Path(sys.argv[2]), json.loads(sys.argv[3]))
