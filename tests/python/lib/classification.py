"""What scikit-learn and numpy make of the predictions of a single-label classification, under attune's metric names."""
import numpy as np
from sklearn import metrics

ECE_BINS = 15  # of equal width on (0, 1], each (lower, upper]


class Predictions:
    """Rows of oof_predictions.jsonl as arrays; a row's probabilities are the softmax of its logits in double precision."""

    def __init__(self, lines):
        self.labels = list(lines[0]["scores"])
        ids = {label: i for i, label in enumerate(self.labels)}
        self.gold = np.array([ids[line["gold"]] for line in lines])
        self.predicted = np.array([ids[line["label"]] for line in lines])
        logits = np.array([line["logits"] for line in lines], dtype=np.float64)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        self.written = np.array([[line["scores"][label] for label in self.labels] for line in lines])


def reliability(p):
    """Rows, mean confidence and accuracy of each bin of the top probability; the last two None where it is empty."""
    edges = np.arange(ECE_BINS + 1) / ECE_BINS
    top, right = p.probabilities.max(axis=1), p.probabilities.argmax(axis=1) == p.gold
    bins = []
    for lower, upper in zip(edges[:-1], edges[1:]):
        inside = (top > lower) & (top <= upper)
        filled = inside.any()
        bins.append({"lower": lower, "upper": upper, "rows": inside.sum(), "mean_confidence": top[inside].mean() if filled else None,
                     "accuracy": right[inside].mean() if filled else None})
    return bins


def expected_calibration_error(p):
    return sum(b["rows"] / len(p.gold) * abs(b["accuracy"] - b["mean_confidence"]) for b in reliability(p) if b["rows"])


def one_vs_rest(function, p):
    """The mean over the classes that some row has: a class without rows cannot be ranked."""
    return np.mean([function(p.gold == c, p.probabilities[:, c]) for c in np.unique(p.gold)])


def values(p):
    """Every value of metrics::ClassificationScorer for more than two labels, and the loss of training without weights."""
    averages = {f"{name}_{kind}": function(p.gold, p.predicted, average=kind, zero_division=0)
                for name, function in (("f1", metrics.f1_score), ("precision", metrics.precision_score), ("recall", metrics.recall_score))
                for kind in ("macro", "micro", "weighted")}
    every = range(len(p.labels))
    log_loss = metrics.log_loss(p.gold, p.probabilities, labels=every)
    return {
        "rows": len(p.gold),
        "loss": log_loss,
        "log_loss": log_loss,
        "accuracy": metrics.accuracy_score(p.gold, p.predicted),
        "majority_rate": np.bincount(p.gold).max() / len(p.gold),
        "f1": averages["f1_macro"],
        **{name: averages[name] for name in ("f1_macro", "f1_micro", "f1_weighted", "precision_macro", "recall_macro",
                                             "precision_weighted", "recall_weighted")},
        "mcc": metrics.matthews_corrcoef(p.gold, p.predicted),
        "roc_auc": one_vs_rest(metrics.roc_auc_score, p),
        "pr_auc": one_vs_rest(metrics.average_precision_score, p),
        "brier": metrics.brier_score_loss(p.gold, p.probabilities, labels=every),
        "ece": expected_calibration_error(p),
    }


def detail(p):
    """The blocks beside the values: per_class, confusion_matrix, reliability."""
    every = range(len(p.labels))
    columns = metrics.precision_recall_fscore_support(p.gold, p.predicted, labels=every, zero_division=0)
    per_class = {label: dict(zip(("precision", "recall", "f1", "support"), row)) for label, row in zip(p.labels, zip(*columns))}
    counts = metrics.confusion_matrix(p.gold, p.predicted, labels=every).tolist()
    return {"per_class": per_class, "confusion_matrix": {"labels": p.labels, "counts": counts}, "reliability": reliability(p)}
