"""The scripts that make language models from nothing: the same texts give the same vocabulary, chats are rendered with the spans of what
the assistant says, examples in context are as promised, and small models train and open in Transformers."""
import collections
import random
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import reference as ref

sys.path.insert(0, str(ref.ROOT / "scripts"))
from language_models import contexts, texts, vocabulary

from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

CLASSES = {"masked": AutoModelForMaskedLM, "causal": AutoModelForCausalLM}
args = ref.arguments()


def script(name, *arguments):
    done = subprocess.run([sys.executable, ref.ROOT / "scripts" / name, "--attune", args.attune, *map(str, arguments)], capture_output=True, text=True)
    ref.require(done.returncode == 0, f"{name} {' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def check_vocabulary(folder):
    documents = texts.own_documents()
    for name in ("once", "again"):
        vocabulary.write_decoder_folder(folder / name, vocabulary.byte_level_bpe(documents, 600), {"max_position_embeddings": 64})
    ref.check((folder / "once/tokenizer.json").read_bytes() == (folder / "again/tokenizer.json").read_bytes(), "the same texts give the same vocabulary")
    tokenizer = AutoTokenizer.from_pretrained(folder / "once")
    text = "Ich habe £31.95 verloren – naïve 日本"
    ref.check(tokenizer.decode(tokenizer(text)["input_ids"]) == text, "text comes back from its tokens")
    ref.check(len(tokenizer("2026")["input_ids"]) == 4, "every digit is a token")
    chat = texts.read_rows(texts.DATA / "support_chat/test.jsonl")[0]["messages"]
    encoded = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
    learned = tokenizer.decode([token for token, said in zip(encoded["input_ids"], encoded["assistant_masks"]) if said])
    ref.check(learned == "".join(message["content"] + vocabulary.END for message in chat if message["role"] == "assistant"), "spans hold what the assistant says")


def check_contexts():
    rows = texts.labelled_own()
    labels = collections.defaultdict(set)
    for name, text, label in rows:
        labels[" ".join(text.split())].add(label.replace("_", " "))
    documents = contexts.contexts(rows, random.Random(1), 300)
    ref.check(documents == contexts.contexts(rows, random.Random(1), 300) and len(documents) == 300, "300 documents of examples, the same with the same seed")
    lettered = 0
    for document in documents:
        meanings = collections.defaultdict(set)
        for text, spoken in examples_of(document):
            meanings[spoken].add(frozenset(labels[text]))
            ref.require(spoken in set("ABCDE") or spoken in labels[text], f"{text!r} is labelled {spoken!r}")
        lettered += all(spoken in set("ABCDE") for spoken in meanings)
        for spoken, sets in meanings.items():
            ref.require(frozenset.intersection(*sets), f"{spoken!r} has several meanings in {document!r}")
    ref.check(60 < lettered < 140, f"{lettered} of 300 documents call their labels by letters; every label has one meaning in a document")


def examples_of(document):
    if " => " in document:
        return [line.rsplit(" => ", 1) for line in document.split("\n")]
    return re.findall(r"(?:Text|Input): (.*)\n(?:Label|Answer): (.*)", document)


def check_models(folder):
    for kind, model_class in CLASSES.items():
        script("make_small_lm.py", kind, "--output", folder, "--dry-run")
        ref.check(not (folder / kind / "model").exists(), f"{kind}: a dry run trains nothing")
        script("make_small_lm.py", kind, "--output", folder, "--steps", 2)
        model, info = model_class.from_pretrained(folder / kind / "model", output_loading_info=True)
        ref.check(not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), f"{kind}: opens in Transformers")
        parameters = sum(parameter.numel() for parameter in model.parameters())
        ref.check(5e6 < parameters < 10e6, f"{kind}: {parameters:,} parameters")


with ref.workspace() as temporary:
    check_vocabulary(Path(temporary))
    check_contexts()
    check_models(Path(temporary))
    script("make_tiny_gpt.py", "--work", Path(temporary) / "tiny", "--output", Path(temporary) / "none", "--dry-run")
    ref.check(not (Path(temporary) / "none").exists(), "make_tiny_gpt.py: a dry run passes and writes no model")
