"""Goldens of the metrics module: predictions and what scikit-learn, seqeval and scipy make of them."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import scipy.special
import scipy.stats
import seqeval.metrics as entity_metrics
import sklearn.metrics as m
from sklearn.preprocessing import label_binarize

ECE_BINS = 15


def number(value):
    return float(value) if math.isfinite(value) else None


def expected_calibration_error(gold, probabilities, weights):
    edges = np.linspace(0, 1, ECE_BINS + 1)
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (top > low) & (top <= high)
        if weights[inside].sum() > 0:
            gap = np.average(right[inside], weights=weights[inside]) - np.average(top[inside], weights=weights[inside])
            error += weights[inside].sum() / weights.sum() * abs(gap)
    return error


def classification_case(name, gold, predicted, probabilities, weights=None):
    gold, predicted, probabilities = np.array(gold), np.array(predicted), np.array(probabilities)
    rows, classes = probabilities.shape
    w = np.ones(rows) if weights is None else np.array(weights)
    every = list(range(classes))
    share = [w[gold == c].sum() / w.sum() for c in every]
    average = {
        f"{metric}_{kind}": function(gold, predicted, average=kind, zero_division=0, sample_weight=w)
        for metric, function in (("f1", m.f1_score), ("precision", m.precision_score), ("recall", m.recall_score))
        for kind in ("macro", "micro", "weighted")
    }
    one_hot = label_binarize(gold, classes=every) if classes > 2 else None
    values = {
        "accuracy": m.accuracy_score(gold, predicted, sample_weight=w),
        "majority_rate": max(share),
        "f1": average["f1_macro"],
        **{key: average[key] for key in ("f1_macro", "f1_micro", "f1_weighted", "precision_macro", "recall_macro",
                                         "precision_weighted", "recall_weighted")},
        "mcc": m.matthews_corrcoef(gold, predicted, sample_weight=w),
        "ece": expected_calibration_error(gold, probabilities, w),
        "log_loss": m.log_loss(gold, probabilities, labels=every, sample_weight=w),
        "brier": m.brier_score_loss(gold, probabilities, labels=every, sample_weight=w),
    }
    if classes == 2:
        positive = dict(average="binary", pos_label=1, zero_division=0, sample_weight=w)
        values |= {
            "roc_auc": m.roc_auc_score(gold, probabilities[:, 1], sample_weight=w),
            "pr_auc": m.average_precision_score(gold, probabilities[:, 1], sample_weight=w),
            "precision_positive": m.precision_score(gold, predicted, **positive),
            "recall_positive": m.recall_score(gold, predicted, **positive),
            "f1_positive": m.f1_score(gold, predicted, **positive),
        }
    else:
        present = [c for c in every if (gold == c).any()]
        auc = [m.roc_auc_score(one_hot[:, c], probabilities[:, c], sample_weight=w) for c in present]
        values["roc_auc"] = np.mean(auc)
        values["pr_auc"] = np.mean([m.average_precision_score(one_hot[:, c], probabilities[:, c], sample_weight=w) for c in present])
        if len(present) == classes and weights is None:  # scikit-learn's own one-vs-rest call refuses absent classes
            assert abs(values["roc_auc"] - m.roc_auc_score(gold, probabilities, multi_class="ovr", average="macro")) < 1e-12
    curve = []
    if classes == 2 and w[gold == 1].sum() > 0:
        at, found, thresholds = m.precision_recall_curve(gold, probabilities[:, 1], pos_label=1, sample_weight=w)
        curve = [[t, p, r] for t, p, r in zip(thresholds.tolist(), at.tolist(), found.tolist())]
    precision, recall, f1, support = m.precision_recall_fscore_support(gold, predicted, labels=every, zero_division=0, sample_weight=w)
    return {
        "name": name, "classes": classes, "gold": gold.tolist(), "predicted": predicted.tolist(),
        "probabilities": probabilities.ravel().tolist(), "weights": [] if weights is None else w.tolist(),
        "values": {key: number(value) for key, value in values.items()},
        "per_class": {"precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(), "support": support.tolist()},
        "thresholds": curve,
        "confusion_matrix": m.confusion_matrix(gold, predicted, labels=every, sample_weight=w).tolist(),
    }


def classification(random):
    def softmax_case(name, rows, classes, decimals=6, gold_classes=None, never=(), weighted=False):
        gold = random.integers(0, gold_classes or classes, rows)
        logits = random.normal(size=(rows, classes))
        logits[np.arange(rows), gold] += 1.2
        logits[:, list(never)] = -8
        probabilities = np.round(scipy.special.softmax(logits, axis=1), decimals)
        probabilities[:, 0] = np.round(1 - probabilities[:, 1:].sum(axis=1), 10)
        weights = np.round(random.uniform(0.2, 3, rows), 3) if weighted else None
        return classification_case(name, gold, probabilities.argmax(axis=1), probabilities, weights)

    certain = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    return [
        softmax_case("binary", 60, 2),
        softmax_case("binary with ties", 60, 2, decimals=1),
        softmax_case("five classes", 90, 5),
        softmax_case("five classes with ties", 90, 5, decimals=1),
        softmax_case("a class without gold rows", 50, 4, gold_classes=3),
        softmax_case("a class never predicted", 50, 4, never=[2]),
        softmax_case("a class neither gold nor predicted", 40, 4, gold_classes=3, never=[3]),
        softmax_case("weighted rows", 50, 3, weighted=True),
        softmax_case("weighted rows, binary, ties", 50, 2, decimals=1, weighted=True),
        classification_case("only one gold class", [1, 1, 1], [1, 1, 0], [[0.2, 0.8], [0.4, 0.6], [0.7, 0.3]]),
        classification_case("only negatives, all right", [0, 0], [0, 0], [[0.9, 0.1], [0.8, 0.2]]),
        classification_case("certain and wrong", [0, 0, 1, 1], [0, 1, 0, 0], certain),
        classification_case("one row", [2], [1], [[0.1, 0.6, 0.3]]),
        classification_case("a threshold other than the top", [0, 1, 1, 0], [1, 1, 1, 0], [[0.6, 0.4], [0.3, 0.7], [0.55, 0.45], [0.9, 0.1]]),
    ]


def multilabel_case(name, gold, probabilities, weights=None):
    gold, probabilities = np.array(gold), np.array(probabilities)
    predicted = (probabilities > 0.5).astype(int)
    w = np.ones(len(gold)) if weights is None else np.array(weights)
    score = lambda function, kind: function(gold, predicted, average=kind, zero_division=0, sample_weight=w)
    values = {
        "accuracy": m.accuracy_score(gold, predicted, sample_weight=w),
        "subset_accuracy": m.accuracy_score(gold, predicted, sample_weight=w),
        "hamming_loss": m.hamming_loss(gold, predicted, sample_weight=w),
        "f1": score(m.f1_score, "macro"),
        **{f"f1_{kind}": score(m.f1_score, kind) for kind in ("macro", "micro", "weighted", "samples")},
        **{f"precision_{kind}": score(m.precision_score, kind) for kind in ("macro", "micro")},
        **{f"recall_{kind}": score(m.recall_score, kind) for kind in ("macro", "micro")},
        "roc_auc": m.roc_auc_score(gold, probabilities, average="macro", sample_weight=w),
        "pr_auc": m.average_precision_score(gold, probabilities, average="macro", sample_weight=w),
    }
    return {"name": name, "labels": gold.shape[1], "gold": gold.ravel().tolist(), "predicted": predicted.ravel().tolist(),
            "probabilities": probabilities.ravel().tolist(), "weights": [] if weights is None else w.tolist(),
            "values": {key: number(value) for key, value in values.items()}}


def multilabel(random):
    gold = random.integers(0, 2, (40, 4))
    near = np.round(np.clip(gold * 0.4 + random.uniform(0, 0.6, gold.shape), 0, 1), 2)
    constant = gold.copy()
    constant[:, 2] = 0
    return [multilabel_case("four labels", gold, near),
            multilabel_case("weighted rows", gold, near, np.round(random.uniform(0.2, 3, 40), 3)),
            multilabel_case("a label that no row has", constant, near),
            multilabel_case("rows without labels", [[0, 0], [0, 0], [1, 1]], [[0.1, 0.2], [0.9, 0.1], [0.7, 0.2]])]


def regression_case(name, gold, predicted):
    gold, predicted = np.array(gold, float), np.array(predicted, float)
    correlated = len(gold) > 1
    values = {
        "mse": m.mean_squared_error(gold, predicted), "rmse": m.root_mean_squared_error(gold, predicted),
        "mae": m.mean_absolute_error(gold, predicted), "r2": m.r2_score(gold, predicted),
        "pearson": scipy.stats.pearsonr(gold, predicted).statistic if correlated else math.nan,
        "spearman": scipy.stats.spearmanr(gold, predicted).statistic if correlated else math.nan,
    }
    return {"name": name, "gold": gold.tolist(), "predicted": predicted.tolist(),
            "values": {key: number(value) for key, value in values.items()}}


def regression(random):
    gold = random.normal(size=40)
    return [regression_case("normal", gold, gold + random.normal(size=40)),
            regression_case("ties", random.integers(0, 5, 50), random.integers(0, 5, 50)),
            regression_case("far from zero", gold + 1e6, gold * 0.5 + 1e6),
            regression_case("constant gold", [0.5, 0.5, 0.5], [0.1, 0.2, 0.3]),
            regression_case("constant and right", [2, 2], [2, 2]),
            regression_case("constant prediction", [1, 2, 4], [0.3, 0.3, 0.3]),
            regression_case("one row", [1], [2])]


def entity_case(name, gold, predicted):
    report = entity_metrics.classification_report(gold, predicted, output_dict=True, zero_division=0)
    values = {
        "precision": entity_metrics.precision_score(gold, predicted, zero_division=0),
        "recall": entity_metrics.recall_score(gold, predicted, zero_division=0),
        "f1": entity_metrics.f1_score(gold, predicted, zero_division=0),
        "f1_macro": report["macro avg"]["f1-score"], "f1_weighted": report["weighted avg"]["f1-score"],
        "accuracy": entity_metrics.accuracy_score(gold, predicted),
    }
    types = {key: {"precision": row["precision"], "recall": row["recall"], "f1": row["f1-score"], "support": row["support"]}
             for key, row in report.items() if not key.endswith(" avg")}
    return {"name": name, "gold": gold, "predicted": predicted, "values": {k: number(v) for k, v in values.items()},
            "per_type": {key: {k: number(v) for k, v in row.items()} for key, row in types.items()}}


def entities(random):
    tags = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "I-MISC", "E-LOC", "S-PER", "B-a-b", "I-a-b", "B", "I"]

    def sequences(choices, count):
        gold = [[choices[i] for i in random.integers(0, len(choices), random.integers(1, 12))] for _ in range(count)]
        noise = [[choices[random.integers(len(choices))] if random.uniform() < 0.3 else tag for tag in row] for row in gold]
        return gold, noise

    return [entity_case("BIO", *sequences(tags[:5], 30)),
            entity_case("ill-formed and other schemes", *sequences(tags, 60)),
            entity_case("a type only predicted", [["O", "B-PER"]], [["B-LOC", "B-PER"]]),
            entity_case("a type never predicted", [["B-ORG", "I-ORG", "B-PER"]], [["O", "O", "B-PER"]]),
            entity_case("an entity over the border of sequences", [["B-PER"], ["I-PER"]], [["B-PER"], ["I-PER"]])]


def intervals(random):
    scores = np.round(random.normal(0.8, 0.03, 10), 4)
    reach = scipy.stats.t.ppf(0.975, 9) * scores.std(ddof=1) * math.sqrt(1 / 10 + 1 / 9)
    proportion = lambda k, n, level: list(scipy.stats.binomtest(k, n).proportion_ci(level, method="wilson"))
    return {
        "t": [[p, n, scipy.stats.t.ppf(p, n)] for p in (0.001, 0.025, 0.4, 0.5, 0.9, 0.975, 0.9995) for n in (1, 2, 4, 9.5, 29, 1000)],
        "normal": [[p, scipy.stats.norm.ppf(p)] for p in (1e-6, 0.025, 0.3, 0.5, 0.975, 0.9999)],
        "beta": [[a, b, x, scipy.special.betainc(a, b, x)] for a in (0.5, 2, 30) for b in (0.5, 3, 80) for x in (0.001, 0.2, 0.5, 0.97)],
        "wilson": [[k, n, level, *proportion(k, n, level)] for k, n, level in ((0, 10, 0.95), (7, 10, 0.95), (10, 10, 0.9), (930, 1000, 0.99))],
        "folds": {"scores": scores.tolist(), "ratio": 1 / 9, "mean": scores.mean(), "sd": scores.std(ddof=1),
                  "interval": [scores.mean() - reach, scores.mean() + reach]},
        "quantile": {"values": scores.tolist(), "rows": [[q, float(np.quantile(scores, q))] for q in (0, 0.025, 0.5, 0.733, 1)]},
    }


def write(folder: Path):
    warnings.simplefilter("ignore")
    random = np.random.default_rng(20240611)
    cases = {"classification": classification(random), "multilabel": multilabel(random), "regression": regression(random),
             "entities": entities(random), "intervals": intervals(random)}
    for name, case in cases.items():
        text = json.dumps(case, ensure_ascii=False, allow_nan=False, default=float)
        (folder / f"{name}.json").write_text(text.replace('{"name"', '\n{"name"') + "\n", encoding="utf-8")
