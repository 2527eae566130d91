"""Ids, tokens and offsets of `attune tokenize` equal those of the `tokenizers` library for every text in every row of ../shared/data, with
every real tokenizer of ../shared/tokenizers that both can read. ATTUNE_TOKENIZERS=NAME,… takes fewer."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import reference as ref

import tokenizers

NAMES = ["bert", "gpt2", "roberta", "qwen2", "phi-3", "mpt", "gpt-neox"]
SHARED = Path(os.environ.get("ATTUNE_SHARED", ref.ROOT / "../shared"))
BLOCK = 2000


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def texts_of(path):
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return strings([json.loads(line) for line in content.split("\n") if line.strip()])
    if path.suffix == ".json":
        return strings(json.loads(content))
    return [content, *content.split("\n")] if path.suffix == ".txt" else []


def compare(program, name, texts, source):
    """(tokens, texts that differ) of one tokenizer."""
    folder = SHARED / "tokenizers" / name
    peer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    peer.no_truncation()
    peer.no_padding()
    count, different = 0, []
    with open(source, encoding="utf-8") as lines, subprocess.Popen([program, "tokenize", folder, "--json-lines"], stdin=lines, stdout=subprocess.PIPE,
                                                                     text=True, encoding="utf-8") as process:
        for begin in range(0, len(texts), BLOCK):
            block = texts[begin:begin + BLOCK]
            for text, theirs in zip(block, peer.encode_batch(block)):
                ours = json.loads(process.stdout.readline())
                count += len(theirs)
                if ours["ids"] != theirs.ids or ours["tokens"] != theirs.tokens or ours["offsets"] != list(map(list, theirs.offsets)):
                    different.append(text)
    return count, different


def main():
    if not SHARED.is_dir():
        print("skipped: ../shared (or ATTUNE_SHARED) is not there")
        return
    names = os.environ.get("ATTUNE_TOKENIZERS", ",".join(NAMES)).split(",")
    arguments = ref.arguments()
    files = sorted(path for path in (SHARED / "data").glob("*/*") if path.name != "SOURCE")
    texts = list(dict.fromkeys(text for path in files for text in texts_of(path)))
    print(f"{len(texts)} different texts of {len(files)} files, {sum(len(text.encode()) for text in texts) / 1e6:.1f} MB")
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as source:
        source.write("".join(json.dumps(text) + "\n" for text in texts))
        source.flush()
        for name in names:
            count, different = compare(arguments.attune, name, texts, source.name)
            for text in different[:3]:
                print(f"        {name}: {text[:200]!r}")
            ref.check(not different, f"{name}: {count} tokens, {len(different)} texts differ")


main()
