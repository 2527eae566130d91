"""Models that attune loaded and saved open in Transformers without missing or unexpected keys, with bit-equal logits.

saved_models.py --attune PROGRAM [--model FOLDER]: attune_probe is looked for beside PROGRAM (tests/attune_probe)."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers as hf

hf.logging.set_verbosity_error()
hf.utils.logging.disable_progress_bar()
torch.set_num_threads(1)

HEADS = ("ForSequenceClassification", "ForTokenClassification", "ForMaskedLM", "ForQuestionAnswering", "Model")
BERT = dict(vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=24)
CONFIGS = {
    "Bert": hf.BertConfig(**BERT),
    "DistilBert": hf.DistilBertConfig(vocab_size=60, dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=24),
    "Electra": hf.ElectraConfig(**BERT, embedding_size=16),
}
HALVES = {"Bert": torch.bfloat16, "Electra": torch.float16}  # these, once more in another format


def outputs(model):
    ids = torch.arange(1, 25).view(2, 12)
    with torch.no_grad():
        return [value for value in model.eval()(input_ids=ids).values() if isinstance(value, torch.Tensor)]


def configuration(model):
    return {key: repr(value) for key, value in model.config.to_dict().items() if key != "_name_or_path"}


def open_model(cls, folder):
    model, info = cls.from_pretrained(folder, output_loading_info=True)
    return model, {key: value for key, value in info.items() if value}


def resave(probe, folder, out):
    """The probe's row for "/resave/": loads the folder for the head that its config.json names, and saves it."""
    subprocess.run([probe, folder, out], check=True)


def check(name, cls, original, saved):
    before, _ = open_model(cls, original)
    after, problems = open_model(cls, saved)
    if problems:
        return f"{name}: {problems}"
    if not all(torch.equal(a, b) for a, b in zip(outputs(before), outputs(after), strict=True)):
        return f"{name}: other outputs"
    old, new = configuration(before), configuration(after)
    if old != new:
        return f"{name}: other configuration: {dict(old.items() ^ new.items())}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attune", required=True)
    parser.add_argument("--model", help="a real base model, checked too")
    args = parser.parse_args()
    probe = str(Path(args.attune).resolve().parent / "tests" / "attune_probe")
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        cases = []
        for stem, config in CONFIGS.items():
            for head in HEADS:
                cls = getattr(hf, stem + head)
                torch.manual_seed(len(cases))
                path = os.path.join(folder, "resave", stem + head)
                cls(config).save_pretrained(path)
                cases.append((stem + head, cls, path))
                if stem in HALVES:
                    path += "-half"
                    cls(config).to(HALVES[stem]).save_pretrained(path)
                    cases.append((stem + head + "-half", cls, path))
        if args.model:
            link = os.path.join(folder, "resave", "real")
            os.symlink(os.path.abspath(args.model), link)
            cases.append(("real", hf.AutoModel, link))
        for name, cls, path in cases:
            saved = os.path.join(folder, "saved", name)
            os.makedirs(saved)
            resave(probe, path, saved)
            failures.append(check(name, cls, path, saved))
    failures = [failure for failure in failures if failure]
    print("\n".join(failures) or f"{len(cases)} saved models open in Transformers with the same outputs")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
