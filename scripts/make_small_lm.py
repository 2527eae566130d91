#!/usr/bin/env python3
"""Makes language models of 5 to 7 million parameters from nothing, sized for about half an hour each on 2 cores that do nothing else (the causal one
took 38 minutes beside other work): a causal one (Llama architecture) and a masked one (BERT). They learn texts and, in every third document, labelled examples
in context, which makes the causal one good enough to study few-shot prompting, and not the masked one (docs/prompts.md). Texts: the training files of data/, and of a folder of public data
sets if --data names one.

    scripts/make_small_lm.py causal --data FOLDER      writes build/small-lm/causal; likewise masked
    scripts/make_small_lm.py masked --dry-run          vocabulary, documents and configuration only, checked by attune
Needs the Python package tokenizers: run it with the python that scripts/reference_env.sh prints.
"""
import argparse
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from language_models import contexts, public_texts, runs, texts, vocabulary  # noqa: E402

SEED = 20260210
VOCABULARY = 8192
LENGTH = 512
TOKENS = 4096  # a step
CAUSAL = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 4,
    "head_dim": 32, "intermediate_size": 688, "hidden_act": "silu", "max_position_embeddings": LENGTH, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "initializer_range": 0.02, "attention_bias": False, "attention_dropout": 0.0, "mlp_bias": False, "tie_word_embeddings": True, "dtype": "float32",
}
MASKED = {
    "architectures": ["BertForMaskedLM"], "model_type": "bert", "hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 8, "intermediate_size": 1024,
    "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "max_position_embeddings": LENGTH, "type_vocab_size": 2,
    "layer_norm_eps": 1e-12, "initializer_range": 0.02, "dtype": "float32",
}
KINDS = {
    "causal": {"config": CAUSAL, "vocabulary": vocabulary.byte_level_bpe, "write": vocabulary.write_decoder_folder, "task": "text-generation", "learning_rate": 2e-3},
    "masked": {"config": MASKED, "vocabulary": vocabulary.word_piece, "write": vocabulary.write_encoder_folder, "task": "fill-mask", "learning_rate": 1e-3},
}


def documents(part, folder):
    """Texts and, one for every two of them, documents of examples in context; shuffled."""
    rng = random.Random(f"{SEED} {part}")
    found, labelled = texts.own_documents(part), texts.labelled_own(part)
    if folder:
        public, public_labelled = public_texts.read(folder, part)
        found, labelled = found + public, labelled + public_labelled
    found += contexts.contexts(labelled, rng, len(found) // 2)
    rng.shuffle(found)
    return found


def run_of(kind, work, steps):
    return {
        "about": f"A small {kind} language model from random weights; made by scripts/make_small_lm.py.",
        "model": {"path": str(work / "base"), "task": KINDS[kind]["task"], "init": "random"},
        "data": {"train": str(work / "train.jsonl"), "validation": str(work / "validation.jsonl"), "max_length": LENGTH},
        "training": {"max_steps": steps, "tokens_per_batch": TOKENS, "bf16": "auto", "learning_rate": KINDS[kind]["learning_rate"], "lr_scheduler_type": "cosine",
                     "warmup_steps": 0.05, "weight_decay": 0.1, "adam_beta2": 0.95, "eval_strategy": "steps", "eval_steps": 0.25, "save_strategy": "steps",
                     "save_steps": 0.25},
        "seeds": [1], "output_dir": str(work / "model"), "overwrite_output_dir": True,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--data", type=Path, help="folder of public data sets, one folder each; their test files are not read")
    parser.add_argument("--attune", type=Path, default=texts.ROOT / "build/release/attune", help="the built program")
    parser.add_argument("--output", type=Path, default=texts.ROOT / "build/small-lm", help="folder in which causal/ or masked/ is made")
    parser.add_argument("--steps", type=int, default=2000, help=f"optimiser steps of {TOKENS} tokens (default %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    if arguments.data and not arguments.data.is_dir():
        parser.error(f"--data {arguments.data}: there is no such folder")
    kind, work = KINDS[arguments.kind], arguments.output.resolve() / arguments.kind
    train = documents("train", arguments.data)
    seen = set(train)
    # A few hundred documents tell as much as thousands.
    validation = [text for text in documents("validation", arguments.data) if text not in seen][:200]
    for part, found in (("train", train), ("validation", validation)):
        texts.write_rows(work / f"{part}.jsonl", [{"text": text} for text in found])
    kind["write"](work / "base", kind["vocabulary"](train, VOCABULARY), kind["config"])
    print(f"{work}: {len(train):,} documents, {sum(map(len, train)):,} characters")
    seconds = runs.train(arguments.attune, run_of(arguments.kind, work, arguments.steps), work / "run.json", arguments.dry_run)
    if not arguments.dry_run:
        print(f"{work / 'model'}: trained for {seconds:.0f} s")


if __name__ == "__main__":
    main()
