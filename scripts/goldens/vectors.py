"""Goldens of few-example tuning, from SetFit and scikit-learn (scripts/reference_env.sh setfit).

pairs.json: [{"labels", "options" (of ContrastiveDataset), "pairs": [[first, second, alike]]}], and permutations of numpy.
setfit.json: rows, texts that are asked, and runs of SetFit's Trainer on tests/goldens/app/tiny_bert without dropout: {"settings",
"normalize" (the body has a module Normalize), "losses" and "grad_norms" of all steps, "vectors" of the asked texts before and after,
"probabilities" of the head}.
prototypes.json: [{"distance", "columns", "values", "labels", "weights", "asked", "probabilities"}] in double precision.
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
from setfit.sampler import ContrastiveDataset

ROOT = Path(__file__).resolve().parents[2]
BODY = ROOT / "tests" / "goldens" / "app" / "tiny_bert"
ROWS = [("my card is lost", "card"), ("card lost again please", "card"), ("the card does not help", "card"), ("i want my card", "card"),
        ("where is my refund", "refund"), ("refund please", "refund"), ("i want my refund now", "refund"), ("where is the refund again", "refund"),
        ("change my address", "address"), ("address change please", "address"), ("i want to change my address now", "address"), ("my address again", "address")]
ASKED = ["my card again", "refund now please", "the address is lost", "help"]
RUNS = [dict(settings=dict(num_iterations=2, batch_size=8), normalize=False),
        dict(settings=dict(sampling_strategy="unique", num_epochs=2, batch_size=16, seed=7), normalize=True),
        dict(settings=dict(sampling_strategy="undersampling", max_steps=5, batch_size=10, seed=3), normalize=False)]
LEARNING_RATE = 1e-3


def pair_case(labels, **options):
    made = ContrastiveDataset([str(i) for i in range(len(labels))], labels, False, **options)
    return {"labels": labels, "options": options, "pairs": [[int(p["sentence_1"]), int(p["sentence_2"]), int(p["label"])] for p in made]}


def pairs():
    uneven = [0] * 5 + [2] * 3 + [1]
    mixed = np.random.default_rng(3).integers(0, 4, 30).tolist()
    cases = [pair_case(uneven, sampling_strategy=strategy) for strategy in ("oversampling", "undersampling", "unique")]
    cases += [pair_case(uneven, num_iterations=2), pair_case(uneven, num_iterations=9), pair_case(mixed, num_iterations=3),
              pair_case(uneven, sampling_strategy="oversampling", max_pairs=21), pair_case(mixed, sampling_strategy="unique", max_pairs=100)]
    permutations = [{"count": n, "seed": seed, "order": np.random.RandomState(seed).permutation(n).tolist()} for n, seed in ((1, 0), (2, 42), (33, 42), (100, 7))]
    return {"cases": cases, "permutations": permutations}


def body_folder(folder, normalize):
    """The tiny BERT without dropout. A folder without modules.json is pooled by the mean."""
    shutil.copytree(BODY, folder)
    config = json.loads((folder / "config.json").read_text())
    config.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    (folder / "config.json").write_text(json.dumps(config))
    if normalize:
        parts = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
        modules = [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"} for i, (path, name) in enumerate(parts)]
        (folder / "modules.json").write_text(json.dumps(modules))
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": config["hidden_size"], "pooling_mode_mean_tokens": True}))
    return str(folder)


def setfit_run(folder, settings, normalize):
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from setfit import SetFitModel, Trainer, TrainingArguments
    from setfit.compat import losses
    from sklearn.linear_model import LogisticRegression
    from transformers import TrainerCallback

    seen = {"losses": [], "grad_norms": []}

    class RecordedLoss(losses.CosineSimilarityLoss):
        def forward(self, *args, **kwargs):
            loss = super().forward(*args, **kwargs)
            seen["losses"].append(float(loss.detach()))
            return loss

    class Norms(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **kwargs):
            if "grad_norm" in logs:
                seen["grad_norms"].append(float(logs["grad_norm"]))

    body = SentenceTransformer(body_folder(folder / "body", normalize), device="cpu")
    before = body.encode(ASKED)
    model = SetFitModel(model_body=body, model_head=LogisticRegression(tol=1e-8, max_iter=10000))
    arguments = TrainingArguments(output_dir=str(folder / "out"), loss=RecordedLoss, body_learning_rate=LEARNING_RATE, report_to="none", logging_steps=1,
                                  save_strategy="no", show_progress_bar=False, **settings)
    rows = Dataset.from_dict({"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]})
    Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[Norms()]).train()
    assert list(model.model_head.classes_) == sorted({label for _, label in ROWS})
    return dict(settings=settings, normalize=normalize, **seen, before=before.tolist(), after=body.encode(ASKED).tolist(),
                probabilities=np.asarray(model.predict_proba(ASKED, as_numpy=True)).tolist())


def setfit():
    import torch

    torch.set_num_threads(1)
    runs = []
    for run in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            runs.append(setfit_run(Path(folder), **run))
    return {"rows": [{"text": text, "label": label} for text, label in ROWS], "asked": ASKED, "learning_rate": LEARNING_RATE, "runs": runs}


def prototypes():
    random = np.random.default_rng(20261130)
    cases = []
    for distance in ("cosine", "euclidean"):
        values, labels, weights = random.normal(size=(9, 4)), [0, 0, 0, 1, 1, 3, 3, 3, 3], np.round(random.uniform(0.5, 2, 9), 3)
        asked = random.normal(size=(5, 4))
        if distance == "cosine":
            values, asked = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (values, asked))
        logits = np.full((5, 4), -np.inf)
        for label in set(labels):
            mine = np.array(labels) == label
            mean = np.average(values[mine], axis=0, weights=weights[mine])
            far = 1 - asked @ mean / np.linalg.norm(mean) if distance == "cosine" else ((asked - mean) ** 2).sum(1)
            logits[:, label] = -far
        probabilities = np.exp(logits - logits.max(1, keepdims=True))
        cases.append({"distance": distance, "columns": 4, "classes": 4, "values": values.ravel().tolist(), "labels": labels, "weights": weights.tolist(),
                      "asked": asked.ravel().tolist(), "probabilities": (probabilities / probabilities.sum(1, keepdims=True)).ravel().tolist()})
    return cases


def write(folder):
    for name, made in (("pairs", pairs()), ("prototypes", prototypes()), ("setfit", setfit())):
        (folder / f"{name}.json").write_text(json.dumps(made) + "\n", encoding="utf-8")
