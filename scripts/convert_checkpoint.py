#!/usr/bin/env python3
"""Converts the pickle weights of a checkpoint folder (pytorch_model.bin, its shards, or one .pt/.pth/.ckpt file) to safetensors.

usage: python scripts/convert_checkpoint.py FOLDER [--overwrite]

attune reads safetensors only, because pickle files can run code when they are opened. This script opens them with
torch.load(weights_only=True), which unpickles tensors and plain containers and nothing else (torch 2.10 or newer; older releases had
holes in it). The old files stay where they are. Needs the Python packages torch and safetensors.
"""
import argparse
import json
import os
import pathlib
import re
import sys

INDEX = "pytorch_model.bin.index.json"
WRAPPERS = ("state_dict", "model", "module")  # keys under which training scripts hide the weights
# Layers that a model with tied embeddings ties again when it is loaded; any other twin is stored as a copy of its own.
RETIED = re.compile(r"(^|\.)(lm_head|lm_head\.decoder|predictions\.decoder|generator_lm_head|vocab_projector|embed_out|embed_tokens)\.weight$")
MINIMUM_TORCH = (2, 10)


def stop(message):
    sys.exit(f"error: {message}")


def pickle_files(folder):
    """The files to read: the shards that the index names, pytorch_model.bin, or the only other pickle in the folder."""
    index = folder / INDEX
    if index.exists():
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        for name in names:
            if name != os.path.basename(name) or name in ("", ".", ".."):
                stop(f"{index}: '{name}' is not the plain name of a file")
        return [folder / name for name in names]
    if (folder / "pytorch_model.bin").exists():
        return [folder / "pytorch_model.bin"]
    others = sorted(p for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".ckpt") and p.name != "training_args.bin")
    if len(others) != 1:
        stop(f"{folder}: expected pytorch_model.bin or one .pt, .pth or .ckpt file, found {[p.name for p in others] or 'none'}")
    return others


def state_dict_of(path):
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the unpickler refuses
        # torch's own text recommends weights_only=False; only its reason is passed on.
        reason = re.search(r"(GLOBAL|Unsupported) [^\n]*?(?=\. |\n|$)", str(error))
        stop(f"{path}: refused: {reason.group() if reason else type(error).__name__}; it is damaged or holds more than tensors, get it as safetensors")
    for key in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict):
        stop(f"{path}: expected a dictionary of tensors, found {type(content).__name__}")
    dropped = [name for name, value in content.items() if not isinstance(value, torch.Tensor)]
    if dropped:
        print(f"{path.name}: left out {len(dropped)} entries that are not tensors: {', '.join(map(str, dropped[:5]))}")
    return {name: value for name, value in content.items() if isinstance(value, torch.Tensor)}


def ties_embeddings(config_path):
    if not config_path.exists():
        return False
    return json.loads(config_path.read_text(encoding="utf-8")).get("tie_word_embeddings", True)


def separate(tensors, tied):
    """Tensors that share one storage: an output layer tied to the embeddings is dropped, anything else gets its own copy."""
    kept, seen = {}, {}
    for name, tensor in tensors.items():
        key = (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()), tensor.dtype)
        twin = seen.get(key) if tensor.numel() else None
        if twin is not None and tied and RETIED.search(name):
            print(f"tied: '{name}' is '{twin}', stored once")
            continue
        seen.setdefault(key, name)
        kept[name] = tensor.clone().contiguous() if twin or tensor.untyped_storage().nbytes() != tensor.nbytes else tensor.contiguous()
    return kept


def write(path, save):
    """Calls save(temporary path) and gives the finished file its name."""
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}-0")
    try:
        save(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_tensors(path, tensors):
    from safetensors.torch import save_file

    write(path, lambda temporary: save_file(tensors, temporary, metadata={"format": "pt"}))
    print(f"wrote {path}: {len(tensors)} tensors, {sum(t.nbytes for t in tensors.values()):,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--overwrite", action="store_true", help="replace safetensors files that are there")
    options = parser.parse_args()
    if not options.folder.is_dir():
        stop(f"{options.folder}: not a folder")
    try:
        import safetensors  # noqa: F401
        import torch
    except ImportError as error:
        stop(f"the Python package '{error.name}' is missing; pip install torch safetensors")
    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if version < MINIMUM_TORCH:
        stop(f"torch {torch.__version__} has known holes in weights_only loading; install torch {MINIMUM_TORCH[0]}.{MINIMUM_TORCH[1]} or newer")

    paths = pickle_files(options.folder)
    targets = ["model.safetensors"] if len(paths) == 1 else [f"model-{i:05}-of-{len(paths):05}.safetensors" for i in range(1, len(paths) + 1)]
    for target in targets:
        if (options.folder / target).exists() and not options.overwrite:
            stop(f"{options.folder / target}: exists already; remove it or give --overwrite")
    tied = ties_embeddings(options.folder / "config.json")
    weight_map, size, parameters = {}, 0, 0
    for path, target in zip(paths, targets):
        tensors = separate(state_dict_of(path), tied)
        if not tensors:
            stop(f"{path}: no tensors in it")
        repeated = set(tensors) & set(weight_map)
        if repeated:
            stop(f"{path}: tensor '{min(repeated)}' is in another shard, too")
        write_tensors(options.folder / target, tensors)
        weight_map.update({name: target for name in tensors})
        size += sum(tensor.nbytes for tensor in tensors.values())
        parameters += sum(tensor.numel() for tensor in tensors.values())
    if len(paths) > 1:
        index = {"metadata": {"total_parameters": parameters, "total_size": size}, "weight_map": weight_map}
        target = options.folder / "model.safetensors.index.json"
        write(target, lambda temporary: temporary.write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8"))
        print(f"wrote {target}")
    print("done; the pickle files are still there and are no longer needed")


if __name__ == "__main__":
    main()
