#!/usr/bin/env python3
"""Makes data/tiny-gpt, the chat-capable GPT of the project (Llama architecture, about 1 million parameters, under 3 MB), from nothing:
a byte-level BPE vocabulary and `attune train` from random weights, first on all texts of data/, then on the support chats.

    scripts/make_tiny_gpt.py                    some minutes on 2 cores; writes data/tiny-gpt
    scripts/make_tiny_gpt.py --dry-run          writes vocabulary and configurations to the work folder and checks them
Needs the Python package tokenizers: run it with the python that scripts/reference_env.sh prints.
"""
import argparse
import json
import math
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from language_models import runs, texts, vocabulary  # noqa: E402

ROOT = texts.ROOT
LIMIT = 3 * 1024 * 1024
VOCABULARY = 2048
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 32, "intermediate_size": 352, "hidden_act": "silu", "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "initializer_range": 0.02, "attention_bias": False, "attention_dropout": 0.0, "mlp_bias": False, "tie_word_embeddings": True, "dtype": "float32",
}
FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "model.safetensors")
NOTE = """\
# Tiny GPT

A language model of {parameters:,} parameters (Llama architecture, 4 layers of 128, {vocabulary:,} tokens, float16) that chats as the support of an
imaginary bank. It lets every path for GPT-type models run on a fresh machine; it knows nothing beyond the texts of data/ and is of no
other use.

**Made for this project** by `scripts/make_tiny_gpt.py`: random weights, then `attune train` on the training files of data/ (all texts, then the
support chats). No text from elsewhere went in. Licence: Apache-2.0.
"""


def language_run(base, documents, work):
    return {
        "about": "The tiny GPT, stage 1: all texts of data/ from random weights.",
        "model": {"path": str(base), "task": "text-generation", "init": "random"},
        "data": {"train": str(documents["train"]), "validation": str(documents["validation"]), "max_length": 256},
        "training": {"num_train_epochs": 2, "per_device_train_batch_size": 32, "learning_rate": 3e-3, "lr_scheduler_type": "cosine", "warmup_steps": 0.05,
                     "weight_decay": 0.1, "adam_beta2": 0.95},
        "seeds": [1], "output_dir": str(work / "language"), "overwrite_output_dir": True,
    }


def chat_run(work):
    data = ROOT / "data/support_chat"
    return {
        "about": "The tiny GPT, stage 2: the support chats.",
        "model": {"path": str(work / "language"), "task": "text-generation", "dtype": "float16"},
        "data": {"train": str(data / "train.jsonl"), "validation": str(data / "validation.jsonl"), "max_length": 512},
        "training": {"num_train_epochs": 6, "per_device_train_batch_size": 8, "learning_rate": 2e-3, "lr_scheduler_type": "cosine", "warmup_steps": 0.05,
                     "adam_beta2": 0.95},
        "seeds": [1], "output_dir": str(work / "chat"), "overwrite_output_dir": True,
    }


def count_parameters(path):
    """Of a safetensors file, from its header."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def publish(trained, output, base):
    """Copies what a model folder needs to `output`, or nothing if it is too large."""
    # The tokenizer's files as they were made; attune does not change them.
    sources = {name: (trained if name in ("model.safetensors", "config.json") else base) / name for name in FILES}
    size = sum(path.stat().st_size for path in sources.values())
    if size > LIMIT:
        sys.exit(f"error: the folder would take {size:,} bytes, at most {LIMIT:,} are allowed")
    output.mkdir(parents=True, exist_ok=True)
    for name, path in sources.items():
        shutil.copyfile(path, output / name)
    (output / "README.md").write_text(NOTE.format(parameters=count_parameters(sources["model.safetensors"]), vocabulary=VOCABULARY), encoding="utf-8")
    print(f"{output}: {size:,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attune", type=Path, default=ROOT / "build/release/attune", help="the built program")
    parser.add_argument("--work", type=Path, default=ROOT / "build/tiny-gpt", help="folder for what lies between")
    parser.add_argument("--output", type=Path, default=ROOT / "data/tiny-gpt", help="folder of the model")
    parser.add_argument("--dry-run", action="store_true", help="train nothing, write nothing to --output")
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    base = work / "base"
    documents = {part: work / f"{part}.jsonl" for part in ("train", "validation")}
    for part, path in documents.items():
        texts.write_rows(path, [{"text": text} for text in texts.own_documents(part)])
    tokenizer = vocabulary.byte_level_bpe(texts.own_documents() + texts.chat_texts(), VOCABULARY)
    vocabulary.write_decoder_folder(base, tokenizer, CONFIG)
    seconds = runs.train(arguments.attune, language_run(base, documents, work), work / "language.json", arguments.dry_run)
    if arguments.dry_run:
        return
    seconds += runs.train(arguments.attune, chat_run(work), work / "chat.json")
    publish(work / "chat", arguments.output, base)
    print(f"trained for {seconds:.0f} s")


if __name__ == "__main__":
    main()
