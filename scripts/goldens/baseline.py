"""Goldens of the baselines, from scikit-learn: words, TF-IDF weights and the probabilities of logistic regression."""

import json
import os
from pathlib import Path

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline

ODD_TEXTS = ["", "a I x", "Don't e-mail me, O'Neill!", "ab_c __ _x 12 1 a1", "GRÖSSE Größe ΟΔΥΣΣΕΥΣ Σ ΑΣ İstanbul Dž ǅa", "naïve nai\u0308ve café cafe\u0301",
             "\u0661\u0662 \u00bd\u00be \u2167\u2168 \u00b2\u00b3 x\u00b2", "日本語 の テキスト 中文", "क्षण हिन्दी ไทย", "tabs\tand\nlines\u00a0here\u200bzero",
             "👍🏽 ok👍ok", "ＦＵＬＬ ｗｉｄｔｈ ª º ⁿ ₂₃", "\U0001d4d0\U0001d4d1 \U00010400\U00010401", "Ａ_ſﬁ ŉeen"]


def regression(**options):
    return LogisticRegression(tol=1e-8, max_iter=10000, **options)


def fitted(texts, labels, weights=None, **options):
    model = make_pipeline(TfidfVectorizer(), regression(**options))
    return model.fit(texts, labels, logisticregression__sample_weight=weights)


def sentences(random, rows, classes):
    """Texts whose words lean to their class."""
    words = ["card", "money", "transfer", "lost", "PIN", "Überweisung", "rate", "fee", "top", "up", "app", "cash", "ATM", "euro", "déjà", "x"]
    labels = random.integers(0, classes, rows)
    lean = random.dirichlet(np.full(len(words), 0.5), classes)
    texts = [" ".join(words[i] for i in random.choice(len(words), random.integers(2, 9), p=lean[label])) for label in labels]
    return texts, labels.tolist()


def regression_case(name, random, classes, rows=60, weighted=False, c=1.0, absent=None):
    texts, labels = sentences(random, rows, classes)
    if absent is not None:  # a class of the data set that has no row
        classes, labels = classes + 1, [label + (label >= absent) for label in labels]
    weights = np.round(random.uniform(0, 3, rows), 3) if weighted else None
    model = fitted(texts, labels, weights, C=c)
    asked, _ = sentences(random, 12, 2)
    probabilities = np.zeros((len(asked), classes))
    probabilities[:, model.classes_] = model.predict_proba(asked)
    prior = np.zeros(classes)
    prior[model.classes_] = DummyClassifier(strategy="prior").fit(texts, labels, weights).class_prior_
    return {"name": name, "classes": classes, "c": c, "texts": texts, "labels": labels, "weights": [] if weights is None else weights.tolist(),
            "asked": asked, "probabilities": probabilities.ravel().tolist(), "prior": prior.tolist()}


def vectors(random):
    texts, _ = sentences(random, 10, 2)
    texts = texts + ODD_TEXTS
    vectorizer = TfidfVectorizer().fit(texts)
    analyzer = vectorizer.build_analyzer()
    asked = ["card card card fee unknown", "nothing known", "", *ODD_TEXTS]
    weights = vectorizer.transform(asked)
    return {"texts": texts, "words_of": [analyzer(text) for text in texts], "words": vectorizer.get_feature_names_out().tolist(),
            "idf": vectorizer.idf_.tolist(), "asked": asked,
            "rows": [[[int(c), float(v)] for c, v in sorted(zip(weights[i].indices, weights[i].data))] for i in range(len(asked))]}


def banking77(folder):
    """What the pipeline reaches on BANKING77, where it lies beside the project."""
    rows = {name: [json.loads(line) for line in (folder / f"{name}.jsonl").open(encoding="utf-8")] for name in ("train", "test")}
    column = lambda name, key: [row[key] for row in rows[name]]
    model = fitted(column("train", "text"), column("train", "label"))
    probabilities = model.predict_proba(column("test", "text"))
    return {"accuracy": accuracy_score(column("test", "label"), model.predict(column("test", "text"))),
            "log_loss": log_loss(column("test", "label"), probabilities, labels=model.classes_),
            "first": probabilities[0].tolist()}


def dump(path, case):
    text = json.dumps(case, ensure_ascii=False, allow_nan=False)
    path.write_text(text.replace('{"name"', '\n{"name"') + "\n", encoding="utf-8")


def write(folder: Path):
    random = np.random.default_rng(20261130)
    dump(folder / "vectors.json", vectors(random))
    dump(folder / "regression.json", [
        regression_case("two classes", random, 2), regression_case("five classes", random, 5),
        regression_case("two classes, weighted", random, 2, weighted=True), regression_case("three classes, weighted", random, 3, weighted=True),
        regression_case("a weak penalty", random, 3, c=100.0), regression_case("a strong penalty", random, 4, c=0.05),
        regression_case("a class without rows", random, 3, absent=1), regression_case("one of two classes of three", random, 2, absent=0)])
    shared = Path(os.environ.get("ATTUNE_SHARED", folder.resolve().parents[3] / "shared")) / "data" / "banking77"
    if shared.is_dir():
        dump(folder / "banking77.json", banking77(shared))
    else:
        print(f"left out banking77.json: there is no {shared}")
